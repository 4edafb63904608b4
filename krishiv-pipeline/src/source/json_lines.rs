//! The lines of a file, each a JSON value.

use super::position::{self, Rows};
use super::text::{self, BUFFER, Text};
use crate::error::FileError;
use crate::source::{Polled, Progress, RowPosition, Source};
use krishiv_api::BoxError;
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The lines of a file, each a JSON value, plain or gzipped.
///
/// Empty lines are passed over. A file is gzipped if it begins as one or its name ends in `.gz`; it may have several
/// members. Its position holds a checksum of all that was read, and [`seek`](Source::seek) reads it again: another
/// file is refused, one that has grown is not. No line may be longer than 64 MiB.
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
    lines: Lines,
    item: PhantomData<fn() -> T>,
}

struct Lines {
    path: PathBuf,
    reader: BufReader<Text>,
    bytes: Vec<u8>,
    /// Number of the line in `bytes`, from 1.
    number: u64,
    position: RowPosition,
}

impl<T: DeserializeOwned> JsonLinesSource<T> {
    /// Opens the file.
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
        let path = path.as_ref();
        let lines = Lines {
            path: path.to_owned(),
            reader: BufReader::with_capacity(BUFFER, Text::open(path)?),
            bytes: Vec::new(),
            number: 0,
            position: RowPosition::default(),
        };
        Ok(Self { lines, item: PhantomData })
    }

    /// Number of rows read: lines that are not empty.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::JsonLinesSource::<i32>::open("delays.jsonl")?;
    /// println!("{} rows", source.rows());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn rows(&self) -> u64 {
        self.lines.position.rows
    }

    /// Bytes of the file that were read, as they are stored. Reading is a few buffers of 64 KiB ahead of the rows.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::JsonLinesSource::<i32>::open("delays.jsonl")?;
    /// println!("{} of {} bytes", source.bytes_read(), source.bytes_total());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn bytes_read(&self) -> u64 {
        self.lines.reader.get_ref().progress().bytes_read()
    }

    /// Bytes that the file had when it was opened.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::JsonLinesSource::<i32>::open("delays.jsonl")?;
    /// println!("{} of {} bytes", source.bytes_read(), source.bytes_total());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn bytes_total(&self) -> u64 {
        self.lines.reader.get_ref().progress().bytes_total()
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
        self.lines.reader.get_ref().progress().clone()
    }
}

impl<T: DeserializeOwned> Source for JsonLinesSource<T> {
    type Item = T;
    type Position = RowPosition;

    fn poll(&mut self, _wait: Duration) -> Result<Polled<T>, BoxError> {
        let lines = &mut self.lines;
        if !lines.read()? {
            return Ok(Polled::End);
        }
        let item = serde_json::from_slice(lines.bytes.trim_ascii_end())
            .map_err(|error| FileError::line(&lines.path, lines.number, reason(&error)))?;
        lines.pass();
        Ok(Polled::Item(item))
    }

    fn position(&self) -> RowPosition {
        self.lines.position
    }

    fn seek(&mut self, position: RowPosition) -> Result<(), BoxError> {
        Ok(position::seek(&mut self.lines, position)?)
    }
}

impl Rows for Lines {
    fn path(&self) -> &Path {
        &self.path
    }

    fn position(&self) -> RowPosition {
        self.position
    }

    fn read(&mut self) -> Result<bool, FileError> {
        loop {
            self.bytes.clear();
            self.number += 1;
            self.reader.get_mut().begin_row();
            let count = self
                .reader
                .read_until(b'\n', &mut self.bytes)
                .map_err(|error| FileError::line(&self.path, self.number, text::unreadable(&error)))?;
            if count == 0 {
                return Ok(false);
            }
            if !self.bytes.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    fn pass(&mut self) {
        let line = self.bytes.trim_ascii_end();
        self.position.rows += 1;
        self.position.add(line);
        self.position.add_length(line.len());
    }
}

/// What serde_json says, without the line, which it counts in the text that it was given.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(reason) => format!("{reason}, at column {}", error.column()),
        None => text,
    }
}
