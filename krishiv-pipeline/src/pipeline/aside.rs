//! What comes to nothing on its way through a pipeline, and what becomes of it.

use crate::pipeline::reject::Reject;
use crate::source::Row;
use std::path::PathBuf;

/// What becomes of an item, record or timer that comes to nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum OnReject {
    /// The pipeline stops.
    #[default]
    Stop,
    /// It is left out and counted.
    Skip,
    /// It is put aside, with the row that it comes from.
    Keep,
}

/// Rows of a batch together have at most so many bytes, and one row more: they are kept until the batch is done.
const ROWS: usize = 8 << 20;

/// The rejects of a batch that nobody has taken yet, and the rows that its items come from.
#[doc(hidden)]
#[derive(Default)]
pub struct Aside {
    on_reject: OnReject,
    rows: Rows,
    /// The item of the batch that is being processed.
    place: Option<usize>,
    rejects: Vec<Reject>,
    /// Those that the source had before it gave the item at that place.
    early: Vec<(usize, Reject)>,
    skipped: u64,
}

/// The rows of a batch one behind the other.
#[derive(Default)]
struct Rows {
    file: PathBuf,
    bytes: Vec<u8>,
    /// Line and end of each.
    ends: Vec<(u64, usize)>,
    /// Files other than the first, and the place of their first row.
    files: Vec<(usize, PathBuf)>,
}

impl Rows {
    fn add(&mut self, row: Option<Row<'_>>) {
        let Row { file, line, bytes } = row.unwrap_or(Row { file: "".as_ref(), line: 0, bytes: b"" });
        if self.files.last().map_or(&*self.file, |(_, file)| file) != file {
            self.files.push((self.ends.len(), file.to_owned()));
        }
        self.bytes.extend_from_slice(bytes);
        self.ends.push((line, self.bytes.len()));
    }

    fn get(&self, place: usize) -> Option<Row<'_>> {
        let (line, end) = *self.ends.get(place)?;
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, end)| *end);
        let file = self.files.iter().rev().find(|(first, _)| *first <= place).map_or(&*self.file, |(_, file)| file);
        (line > 0).then_some(Row { file, line, bytes: self.bytes.get(start..end).unwrap_or_default() })
    }

    fn clear(&mut self) {
        if let Some((_, file)) = self.files.pop() {
            self.file = file;
        }
        self.files.clear();
        self.bytes.clear();
        self.ends.clear();
    }
}

impl Aside {
    pub(super) fn new(on_reject: OnReject) -> Self {
        Self { on_reject, ..Self::default() }
    }

    pub(super) fn stops(&self) -> bool {
        self.on_reject == OnReject::Stop
    }

    /// How many were left out.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// A batch begins.
    pub(super) fn begin(&mut self) {
        self.rows.clear();
        self.place = None;
    }

    /// Takes note of where the next item of the batch comes from; whether there is room for more.
    #[inline]
    pub(super) fn took<'a>(&mut self, row: impl FnOnce() -> Option<Row<'a>>) -> bool {
        if self.on_reject != OnReject::Keep {
            return true;
        }
        self.rows.add(row());
        self.rows.bytes.len() < ROWS
    }

    /// Runs `f` while the item at `place` is processed: what comes to nothing comes from its row.
    #[inline]
    pub(super) fn at<T>(&mut self, place: Option<usize>, f: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.place, place);
        let done = f(self);
        self.place = outer;
        done
    }

    /// What a source gave was no item, in front of the one at `place`.
    pub(super) fn no_item(&mut self, place: usize, reject: Reject) {
        if let Some(reject) = self.keep(reject) {
            self.early.push((place, reject));
        }
    }

    /// Something comes to nothing while the item at hand is processed.
    #[cold]
    pub(super) fn reject(&mut self, reject: Reject) {
        let row = self.place.filter(|_| reject.line.is_none()).and_then(|place| self.rows.get(place));
        let reject = reject.of_row(row);
        let kept = self.keep(reject);
        self.rejects.extend(kept);
    }

    fn keep(&mut self, reject: Reject) -> Option<Reject> {
        if self.on_reject == OnReject::Keep {
            return Some(reject);
        }
        tracing::warn!(%reject, "skipped");
        self.skipped += 1;
        None
    }

    /// Whether the source had some in front of the item at `place`.
    #[inline]
    pub(super) fn has_early(&self, place: usize) -> bool {
        self.early.first().is_some_and(|(first, _)| *first <= place)
    }

    #[inline]
    pub(super) fn has_rejects(&self) -> bool {
        !self.rejects.is_empty()
    }

    /// Those of the source in front of the item at `place`.
    pub(super) fn take_early(&mut self, place: usize) -> Vec<Reject> {
        let count = self.early.iter().take_while(|(first, _)| *first <= place).count();
        self.early.drain(..count).map(|(_, reject)| reject).collect()
    }

    /// Those of what was processed.
    pub(super) fn take(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.rejects)
    }
}
