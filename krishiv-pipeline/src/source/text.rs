//! Reads text, plain or gzipped, and knows how much of the file it has read.

use crate::error::FileError;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much is read at once, in bytes.
pub(super) const BUFFER: usize = 1 << 16;

/// A row that does not end in so many bytes is an error: a missing quote must not fill the memory.
const MAX_ROW: usize = 64 << 20;

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// How far a source has read its file. Clones follow the same source, also from other threads.
///
/// It counts bytes as they are stored, so those of a gzipped file are compressed bytes.
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

    /// Bytes that the file had when it was opened; 0 for what is no file, such as a pipe.
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

/// The text of a file.
pub(super) struct Text {
    content: Box<dyn Read + Send>,
    progress: Progress,
    /// What may still be read before the row ends.
    left: usize,
}

impl Text {
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        let file = File::open(path).map_err(FileError::io(path, "cannot open the input"))?;
        let total = file.metadata().map_err(FileError::io(path, "cannot read the input"))?.len();
        let progress = Progress { read: Arc::default(), total };

        let mut stored = BufReader::with_capacity(BUFFER, Counted { file, read: Arc::clone(&progress.read) });
        let start = stored.fill_buf().map_err(FileError::io(path, "cannot read the input"))?;
        // The name decides too, so that a damaged start is not taken for text.
        let gzipped = start.starts_with(GZIP_MAGIC) || path.extension().is_some_and(|end| end == "gz");
        let content: Box<dyn Read + Send> =
            if gzipped { Box::new(MultiGzDecoder::new(stored)) } else { Box::new(stored) };
        Ok(Self { content, progress, left: MAX_ROW })
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// A row begins, so as much as the longest may have can be read.
    pub(super) fn begin_row(&mut self) {
        self.left = MAX_ROW;
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::new(ErrorKind::FileTooLarge, "no row ends within 64 MiB"));
        }
        let count = self.content.read(buffer)?;
        self.left = self.left.saturating_sub(count);
        Ok(count)
    }
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
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
