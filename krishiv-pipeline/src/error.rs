//! What is wrong with a file, said so that the reader knows what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file cannot be read, written or gone on with.
///
/// ```
/// use krishiv_pipeline::{CsvSource, FileError};
///
/// let error = CsvSource::<(String, i32)>::open("missing.csv").err().unwrap();
/// assert!(matches!(error, FileError::Io { .. }));
/// assert!(error.to_string().starts_with("missing.csv: cannot open the input: "));
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// A line of a file is not what it must be.
    #[error("{}:{line}: {reason}", file.display())]
    #[non_exhaustive]
    Line {
        /// The file.
        file: PathBuf,
        /// Its line, from 1; the header of a CSV file is line 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A file or folder cannot be read or written.
    #[error("{}: {action}: {source}", path.display())]
    #[non_exhaustive]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not the one that it must be, or is in use.
    #[error("{}: {reason}", path.display())]
    #[non_exhaustive]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
}

impl fmt::Debug for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FileError {
    pub(crate) fn line(file: &Path, line: u64, reason: impl Into<String>) -> Self {
        Self::Line { file: file.to_owned(), line, reason: reason.into() }
    }

    /// Makes the error of an action on `path` that failed.
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), action, source }
    }

    pub(crate) fn refused(path: &Path, reason: impl Into<String>) -> Self {
        Self::Refused { path: path.to_owned(), reason: reason.into() }
    }
}
