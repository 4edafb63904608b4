//! Where an item comes from, for those who look for what was wrong with it.

use std::path::Path;

/// A row of a file, as a [`Source`](crate::Source) has read it.
///
/// ```
/// use krishiv_pipeline::{JsonLinesSource, Row, Source};
/// use std::time::Duration;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("delays.jsonl");
/// std::fs::write(&path, "20\n-3\n")?;
/// let mut source = JsonLinesSource::<i32>::open(&path)?;
/// source.poll(Duration::ZERO)?;
/// source.poll(Duration::ZERO)?;
/// assert_eq!(source.row(), Some(Row { file: &path, line: 2, bytes: b"-3" }));
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The file, or whatever else has rows.
    pub file: &'a Path,
    /// The line that it begins in, from 1; the header of a CSV file is line 1.
    pub line: u64,
    /// The row as it is stored, without its end.
    pub bytes: &'a [u8],
}
