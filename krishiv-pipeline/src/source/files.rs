//! What a path stands for: a file, all files in a folder, or what comes as somebody writes it.

use crate::error::FileError;
use crate::source::text::{self, Progress, Text};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// The path that stands for the standard input.
const STDIN: &str = "-";

/// What is at a path.
pub(super) enum Input {
    Files(Files),
    /// It gives what somebody writes, and nobody knows when.
    Live {
        is_stdin: bool,
    },
}

impl Input {
    pub(super) fn at(path: &Path) -> Result<Self, FileError> {
        if path.as_os_str() == STDIN {
            return Ok(Self::Live { is_stdin: true });
        }
        let about = path.metadata().map_err(FileError::io(path, "cannot open the input"))?;
        if about.is_dir() {
            return Files::of_folder(path).map(Self::Files);
        }
        if !about.is_file() {
            return Ok(Self::Live { is_stdin: false });
        }
        Files::open(VecDeque::new(), path.to_owned(), about.len()).map(Self::Files)
    }
}

/// Files that are read one behind the other.
pub(super) struct Files {
    /// Those that are not open yet.
    rest: VecDeque<PathBuf>,
    /// The one that is read.
    path: PathBuf,
    text: Text,
    progress: Progress,
}

impl Files {
    /// Opens the first of the files of a folder, in the order of their names.
    fn of_folder(path: &Path) -> Result<Self, FileError> {
        let (mut files, total) = list(path)?;
        let first = files
            .pop_front()
            .ok_or_else(|| FileError::refused(path, "the folder has no files to read; name one that has, or a file"))?;
        Self::open(files, first, total)
    }

    fn open(rest: VecDeque<PathBuf>, path: PathBuf, total: u64) -> Result<Self, FileError> {
        let progress = Progress::of(total);
        Ok(Self { rest, text: text::open(&path, false, &progress)?, path, progress })
    }

    /// Opens the next one; `false`: there is none.
    pub(super) fn next(&mut self) -> Result<bool, FileError> {
        let Some(path) = self.rest.pop_front() else { return Ok(false) };
        self.text = text::open(&path, false, &self.progress)?;
        self.path = path;
        Ok(true)
    }

    /// The text of the one that is read.
    pub(super) fn text(&mut self) -> &mut Text {
        &mut self.text
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }
}

/// The files of a folder in the order of their names, and their bytes.
fn list(path: &Path) -> Result<(VecDeque<PathBuf>, u64), FileError> {
    let unreadable = || FileError::io(path, "cannot read the input");
    let (mut files, mut total) = (Vec::new(), 0);
    for entry in path.read_dir().map_err(unreadable())? {
        let entry = entry.map_err(unreadable())?;
        // Marks and metadata that others leave beside their files.
        if matches!(entry.file_name().as_encoded_bytes().first(), Some(b'.' | b'_')) {
            continue;
        }
        let file = entry.path();
        let about = file.metadata().map_err(FileError::io(&file, "cannot read the input"))?;
        if about.is_dir() {
            let reason = "a folder within the folder of the input is not read; name the folder that has the files, or move it away";
            return Err(FileError::refused(&file, reason));
        }
        total += about.len();
        files.push(file);
    }
    files.sort();
    Ok((files.into(), total))
}
