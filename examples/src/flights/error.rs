//! Everything that stops the job, said so that the reader knows what to do.

use krishiv_api::StateError;
use krishiv_pipeline::{BoxError, FileError, PipelineError};
use std::io;
use std::path::{Path, PathBuf};

/// Why the job stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The input or the rules cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file or folder cannot be read or written.
    #[error("{}: {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder is not the one it must be.
    #[error("{}: {reason}", path.display())]
    Refused {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The state failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// A source or a sink did; it names its file, so nothing is to be added.
    #[error("{0}")]
    Stream(BoxError),
    /// The pipeline stopped for another reason.
    #[error(transparent)]
    Pipeline(PipelineError),
}

impl Error {
    /// Makes the error of an action on `path` that failed.
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), action, source }
    }

    /// The error of a `path` that is not what it must be.
    pub(crate) fn refused(path: &Path, reason: impl Into<String>) -> Self {
        Self::Refused { path: path.to_owned(), reason: reason.into() }
    }

    /// The error of a pipeline whose state is in `state`.
    pub(crate) fn pipeline(error: PipelineError, state: &Path) -> Self {
        match error {
            PipelineError::Source { error, .. } | PipelineError::Sink { error, .. } => Self::Stream(error),
            PipelineError::Setting { reason, .. } => Self::refused(state, reason),
            other => Self::Pipeline(other),
        }
    }
}
