//! Lines of files, with their numbers.

use super::files::{Files, Input};
use super::format::BOM;
use super::line::{Ends, Line, read_line};
use super::live::Live;
use super::text;
use crate::error::FileError;
use crate::source::Progress;
use std::path::Path;
use std::time::Duration;

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
