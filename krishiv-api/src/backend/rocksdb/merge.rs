//! Changes of a row that was not read, put together with what is stored of it where RocksDB reads or compacts it.

use crate::codec::row::{join, merged};
use ::rocksdb::MergeOperands;
use std::ffi::CStr;

pub(super) const NAME: &CStr = c"krishiv.row";

/// The row that `changes` make of what is stored.
///
/// Never `None`: RocksDB would stop over a row that is damaged, where only its reader should.
pub(super) fn whole(_: &[u8], stored: Option<&[u8]>, changes: &MergeOperands) -> Option<Vec<u8>> {
    let mut changes = changes.iter();
    let mut row = merged(stored, changes.next().unwrap_or_default());
    for next in changes {
        row = merged(Some(&row), next);
    }
    Some(row)
}

/// The changes that `changes`, one after the other, are together.
pub(super) fn part(_: &[u8], _: Option<&[u8]>, changes: &MergeOperands) -> Option<Vec<u8>> {
    let mut changes = changes.iter();
    let first = changes.next().unwrap_or_default().to_vec();
    Some(changes.fold(first, |all, next| join(&all, next)))
}
