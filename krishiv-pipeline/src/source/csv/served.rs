//! Gives a CSV reader the lines of files, one at a time, and keeps those of the row at hand.

use crate::error::FileError;
use crate::source::lines::{Line, Lines, MAX_LINE, TOO_LONG};
use memchr::memchr;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::Path;

/// Lines that a CSV reader gets.
#[derive(Default)]
pub(super) struct Served {
    /// There are none only while a new reader takes this over.
    lines: Option<Lines>,
    /// The lines of the row, one behind the other, and where each begins.
    row: Vec<u8>,
    starts: Vec<usize>,
    /// What the last of them is.
    last: Option<Line>,
    /// How much of them the reader has got.
    given: usize,
    /// Lines that come once more, before those of the file.
    again: VecDeque<(Vec<u8>, Line)>,
    /// Number of the last line of the row.
    number: u64,
    /// Whether the file has ended in the row.
    ended: bool,
    /// Why the reader got no further.
    failed: Option<Failed>,
}

/// Why a reader got no more of a row.
pub(super) enum Failed {
    File(FileError),
    /// The row is bad, and why.
    Row(&'static str, Option<u32>),
}

impl Served {
    pub(super) fn new(lines: Lines) -> Self {
        Self { lines: Some(lines), ..Self::default() }
    }

    /// The next row begins.
    pub(super) fn begin_row(&mut self) {
        self.row.clear();
        self.starts.clear();
        (self.given, self.ended) = (0, false);
    }

    /// The row without empty lines before it, and the number of its first line.
    pub(super) fn row(&self) -> (&[u8], u64) {
        let first = self.first();
        let bytes = self.starts.get(first).and_then(|start| self.row.get(*start..)).unwrap_or_default();
        let behind = self.starts.len().saturating_sub(first + 1) as u64;
        (without_end(bytes), self.number.saturating_sub(behind))
    }

    /// Whether the row only ends since its file does, in a quote that nobody has closed.
    pub(super) fn is_open(&self) -> bool {
        self.ended && self.starts.len() > 1 && has_open_quote(self.row().0)
    }

    /// Which of the lines is the first of the row: a CSV reader passes over empty ones.
    fn first(&self) -> usize {
        let ends = self.starts.iter().skip(1).copied().chain([self.row.len()]);
        let mut lines = self.starts.iter().zip(ends);
        lines
            .position(|(start, end)| !without_end(self.row.get(*start..end).unwrap_or_default()).is_empty())
            .unwrap_or(0)
    }

    /// Leaves only the first line to the row: the others come once more. A quote that nobody closed must not take all the lines
    /// behind it along. Returns how many they are.
    pub(super) fn keep_one_line(&mut self) -> usize {
        let first = self.first();
        let others = self.starts.len().saturating_sub(first + 1);
        while self.starts.len() > first + 1 {
            let Some(start) = self.starts.pop() else { break };
            let line = self.row.split_off(start);
            self.again.push_front((line, self.last.take().unwrap_or(Line::Whole)));
            self.number -= 1;
        }
        others
    }

    /// Goes on to the next file; `false`: there is none.
    pub(super) fn next_file(&mut self) -> Result<bool, FileError> {
        self.number = 0;
        self.lines.as_mut().map_or(Ok(false), Lines::next_file)
    }

    pub(super) fn path(&self) -> &Path {
        self.lines.as_ref().map_or(Path::new(""), Lines::path)
    }

    pub(super) fn take_failed(&mut self) -> Option<Failed> {
        self.failed.take()
    }

    /// Adds a line to the row; `false`: there is none.
    fn next_line(&mut self) -> Result<bool, Failed> {
        let start = self.row.len();
        if start > MAX_LINE {
            return Err(Failed::Row("no row ends within 64 MiB; a quote may not be closed", None));
        }
        let line = match (self.again.pop_front(), &mut self.lines) {
            (Some((line, kind)), _) => {
                self.row.extend_from_slice(&line);
                kind
            }
            (None, Some(lines)) => lines.read(&mut self.row).map_err(Failed::File)?,
            (None, None) => Line::End,
        };
        if line == Line::End {
            return Ok(false);
        }
        self.starts.push(start);
        self.last = Some(line);
        self.number += 1;
        match line {
            Line::TooLong(rest) => Err(Failed::Row(TOO_LONG, Some(rest))),
            Line::Whole | Line::End => Ok(true),
        }
    }
}

impl Read for Served {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.row.len() {
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
        let mut rest = self.row.get(self.given..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.given += count;
        Ok(count)
    }
}

/// Whether the last field of a row begins with a quote and has no end.
fn has_open_quote(row: &[u8]) -> bool {
    let mut rest = row;
    loop {
        if let Some(field) = rest.strip_prefix(b"\"") {
            match behind_quotes(field) {
                Some(behind) => rest = behind,
                None => return true,
            }
        }
        match memchr(b',', rest) {
            Some(comma) => rest = rest.get(comma + 1..).unwrap_or_default(),
            None => return false,
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
    use super::has_open_quote;

    #[test]
    fn a_quote_is_open_where_a_field_begins_with_it_and_does_not_end() {
        for row in ["\"", "a,\"b", "\"a\",\"", "\"a\"\"", "\"a\"\"\"\",\"\""] {
            assert!(has_open_quote(row.as_bytes()), "{row}");
        }
        for row in ["", "a,b", "5\" pipe,\"a\nb\"", "\"a\",\"\"", "\"a\"\"\",\"\"\"\""] {
            assert!(!has_open_quote(row.as_bytes()), "{row}");
        }
    }
}
