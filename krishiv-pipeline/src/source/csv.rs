//! The rows of a CSV file.

use super::position::{self, Rows};
use super::text::{self, BUFFER, Text};
use crate::error::FileError;
use crate::source::{Polled, Progress, RowPosition, Source};
use csv::{DeserializeError, Error, ErrorKind, Reader, ReaderBuilder, StringRecord};
use krishiv_api::BoxError;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::time::Duration;

type Parse<T> = Box<dyn FnMut(&StringRecord) -> Result<T, String> + Send>;

/// The rows of a CSV file with a header, plain or gzipped.
///
/// A file is gzipped if it begins as one or its name ends in `.gz`; it may have several members. Its position
/// holds a checksum of all that was read, and [`seek`](Source::seek) reads it again: another file is refused, one
/// that has grown is not. No row may be longer than 64 MiB.
///
/// A file grows by whole rows, between two runs: the last row counts also without a line break, so half a row that somebody is
/// still writing is taken for a row, and is an error, or another value. Open a file that nobody is writing.
///
/// ```
/// use krishiv_pipeline::{CsvSource, Polled, Source};
/// use serde::Deserialize;
/// use std::time::Duration;
///
/// #[derive(Debug, PartialEq, Deserialize)]
/// struct Delay {
///     tail: String,
///     minutes: Option<i32>,
/// }
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("delays.csv");
/// std::fs::write(&path, "minutes,carrier,tail\n20,UA,N14228\n,UA,N24211\n")?;
/// let mut source = CsvSource::<Delay>::open(&path)?;
/// let delay = Delay { tail: "N14228".to_owned(), minutes: Some(20) };
/// assert_eq!(source.poll(Duration::ZERO)?, Polled::Item(delay));
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
pub struct CsvSource<T> {
    rows: CsvRows,
    parse: Parse<T>,
}

struct CsvRows {
    path: PathBuf,
    reader: Reader<Text>,
    record: StringRecord,
    position: RowPosition,
}

impl<T: DeserializeOwned> CsvSource<T> {
    /// Opens the file and reads its header; fields of `T` are columns of the same name.
    ///
    /// ```no_run
    /// use krishiv_pipeline::CsvSource;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Delay {
    ///     tail: String,
    ///     minutes: i32,
    /// }
    /// let source = CsvSource::<Delay>::open("delays.csv.gz")?;
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or has no header.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        Self::open_with(path, |header| {
            if header.is_empty() {
                return Err("the file has no header".to_owned());
            }
            let header = header.clone();
            Ok(move |record: &StringRecord| {
                record.deserialize(Some(&header)).map_err(|error| misfit(error, record, &header))
            })
        })
    }
}

impl<T> CsvSource<T> {
    /// Opens the file, hands its header to `parser`, and reads rows by the function that it returns.
    ///
    /// Each says in a sentence what is wrong; file and line are added.
    ///
    /// ```
    /// use krishiv_pipeline::{CsvSource, Source};
    /// use std::time::Duration;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("delays.csv");
    /// std::fs::write(&path, "tail,minutes\nN14228,soon\n")?;
    /// let mut source = CsvSource::open_with(&path, |header| {
    ///     let at = header.iter().position(|name| name == "minutes").ok_or("the header has no column `minutes`")?;
    ///     Ok(move |row: &csv::StringRecord| {
    ///         let text = row.get(at).unwrap_or_default();
    ///         text.parse::<i32>().map_err(|_| format!("`minutes` is {text:?}, expected a whole number"))
    ///     })
    /// })?;
    /// let error = source.poll(Duration::ZERO).unwrap_err().to_string();
    /// assert!(error.ends_with("delays.csv:2: `minutes` is \"soon\", expected a whole number"));
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or `parser` refuses the header.
    pub fn open_with<P>(
        path: impl AsRef<Path>,
        parser: impl FnOnce(&StringRecord) -> Result<P, String>,
    ) -> Result<Self, FileError>
    where
        P: FnMut(&StringRecord) -> Result<T, String> + Send + 'static,
    {
        let path = path.as_ref();
        let mut reader = ReaderBuilder::new().buffer_capacity(BUFFER).from_reader(Text::open(path)?);
        let header = reader.headers().map_err(|error| unreadable(path, 1, error))?.clone();
        let parse = parser(&header).map_err(|reason| FileError::line(path, 1, reason))?;

        let mut position = RowPosition::default();
        add(&mut position, &header);
        let rows = CsvRows { path: path.to_owned(), reader, record: StringRecord::new(), position };
        Ok(Self { rows, parse: Box::new(parse) })
    }

    /// Number of rows read, without the header.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::CsvSource::<(String, i32)>::open("delays.csv")?;
    /// println!("{} rows", source.rows());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn rows(&self) -> u64 {
        self.rows.position.rows
    }

    /// Bytes of the file that were read, as they are stored. Reading is a few buffers of 64 KiB ahead of the rows.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::CsvSource::<(String, i32)>::open("delays.csv")?;
    /// println!("{} of {} bytes", source.bytes_read(), source.bytes_total());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn bytes_read(&self) -> u64 {
        self.rows.reader.get_ref().progress().bytes_read()
    }

    /// Bytes that the file had when it was opened.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::CsvSource::<(String, i32)>::open("delays.csv")?;
    /// println!("{} of {} bytes", source.bytes_read(), source.bytes_total());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn bytes_total(&self) -> u64 {
        self.rows.reader.get_ref().progress().bytes_total()
    }

    /// Follows the bytes read while somebody else owns the source.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::CsvSource::<(String, i32)>::open("delays.csv")?;
    /// let progress = source.progress();
    /// # drop(source);
    /// println!("{} of {} bytes", progress.bytes_read(), progress.bytes_total());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn progress(&self) -> Progress {
        self.rows.reader.get_ref().progress().clone()
    }
}

impl<T> Source for CsvSource<T> {
    type Item = T;
    type Position = RowPosition;

    fn poll(&mut self, _wait: Duration) -> Result<Polled<T>, BoxError> {
        let Self { rows, parse } = self;
        if !rows.read()? {
            return Ok(Polled::End);
        }
        let item = parse(&rows.record).map_err(|reason| {
            let line = rows.record.position().map_or(0, csv::Position::line);
            FileError::line(&rows.path, line, reason)
        })?;
        rows.pass();
        Ok(Polled::Item(item))
    }

    fn position(&self) -> RowPosition {
        self.rows.position
    }

    fn seek(&mut self, position: RowPosition) -> Result<(), BoxError> {
        Ok(position::seek(&mut self.rows, position)?)
    }
}

impl Rows for CsvRows {
    fn path(&self) -> &Path {
        &self.path
    }

    fn position(&self) -> RowPosition {
        self.position
    }

    fn read(&mut self) -> Result<bool, FileError> {
        self.reader.get_mut().begin_row();
        let line = self.reader.position().line();
        self.reader.read_record(&mut self.record).map_err(|error| unreadable(&self.path, line, error))
    }

    fn pass(&mut self) {
        self.position.rows += 1;
        add(&mut self.position, &self.record);
    }
}

/// Adds the fields of a record and where each ends.
fn add(position: &mut RowPosition, record: &StringRecord) {
    position.add(record.as_slice().as_bytes());
    for field in record {
        position.add_length(field.len());
    }
}

/// Says why a row is no `T`: by the name of the column where one is to blame.
fn misfit(error: Error, record: &StringRecord, header: &StringRecord) -> String {
    let ErrorKind::Deserialize { err, .. } = error.kind() else {
        return error.to_string();
    };
    let named = |err: &DeserializeError| {
        let at = usize::try_from(err.field()?).ok()?;
        Some(format!("`{}` is {:?}: {}", header.get(at)?, record.get(at)?, err.kind()))
    };
    named(err).unwrap_or_else(|| {
        let columns: Vec<_> = header.iter().collect();
        format!("{}; the header has `{}`", err.kind(), columns.join("`, `"))
    })
}

/// Puts an error of the reader into plain words; `line` is where the reader stood.
fn unreadable(path: &Path, line: u64, error: Error) -> FileError {
    let line = error.position().map_or(line, csv::Position::line);
    let reason = match error.into_kind() {
        ErrorKind::Io(error) => text::unreadable(&error),
        ErrorKind::Utf8 { err, .. } => format!("field {} is not UTF-8", err.field() + 1),
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields, expected {expected_len} as in the header")
        }
        other => format!("{other:?}"),
    };
    FileError::line(path, line, reason)
}
