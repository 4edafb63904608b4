//! That what is read is checked.

use ::rocksdb::ReadOptions;

/// Reads with their checksums.
pub(super) fn verified() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_verify_checksums(true);
    options
}
