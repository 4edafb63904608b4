//! The text of one file, plain or packed, and how much of the file has been read.

use super::format::Format;
use super::packed::{Gzip, Zstd};
use crate::error::FileError;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much is read at once, in bytes.
const BUFFER: usize = 1 << 16;

/// How far a source has read its files. Clones follow the same source, also from other threads.
///
/// It counts bytes as they are stored, so those of a packed file are compressed bytes.
///
/// ```
/// use krishiv_pipeline::{JsonLinesSource, Source};
/// use std::time::Duration;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("delays.jsonl");
/// std::fs::write(&path, "20\n-3\n")?;
/// let mut source = JsonLinesSource::<i32>::open(&path)?;
/// let progress = source.progress();
/// source.poll(Duration::ZERO)?;
/// assert_eq!((progress.bytes_read(), progress.bytes_total()), (6, 6)); // it reads ahead
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Progress {
    read: Arc<AtomicU64>,
    total: u64,
}

impl Progress {
    /// Of files that have `total` bytes together.
    pub(super) fn of(total: u64) -> Self {
        Self { read: Arc::default(), total }
    }

    /// Bytes read so far. Reading is a few buffers of 64 KiB ahead of the rows.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::JsonLinesSource::<i32>::open("delays.jsonl")?;
    /// println!("{} bytes", source.progress().bytes_read());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes that the files had when they were opened; 0 for what is no file, such as a pipe.
    ///
    /// ```no_run
    /// # let source = krishiv_pipeline::JsonLinesSource::<i32>::open("delays.jsonl")?;
    /// println!("of {} bytes", source.progress().bytes_total());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn bytes_total(&self) -> u64 {
        self.total
    }
}

/// Bytes that tell what a file is.
const START: u64 = 16;

/// What a file is read as.
pub(super) type Text = Box<dyn BufRead + Send>;

/// The text of the file at `path`, or of the standard input, which is called so.
pub(super) fn open(path: &Path, is_stdin: bool, progress: &Progress) -> Result<Text, FileError> {
    let stored: Box<dyn Read + Send> = if is_stdin {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(FileError::io(path, "cannot open the input"))?)
    };
    let counted = Counted { stored, read: Arc::clone(&progress.read) };
    let mut stored = BufReader::with_capacity(BUFFER, counted);
    let mut start = Vec::new();
    // A pipe may give it byte by byte, and no more than a line for a while.
    (&mut stored).take(START).read_until(b'\n', &mut start).map_err(FileError::io(path, "cannot read the input"))?;
    let format = Format::of(&start, path).map_err(|reason| FileError::refused(path, reason))?;
    let stored = Cursor::new(start).chain(stored);
    Ok(match format {
        Format::Plain => Box::new(stored),
        Format::Gzip => Box::new(BufReader::with_capacity(BUFFER, Gzip::new(stored))),
        Format::Zstd => Box::new(BufReader::with_capacity(BUFFER, Zstd::new(stored))),
    })
}

/// Why the text cannot be read further.
pub(super) fn unreadable(error: &io::Error) -> String {
    if error.kind() == ErrorKind::UnexpectedEof {
        "the file ends in the middle of its compressed data: it is truncated".to_owned()
    } else {
        format!("the file cannot be read further: {error}")
    }
}

/// Counts the bytes that are read of a file.
struct Counted {
    stored: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stored.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
