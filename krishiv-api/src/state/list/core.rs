//! The bound handle of one list: what it reads, and what it writes.

use super::cell::Cell;
use super::run::Run;
use super::undo::Undo;
use crate::backend::WriteBatch;
use crate::codec::keys::RowKey;
use crate::codec::{Codec, encode, record};
use crate::error::{Cause, StateError};
use crate::quiet::drop_quietly;
use crate::scope::left::Left;
use crate::scope::slot::Slot;
use crate::state::handle::Core;
use crate::state::live::{Held, Live, left};
use crate::value::StateValue;
use std::cell::{RefCell, RefMut};
use std::collections::vec_deque::Iter;
use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

type Working<T> = Live<Cell<T>, Undo<T>>;

/// The bound handle of one list.
pub struct List<T> {
    slot: Slot,
    live: RefCell<Working<T>>,
}

impl<T: StateValue> List<T> {
    pub(super) fn new(slot: Slot) -> Self {
        Self { slot, live: RefCell::default() }
    }

    fn borrow(&self) -> Result<RefMut<'_, Working<T>>, StateError> {
        let live = self.live.try_borrow_mut().map_err(|_| self.slot.blame(Cause::Reentrant.into()))?;
        self.slot.shared.touch();
        if live.is_entered() { Ok(live) } else { Err(self.slot.blame(Cause::OutsideEvent.into())) }
    }

    /// Makes the list readable: loaded, without what has expired, renewed if reading does that.
    pub(super) fn ready(&self) -> Result<(), StateError> {
        // A closure that reads it has it judged already, in this event.
        if self.live.try_borrow_mut().is_err() && self.live.try_borrow().is_ok() {
            return Ok(());
        }
        if let Ok(live) = self.live.try_borrow()
            && live.cell().is_some_and(|cell| cell.loaded)
            && !self.slot.can_expire()
        {
            return Ok(());
        }
        let live = &mut *self.borrow()?;
        let (cell, undo) = live.parts();
        if !cell.loaded {
            self.load(cell)?;
        }
        drop(cell.take_expired(&self.slot));
        if self.slot.refreshes_on_read() {
            let stamp = self.slot.stamp();
            if cell.runs.iter().any(|run| run.stamp() != stamp) {
                undo.push(Undo::Restore(cell.renew(stamp)));
            }
        }
        Ok(())
    }

    /// Makes it readable, and sure that no closure is reading it, so that it can be written.
    pub(super) fn ready_to_write(&self) -> Result<(), StateError> {
        self.ready()?;
        self.borrow().map(drop)
    }

    fn load(&self, cell: &mut Cell<T>) -> Result<(), StateError> {
        self.slot.shared.meter.loads.add(1);
        // A last run may be in both, and so is what a commit has written and failed after all.
        let known: HashSet<u64> = cell.runs.iter().map(|run| run.position).filter(|at| *at != 0).collect();
        let (mut values, mut runs) = (VecDeque::new(), VecDeque::new());
        self.slot.find_all(|suffix, found| {
            let position = <[u8; 8]>::try_from(suffix).map(u64::from_be_bytes).map_err(|_| {
                let reason = format!("a list position has 8 bytes, and this one {}", suffix.len());
                StateError::from(Cause::Decode { reason })
            })?;
            if !known.contains(&position) {
                let length = record::elements(&found.head, self.slot.codec, &mut values)?;
                let new = values.range(values.len() - usize::from(length)..);
                let heap = if std::mem::needs_drop::<T>() { new.map(|value| self.slot.weigh(value)).sum() } else { 0 };
                let run = Run::stored(position, length, found.head.codec, found.stamp, heap);
                runs.push_back(if self.slot.is_of_today(&found.head) { run } else { run.older() });
            }
            Ok(())
        })?;
        let clean = 0..runs.len();
        values.append(&mut cell.values);
        runs.append(&mut cell.runs);
        (cell.values, cell.runs, cell.loaded) = (values, runs, true);
        cell.reshaped();
        cell.clean = clean;
        Ok(())
    }

    /// Runs `f` on the elements, first to last.
    pub(super) fn with<R>(&self, f: impl FnOnce(Iter<'_, T>) -> R) -> Result<R, StateError> {
        self.ready()?;
        self.read(f)
    }

    /// Runs `f` on the elements, which are [ready](Self::ready).
    pub(super) fn read<R>(&self, f: impl FnOnce(Iter<'_, T>) -> R) -> Result<R, StateError> {
        let live = self.live.try_borrow().map_err(|_| self.slot.blame(Cause::Reentrant.into()))?;
        Ok(f(live.cell().map(|cell| cell.values.iter()).unwrap_or_default()))
    }

    /// Elements to append, each with what it is stored by.
    fn new_elements(&self, values: impl IntoIterator<Item = T>, codec: Codec) -> Result<Vec<(T, Run)>, StateError> {
        let stamp = self.slot.stamp();
        let element = |value| {
            let (codec, heap) = self.slot.settle(&value, codec)?;
            Ok((value, Run::new(codec, stamp, heap)))
        };
        values.into_iter().map(element).collect()
    }

    /// Appends `value`.
    pub(super) fn push(&self, value: T, codec: Codec) -> Result<(), StateError> {
        let (codec, heap) = self.slot.settle(&value, codec)?;
        let run = Run::new(codec, self.slot.stamp(), heap);
        let live = &mut *self.borrow()?;
        let (cell, undo) = live.parts();
        Undo::append(undo, cell, |cell| cell.push(value, run));
        Ok(())
    }

    /// Appends `values`, which may come from an iterator that uses this very list.
    pub(super) fn extend(&self, values: impl IntoIterator<Item = T>, codec: Codec) -> Result<(), StateError> {
        let elements = self.new_elements(values, codec)?;
        let live = &mut *self.borrow()?;
        let (cell, undo) = live.parts();
        if !elements.is_empty() {
            Undo::append(undo, cell, |cell| elements.into_iter().for_each(|(value, run)| cell.push(value, run)));
        }
        Ok(())
    }

    /// Puts `values` in place of all elements, without reading them.
    pub(super) fn replace(&self, values: impl IntoIterator<Item = T>) -> Result<(), StateError> {
        let elements = self.new_elements(values, self.slot.codec)?;
        let live = &mut *self.borrow()?;
        let (cell, undo) = live.parts();
        if elements.is_empty() && cell.loaded && cell.values.is_empty() {
            return Ok(());
        }
        undo.push(Undo::Replace(cell.replace(elements)));
        Ok(())
    }

    pub(super) fn truncate_front(&self, keep_last: usize) -> Result<(), StateError> {
        self.ready()?;
        let live = &mut *self.borrow()?;
        let (cell, undo) = live.parts();
        let surplus = cell.values.len().saturating_sub(keep_last);
        if surplus > 0 {
            undo.push(Undo::PutFront(cell.cut_front(surplus)));
        }
        Ok(())
    }

    /// Keeps what `keep` says; asks it about all elements before it changes anything.
    pub(super) fn retain(&self, mut keep: impl FnMut(&T) -> bool) -> Result<(), StateError> {
        let goes: Vec<bool> = self.with(|values| values.map(|value| !keep(value)).collect())?;
        let live = &mut *self.borrow()?;
        let (cell, undo) = live.parts();
        if goes.contains(&true) {
            undo.push(Undo::Restore(cell.remove(|place| goes.get(place).copied().unwrap_or(false))));
        }
        Ok(())
    }

    /// Adds the dirty ones of `runs`, whose elements begin at the place `start`, to `batch`.
    fn flush_runs(
        &self,
        cell: &mut Cell<T>,
        (runs, mut start): (Range<usize>, usize),
        (row, batch): (&RowKey, &mut WriteBatch),
    ) -> Result<(), StateError> {
        let Range { start: mut index, mut end } = runs;
        while let Some(run) = cell.runs.get_mut(index).filter(|_| index < end) {
            let values = cell.values.range(start..start + run.len());
            if run.is_dirty() {
                self.place(run);
                if !self.put(run, values.clone(), row, batch)? {
                    let parts = self.parts(run, values)?;
                    // Each of them is looked at again.
                    cell.runs.remove(index);
                    end += parts.len() - 1;
                    cell.clean = 0..0;
                    parts.into_iter().rev().for_each(|part| cell.runs.insert(index, part));
                    continue;
                }
            }
            start += run.len();
            index += 1;
        }
        Ok(())
    }

    /// Gives `run` its place in the order of the list, and keeps those of its elements from others.
    fn place(&self, run: &mut Run) {
        let shared = &self.slot.shared;
        if run.position == 0 {
            run.position = shared.take_position();
        }
        shared.next_position.fetch_max(run.end(), Relaxed);
    }

    /// Adds the record of `run` to `batch`, if its codec can hold it.
    fn put(
        &self,
        run: &Run,
        mut values: Iter<'_, T>,
        row: &RowKey,
        batch: &mut WriteBatch,
    ) -> Result<bool, StateError> {
        let (suffix, how) = (run.position.to_be_bytes(), (run.codec(), run.stamp()));
        if run.len() > 1 {
            return Ok(self.slot.put_run(batch, row, &suffix, values, how).is_ok());
        }
        values.try_for_each(|value| self.slot.put(batch, row, &suffix, value, how)).map(|()| true)
    }

    /// Takes apart a run that its codec cannot hold: into neighbours that one codec can hold, or else lone elements.
    fn parts(&self, run: &Run, values: Iter<'_, T>) -> Result<Vec<Run>, StateError> {
        let mut scratch = Vec::new();
        let codec = |value| {
            scratch.clear();
            encode(value, run.codec(), &mut scratch).map_err(|reason| self.slot.blame(Cause::Encode { reason }.into()))
        };
        let codecs = values.map(codec).collect::<Result<Vec<_>, _>>()?;
        let differ = codecs.windows(2).any(|pair| pair.first() != pair.last());
        let mut parts = Vec::new();
        let mut start = 0;
        for part in codecs.chunk_by(|a, b| differ && a == b) {
            parts.extend(part.first().map(|codec| run.part(start, part.len(), *codec)));
            start += part.len();
        }
        Ok(parts)
    }
}

impl<T: StateValue> Core for List<T> {
    type Cell = Held<Cell<T>>;

    fn slot(&self) -> &Slot {
        &self.slot
    }

    #[inline]
    fn enter(&mut self, cell: &mut Self::Cell) {
        self.live.get_mut().enter(cell);
    }

    #[inline]
    fn rest(&mut self, cell: &mut Self::Cell) {
        self.live.get_mut().leave(cell, !std::mem::needs_drop::<T>());
    }

    fn leave(&mut self, cell: &mut Self::Cell) -> Left {
        let wrote = self.live.get_mut().leave(cell, !std::mem::needs_drop::<T>());
        left(wrote, cell, Cell::weight)
    }

    fn undo(&mut self) {
        self.live.get_mut().undo(|cell, step| step.take(cell));
    }

    #[inline]
    fn has_waste(&mut self) -> bool {
        self.live.get_mut().has_waste()
    }

    fn sweep(&mut self) {
        self.live.get_mut().sweep();
    }

    fn flush(&self, cell: &mut Self::Cell, row: &RowKey, batch: &mut WriteBatch) -> Result<(), StateError> {
        let Some(cell) = cell else { return Ok(()) };
        if cell.erase {
            self.slot.delete_all(batch, row)?;
        }
        // What had ended is of no use to anybody: a commit does not fail for it.
        cell.take_expired(&self.slot).into_iter().for_each(drop_quietly);
        for position in &cell.gone {
            self.slot.delete(batch, row, &position.to_be_bytes());
        }
        // The front first: what has no position yet gets one in the order of the list.
        let Range { start, end } = cell.clean.clone();
        let tail = cell.runs.len() - end;
        self.flush_runs(cell, (0..start, 0), (row, &mut *batch))?;
        let runs = cell.runs.len() - tail..cell.runs.len();
        let behind: usize = cell.runs.range(runs.clone()).map(Run::len).sum();
        self.flush_runs(cell, (runs, cell.values.len() - behind), (row, batch))
    }

    fn committed(&self, held: &mut Self::Cell) {
        let Some(cell) = held else { return };
        cell.erase = false;
        cell.gone.clear();
        let forgotten = if cell.loaded { VecDeque::new() } else { cell.forget(!self.slot.can_expire()) };
        cell.settle();
        if cell.is_blank() {
            *held = None;
        }
        forgotten.into_iter().for_each(drop_quietly);
    }

    fn holds(&self, cell: &Self::Cell, stored: &[(u16, &[u8])]) -> bool {
        let cell = cell.as_deref();
        cell.is_some_and(|cell| cell.runs.iter().any(|run| !self.slot.is_expired(run.stamp())))
            || (cell.is_none_or(|cell| !cell.loaded) && stored.iter().any(|(slot, _)| self.slot.owns(*slot)))
    }
}
