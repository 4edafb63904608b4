//! Everything that stops the program, said so that the reader knows what to do.

use krishiv_api::{BatchError, OperatorError, StateError};
use krishiv_pipeline::PipelineError;
use std::io;

/// Why the program stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The two sides of a case did not compute the same.
    #[error(
        "ours computed {ours:#x} and the peer {peer:#x}: the case does not compare equal work, so its figures are void"
    )]
    Differs {
        /// Checksum of ours.
        ours: u64,
        /// Checksum of the peer.
        peer: u64,
    },
    /// No case has such a name.
    #[error("no case has that in its name; the cases are: {}", names.join("; "))]
    NoCase {
        /// The names of all cases.
        names: Vec<&'static str>,
    },
    /// An error with the case it happened in.
    #[error("case `{case}`: {error}")]
    Case {
        /// Name of the case.
        case: &'static str,
        /// What went wrong.
        error: Box<Error>,
    },
    /// The library failed.
    #[error("the store failed: {0}")]
    State(#[from] StateError),
    /// Ours, in an operator.
    #[error("{0}")]
    Operator(#[from] OperatorError),
    /// Ours, in a pipeline.
    #[error("{0}")]
    Pipeline(#[from] PipelineError),
    /// RocksDB failed under the peer.
    #[error("the peer's RocksDB failed: {0}")]
    RocksDb(#[from] rocksdb::Error),
    /// RocksDB has no default column family.
    #[error("the peer's database has no default column family")]
    ColumnFamily,
    /// A value of the peer does not encode or decode.
    #[error("the peer's bytes are not what it wrote: {0}")]
    Postcard(#[from] postcard::Error),
    /// A record of the peer is missing or damaged.
    #[error("the peer's record of key {key} is missing or damaged")]
    Record {
        /// The key.
        key: u64,
    },
    /// A file, folder or process failed.
    #[error("{action}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A process that was started to be measured failed.
    #[error("the process that was started to be measured failed: {0}")]
    Child(String),
    /// A thread of a case panicked.
    #[error("a thread of the case panicked; its message is above")]
    Thread,
    /// The input of a case cannot be drawn.
    #[error("the input cannot be drawn: {0}")]
    Input(#[from] rand_distr::ZipfError),
}

impl Error {
    /// Makes the error of an action that failed.
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }

    /// Names the case.
    pub(crate) fn in_case(self, case: &'static str) -> Self {
        Self::Case { case, error: Box::new(self) }
    }
}

impl From<BatchError<StateError>> for Error {
    fn from(failed: BatchError<StateError>) -> Self {
        Self::State(failed.error)
    }
}
