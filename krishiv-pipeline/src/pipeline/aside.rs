//! What comes to nothing on its way through a pipeline, and what becomes of it.

use crate::pipeline::PipelineError;
use crate::pipeline::outlet::{AnyOutlet, Outlet};
use crate::pipeline::reject::Reject;
use crate::pipeline::summary::Summary;
use crate::sink::BadRecord;
use crate::source::Row;
use std::path::{Path, PathBuf};

/// What becomes of an item, record or timer that comes to nothing.
#[derive(Default)]
pub(super) enum OnReject {
    /// The pipeline stops.
    #[default]
    Stop,
    /// It is left out and counted.
    Skip,
    /// It goes there, with the row that it comes from.
    Keep(Outlet<Reject>),
}

/// Rows of a batch, bad ones included, have at most so many bytes together, and one row more: they are kept until it is done.
const ROWS: usize = 8 << 20;

/// So many of what is left out are logged one by one, and then ever fewer.
const LOGGED: u64 = 100;

/// Takes what comes to nothing, and knows the rows that the items of a batch come from.
#[doc(hidden)]
#[derive(Default)]
pub struct Aside {
    on_reject: OnReject,
    rows: Rows,
    /// The item of the batch that is being processed.
    place: Option<usize>,
    /// What the source had before it gave the item at that place, and how many bytes that is.
    early: Vec<(usize, Reject)>,
    early_bytes: usize,
    skipped: u64,
}

/// The rows of a batch one behind the other.
#[derive(Default)]
struct Rows {
    bytes: Vec<u8>,
    /// Line and end of each.
    ends: Vec<(u64, usize)>,
    /// The files that they come from, and the place of the first row of each.
    files: Vec<(usize, PathBuf)>,
}

impl Rows {
    fn add(&mut self, row: Option<Row<'_>>) {
        let Row { file, line, bytes } = row.unwrap_or(Row { file: Path::new(""), line: 0, bytes: b"" });
        if self.files.last().is_none_or(|(_, last)| last != file) {
            self.files.push((self.ends.len(), file.to_owned()));
        }
        self.bytes.extend_from_slice(bytes);
        self.ends.push((line, self.bytes.len()));
    }

    fn get(&self, place: usize) -> Option<Row<'_>> {
        let (line, end) = *self.ends.get(place)?;
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, end)| *end);
        let (_, file) = self.files.iter().rev().find(|(first, _)| *first <= place)?;
        (line > 0).then(|| Row { file, line, bytes: self.bytes.get(start..end).unwrap_or_default() })
    }

    fn clear(&mut self) {
        // Most often the next batch is of the same file.
        if let Some((_, file)) = self.files.pop() {
            self.files.clear();
            self.files.push((0, file));
        }
        self.bytes.clear();
        self.ends.clear();
    }
}

impl Aside {
    pub(super) fn new(on_reject: OnReject) -> Self {
        Self { on_reject, ..Self::default() }
    }

    pub(super) fn stops(&self) -> bool {
        matches!(self.on_reject, OnReject::Stop)
    }

    /// Where what is kept goes.
    pub(super) fn outlet(&mut self) -> Option<&mut dyn AnyOutlet> {
        match &mut self.on_reject {
            OnReject::Keep(outlet) => Some(outlet),
            OnReject::Stop | OnReject::Skip => None,
        }
    }

    /// Adds how many there were.
    pub(super) fn add_to(&self, summary: &mut Summary) {
        summary.skipped += self.skipped;
        if let OnReject::Keep(outlet) = &self.on_reject {
            outlet.add_to(summary);
        }
    }

    /// A batch begins.
    pub(super) fn begin(&mut self) {
        self.rows.clear();
        (self.place, self.early_bytes) = (None, 0);
    }

    /// Takes note of where the next item of the batch comes from; whether there is room for more.
    #[inline]
    pub(super) fn took<'a>(&mut self, row: impl FnOnce() -> Option<Row<'a>>) -> bool {
        if !matches!(self.on_reject, OnReject::Keep(_)) {
            return true;
        }
        self.rows.add(row());
        self.has_room()
    }

    fn has_room(&self) -> bool {
        self.rows.bytes.len() + self.early_bytes < ROWS
    }

    /// Runs `f` while the item at `place` is processed: what comes to nothing comes from its row.
    #[inline]
    pub(super) fn at<T>(&mut self, place: Option<usize>, f: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.place, place);
        let done = f(self);
        self.place = outer;
        done
    }

    /// What a source gave was no item, in front of the one at `place`; whether there is room for more.
    pub(super) fn no_item(&mut self, place: usize, reject: Reject, row: Option<Row<'_>>) -> bool {
        match self.on_reject {
            OnReject::Keep(_) => {
                self.early_bytes += row.map_or(0, |row| row.bytes.len());
                self.early.push((place, reject.with_bytes(row)));
            }
            OnReject::Stop | OnReject::Skip => self.skip(&reject.of_row(row)),
        }
        self.has_room()
    }

    /// Something comes to nothing while the item at hand is processed; from `row`, if it has one of its own.
    ///
    /// # Errors
    ///
    /// What is to be kept and cannot be written stops the pipeline.
    #[cold]
    pub(super) fn reject(&mut self, reject: Reject, row: Option<Row<'_>>) -> Result<(), PipelineError> {
        let row = row.or_else(|| self.place.and_then(|place| self.rows.get(place)));
        match &mut self.on_reject {
            OnReject::Keep(outlet) => outlet.write(reject.with_bytes(row)),
            OnReject::Stop | OnReject::Skip => {
                let reject = reject.of_row(row);
                self.skip(&reject);
                Ok(())
            }
        }
    }

    /// Writes a record to its sink, and takes it if the sink cannot.
    #[inline]
    pub(super) fn write<T>(&mut self, outlet: &mut Outlet<T>, item: T) -> Result<(), PipelineError> {
        match outlet.write(item) {
            Err(PipelineError::Sink { output, error }) if !self.stops() && error.is::<BadRecord>() => {
                self.reject(Reject::new(format!("output {output}"), error.to_string()), None)
            }
            written => written,
        }
    }

    fn skip(&mut self, reject: &Reject) {
        self.skipped += 1;
        if self.skipped <= LOGGED || self.skipped.is_power_of_two() {
            tracing::warn!(%reject, skipped = self.skipped, "skipped");
        }
    }

    /// Whether the source had some in front of the item at `place`.
    #[inline]
    pub(super) fn has_early(&self, place: usize) -> bool {
        self.early.first().is_some_and(|(first, _)| *first <= place)
    }

    /// Writes those of the source in front of the item at `place`.
    #[cold]
    pub(super) fn put_early(&mut self, place: usize) -> Result<(), PipelineError> {
        let count = self.early.iter().take_while(|(first, _)| *first <= place).count();
        let OnReject::Keep(outlet) = &mut self.on_reject else { return Ok(()) };
        self.early.drain(..count).try_for_each(|(_, reject)| outlet.write(reject))
    }
}
