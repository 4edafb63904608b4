//! Reads the flights, plain or gzipped, and knows how far it has come and through what.

use crate::error::Error;
use crate::flight::{Columns, Row};
use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use flate2::Crc;
use flate2::read::MultiGzDecoder;
use indicatif::ProgressBar;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// The flights, row by row.
pub(crate) struct Input {
    path: PathBuf,
    reader: Reader<Box<dyn Read>>,
    columns: Columns,
    record: StringRecord,
    rows: u64,
    checksum: Crc,
}

impl Input {
    /// Opens the file and reads its header. `progress` follows the bytes of the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or lacks a column.
    pub(crate) fn open(path: &Path, progress: &ProgressBar) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io(path, "cannot open the input"))?;
        let bytes = file.metadata().map_err(Error::io(path, "cannot read the input"))?.len();
        progress.set_length(bytes);

        let mut raw = BufReader::with_capacity(1 << 16, progress.wrap_read(file));
        let start = raw.fill_buf().map_err(Error::io(path, "cannot read the input"))?;
        // The name decides too, so that a damaged start is not taken for text.
        let gzipped = start.starts_with(GZIP_MAGIC) || path.extension().is_some_and(|end| end == "gz");
        let text: Box<dyn Read> = if gzipped { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) };

        let mut reader = ReaderBuilder::new().buffer_capacity(1 << 16).from_reader(text);
        let header = reader.headers().map_err(|error| unreadable(path, 1, error))?.clone();
        let columns =
            Columns::find(&header).map_err(|reason| Error::Line { file: path.to_owned(), line: 1, reason })?;

        let mut input =
            Self { path: path.to_owned(), reader, columns, record: StringRecord::new(), rows: 0, checksum: Crc::new() };
        add(&mut input.checksum, &header);
        Ok(input)
    }

    /// The next row, or `None` after the last.
    ///
    /// # Errors
    ///
    /// If the row is malformed, or the file cannot be read to its end.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        if !self.advance()? {
            return Ok(None);
        }
        let row = Row::parse(&self.record, &self.columns).map_err(|reason| Error::Line {
            file: self.path.clone(),
            line: self.record.position().map_or(0, csv::Position::line),
            reason,
        })?;
        Ok(Some(row))
    }

    /// Passes over `rows` rows that an earlier run has done.
    ///
    /// # Errors
    ///
    /// If the file has fewer rows, or if they are not those of `checksum`.
    pub(crate) fn skip(&mut self, rows: u64, checksum: u32) -> Result<(), Error> {
        while self.rows < rows {
            if !self.advance()? {
                return Err(self.other_input(&format!("it ends after {} rows", self.rows), rows));
            }
        }
        if self.checksum() != checksum {
            return Err(self.other_input("its rows differ", rows));
        }
        Ok(())
    }

    /// Number of rows read.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Checksum of the header and of every row read.
    pub(crate) fn checksum(&self) -> u32 {
        self.checksum.sum()
    }

    fn advance(&mut self) -> Result<bool, Error> {
        let line = self.reader.position().line();
        let more = self.reader.read_record(&mut self.record).map_err(|error| unreadable(&self.path, line, error))?;
        if more {
            self.rows += 1;
            add(&mut self.checksum, &self.record);
        }
        Ok(more)
    }

    fn other_input(&self, how: &str, rows: u64) -> Error {
        Error::refused(
            &self.path,
            format!(
                "this is not the input that the state was made from: {how}, and the state has done {rows} rows; \
                 give the same input, or start over with --fresh"
            ),
        )
    }
}

/// Adds the fields of a record and where each ends.
fn add(checksum: &mut Crc, record: &StringRecord) {
    checksum.update(record.as_slice().as_bytes());
    for field in record {
        checksum.update(&(field.len() as u64).to_le_bytes());
    }
}

/// Puts an error of the reader into the words of this job; `line` is where the reader stood.
fn unreadable(path: &Path, line: u64, error: csv::Error) -> Error {
    let line = error.position().map_or(line, csv::Position::line);
    let reason = match error.into_kind() {
        ErrorKind::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the file ends in the middle of its compressed data: it is truncated".to_owned()
        }
        ErrorKind::Io(error) => format!("the file cannot be read further: {error}"),
        ErrorKind::Utf8 { err, .. } => format!("field {} is not UTF-8", err.field() + 1),
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields, expected {expected_len} as in the header")
        }
        other => format!("{other:?}"),
    };
    Error::Line { file: path.to_owned(), line, reason }
}
