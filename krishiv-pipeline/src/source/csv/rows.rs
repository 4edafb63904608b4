//! The rows of CSV files that have one header.

use super::served::{Failed, Served};
use crate::error::FileError;
use crate::source::lines::{Ends, Lines};
use crate::source::position::{Read, Rows};
use crate::source::{Progress, Row, RowPosition};
use csv::{Error, ErrorKind, Reader, ReaderBuilder, StringRecord};
use std::path::Path;

pub(super) struct CsvRows {
    reader: Reader<Served>,
    progress: Progress,
    header: StringRecord,
    record: StringRecord,
    /// What was read is no row; of a line that is too long, a checksum of what is not kept.
    bad: Option<Option<u32>>,
    position: RowPosition,
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
            bad: None,
            position: RowPosition::default(),
        };
        rows.header = rows.read_header()?.unwrap_or_default();
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

    /// The header of the file that is read; an empty file has none.
    fn read_header(&mut self) -> Result<Option<StringRecord>, FileError> {
        let mut header = StringRecord::new();
        self.reader.get_mut().begin_row();
        match self.reader.read_record(&mut header) {
            Ok(found) => Ok(found.then_some(header)),
            Err(error) => {
                let reason = self.why(error)?.0;
                Err(FileError::line(self.path(), 1, reason))
            }
        }
    }

    /// Goes on to the next file with a header; `false`: there is none.
    fn next_file(&mut self) -> Result<bool, FileError> {
        loop {
            let mut served = std::mem::take(self.reader.get_mut());
            let found = served.next_file()?;
            self.reader = reader(served);
            if !found {
                return Ok(false);
            }
            match self.read_header()? {
                Some(header) if header == self.header => return Ok(true),
                Some(_) => {
                    let reason = "its header is not that of the files before it; give files of one header";
                    return Err(FileError::line(self.path(), 1, reason));
                }
                None => {}
            }
        }
    }

    /// Puts an error of the reader into plain words; what is no fault of the row is an error here too.
    fn why(&mut self, error: Error) -> Result<(String, Option<u32>), FileError> {
        match self.reader.get_mut().take_failed() {
            Some(Failed::File(error)) => return Err(error),
            Some(Failed::Row(reason, rest)) => return Ok((reason.to_owned(), rest)),
            None => {}
        }
        let reason = match error.into_kind() {
            ErrorKind::Utf8 { err, .. } => format!("field {} is not UTF-8", err.field() + 1),
            other => format!("{other:?}"),
        };
        Ok((reason, None))
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
        let (reason, rest) = loop {
            self.bad = None;
            self.reader.get_mut().begin_row();
            match self.reader.read_record(&mut self.record) {
                Ok(true) if self.reader.get_ref().is_open() => {
                    break ("the file ends in it".to_owned(), None);
                }
                Ok(true) if self.record.len() == self.header.len() => return Ok(Read::Row),
                Ok(true) => {
                    let (fields, expected) = (self.record.len(), self.header.len());
                    break (format!("{fields} fields, expected {expected} as in the header"), None);
                }
                Ok(false) if self.next_file()? => {}
                Ok(false) => return Ok(Read::End),
                Err(error) => break self.why(error)?,
            }
        };
        self.bad = Some(rest);
        let mut served = std::mem::take(self.reader.get_mut());
        let others = served.keep_one_line();
        // One that has met the end of the file, or an error, would read no further.
        self.reader = reader(served);
        Ok(Read::Bad(match others {
            0 => reason,
            _ => {
                format!("a quote is not closed, or not where it should be: with the {others} lines behind it, {reason}")
            }
        }))
    }

    fn pass(&mut self) {
        self.position.rows += 1;
        match self.bad {
            None => add(&mut self.position, &self.record),
            Some(rest) => {
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
