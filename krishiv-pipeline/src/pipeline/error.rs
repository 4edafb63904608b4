//! Why a pipeline stopped.

use krishiv_api::{BoxError, OperatorError, StateError};
use std::fmt;

/// Why a pipeline stopped. Everything up to the last commit stays; the next run goes on from there.
///
/// ```
/// # use krishiv_api::*;
/// # use krishiv_pipeline::*;
/// # use std::sync::Arc;
/// # struct Picky;
/// # impl Operator for Picky {
/// #     type State = Dynamic<u64>;
/// #     type In = u64;
/// #     type Out = u64;
/// #     fn key(&self, event: &u64) -> u64 { *event }
/// #     fn on_event(&mut self, _: &Dynamic<u64>, _: u64, _: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
/// #         Err("not that one".into())
/// #     }
/// # }
/// let stopped = Pipeline::new(Arc::new(InMemoryStateBackend::new()))
///     .source(IterSource::new([13]))
///     .operator(Picky)
///     .sink(MemorySink::new())
///     .run();
/// let error = stopped.unwrap_err();
/// assert!(matches!(error, PipelineError::Operator(_)));
/// assert_eq!(error.to_string(), "operator `dynamic`, key `13`: the event failed and was undone: not that one");
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// A source could not be read or taken back to the last commit.
    #[error("input {input}: {error}")]
    #[non_exhaustive]
    Source {
        /// Which one, from 0, or the operator that it broadcasts to.
        input: String,
        /// What the source said.
        #[source]
        error: BoxError,
    },
    /// A sink could not be written or taken back to the last commit.
    #[error("output {output}: {error}")]
    #[non_exhaustive]
    Sink {
        /// Which one: `sink`, or the operator and its output.
        output: String,
        /// What the sink said.
        #[source]
        error: BoxError,
    },
    /// An operator failed.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// The state could not be opened or committed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The pipeline is not the one that the state was made by, or is not complete.
    #[error("{reason}")]
    #[non_exhaustive]
    Setting {
        /// What differs or is missing, and what to do.
        reason: String,
    },
    /// The wish to stop cannot be listened for.
    #[error("cannot listen for signals: {0}")]
    Signal(#[source] std::io::Error),
}

impl fmt::Debug for PipelineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PipelineError {
    pub(super) fn setting(reason: impl Into<String>) -> Self {
        Self::Setting { reason: reason.into() }
    }
}
