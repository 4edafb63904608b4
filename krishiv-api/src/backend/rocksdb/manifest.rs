//! Reads in RocksDB's manifest up to where everything is in its table files.
//!
//! The manifest is a log of edits. An edit is a row of fields, `[tag varint]` and what the tag says, and begins with the
//! few that this needs. Its last sequence number is that of the newest record in any table file that was ever listed, not
//! that of the newest write: so the logs have to go on right behind it.

use super::journal;
use std::io;
use std::path::Path;

const COMPARATOR: u64 = 1;
const LOG_NUMBER: u64 = 2;
const NEXT_FILE_NUMBER: u64 = 3;
const LAST_SEQUENCE: u64 = 4;
const PREV_LOG_NUMBER: u64 = 9;
const MIN_LOG_NUMBER_TO_KEEP: u64 = 10;
const MAX_COLUMN_FAMILY: u64 = 203;
const DB_ID: u64 = 8193;

/// More bytes than the fields before the last sequence number take: two names and some numbers.
const FRONT: usize = 1024;

/// The last sequence number in the table files that the manifest at `path` lists; 0 if there are none.
pub(super) fn last_sequence(path: &Path) -> io::Result<u64> {
    let mut last = 0;
    journal::find_in_records(path, FRONT, |edit| {
        last = last.max(last_sequence_of(edit).unwrap_or(0));
        None::<()>
    })?;
    Ok(last)
}

/// What an edit says; `None` if it says nothing of it.
fn last_sequence_of(mut edit: &[u8]) -> Option<u64> {
    loop {
        match varint(&mut edit)? {
            LAST_SEQUENCE => return varint(&mut edit),
            COMPARATOR | DB_ID => {
                let length = usize::try_from(varint(&mut edit)?).ok()?;
                edit = edit.get(length..)?;
            }
            LOG_NUMBER | NEXT_FILE_NUMBER | PREV_LOG_NUMBER | MIN_LOG_NUMBER_TO_KEEP | MAX_COLUMN_FAMILY => {
                varint(&mut edit)?;
            }
            _ => return None,
        }
    }
}

/// Takes a number off the front of `bytes`, seven bits a byte, the lowest first.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
