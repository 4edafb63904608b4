//! Turns what the file system says into errors of this library.

use crate::error::StateError;
use std::io;
use std::path::Path;

/// A failure of the file system at `path`.
pub(in crate::backend) fn io(path: &Path, error: &io::Error) -> StateError {
    StateError::backend(io::Error::new(error.kind(), format!("`{}`: {error}", path.display())))
}

/// Damage in `folder`.
pub(in crate::backend) fn damaged(folder: &Path, what: impl std::fmt::Display) -> StateError {
    StateError::damaged(format!("the state in `{}` is damaged: {what}", folder.display()))
}
