//! A file with a line of JSON for every item.

use super::durable::DurableFile;
use super::finite::not_finite;
use crate::attempt::attempt;
use crate::error::FileError;
use crate::sink::{BadRecord, FileMark, Sink};
use flate2::Compression;
use flate2::write::GzEncoder;
use krishiv_api::BoxError;
use memchr::memmem;
use serde::Serialize;
use serde::de::IgnoredAny;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes are gathered until they are so many.
const BUFFER: usize = 1 << 16;

/// Appends a line of JSON for every item to a file, gzipped if its name ends in `.gz`.
///
/// A mark holds length and checksum of the file. [`resume`](Sink::resume) refuses a file that does not begin with
/// what was committed, and cuts off what comes behind; without a mark it refuses a file that is not empty.
/// An item that is no JSON, such as a map whose keys are no text, or that holds a float that is no number or infinite, is a
/// [`BadRecord`]. Every [`sync`](Sink::sync) ends a member of a gzipped file, so that up to there it can be read by any tool.
///
/// The file is locked from the first [`open`](Self::open) that finds it until the sink is dropped. If there is none, the first
/// bytes or `sync` create it. Dropping writes nothing.
///
/// ```
/// use krishiv_pipeline::{JsonLinesSink, Sink};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("late.jsonl");
/// let mut sink = JsonLinesSink::open(&path)?;
/// sink.resume(None)?;
/// sink.write(("N14228", 20))?;
/// let mark = sink.sync()?;
/// sink.write(("N24211", 35))?;
/// drop(sink); // a crash before the next commit
///
/// let mut sink = JsonLinesSink::open(&path)?;
/// sink.resume(Some(mark))?;
/// sink.write(("N335AA", 50))?;
/// sink.sync()?;
/// assert_eq!(std::fs::read_to_string(&path)?, "[\"N14228\",20]\n[\"N335AA\",50]\n");
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
pub struct JsonLinesSink<T> {
    file: DurableFile,
    gzip: bool,
    /// Bytes for the file.
    buffer: Vec<u8>,
    /// The gzip member that has begun; it holds what is not yet in the buffer.
    member: Option<GzEncoder<Vec<u8>>>,
    /// Room for one line.
    line: Vec<u8>,
    /// Lines that the file does not count yet.
    pending: u64,
    written: Written,
    items: PhantomData<fn(T)>,
}

/// How much a sink has written. Clones follow the same sink, also from other threads.
///
/// ```
/// use krishiv_pipeline::{JsonLinesSink, Sink};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("late.jsonl");
/// let mut sink = JsonLinesSink::open(&path)?;
/// let written = sink.written();
/// sink.resume(None)?;
/// sink.write("N14228")?;
/// let mark = sink.sync()?;
/// sink.write("N24211")?;
/// assert_eq!(written.records(), 2);
/// sink.cut_back(Some(mark))?;
/// assert_eq!(written.records(), 1);
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Written {
    records: Arc<AtomicU64>,
}

impl Written {
    /// Number of lines, with those of earlier runs and those that are not yet durable.
    ///
    /// ```no_run
    /// # let sink = krishiv_pipeline::JsonLinesSink::<i32>::open("late.jsonl")?;
    /// println!("{} lines", sink.written().records());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }
}

impl<T: Serialize> JsonLinesSink<T> {
    /// Opens the file if there is one. It is checked and cut by [`resume`](Sink::resume).
    ///
    /// ```no_run
    /// let sink = krishiv_pipeline::JsonLinesSink::<i32>::open("late.jsonl.gz")?;
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the file is in use, or cannot be opened. Whether it can be made shows when it is.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        Ok(Self {
            file: DurableFile::open(path)?,
            gzip: path.extension().is_some_and(|end| end == "gz"),
            buffer: Vec::new(),
            member: None,
            line: Vec::new(),
            pending: 0,
            written: Written::default(),
            items: PhantomData,
        })
    }

    /// Number of lines, with those of earlier runs and those that are not yet durable.
    ///
    /// ```
    /// use krishiv_pipeline::{JsonLinesSink, Sink};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("late.jsonl");
    /// let mut sink = JsonLinesSink::open(&path)?;
    /// sink.resume(None)?;
    /// sink.write("N14228")?;
    /// assert_eq!(sink.records(), 1);
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    pub fn records(&self) -> u64 {
        self.file.end().records + self.pending
    }

    /// Follows the number of lines while somebody else owns the sink.
    ///
    /// ```no_run
    /// # let sink = krishiv_pipeline::JsonLinesSink::<i32>::open("late.jsonl")?;
    /// let written = sink.written();
    /// # drop(sink);
    /// println!("{} lines", written.records());
    /// # Ok::<(), krishiv_pipeline::FileError>(())
    /// ```
    pub fn written(&self) -> Written {
        self.written.clone()
    }

    fn tell(&self) {
        self.written.records.store(self.records(), Ordering::Relaxed);
    }

    /// Moves the line to where it waits for the file.
    fn take_line(&mut self) -> io::Result<()> {
        if self.gzip {
            let member = self.member.get_or_insert_with(|| GzEncoder::new(Vec::new(), Compression::default()));
            member.write_all(&self.line)?;
            self.buffer.append(member.get_mut());
        } else {
            self.buffer.append(&mut self.line);
        }
        Ok(())
    }

    fn write_out(&mut self) -> Result<(), FileError> {
        self.file.append(&self.buffer, self.pending)?;
        self.buffer.clear();
        self.pending = 0;
        Ok(())
    }

    fn end_member(&mut self) -> io::Result<()> {
        if let Some(member) = self.member.take() {
            self.buffer.append(&mut member.finish()?);
        } else if self.file.end().length == 0 && self.buffer.is_empty() {
            self.buffer = self.blank()?;
        }
        Ok(())
    }

    /// A file without lines, as the first sync leaves it: a gzip file without a member would be damaged.
    fn blank(&self) -> io::Result<Vec<u8>> {
        if self.gzip { GzEncoder::new(Vec::new(), Compression::default()).finish() } else { Ok(Vec::new()) }
    }

    fn bad_record(&self, reason: &str) -> BadRecord {
        let reason = format!("the item cannot be a line of JSON: {reason}");
        BadRecord::new(FileError::line(self.file.path(), self.records() + 1, reason).to_string())
    }

    fn cannot_pack(&self) -> impl FnOnce(io::Error) -> FileError {
        FileError::io(self.file.path(), "cannot compress the output")
    }
}

impl<T: Serialize> Sink for JsonLinesSink<T> {
    type Item = T;
    type Mark = FileMark;

    fn write(&mut self, item: T) -> Result<(), BoxError> {
        self.line.clear();
        let line = &mut self.line;
        // A type may panic when it is written.
        let written = attempt(|| serde_json::to_writer(line, &item).map_err(|error| error.to_string()));
        written.and_then(|written| written).map_err(|reason| self.bad_record(&reason))?;
        if memmem::find(&self.line, b"null").is_some() {
            let odd = attempt(|| not_finite(&item)).unwrap_or_else(Some);
            odd.map_or(Ok(()), |reason| Err(self.bad_record(&reason)))?;
        }
        self.line.push(b'\n');
        self.take_line().map_err(self.cannot_pack())?;
        self.pending += 1;
        self.tell();
        if self.buffer.len() >= BUFFER {
            self.write_out()?;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<FileMark, BoxError> {
        self.end_member().map_err(self.cannot_pack())?;
        if !self.buffer.is_empty() {
            self.write_out()?;
        }
        Ok(self.file.sync()?)
    }

    fn resume(&mut self, mark: Option<FileMark>) -> Result<(), BoxError> {
        match mark {
            Some(mark) if mark.length > 0 => self.file.go_on(mark)?,
            // Nothing tells whose lines these are, so what cannot be the start of ours is not touched.
            Some(_) => self.file.start(may_be_lines)?,
            None => {
                let blank = self.blank().map_err(self.cannot_pack())?;
                self.file.start(|content| blank.starts_with(content))?;
            }
        }
        self.tell();
        Ok(())
    }

    fn cut_back(&mut self, mark: Option<FileMark>) -> Result<(), BoxError> {
        self.buffer.clear();
        self.member = None;
        self.pending = 0;
        match mark {
            Some(mark) => self.file.cut_back(mark)?,
            // It may be that nothing of it was there before this run.
            None => self.file.cut_back(FileMark::default()).and_then(|()| self.file.remove())?,
        }
        self.tell();
        Ok(())
    }
}

/// Whether a file that begins like this may be lines of JSON, the last of which may have been torn by a crash.
fn may_be_lines(content: &[u8]) -> bool {
    let (line, torn) = match content.iter().position(|&byte| byte == b'\n') {
        Some(end) => (content.get(..end).unwrap_or_default(), false),
        None => (content, true),
    };
    match serde_json::from_slice::<IgnoredAny>(line) {
        Ok(_) => true,
        Err(error) => torn && error.is_eof(),
    }
}
