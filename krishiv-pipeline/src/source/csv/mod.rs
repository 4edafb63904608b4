//! The rows of a CSV file.

mod misfit;
mod rows;
mod served;

use super::position::{self, Read, Rows};
use crate::attempt::attempt;
use crate::error::FileError;
use crate::source::{Polled, Progress, Row, RowPosition, Source};
use csv::StringRecord;
use krishiv_api::BoxError;
use misfit::misfit;
use rows::CsvRows;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::Duration;

type Parse<T> = Box<dyn FnMut(&StringRecord) -> Result<T, String> + Send>;

/// The rows of a CSV file with a header, plain or packed by gzip or zstd.
///
/// A folder stands for all files in it, which have one header, in the order of their names, but for those that begin with `.` or
/// `_`; `-` stands for the standard input, which a thread reads, as it does a pipe. A file is packed if it begins so, or its name ends in `.gz` or `.zst`; it may have several
/// members or frames. A position holds a checksum of all that was read, and [`seek`](Source::seek) reads it again: other files are
/// refused, those that have grown are not.
///
/// A row that is no `T`, has more or fewer fields than the header, is not UTF-8, or is longer than 64 MiB, is
/// [bad](Polled::Bad). So is one of several lines in which a quote is not closed, or something follows a quote that ends a field; of
/// such a row all lines but the first are read once more, so that a quote that nobody closed takes no good rows along.
///
/// Inside `#[serde(flatten)]` a text that looks like a number is one, since serde asks what it is: the zip code `02134` becomes
/// 2134. Keep such columns out of it, or read them by [`open_with`](Self::open_with).
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

impl<T: DeserializeOwned> CsvSource<T> {
    /// Opens the file, the first of a folder, or the standard input, and reads its header; fields of `T` are columns of the same name.
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
            if let Some(twice) = named_twice(header) {
                return Err(format!(
                    "the header has `{twice}` twice, so nobody knows which one a field is; name them apart"
                ));
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
    /// Each says in a sentence what is wrong; file and line are known beside it.
    ///
    /// ```
    /// use krishiv_pipeline::{CsvSource, Polled, Source};
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
    /// assert_eq!(source.poll(Duration::ZERO)?, Polled::Bad("`minutes` is \"soon\", expected a whole number".to_owned()));
    /// assert_eq!(source.row().map(|row| row.line), Some(2));
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
        let rows = CsvRows::open(path)?;
        let parse = parser(rows.header()).map_err(|reason| FileError::line(rows.path(), 1, reason))?;
        Ok(Self { rows, parse: Box::new(parse) })
    }

    /// Number of rows read, bad ones included, without the header.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::CsvSource::<(String, i32)>::open("delays.csv")?;
    /// println!("{} rows", source.rows());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn rows(&self) -> u64 {
        self.rows.position().rows
    }

    /// Bytes of the files that were read, as they are stored. Reading is a few buffers of 64 KiB ahead of the rows.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::CsvSource::<(String, i32)>::open("delays.csv")?;
    /// println!("{} of {} bytes", source.bytes_read(), source.bytes_total());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn bytes_read(&self) -> u64 {
        self.rows.progress().bytes_read()
    }

    /// Bytes that the files had when they were opened; 0 for the standard input.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::CsvSource::<(String, i32)>::open("delays.csv")?;
    /// println!("{} of {} bytes", source.bytes_read(), source.bytes_total());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn bytes_total(&self) -> u64 {
        self.rows.progress().bytes_total()
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
        self.rows.progress().clone()
    }
}

/// A name that two columns have.
fn named_twice(header: &StringRecord) -> Option<&str> {
    header
        .iter()
        .enumerate()
        .find(|(at, name)| header.iter().skip(at + 1).any(|other| other == *name))
        .map(|(_, name)| name)
}

impl<T> Source for CsvSource<T> {
    type Item = T;
    type Position = RowPosition;

    fn poll(&mut self, wait: Duration) -> Result<Polled<T>, BoxError> {
        let Self { rows, parse } = self;
        if !rows.is_ready(wait) {
            return Ok(Polled::Pending);
        }
        let polled = match rows.read()? {
            Read::End => return Ok(Polled::End),
            Read::Nothing => return Ok(Polled::Pending),
            Read::Bad(reason) => Polled::Bad(reason),
            // A function or a type may panic.
            Read::Row => match attempt(|| parse(rows.record())) {
                Ok(Ok(item)) => Polled::Item(item),
                Ok(Err(reason)) | Err(reason) => Polled::Bad(reason),
            },
        };
        rows.pass();
        Ok(polled)
    }

    fn position(&self) -> RowPosition {
        self.rows.position()
    }

    fn seek(&mut self, position: RowPosition) -> Result<(), BoxError> {
        Ok(position::seek(&mut self.rows, position)?)
    }

    fn row(&self) -> Option<Row<'_>> {
        self.rows.row()
    }
}
