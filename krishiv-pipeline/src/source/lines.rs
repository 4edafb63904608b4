//! Lines of files, with their numbers.

use super::files::{Files, Input};
use super::format::BOM;
use super::live::Live;
use super::text;
use crate::error::FileError;
use crate::source::Progress;
use memchr::{memchr, memchr2};
use std::io::{self, BufRead};
use std::path::Path;
use std::time::Duration;

/// Of a longer line only the start is kept: a missing end must not fill the memory.
pub(super) const MAX_LINE: usize = 64 << 20;

/// What is wrong with a line that is longer.
pub(super) const TOO_LONG: &str = "the line is longer than 64 MiB, and only its first 64 KiB are kept";

/// How much is kept of a line that is too long, in bytes.
const KEPT: usize = 64 << 10;

/// What ends a line.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ends {
    /// A line feed.
    Lf,
    /// A line feed, a carriage return, or both.
    Any,
}

/// What [`Lines::read`] found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Line {
    Whole,
    /// Longer than [`MAX_LINE`]; its start is what was read, and this a checksum of the rest.
    TooLong(u32),
    /// The file has no more.
    End,
}

/// Reads files line by line.
pub(super) struct Lines {
    from: From,
    ends: Ends,
    /// Lines of this file that were read.
    number: u64,
}

enum From {
    Files(Files),
    Live(Live),
}

impl Lines {
    pub(super) fn open(path: &Path, ends: Ends) -> Result<Self, FileError> {
        let from = match Input::at(path)? {
            Input::Files(files) => From::Files(files),
            Input::Live { is_stdin } => From::Live(Live::open(path, is_stdin, ends)?),
        };
        Ok(Self { from, ends, number: 0 })
    }

    /// Goes on to the next file; `false`: there is none.
    pub(super) fn next_file(&mut self) -> Result<bool, FileError> {
        let From::Files(files) = &mut self.from else { return Ok(false) };
        let found = files.next()?;
        if found {
            self.number = 0;
        }
        Ok(found)
    }

    /// Whether a line is there within `wait`, or none is to come. The lines of a file always are.
    pub(super) fn is_ready(&mut self, wait: Duration) -> bool {
        match &mut self.from {
            From::Files(_) => true,
            From::Live(live) => live.is_ready(wait),
        }
    }

    /// The file that is read.
    pub(super) fn path(&self) -> &Path {
        match &self.from {
            From::Files(files) => files.path(),
            From::Live(live) => live.path(),
        }
    }

    /// Number of the line that was read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn progress(&self) -> &Progress {
        match &self.from {
            From::Files(files) => files.progress(),
            From::Live(live) => live.progress(),
        }
    }

    /// Appends the next line of this file, with its end, to `line`.
    pub(super) fn read(&mut self, line: &mut Vec<u8>) -> Result<Line, FileError> {
        let start = line.len();
        let found = match &mut self.from {
            From::Files(files) => {
                let read = read_line(files.text(), self.ends, line);
                read.map_err(|error| FileError::line(files.path(), self.number + 1, text::unreadable(&error)))?
            }
            From::Live(live) => live.read(line)?,
        };
        if self.number == 0 && line.get(start..).is_some_and(|line| line.starts_with(BOM)) {
            line.drain(start..start + BOM.len());
        }
        self.number += u64::from(found != Line::End);
        Ok(found)
    }
}

pub(super) fn read_line(text: &mut impl BufRead, ends: Ends, line: &mut Vec<u8>) -> io::Result<Line> {
    let start = line.len();
    let mut rest = None;
    loop {
        let bytes = text.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        let end = match ends {
            Ends::Lf => memchr(b'\n', bytes),
            Ends::Any => memchr2(b'\n', b'\r', bytes),
        };
        let count = end.map_or(bytes.len(), |end| end + 1);
        let is_cr = end.and_then(|end| bytes.get(end)) == Some(&b'\r');
        let part = bytes.get(..count).unwrap_or_default();
        match &mut rest {
            None => line.extend_from_slice(part),
            Some(rest) => *rest = crc32c::crc32c_append(*rest, part),
        }
        text.consume(count);
        if is_cr && text.fill_buf()?.first() == Some(&b'\n') {
            if rest.is_none() {
                line.push(b'\n');
            }
            text.consume(1);
        }
        if end.is_some() {
            break;
        }
        if rest.is_none() && line.len() - start > MAX_LINE {
            rest = Some(crc32c::crc32c(line.get(start + KEPT..).unwrap_or_default()));
            line.truncate(start + KEPT);
        }
    }
    Ok(match rest {
        Some(rest) => Line::TooLong(rest),
        None if line.len() == start => Line::End,
        None => Line::Whole,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// All lines of a text that comes in buffers of `capacity` bytes.
    fn lines(text: &str, ends: Ends, capacity: usize) -> Vec<String> {
        let mut reader = BufReader::with_capacity(capacity, text.as_bytes());
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            match read_line(&mut reader, ends, &mut line) {
                Ok(Line::Whole) => lines.push(String::from_utf8_lossy(&line).into_owned()),
                other => {
                    assert!(matches!(other, Ok(Line::End)));
                    return lines;
                }
            }
        }
    }

    #[test]
    fn lines_end_alike_wherever_a_buffer_ends() {
        for capacity in 1..8 {
            assert_eq!(lines("a\nb\r\n\rc", Ends::Lf, capacity), ["a\n", "b\r\n", "\rc"]);
            assert_eq!(lines("a\nb\r\n\rc\r", Ends::Any, capacity), ["a\n", "b\r\n", "\r", "c\r"]);
        }
    }
}
