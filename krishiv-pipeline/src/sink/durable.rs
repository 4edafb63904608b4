//! A file that grows at its end, is durable up to a mark, and can be cut back to it.

use crate::error::FileError;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const CHUNK: usize = 1 << 16;

/// A place in the file of a [`JsonLinesSink`](crate::JsonLinesSink), and what comes before it.
///
/// ```
/// use krishiv_pipeline::{FileMark, JsonLinesSink, Sink};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("late.jsonl");
/// let mut sink = JsonLinesSink::open(&path)?;
/// sink.resume(None)?;
/// sink.write(20)?;
/// let FileMark { length, records, .. } = sink.sync()?;
/// assert_eq!((length, records), (3, 1));
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileMark {
    /// Bytes of the file, as they are stored.
    pub length: u64,
    /// CRC-32C of these bytes.
    pub checksum: u32,
    /// Number of records in them.
    pub records: u64,
}

/// The file. It has one writer, which must resume it before it appends.
pub(super) struct DurableFile {
    path: PathBuf,
    /// Locked. There is none until the first run writes to it.
    file: Option<File>,
    resumed: bool,
    /// Whether this run has made it, and nothing in it was ever committed.
    created: bool,
    end: FileMark,
    synced: FileMark,
}

impl DurableFile {
    /// Opens and locks the file if there is one. Creates nothing.
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        let start = FileMark::default();
        let mut file =
            Self { path: path.to_owned(), file: None, resumed: false, created: false, end: start, synced: start };
        file.find()?;
        Ok(file)
    }

    /// Opens and locks the file, if there is one that was not there before.
    fn find(&mut self) -> Result<(), FileError> {
        if self.file.is_none() {
            match OpenOptions::new().read(true).write(true).open(&self.path) {
                Ok(opened) => self.file = Some(self.lock(opened)?),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(FileError::io(&self.path, "cannot open the output")(error)),
            }
        }
        Ok(())
    }

    /// Begins the file anew, unless it holds something that is not `ours` by its first 64 KiB.
    pub(super) fn start(&mut self, ours: impl FnOnce(&[u8]) -> bool) -> Result<(), FileError> {
        self.find()?;
        let content = self.first_bytes().map_err(FileError::io(&self.path, "cannot read the output"))?;
        if !ours(&content) {
            return Err(FileError::refused(
                &self.path,
                "the file is not empty, and nothing in it was committed by this state, so it stays as it is; \
                 name another file, or move this one away",
            ));
        }
        self.begin(FileMark::default())
    }

    /// Goes on behind `mark`, if the file begins with what was committed.
    pub(super) fn go_on(&mut self, mark: FileMark) -> Result<(), FileError> {
        self.find()?;
        if let Some(how) = self.differs(mark).map_err(FileError::io(&self.path, "cannot read the output"))? {
            let reason = format!(
                "this is not the file that goes with the state: {how}; put it back, or start over with a new state"
            );
            return Err(FileError::refused(&self.path, reason));
        }
        self.begin(mark)
    }

    /// Adds bytes, and counts `records` records with them. A call that failed can be repeated.
    pub(super) fn append(&mut self, bytes: &[u8], records: u64) -> Result<(), FileError> {
        self.create()?;
        let start = self.end.length;
        let mut file = self.writable()?;
        // Not where the file ends: a call that failed may have written a part.
        file.seek(SeekFrom::Start(start)).and_then(|_| file.write_all(bytes)).map_err(self.cannot_write())?;
        self.end = FileMark {
            length: start + bytes.len() as u64,
            checksum: crc32c::crc32c_append(self.end.checksum, bytes),
            records: self.end.records + records,
        };
        Ok(())
    }

    /// Makes all that was appended durable.
    pub(super) fn sync(&mut self) -> Result<FileMark, FileError> {
        self.create()?;
        let pending = self.end != self.synced;
        let file = self.writable()?;
        if pending {
            file.sync_all().map_err(FileError::io(&self.path, "cannot make the output durable"))?;
            self.synced = self.end;
        }
        Ok(self.synced)
    }

    /// Drops what comes after `mark`, which an earlier [`sync`](Self::sync) has given.
    pub(super) fn cut_back(&mut self, mark: FileMark) -> Result<(), FileError> {
        let length = mark.length;
        if self.file.is_none() && self.resumed && length == 0 {
            return Ok(());
        }
        let file = self.writable()?;
        file.metadata()
            // A device has no length to set.
            .and_then(|about| if about.len() == length { Ok(()) } else { file.set_len(length) })
            .map_err(self.cannot_write())?;
        (self.end, self.synced) = (mark, mark);
        Ok(())
    }

    /// Where the next bytes go, and what comes before.
    pub(super) fn end(&self) -> FileMark {
        self.end
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file, if this run has made it: a run that is refused leaves nothing behind.
    pub(super) fn remove(&mut self) -> Result<(), FileError> {
        if self.created {
            self.file = None;
            std::fs::remove_file(&self.path).map_err(FileError::io(&self.path, "cannot remove the output"))?;
            (self.created, self.end, self.synced) = (false, FileMark::default(), FileMark::default());
        }
        Ok(())
    }

    fn begin(&mut self, mark: FileMark) -> Result<(), FileError> {
        if self.file.is_some() {
            // The run that created it may have crashed before this.
            sync_folder_of(&self.path).map_err(FileError::io(&self.path, "cannot make the output durable"))?;
        }
        if self.file.is_none() {
            // What would keep it from being made is said before anything else is done.
            folder_of(&self.path).metadata().map_err(FileError::io(&self.path, "cannot create the output"))?;
        }
        self.resumed = true;
        self.cut_back(mark)
    }

    /// Makes the file, if there is none and it may be written.
    fn create(&mut self) -> Result<(), FileError> {
        if self.file.is_some() || !self.resumed {
            return Ok(());
        }
        let was_there = self.path.symlink_metadata().is_ok();
        // Also by a link that leads to nothing yet.
        let created = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&self.path);
        let created = self.lock(created.map_err(FileError::io(&self.path, "cannot create the output"))?)?;
        if created.metadata().map_err(FileError::io(&self.path, "cannot read the output"))?.len() > 0 {
            let reason =
                "somebody has written this file since it was looked for; name another file, or move this one away";
            return Err(FileError::refused(&self.path, reason));
        }
        self.created = !was_there;
        self.file = Some(created);
        sync_folder_of(&self.path).map_err(FileError::io(&self.path, "cannot make the output durable"))
    }

    fn first_bytes(&mut self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        if let Some(file) = &mut self.file {
            // What a device gives to read was never written to it.
            let length = file.metadata()?.len().min(CHUNK as u64);
            file.seek(SeekFrom::Start(0))?;
            file.take(length).read_to_end(&mut content)?;
        }
        Ok(content)
    }

    /// How the file differs from what was committed, if it does.
    fn differs(&mut self, FileMark { length: committed, checksum: want, .. }: FileMark) -> io::Result<Option<String>> {
        let Some(file) = &mut self.file else {
            return Ok(Some(format!("it is missing, and {committed} bytes of it were committed")));
        };
        file.seek(SeekFrom::Start(0))?;
        let mut rest = file.take(committed);
        let (mut length, mut checksum, mut chunk) = (0, 0, vec![0; CHUNK]);
        loop {
            let count = rest.read(&mut chunk)?;
            if count == 0 {
                break;
            }
            checksum = crc32c::crc32c_append(checksum, chunk.get(..count).unwrap_or_default());
            length += count as u64;
        }
        Ok(if length < committed {
            Some(format!("it has {length} bytes, and {committed} were committed"))
        } else if checksum != want {
            Some(format!("its first {length} bytes are not those that were committed"))
        } else {
            None
        })
    }

    fn lock(&self, file: File) -> Result<File, FileError> {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(FileError::refused(
                &self.path,
                "another run is writing this file; wait until it ends, or name another file",
            )),
            // A file system without locks.
            Err(TryLockError::Error(_)) | Ok(()) => Ok(file),
        }
    }

    fn writable(&self) -> Result<&File, FileError> {
        self.file.as_ref().filter(|_| self.resumed).ok_or_else(|| {
            FileError::refused(&self.path, "the sink does not know yet what was committed; call `resume` before it")
        })
    }

    fn cannot_write(&self) -> impl FnOnce(io::Error) -> FileError {
        FileError::io(&self.path, "cannot write the output")
    }
}

/// Makes the name of a new file durable, where folders can be synced.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder_of(path))?.sync_all()?;
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
