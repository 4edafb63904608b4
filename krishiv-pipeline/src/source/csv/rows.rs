//! The rows of CSV files that have one header.

use super::served::{Failed, Quotes, Served};
use crate::error::FileError;
use crate::source::line::Ends;
use crate::source::lines::Lines;
use crate::source::position::{Read, Rows};
use crate::source::{Progress, Row, RowPosition};
use csv::{Error, ErrorKind, Reader, ReaderBuilder, StringRecord};
use std::path::Path;
use std::time::Duration;

pub(super) struct CsvRows {
    reader: Reader<Served>,
    progress: Progress,
    header: StringRecord,
    record: StringRecord,
    found: Found,
    position: RowPosition,
}

/// What was read last.
enum Found {
    Row,
    /// No row; of a line that is too long, with a checksum of what is not kept.
    Bad(Option<u32>),
}

/// Why what was read is no row.
struct Fault {
    reason: String,
    /// Whether it has lines that may be rows by themselves.
    spans: bool,
    rest: Option<u32>,
}

/// Headers are rows, and rows of other lengths are ours to name.
fn reader(served: Served) -> Reader<Served> {
    ReaderBuilder::new().has_headers(false).flexible(true).from_reader(served)
}

impl CsvRows {
    /// Opens the files, and reads the header of the first.
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        let lines = Lines::open(path, Ends::Any)?;
        let mut rows = Self {
            progress: lines.progress().clone(),
            reader: reader(Served::new(lines)),
            header: StringRecord::new(),
            record: StringRecord::new(),
            found: Found::Row,
            position: RowPosition::default(),
        };
        // Files without a byte are left behind by those who write many.
        while rows.header.is_empty() {
            match rows.read_header()? {
                Some(header) => rows.header = header,
                None if rows.reader_of_next_file()? => {}
                None => break,
            }
        }
        add(&mut rows.position, &rows.header);
        Ok(rows)
    }

    pub(super) fn header(&self) -> &StringRecord {
        &self.header
    }

    /// The row that was read.
    pub(super) fn record(&self) -> &StringRecord {
        &self.record
    }

    /// The same as it is stored.
    pub(super) fn row(&self) -> Option<Row<'_>> {
        let (bytes, line) = self.reader.get_ref().row();
        (!bytes.is_empty()).then(|| Row { file: self.path(), line, bytes })
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether a row is there within `wait`, or none is to come.
    pub(super) fn is_ready(&mut self, wait: Duration) -> bool {
        self.reader.get_mut().is_ready(wait)
    }

    /// The header of the file that is read; an empty file has none.
    fn read_header(&mut self) -> Result<Option<StringRecord>, FileError> {
        let mut header = StringRecord::new();
        self.reader.get_mut().begin_row();
        let reason = match self.reader.read_record(&mut header) {
            Ok(found) if self.reader.get_ref().quotes() == Quotes::Right => return Ok(found.then_some(header)),
            Ok(_) => "a quote in the header is not closed, or not where it should be".to_owned(),
            Err(error) => self.why(error)?.reason,
        };
        Err(FileError::line(self.path(), 1, reason))
    }

    /// Goes on to the next file with a header; `false`: there is none.
    fn next_file(&mut self) -> Result<bool, FileError> {
        while self.reader_of_next_file()? {
            match self.read_header()? {
                Some(header) if header == self.header => return Ok(true),
                Some(_) => {
                    let reason = "its header is not that of the files before it; give files of one header";
                    return Err(FileError::line(self.path(), 1, reason));
                }
                None => {}
            }
        }
        Ok(false)
    }

    fn reader_of_next_file(&mut self) -> Result<bool, FileError> {
        let found = self.reader.get_mut().next_file()?;
        self.renew_reader();
        Ok(found)
    }

    /// A reader that has met the end of a file, or an error, reads no further.
    fn renew_reader(&mut self) {
        self.reader = reader(self.reader.get_mut().for_another());
    }

    /// Puts an error of the reader into plain words; what is no fault of the row is an error here too.
    fn why(&mut self, error: Error) -> Result<Fault, FileError> {
        let (reason, rest) = match self.reader.get_mut().take_failed() {
            Some(Failed::File(error)) => return Err(error),
            Some(Failed::Row(reason, rest)) => (reason.to_owned(), rest),
            None => match error.into_kind() {
                ErrorKind::Utf8 { err, .. } => (format!("field {} is not UTF-8", err.field() + 1), None),
                other => (format!("{other:?}"), None),
            },
        };
        Ok(Fault { reason, spans: self.reader.get_ref().quotes() != Quotes::Right || rest.is_some(), rest })
    }

    /// What is wrong with a record that the reader has taken.
    fn fault(&self) -> Option<Fault> {
        let (fields, expected) = (self.record.len(), self.header.len());
        let (reason, spans) = match self.reader.get_ref().quotes() {
            Quotes::Open => ("a quote is not closed before the file ends".to_owned(), true),
            Quotes::Astray => ("a quote is not closed, or not where it should be".to_owned(), true),
            Quotes::Right if fields == expected => return None,
            Quotes::Right => (format!("{fields} fields, expected {expected} as in the header"), false),
        };
        Some(Fault { reason, spans, rest: None })
    }
}

impl Rows for CsvRows {
    fn path(&self) -> &Path {
        self.reader.get_ref().path()
    }

    fn position(&self) -> RowPosition {
        self.position
    }

    fn read(&mut self) -> Result<Read, FileError> {
        let (Fault { reason, spans, rest }, ended) = loop {
            self.reader.get_mut().begin_row();
            match self.reader.read_record(&mut self.record) {
                Ok(true) => match self.fault() {
                    Some(fault) => break (fault, self.reader.get_ref().has_ended()),
                    None => {
                        self.found = Found::Row;
                        return Ok(Read::Row);
                    }
                },
                Ok(false) if self.next_file()? => {}
                Ok(false) => return Ok(Read::End),
                Err(error) => break (self.why(error)?, true),
            }
        };
        self.found = Found::Bad(rest);
        let others = if spans { self.reader.get_mut().keep_one_line() } else { 0 };
        if others > 0 || ended {
            self.renew_reader();
        }
        Ok(Read::Bad(match others {
            0 => reason,
            1 => format!("{reason} (read with the line behind it)"),
            _ => format!("{reason} (read with the {others} lines behind it)"),
        }))
    }

    fn pass(&mut self) {
        self.position.rows += 1;
        match self.found {
            Found::Row => add(&mut self.position, &self.record),
            Found::Bad(rest) => {
                let (bytes, _) = self.reader.get_ref().row();
                self.position.add(bytes);
                self.position.add_length(bytes.len());
                rest.iter().for_each(|rest| self.position.add(&rest.to_le_bytes()));
            }
        }
    }
}

/// Adds the fields of a record and where each ends.
fn add(position: &mut RowPosition, record: &StringRecord) {
    position.add(record.as_slice().as_bytes());
    for field in record {
        position.add_length(field.len());
    }
}
