//! Everything that stops the job, said so that the reader knows what to do.

use krishiv_api::StateError;
use std::io;
use std::path::{Path, PathBuf};

/// Why the job stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A line of a file is not what it must be.
    #[error("{}:{line}: {reason}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// Its line, from 1; the header is line 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
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
    #[error("{0}")]
    State(#[from] StateError),
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
}
