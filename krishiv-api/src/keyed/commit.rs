//! Commit: all that is dirty, the watermark and the caller's position in one atomic write.

use crate::backend::WriteBatch;
use crate::catalog::joint::Joint;
use crate::catalog::records::PositionRecord;
use crate::error::StateError;
use crate::keyed::report::{Size, Work, Written};
use crate::keyed::store::Instance;
use crate::keyed::{Keyed, KeyedState};
use crate::state::calls::Calls;
use crate::state::handle::{Core, Handle, Visitor};
use crate::time::Stopwatch;
use std::sync::atomic::Ordering::Relaxed;
use tracing::field::Empty;
use tracing::info_span;

impl<S: KeyedState> Keyed<S> {
    /// Writes everything since the last commit, the watermark, and the `position` up to which the source
    /// has been processed, in one atomic write; durable when it returns, if the backend is.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let mut store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// store.with_key("ann", |_| ValueState::<u64>::new("seen").set(1))?;
    /// store.commit("offset 1")?;
    /// assert_eq!(store.position(), Some(&b"offset 1"[..]));
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a value that could be written in its event no longer can, since its `Serialize` does not do the same each time (set another
    /// one for the key that is named), or the backend fails. Then everything stays as it was, and the commit can be repeated. [`Cause::Fenced`](crate::Cause::Fenced) when another backend
    /// object over the same storage has committed, and [`Cause::NestedCommit`](crate::Cause::NestedCommit) inside another commit of
    /// this thread and backend.
    pub fn commit(&mut self, position: impl AsRef<[u8]>) -> Result<(), StateError> {
        self.commit_with(position.as_ref(), WriteBatch::default(), Joint::default(), |batch, joint| joint.write(batch))
    }

    /// Adds all that this store has to commit to `batch`, and counts as committed if `write` succeeds with that.
    pub(crate) fn commit_with(
        &mut self,
        position: &[u8],
        batch: WriteBatch,
        joint: Joint,
        write: impl FnOnce(WriteBatch, Joint) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let (rows, dirty) = (self.rows.dirty.len(), self.rows.weight.dirty + self.rows.weight.dirty_timers);
        let operator = self.instance.shared.operator.as_str();
        let key_groups = &self.instance.range;
        let span =
            info_span!("commit", operator, ?key_groups, rows, bytes = Empty, position_len = position.len()).entered();
        let stopwatch = Stopwatch::start();
        let written = self.write(position, batch, joint, write);
        let commit = written.as_ref().ok().map(|bytes| {
            span.record("bytes", bytes);
            Written { seconds: stopwatch.seconds(), bytes: *bytes, rows }
        });
        if commit.is_none() {
            self.instance.shared.meter.failed_commits.add(1);
        }
        let size = Size { memory: self.rows.weight.all + self.rows.weight.timers, dirty, rows: self.rows.table.len() };
        self.report(&size, commit.as_ref());
        written.map(drop)
    }

    /// Commits; returns how many bytes the rows took.
    fn write(
        &mut self,
        position: &[u8],
        mut batch: WriteBatch,
        mut joint: Joint,
        write: impl FnOnce(WriteBatch, Joint) -> Result<(), StateError>,
    ) -> Result<usize, StateError> {
        joint.may_begin(&self.instance.shared.hub).map_err(|error| self.blame(error))?;
        self.begin(None, None)?;
        let before = batch.size();
        self.flush(&mut batch)?;
        let bytes = batch.size() - before;
        let Instance { shared, range, .. } = &self.instance;
        let next = shared.next_position.load(Relaxed);
        let record = PositionRecord::new(range, position, &shared.time, shared.timers_id().is_some(), next);
        let under_way = joint.add(&shared.hub, record);
        write(batch, joint).map_err(|error| self.blame(error))?;
        drop(under_way);
        self.settle();
        self.position = Some(position.to_vec());
        Ok(bytes)
    }

    /// Hands the metrics over.
    pub(super) fn report(&mut self, size: &Size, commit: Option<&Written>) {
        let work =
            Work { events: self.instance.events, meter: &self.instance.shared.meter, evicted: self.rows.evicted };
        self.report.hand_over(&work, size, commit);
    }

    /// Makes the dirty rows clean ones, and the timers.
    fn settle(&mut self) {
        self.timers.committed();
        self.rows.weight.timers = self.timers.weight();
        self.rows.weight.dirty_timers = 0;
        let Self { instance: Instance { state, dynamic, .. }, rows, .. } = self;
        rows.settle(|row| {
            state.visit(&mut row.cells, &mut Committed { entries: row.status.has_entries() });
            dynamic.visit(&mut row.extra, |handle, cell| handle.committed(cell));
        });
        rows.evict_all();
    }
}

/// Tells cells that they are committed; lists and maps only if a commit may have written some.
struct Committed {
    entries: bool,
}

impl Visitor for Committed {
    fn visit<H: Handle>(&mut self, handle: &mut H, cell: &mut H::Cell) {
        if (self.entries || H::KIND.is_value())
            && let Some(core) = handle.core()
        {
            core.committed(cell);
        }
    }
}
