//! The files that a path stands for: one, all in a folder, or the standard input.

use crate::error::FileError;
use crate::source::text::{self, Progress, Text};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// The path that stands for the standard input.
const STDIN: &str = "-";

/// Files that are read one behind the other.
pub(super) struct Files {
    /// Those that are not open yet.
    rest: VecDeque<PathBuf>,
    /// The one that is read.
    path: PathBuf,
    text: Text,
    is_stdin: bool,
    progress: Progress,
}

impl Files {
    /// Opens the first of the files that `path` stands for.
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        let is_stdin = path.as_os_str() == STDIN;
        let (mut rest, total) = if is_stdin { (VecDeque::from([path.to_owned()]), 0) } else { list(path)? };
        let progress = Progress::of(total);
        let path = rest
            .pop_front()
            .ok_or_else(|| FileError::refused(path, "the folder has no files to read; name one that has, or a file"))?;
        Ok(Self { rest, text: text::open(&path, is_stdin, &progress)?, path, is_stdin, progress })
    }

    /// Opens the next one; `false`: there is none.
    pub(super) fn next(&mut self) -> Result<bool, FileError> {
        let Some(path) = self.rest.pop_front() else { return Ok(false) };
        self.text = text::open(&path, self.is_stdin, &self.progress)?;
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

/// The files of a folder in the order of their names, or one file, and their bytes.
fn list(path: &Path) -> Result<(VecDeque<PathBuf>, u64), FileError> {
    // What does not exist is reported when it is opened, as what it is.
    let about = path.metadata().map_err(FileError::io(path, "cannot open the input"))?;
    if !about.is_dir() {
        return Ok((VecDeque::from([path.to_owned()]), about.len()));
    }
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
