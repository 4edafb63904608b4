//! The lines of a file, each a JSON value.

use super::line::{Ends, Line, TOO_LONG};
use super::lines::Lines;
use super::position::{self, Read, Rows};
use crate::attempt::attempt;
use crate::error::FileError;
use crate::source::{Polled, Progress, Row, RowPosition, Source};
use krishiv_api::BoxError;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::path::Path;
use std::time::Duration;

/// The lines of a file, each a JSON value, plain or packed by gzip or zstd.
///
/// A folder stands for all files in it, in the order of their names, but for those that begin with `.` or `_`; `-` stands for the
/// standard input, which a thread reads, as it does a pipe. A file is packed if it begins so, or its name ends in `.gz` or `.zst`; it may have several members or frames. Empty
/// lines are passed over. A position holds a checksum of all that was read, and [`seek`](Source::seek) reads it again: other
/// files are refused, those that have grown are not.
///
/// A line that is no `T`, or longer than 64 MiB, is [bad](Polled::Bad).
///
/// A file grows by whole lines, between two runs: the last line counts also without a line break, so half a line that
/// somebody is still writing is taken for a line, and is an error, or another value. Open a file that nobody is writing.
///
/// ```
/// use krishiv_pipeline::{JsonLinesSource, Polled, Source};
/// use serde::Deserialize;
/// use std::time::Duration;
///
/// #[derive(Debug, PartialEq, Deserialize)]
/// struct Delay {
///     tail: String,
///     minutes: i32,
/// }
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("delays.jsonl");
/// std::fs::write(&path, "{\"tail\":\"N14228\",\"minutes\":20}\n")?;
/// let mut source = JsonLinesSource::<Delay>::open(&path)?;
/// let delay = Delay { tail: "N14228".to_owned(), minutes: 20 };
/// assert_eq!(source.poll(Duration::ZERO)?, Polled::Item(delay));
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
pub struct JsonLinesSource<T> {
    rows: JsonRows,
    item: PhantomData<fn() -> T>,
}

struct JsonRows {
    lines: Lines,
    bytes: Vec<u8>,
    /// A checksum of what is not in `bytes` of a line that is too long.
    rest: Option<u32>,
    position: RowPosition,
}

impl<T: DeserializeOwned> JsonLinesSource<T> {
    /// Opens the file, the first of a folder, or the standard input.
    ///
    /// ```no_run
    /// let source = krishiv_pipeline::JsonLinesSource::<i32>::open("delays.jsonl.gz")?;
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let lines = Lines::open(path.as_ref(), Ends::Lf)?;
        let rows = JsonRows { lines, bytes: Vec::new(), rest: None, position: RowPosition::default() };
        Ok(Self { rows, item: PhantomData })
    }

    /// Number of rows read: lines that are not empty.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::JsonLinesSource::<i32>::open("delays.jsonl")?;
    /// println!("{} rows", source.rows());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn rows(&self) -> u64 {
        self.rows.position.rows
    }

    /// Bytes of the files that were read, as they are stored. Reading is a few buffers of 64 KiB ahead of the rows.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::JsonLinesSource::<i32>::open("delays.jsonl")?;
    /// println!("{} of {} bytes", source.bytes_read(), source.bytes_total());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn bytes_read(&self) -> u64 {
        self.rows.lines.progress().bytes_read()
    }

    /// Bytes that the files had when they were opened; 0 for the standard input.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::JsonLinesSource::<i32>::open("delays.jsonl")?;
    /// println!("{} of {} bytes", source.bytes_read(), source.bytes_total());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn bytes_total(&self) -> u64 {
        self.rows.lines.progress().bytes_total()
    }

    /// Follows the bytes read while somebody else owns the source.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::JsonLinesSource::<i32>::open("delays.jsonl")?;
    /// let progress = source.progress();
    /// # drop(source);
    /// println!("{} of {} bytes", progress.bytes_read(), progress.bytes_total());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn progress(&self) -> Progress {
        self.rows.lines.progress().clone()
    }
}

impl<T: DeserializeOwned> Source for JsonLinesSource<T> {
    type Item = T;
    type Position = RowPosition;

    fn poll(&mut self, wait: Duration) -> Result<Polled<T>, BoxError> {
        let rows = &mut self.rows;
        if !rows.lines.is_ready(wait) {
            return Ok(Polled::Pending);
        }
        let polled = match rows.read()? {
            Read::End => return Ok(Polled::End),
            Read::Nothing => return Ok(Polled::Pending),
            Read::Bad(reason) => Polled::Bad(reason),
            Read::Row => {
                let line = rows.line();
                // A type may panic when it is made.
                match attempt(|| serde_json::from_slice(line)) {
                    Ok(Ok(item)) => Polled::Item(item),
                    Ok(Err(error)) => Polled::Bad(reason(&error, line, rows.position.rows == 0)),
                    Err(panic) => Polled::Bad(panic),
                }
            }
        };
        rows.pass();
        Ok(polled)
    }

    fn position(&self) -> RowPosition {
        self.rows.position
    }

    fn seek(&mut self, position: RowPosition) -> Result<(), BoxError> {
        Ok(position::seek(&mut self.rows, position)?)
    }

    fn row(&self) -> Option<Row<'_>> {
        let JsonRows { lines, .. } = &self.rows;
        let bytes = self.rows.line();
        (!bytes.is_empty()).then(|| Row { file: lines.path(), line: lines.number(), bytes })
    }
}

impl JsonRows {
    /// The line that was read, without its end.
    fn line(&self) -> &[u8] {
        self.bytes.trim_ascii_end()
    }
}

impl Rows for JsonRows {
    fn path(&self) -> &Path {
        self.lines.path()
    }

    fn position(&self) -> RowPosition {
        self.position
    }

    fn read(&mut self) -> Result<Read, FileError> {
        loop {
            self.bytes.clear();
            self.rest = None;
            match self.lines.read(&mut self.bytes)? {
                Line::End if self.lines.next_file()? => {}
                Line::End => return Ok(Read::End),
                Line::Whole if self.bytes.trim_ascii().is_empty() => {
                    if !self.lines.is_ready(Duration::ZERO) {
                        return Ok(Read::Nothing);
                    }
                }
                Line::Whole => return Ok(Read::Row),
                Line::TooLong(rest) => {
                    self.rest = Some(rest);
                    return Ok(Read::Bad(TOO_LONG.to_owned()));
                }
            }
        }
    }

    fn pass(&mut self) {
        let Self { bytes, rest, position, .. } = self;
        let line = bytes.trim_ascii_end();
        position.rows += 1;
        position.add(line);
        position.add_length(line.len());
        rest.iter().for_each(|rest| position.add(&rest.to_le_bytes()));
    }
}

/// What is wrong with a line, without its number, which serde_json counts in the text that it was given; of the first line also
/// what the file may be instead.
fn reason(error: &serde_json::Error, line: &[u8], is_first: bool) -> String {
    if let Err(error) = std::str::from_utf8(line) {
        return format!("the line is not UTF-8, from its byte {} on", error.valid_up_to() + 1);
    }
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let reason = match text.strip_suffix(&place) {
        Some(reason) => format!("{reason}, at column {}", error.column()),
        None => text,
    };
    let hint = match line.first() {
        Some(b'[') if is_first => "one JSON array; write each of its elements on a line of its own (`jq -c '.[]'`)",
        Some(b'{') if is_first && error.is_eof() => "JSON over several lines; write each value on one line (`jq -c .`)",
        _ => return reason,
    };
    format!("{reason}; the file looks like {hint}")
}
