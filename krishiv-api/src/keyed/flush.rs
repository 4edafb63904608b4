//! What a commit writes of the dirty rows and timers.

use crate::backend::WriteBatch;
use crate::catalog::rows::StoredRow;
use crate::codec::keys::RowKey;
use crate::codec::row::Parts;
use crate::codec::timer_key::append_timer;
use crate::error::StateError;
use crate::keyed::row::Row;
use crate::keyed::store::Instance;
use crate::keyed::visitors::Changes;
use crate::keyed::{Keyed, KeyedState};
use crate::names::TIMERS;
use crate::scope::row_commit::{RowCommit, Values};
use crate::scope::shared::Shared;
use crate::scope::timers::{self, OfKey};
use crate::state::calls::Calls;
use crate::state::handle::{Core, Handle, Visitor};

impl<S: KeyedState> Keyed<S> {
    /// Adds what dirty rows and timers have to write to `batch`.
    pub(super) fn flush(&mut self, batch: &mut WriteBatch) -> Result<(), StateError> {
        let Self { instance, rows, timers, .. } = self;
        timers.flush(batch);
        let Shared { hub, .. } = &*instance.shared;
        let mut work = Work { has_all: instance.shared.has_all_values(), merges: hub.merges(), ..Work::default() };
        // The list of dirty rows stays where it is: a `Serialize` that panics must not cost them their commit.
        let (mut size, mut flushed, dirty) = (batch.size(), 0, rows.dirty.len());
        for portion in rows.portions() {
            let first = flushed == 0;
            let mut partial = Vec::new();
            rows.for_each_dirty_of(portion.clone(), |row| {
                flushed += 1;
                let changes = instance.changes(row);
                let how = match work.how(row, &changes) {
                    How::Read => {
                        instance.encode(&row.key, &mut work.row_key)?;
                        partial.push(work.row_key.prefix().to_vec());
                        return Ok(());
                    }
                    how => how,
                };
                let written = work.flush(instance, row, (how, None), batch);
                written.map_err(|error| instance.blame(error, &row.key))
            })?;
            if !partial.is_empty() {
                let mut stored = instance.read_rows(&partial)?.into_iter();
                rows.for_each_dirty_of(portion, |row| {
                    let changes = instance.changes(row);
                    if work.how(row, &changes) != How::Read {
                        return Ok(());
                    }
                    let stored = stored.next().transpose();
                    let written = stored.and_then(|stored| work.flush(instance, row, (How::Read, stored), batch));
                    written.map_err(|error| instance.blame(error, &row.key))
                })?;
            }
            if first && flushed > 0 {
                // As the first rows, so the others: a batch that grows by doubling is copied again and again.
                size = (batch.size() - size) / flushed;
                let left = dirty.saturating_sub(flushed);
                batch.reserve((size + size / 8) * left, left);
            }
        }
        Ok(())
    }
}

impl<S: KeyedState> Instance<S> {
    fn read_rows(&self, prefixes: &[Vec<u8>]) -> Result<Vec<Result<StoredRow, StateError>>, StateError> {
        let found = self.shared.hub.read_rows(prefixes);
        found.map_err(|error| error.at_operator(&self.shared.operator))
    }

    fn changes(&mut self, row: &mut Row<S>) -> Changes {
        let mut changes = Changes::NONE;
        self.state.visit(&mut row.cells, &mut changes);
        self.dynamic.visit(&mut row.extra, |handle, cell| changes.and(handle.changes_row(cell)));
        changes.any |= row.timers().is_some_and(OfKey::changes_row);
        changes
    }
}

/// What a commit does about the record of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// It stays.
    Not,
    /// It is written, as far as it is known or changes.
    Whole,
    /// Its changes are written, and the backend puts them together with what is stored.
    Changes,
    /// It is read, and then written.
    Read,
}

/// What the rows of a commit have in common, and room to put each together.
#[derive(Default)]
struct Work {
    /// Nothing is stored of a row but what the store has handles for.
    has_all: bool,
    /// The backend takes changes of a row.
    merges: bool,
    row_key: RowKey,
    next: Parts,
}

impl Work {
    fn how<S: KeyedState>(&self, row: &Row<S>, changes: &Changes) -> How {
        match changes {
            Changes { any: false, .. } => How::Not,
            Changes { all, .. } if row.status.is_known() || (*all && self.has_all) => How::Whole,
            _ if self.merges => How::Changes,
            _ => How::Read,
        }
    }

    /// Adds what a row has to write to `batch`; `stored` is what was read of it, where that was needed.
    fn flush<S: KeyedState>(
        &mut self,
        instance: &mut Instance<S>,
        row: &mut Row<S>,
        (how, stored): (How, Option<StoredRow>),
        batch: &mut WriteBatch,
    ) -> Result<(), StateError> {
        let Self { row_key, next, .. } = self;
        instance.encode(&row.key, row_key)?;
        let mut kept = row.kept();
        if let Some(StoredRow { mut parts, older }) = stored {
            if older {
                for (place, _) in parts.iter().filter(|(place, _)| !place.apart) {
                    batch.delete_with(|bytes| row_key.append(place.slot, &[], bytes));
                }
            }
            row.learn_timers(&mut parts).map_err(|error| error.at_state(TIMERS))?;
            parts.keep_apart(&kept);
            kept = parts;
        }
        next.clear();
        if let Some(timers) = row.timers() {
            if how != How::Not {
                timers.write(how == How::Changes, next);
            }
            for timer in timers.fresh() {
                batch.append_with(|bytes| append_timer(row_key, timer, bytes), |_| {});
            }
            if let Some(id) = instance.shared.timers_id() {
                flush_apart(timers, id.get(), row_key, batch)?;
            }
        }
        let changes_only = how == How::Changes;
        let values = (how != How::Not).then_some(Values { next, stored: &mut kept, changes_only });
        let entries = row.status.has_entries();
        let mut flush = Flush { to: RowCommit { row: row_key, batch, values }, entries, result: Ok(()) };
        instance.state.visit(&mut row.cells, &mut flush);
        let Flush { mut to, mut result, .. } = flush;
        instance.dynamic.visit(&mut row.extra, |handle, cell| {
            if result.is_ok() {
                result = handle.flush(cell, &mut to);
            }
        });
        result?;
        if let Some(kept) = to.finish() {
            instance.shared.hub.needs_newest_format();
            row.flushed(!changes_only, kept);
        }
        Ok(())
    }
}

/// Adds the timers of a row that lie in records of their own, of the state `id`.
fn flush_apart(timers: &OfKey, id: u16, row: &RowKey, batch: &mut WriteBatch) -> Result<(), StateError> {
    for (timer, there) in timers.apart() {
        let (suffix, value) = timers::record(timer)?;
        match there {
            true => batch.append_with(|bytes| row.append(id, &suffix, bytes), |bytes| bytes.extend_from_slice(&value)),
            false => batch.delete_with(|bytes| row.append(id, &suffix, bytes)),
        }
    }
    Ok(())
}

struct Flush<'a> {
    to: RowCommit<'a>,
    /// Lists and maps may have something to write: a look at each costs a miss of the processor's cache.
    entries: bool,
    result: Result<(), StateError>,
}

impl Visitor for Flush<'_> {
    fn visit<H: Handle>(&mut self, handle: &mut H, cell: &mut H::Cell) {
        if (self.entries || H::KIND.is_value())
            && let (Some(core), Ok(())) = (handle.core(), &self.result)
        {
            self.result = core.flush(cell, &mut self.to);
        }
    }
}
