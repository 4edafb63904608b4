//! Where a source of rows stands, and through what it came there.

use crate::error::FileError;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The position of a [`CsvSource`](crate::CsvSource) or [`JsonLinesSource`](crate::JsonLinesSource).
///
/// ```
/// use krishiv_pipeline::{JsonLinesSource, RowPosition, Source};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("delays.jsonl");
/// std::fs::write(&path, "20\n-3\n")?;
/// let source = JsonLinesSource::<i32>::open(&path)?;
/// assert_eq!(source.position(), RowPosition { rows: 0, checksum: 0 });
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowPosition {
    /// Number of rows read, bad ones included, without the header.
    pub rows: u64,
    /// CRC-32C of the header and of these rows; the same rows have the same, packed or plain, in one file or in several.
    pub checksum: u32,
}

impl RowPosition {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.checksum = crc32c::crc32c_append(self.checksum, bytes);
    }

    /// Without the lengths, fields that read the same side by side would be the same.
    pub(super) fn add_length(&mut self, length: usize) {
        self.add(&(length as u64).to_le_bytes());
    }
}

/// What [`Rows::read`] found.
pub(super) enum Read {
    Row,
    /// What is no row whatever the type, and why.
    Bad(String),
    /// There is none now, and more may come.
    Nothing,
    End,
}

/// Files that are read row by row.
pub(super) trait Rows {
    fn path(&self) -> &Path;

    fn position(&self) -> RowPosition;

    /// Reads the next row.
    fn read(&mut self) -> Result<Read, FileError>;

    /// Moves the position behind what was read.
    fn pass(&mut self);
}

/// Passes over the rows that an earlier run has done.
///
/// # Errors
///
/// If the files have fewer rows, or others.
pub(super) fn seek(rows: &mut impl Rows, to: RowPosition) -> Result<(), FileError> {
    while rows.position().rows < to.rows {
        match rows.read()? {
            Read::Row | Read::Bad(_) => rows.pass(),
            Read::Nothing => {}
            Read::End => {
                let how = format!("it ends after {} rows", rows.position().rows);
                return Err(other_input(rows.path(), &how, to.rows));
            }
        }
    }
    let at = rows.position();
    if at.rows > to.rows {
        let reason = format!("row {} was read, and a source cannot go back to {}; open it anew", at.rows, to.rows);
        return Err(FileError::refused(rows.path(), reason));
    }
    if at.checksum != to.checksum {
        let how = if to.rows == 0 { "its header differs" } else { "its rows differ" };
        return Err(other_input(rows.path(), how, to.rows));
    }
    Ok(())
}

fn other_input(path: &Path, how: &str, done: u64) -> FileError {
    FileError::refused(
        path,
        format!(
            "this is not the input that the state was made from: {how}, and the state has done {done} rows; \
             give the same input, or start over with a new state"
        ),
    )
}
