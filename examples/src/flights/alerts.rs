//! The alerts file: grows line by line, and is durable up to every commit.

use crate::error::Error;
use flate2::Crc;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How every alerts file begins: what does not is no alerts file, and is never touched.
const BEGINNING: &[u8] = b"{\"tailnum\":";

/// Lines are gathered until they are so many bytes.
const BUFFER: usize = 1 << 16;

/// A place in the alerts file and what comes before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mark {
    length: u64,
    checksum: u32,
}

/// The alerts file, open at its end.
#[derive(Debug)]
pub(crate) struct Alerts {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    length: u64,
    checksum: Crc,
    synced: u64,
}

impl Alerts {
    /// Opens the file, checks that it begins with what was committed, and cuts off the rest.
    ///
    /// # Errors
    ///
    /// If the file does not begin with what was committed, is no alerts file, or is in use.
    pub(crate) fn open(path: &Path, committed: Mark) -> Result<Self, Error> {
        let (length, checksum) = check(path, committed)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(Error::io(path, "cannot open the alerts file"))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(Error::refused(path, "another run is writing this alerts file"));
            }
            // A file system without locks.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        let mut alerts = Self { path: path.to_owned(), file, buffer: Vec::new(), length, checksum, synced: length };
        alerts.cut_back()?;
        sync_folder_of(path).map_err(Error::io(path, "cannot make the alerts file durable"))?;
        Ok(alerts)
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, alert: &impl Serialize) -> Result<(), Error> {
        let start = self.buffer.len();
        serde_json::to_writer(&mut self.buffer, alert).map_err(|error| self.failed(error.into()))?;
        self.buffer.push(b'\n');
        let line = self.buffer.get(start..).unwrap_or_default();
        self.checksum.update(line);
        self.length += line.len() as u64;
        if self.buffer.len() >= BUFFER {
            self.write_out()?;
        }
        Ok(())
    }

    /// Makes all lines durable, and tells the place that a commit may now point to.
    pub(crate) fn sync(&mut self) -> Result<Mark, Error> {
        self.write_out()?;
        if self.synced != self.length {
            self.file.sync_all().map_err(|error| self.failed(error))?;
            self.synced = self.length;
        }
        Ok(Mark { length: self.length, checksum: self.checksum.sum() })
    }

    /// Drops the lines since the last [`sync`](Self::sync).
    pub(crate) fn cut_back(&mut self) -> Result<(), Error> {
        self.buffer.clear();
        self.file
            .set_len(self.synced)
            .and_then(|()| self.file.seek(SeekFrom::Start(self.synced)))
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    fn write_out(&mut self) -> Result<(), Error> {
        self.file.write_all(&self.buffer).map_err(|error| self.failed(error))?;
        self.buffer.clear();
        Ok(())
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::io(&self.path, "cannot write the alerts file")(error)
    }
}

/// Length and checksum of the committed part of the file.
fn check(path: &Path, committed: Mark) -> Result<(u64, Crc), Error> {
    let mut checksum = Crc::new();
    refuse_other_files(path)?;
    if committed.length == 0 {
        return Ok((0, checksum));
    }
    let other = |how: String| {
        Error::refused(
            path,
            format!(
                "this is not the alerts file that goes with the state: {how}; put it back, or start over with --fresh"
            ),
        )
    };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(other(format!("it is missing, and {} bytes of it were committed", committed.length)));
        }
        file => file.map_err(Error::io(path, "cannot open the alerts file"))?,
    };

    let mut rest = file.take(committed.length);
    let (mut length, mut chunk) = (0, vec![0; BUFFER]);
    loop {
        let count = rest.read(&mut chunk).map_err(Error::io(path, "cannot read the alerts file"))?;
        if count == 0 {
            break;
        }
        checksum.update(chunk.get(..count).unwrap_or_default());
        length += count as u64;
    }
    if length < committed.length {
        return Err(other(format!("it has {length} bytes, and {} were committed", committed.length)));
    }
    if checksum.sum() != committed.checksum {
        return Err(other(format!("its first {length} bytes are not those that were committed")));
    }
    Ok((length, checksum))
}

/// Refuses to go on with a file that is neither missing, nor empty, nor one of alerts.
pub(crate) fn refuse_other_files(path: &Path) -> Result<(), Error> {
    let mut start = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.and_then(|file| file.take(BEGINNING.len() as u64).read_to_end(&mut start)),
    }
    .map_err(Error::io(path, "cannot read the alerts file"))?;
    // A crash may have left less than one line.
    if BEGINNING.starts_with(&start) {
        Ok(())
    } else {
        Err(Error::refused(path, "this file holds no alerts, so it stays as it is; name another with --alerts"))
    }
}

/// Deletes the alerts of earlier runs.
///
/// # Errors
///
/// If the file holds something else, or cannot be deleted.
pub(crate) fn delete(path: &Path) -> Result<(), Error> {
    refuse_other_files(path)?;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(path, "cannot delete the alerts file")(error))
        }
        _ => Ok(()),
    }
}

/// Makes the name of a new file durable, where folders can be synced.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Line {
        tailnum: u32,
    }

    #[test]
    fn lines_after_the_last_sync_are_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.jsonl");
        let mut alerts = Alerts::open(&path, Mark::default()).unwrap();
        alerts.add(&Line { tailnum: 1 }).unwrap();
        let mark = alerts.sync().unwrap();
        alerts.add(&Line { tailnum: 2 }).unwrap();
        alerts.write_out().unwrap();
        drop(alerts);

        let mut alerts = Alerts::open(&path, mark).unwrap();
        alerts.add(&Line { tailnum: 3 }).unwrap();
        alerts.sync().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"tailnum\":1}\n{\"tailnum\":3}\n");
    }

    #[test]
    fn a_second_writer_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.jsonl");
        let _first = Alerts::open(&path, Mark::default()).unwrap();
        let error = Alerts::open(&path, Mark::default()).unwrap_err();
        assert!(error.to_string().ends_with("another run is writing this alerts file"), "{error}");
    }
}
