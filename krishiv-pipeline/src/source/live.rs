//! Lines of what comes as somebody writes it: the standard input, a pipe, a terminal.

use super::line::{Ends, Line, read_line};
use super::text::{self, Progress};
use crate::error::FileError;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Lines that are read before somebody asks for them.
const AHEAD: usize = 256;

type Read = Result<(Vec<u8>, Line), FileError>;

/// Lines that a thread reads, since nobody else could tell whether one is there without waiting for it.
pub(super) struct Live {
    path: PathBuf,
    progress: Progress,
    lines: Receiver<Read>,
    /// One that is there.
    ready: Option<Read>,
}

impl Live {
    /// Begins to read; what cannot be opened is the first that is read.
    pub(super) fn open(path: &Path, is_stdin: bool, ends: Ends) -> Result<Self, FileError> {
        let progress = Progress::of(0);
        let (sender, lines) = sync_channel(AHEAD);
        let reader = Reader { path: path.to_owned(), is_stdin, ends, progress: progress.clone(), sender };
        let thread = thread::Builder::new().name("krishiv-input".to_owned());
        thread.spawn(move || reader.run()).map_err(FileError::io(path, "cannot start a thread for the input"))?;
        Ok(Self { path: path.to_owned(), progress, lines, ready: None })
    }

    /// Whether a line is there within `wait`, or none is to come.
    pub(super) fn is_ready(&mut self, wait: Duration) -> bool {
        if self.ready.is_none() {
            match self.lines.recv_timeout(wait) {
                Ok(read) => self.ready = Some(read),
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => {}
            }
        }
        true
    }

    /// Appends the next line to `line`, and waits for it if it must.
    pub(super) fn read(&mut self, line: &mut Vec<u8>) -> Result<Line, FileError> {
        let read = self.ready.take().or_else(|| self.lines.recv().ok());
        // The thread ends with the input.
        let Some(read) = read else { return Ok(Line::End) };
        let (bytes, found) = read?;
        line.extend_from_slice(&bytes);
        Ok(found)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }
}

/// What the thread reads.
struct Reader {
    path: PathBuf,
    is_stdin: bool,
    ends: Ends,
    progress: Progress,
    sender: SyncSender<Read>,
}

impl Reader {
    /// Reads until the input has ended, cannot be read further, or nobody wants more.
    fn run(self) {
        let mut text = match text::open(&self.path, self.is_stdin, &self.progress) {
            Ok(text) => text,
            Err(error) => return drop(self.sender.send(Err(error))),
        };
        for number in 1.. {
            let mut line = Vec::new();
            let read = match read_line(&mut text, self.ends, &mut line) {
                Ok(Line::End) => return,
                Ok(found) => Ok((line, found)),
                Err(error) => Err(FileError::line(&self.path, number, text::unreadable(&error))),
            };
            let failed = read.is_err();
            if self.sender.send(read).is_err() || failed {
                return;
            }
        }
    }
}
