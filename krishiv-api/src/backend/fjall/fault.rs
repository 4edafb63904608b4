//! Turns what fjall says into errors of this library.

use crate::backend::folder::fault::damaged;
use crate::error::{Cause, StateError};
use ::fjall::Error;
use std::any::Any;
use std::io;
use std::path::Path;

/// A failure of fjall in `folder`.
pub(super) fn fjall(folder: &Path, error: Error) -> StateError {
    match error {
        Error::Locked => Cause::Locked { reason: folder.display().to_string() }.into(),
        Error::Poisoned => {
            let reason =
                format!("a write to `{}`, or one of fjall's own in the background, has failed", folder.display());
            Cause::Stopped { reason }.into()
        }
        Error::Io(error) | Error::Storage(lsm_tree::Error::Io(error)) => of_file(folder, &error),
        Error::Storage(error) => damaged(folder, error),
        other => damaged(folder, other),
    }
}

/// A failure of the trees below fjall.
pub(super) fn tree(folder: &Path, error: lsm_tree::Error) -> StateError {
    fjall(folder, Error::Storage(error))
}

fn of_file(folder: &Path, error: &io::Error) -> StateError {
    match error.kind() {
        // fjall asks for no file that it has not made, for no byte that it has not written, and for none before the first.
        io::ErrorKind::NotFound
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::InvalidData
        | io::ErrorKind::InvalidInput => damaged(folder, error),
        kind => StateError::backend(io::Error::new(kind, format!("`{}`: {error}", folder.display()))),
    }
}

/// What fjall says by a panic, over files that it does not expect.
pub(super) fn panicked(folder: &Path, panic: &(dyn Any + Send)) -> StateError {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    damaged(folder, format_args!("fjall cannot read it ({})", said.unwrap_or("it does not say why")))
}
