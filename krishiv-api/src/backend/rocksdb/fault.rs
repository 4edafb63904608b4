//! Turns what RocksDB says into errors of this library.

use crate::backend::folder::fault::damaged;
use crate::error::{Cause, StateError};
use ::rocksdb::ErrorKind;
use std::path::Path;

/// A failure of RocksDB in `folder`.
pub(super) fn rocksdb(folder: &Path, error: ::rocksdb::Error) -> StateError {
    let said = error.as_ref();
    // RocksDB has no kind for these two; the words have been the same for ten years, and tests pin them.
    let locked = said.contains("lock file") || said.contains("lock hold by");
    let lost = said.contains("No such file");
    match error.kind() {
        ErrorKind::Corruption => damaged(folder, said),
        ErrorKind::IOError if locked => Cause::Locked { reason: said.to_owned() }.into(),
        ErrorKind::IOError if lost => damaged(folder, said),
        _ => StateError::backend(error),
    }
}
