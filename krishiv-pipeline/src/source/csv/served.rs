//! Gives a CSV reader the lines of files, one at a time, and keeps those of the row at hand.

use crate::error::FileError;
use crate::source::line::{Line, MAX_LINE, TOO_LONG};
use crate::source::lines::Lines;
use memchr::memchr;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

/// Lines that a CSV reader gets.
#[derive(Default)]
pub(super) struct Served {
    /// There are none only while a new reader takes this over.
    lines: Option<Lines>,
    /// Lines that were read, one behind the other, and where each ends; those of the row, and behind them those that come once more.
    log: Vec<u8>,
    ends: Vec<usize>,
    /// Those of them that were too long, with a checksum of what is not kept.
    too_long: Vec<(usize, u32)>,
    /// Of these lines the first of the row, and the next that is served.
    begin: usize,
    next: usize,
    /// How many bytes of the row the reader has got.
    given: usize,
    /// Number of the last line that was served.
    number: u64,
    /// Whether the reader is new: it would take a mark at the start of its first line for that of a file.
    is_new: bool,
    /// Whether the file has ended in the row.
    ended: bool,
    /// Why the reader got no further.
    failed: Option<Failed>,
}

/// Why a reader got no more of a row.
pub(super) enum Failed {
    File(FileError),
    /// The row is bad, and why; of a line that is too long, a checksum of what is not kept.
    Row(&'static str, Option<u32>),
}

/// How the quotes of a row are set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Quotes {
    Right,
    /// Something follows a quote that ends a field.
    Astray,
    /// The last is not closed.
    Open,
}

impl Served {
    pub(super) fn new(lines: Lines) -> Self {
        Self { lines: Some(lines), is_new: true, ..Self::default() }
    }

    /// The same, for a new reader.
    pub(super) fn for_another(&mut self) -> Self {
        Self { is_new: true, ..std::mem::take(self) }
    }

    /// The next row begins.
    pub(super) fn begin_row(&mut self) {
        if self.next == self.ends.len() {
            self.log.clear();
            self.ends.clear();
            self.too_long.clear();
            self.next = 0;
        }
        self.begin = self.next;
        (self.given, self.ended) = (0, false);
    }

    /// The row without empty lines before it, and the number of its first line.
    pub(super) fn row(&self) -> (&[u8], u64) {
        let first = self.first();
        let bytes = self.log.get(self.start(first)..self.start(self.next)).unwrap_or_default();
        let behind = self.next.saturating_sub(first + 1) as u64;
        (without_end(bytes), self.number.saturating_sub(behind))
    }

    /// How many lines the row has.
    pub(super) fn lines(&self) -> usize {
        self.next.saturating_sub(self.first())
    }

    /// Whether the quotes of the row are right; a CSV reader takes them as they come.
    pub(super) fn quotes(&self) -> Quotes {
        if self.lines() > 1 {
            return quotes_of(self.row().0);
        }
        // Those of one line harm nobody else; whether they are open shows only where the file ends.
        let is_open = self.ended && quotes_of(self.row().0) == Quotes::Open;
        if is_open { Quotes::Open } else { Quotes::Right }
    }

    /// Whether the file has ended in the row.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Leaves only the first line to the row: the others come once more. A quote that nobody closed must not take all the lines
    /// behind it along. Returns how many they are.
    pub(super) fn keep_one_line(&mut self) -> usize {
        let next = self.first() + 1;
        let others = self.next.saturating_sub(next);
        self.next -= others;
        self.number -= others as u64;
        others
    }

    /// Goes on to the next file; `false`: there is none.
    pub(super) fn next_file(&mut self) -> Result<bool, FileError> {
        self.number = 0;
        self.lines.as_mut().map_or(Ok(false), Lines::next_file)
    }

    /// Whether a line is there within `wait`, or none is to come.
    pub(super) fn is_ready(&mut self, wait: Duration) -> bool {
        self.next < self.ends.len() || self.lines.as_mut().is_none_or(|lines| lines.is_ready(wait))
    }

    pub(super) fn path(&self) -> &Path {
        self.lines.as_ref().map_or(Path::new(""), Lines::path)
    }

    pub(super) fn take_failed(&mut self) -> Option<Failed> {
        self.failed.take()
    }

    /// Which line is the first of the row: a CSV reader passes over empty ones.
    fn first(&self) -> usize {
        let is_empty = |line: &usize| {
            let bytes = self.log.get(self.start(*line)..self.start(*line + 1)).unwrap_or_default();
            without_end(bytes).is_empty()
        };
        (self.begin..self.next).find(|line| !is_empty(line)).unwrap_or(self.begin)
    }

    /// Where a line begins.
    fn start(&self, line: usize) -> usize {
        line.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0)
    }

    /// Adds a line to the row; `false`: there is none.
    fn next_line(&mut self) -> Result<bool, Failed> {
        if self.start(self.next) - self.start(self.begin) > MAX_LINE {
            return Err(Failed::Row("it does not end within 64 MiB", None));
        }
        if self.next == self.ends.len() {
            let Some(lines) = &mut self.lines else { return Ok(false) };
            match lines.read(&mut self.log).map_err(Failed::File)? {
                Line::End => return Ok(false),
                Line::Whole => {}
                Line::TooLong(rest) => self.too_long.push((self.next, rest)),
            }
            self.ends.push(self.log.len());
        }
        let rest = self.too_long.iter().find(|(line, _)| *line == self.next).map(|(_, rest)| *rest);
        self.next += 1;
        self.number += 1;
        rest.map_or(Ok(true), |rest| Err(Failed::Row(TOO_LONG, Some(rest))))
    }
}

impl Read for Served {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if std::mem::take(&mut self.is_new) {
            return (&b"\n"[..]).read(buffer);
        }
        let begin = self.start(self.begin);
        if begin + self.given == self.start(self.next) {
            match self.next_line() {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = true;
                    return Ok(0);
                }
                Err(failed) => {
                    self.failed = Some(failed);
                    return Err(io::ErrorKind::Other.into());
                }
            }
        }
        let mut rest = self.log.get(begin + self.given..self.start(self.next)).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.given += count;
        Ok(count)
    }
}

/// Goes through the fields of a row.
fn quotes_of(row: &[u8]) -> Quotes {
    let mut rest = row;
    loop {
        if let Some(field) = rest.strip_prefix(b"\"") {
            rest = match behind_quotes(field) {
                None => return Quotes::Open,
                Some(behind) if behind.first().is_none_or(|byte| matches!(byte, b',' | b'\r' | b'\n')) => behind,
                Some(_) => return Quotes::Astray,
            };
        }
        match memchr(b',', rest) {
            Some(comma) => rest = rest.get(comma + 1..).unwrap_or_default(),
            None => return Quotes::Right,
        }
    }
}

/// What comes behind the quote that ends a field; two quotes are one within it.
fn behind_quotes(mut field: &[u8]) -> Option<&[u8]> {
    loop {
        let behind = field.get(memchr(b'"', field)? + 1..)?;
        match behind.strip_prefix(b"\"") {
            Some(more) => field = more,
            None => return Some(behind),
        }
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    line.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Quotes, quotes_of};

    #[test]
    fn quotes_are_right_where_they_begin_and_end_fields() {
        for row in ["", "a,b", "5\" pipe,\"a\nb\"", "\"a\",\"\"", "\"a\"\"\",\"\"\"\"", "\"a,\n\"\"b\"\"\",c"] {
            assert_eq!(quotes_of(row.as_bytes()), Quotes::Right, "{row}");
        }
        for row in ["\"", "a,\"b", "\"a\",\"", "\"a\"\"", "\"a\"\"\"\",\"\""] {
            assert_eq!(quotes_of(row.as_bytes()), Quotes::Open, "{row}");
        }
        for row in ["1,\"a\n2,\"b\"", "\"a\"b", "\"a\" ,b", "1,\"a,1\n2,\"b\",2"] {
            assert_eq!(quotes_of(row.as_bytes()), Quotes::Astray, "{row}");
        }
    }
}
