//! The bound handle of one list: what it reads, and what it writes.

use super::cell::{Cell, fresh};
use super::column::Column;
use super::run::Run;
use super::undo::Undo;
use crate::backend::WriteBatch;
use crate::codec::keys::RowKey;
use crate::codec::{Codec, encode};
use crate::error::{Cause, StateError};
use crate::scope::left::Left;
use crate::scope::one_thread::OneThreadAtATime;
use crate::scope::row_commit::RowCommit;
use crate::scope::slot::{Found, Slot};
use crate::state::handle::Core;
use crate::state::live::{Held, Live, left};
use crate::value::StateValue;
use std::cell::{RefCell, RefMut};
use std::collections::vec_deque::Iter;
use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

struct Working {
    live: Live<Cell, Undo>,
    /// The values that the steps back have taken out, and whether there may be any.
    spare: Box<dyn Column>,
    is_spare_used: bool,
}

/// The bound handle of one list, whatever its elements: only what takes or hands out some knows their type.
pub struct List {
    slot: Slot,
    /// Whether nothing happens when an element is dropped.
    is_plain: bool,
    working: RefCell<OneThreadAtATime<Working>>,
}

impl List {
    pub(super) fn new<T: StateValue>(slot: Slot) -> Self {
        let spare: Box<dyn Column> = Box::new(VecDeque::<T>::new());
        Self {
            slot,
            is_plain: spare.is_plain(),
            working: RefCell::new(OneThreadAtATime(Working {
                live: Live::new(fresh::<T>),
                spare,
                is_spare_used: false,
            })),
        }
    }

    #[inline]
    fn borrow(&self) -> Result<RefMut<'_, OneThreadAtATime<Working>>, StateError> {
        let working = self.working.try_borrow_mut().map_err(|_| self.reentrant())?;
        self.slot.shared.touch_entries();
        if working.live.is_entered() { Ok(working) } else { Err(self.slot.blame(Cause::OutsideEvent.into())) }
    }

    #[cold]
    fn reentrant(&self) -> StateError {
        self.slot.blame(Cause::Reentrant.into())
    }

    /// Makes the list readable: loaded, without what has expired, renewed if reading does that.
    pub(super) fn ready(&self) -> Result<(), StateError> {
        // A closure that reads it has it judged already, in this event.
        if self.working.try_borrow_mut().is_err() && self.working.try_borrow().is_ok() {
            return Ok(());
        }
        if let Ok(working) = self.working.try_borrow()
            && working.live.cell().is_some_and(|cell| cell.loaded && cell.is_current(&self.slot))
            && !self.slot.refreshes_on_read()
        {
            return Ok(());
        }
        let working = &mut self.borrow()?.0;
        let (cell, undo) = working.live.parts();
        if !cell.loaded {
            self.load(cell)?;
        }
        drop(cell.take_expired(&self.slot));
        if self.slot.refreshes_on_read() {
            let renewed = |stamp| self.slot.renewed(stamp);
            if cell.runs.iter().any(|run| run.stamp() != renewed(run.stamp())) {
                undo.push(Undo::Restore(cell.renew(renewed)));
            }
        }
        Ok(())
    }

    /// Makes it readable, and sure that no closure is reading it, so that it can be written.
    pub(super) fn ready_to_write(&self) -> Result<(), StateError> {
        self.ready()?;
        self.borrow().map(drop)
    }

    fn load(&self, cell: &mut Cell) -> Result<(), StateError> {
        self.slot.shared.meter.loads.add(1);
        // A last run may be in both, and so is what a commit has written and failed after all.
        let known: HashSet<u64> = cell.runs.iter().filter_map(Run::stored_at).collect();
        let (mut values, mut runs) = (cell.values.fresh(), VecDeque::new());
        self.slot.find_all(&mut |suffix, found| {
            let position = <[u8; 8]>::try_from(suffix).map(u64::from_be_bytes).map_err(|_| {
                let reason = format!("a list position has 8 bytes, and this one {}", suffix.len());
                StateError::from(Cause::Decode { reason })
            })?;
            if !known.contains(&position) {
                runs.push_back(self.load_run(position, found, &mut *values)?);
            }
            Ok(())
        })?;
        let (clean, loaded) = (0..runs.len(), values.len());
        runs.append(&mut cell.runs);
        cell.values.return_front(loaded, &mut *values);
        (cell.runs, cell.loaded) = (runs, true);
        cell.reshaped();
        cell.clean = clean;
        Ok(())
    }

    fn load_run(&self, position: u64, found: &Found<'_>, values: &mut dyn Column) -> Result<Run, StateError> {
        let start = values.len();
        let length = values.read(&found.head, &self.slot)?;
        let (is_own, codec) = self.slot.codec_of(&found.head);
        let run = Run::stored(position, length, codec, found.stamp, values.weigh(start, &self.slot));
        let run = if self.slot.is_of_this_era(&found.head) { run } else { run.older() };
        Ok(if is_own { run } else { run.unsettled() })
    }

    /// Runs `f` on the elements, first to last.
    pub(super) fn with<T: StateValue, R>(&self, f: impl FnOnce(Iter<'_, T>) -> R) -> Result<R, StateError> {
        self.ready()?;
        self.read(f)
    }

    /// Runs `f` on the elements, which are [ready](Self::ready).
    pub(super) fn read<T: StateValue, R>(&self, f: impl FnOnce(Iter<'_, T>) -> R) -> Result<R, StateError> {
        let working = self.working.try_borrow().map_err(|_| self.reentrant())?;
        Ok(f(match working.live.cell() {
            Some(cell) => cell.values.of().iter(),
            None => Iter::default(),
        }))
    }

    pub(super) fn length(&self) -> Result<usize, StateError> {
        self.ready()?;
        let working = self.working.try_borrow().map_err(|_| self.reentrant())?;
        Ok(working.live.cell().map_or(0, |cell| cell.values.len()))
    }

    /// Elements to append, each with what it is stored by.
    fn new_elements<T: StateValue>(
        &self,
        values: impl IntoIterator<Item = T>,
        codec: Codec,
    ) -> Result<Vec<(T, Run)>, StateError> {
        let stamp = self.slot.stamp();
        let mut elements = Vec::new();
        for value in values {
            let (codec, heap) = self.slot.settle(&value, codec)?;
            elements.push((value, Run::new(codec, stamp, heap)));
        }
        Ok(elements)
    }

    /// Appends `value`.
    pub(super) fn push<T: StateValue>(&self, value: T, codec: Codec) -> Result<(), StateError> {
        let (codec, heap) = self.slot.settle(&value, codec)?;
        let run = Run::new(codec, self.slot.stamp(), heap);
        let working = &mut self.borrow()?.0;
        let (cell, undo) = working.live.parts();
        let before = (cell.runs.len(), cell.runs.back().copied());
        let values = cell.values.of_mut();
        values.push_back(value);
        cell.room = values.capacity() * size_of::<T>();
        cell.push(run, size_of::<T>(), self.slot.can_expire());
        Undo::append(undo, cell, 1, before);
        Ok(())
    }

    /// Appends `values`, which may come from an iterator that uses this very list.
    pub(super) fn extend<T: StateValue>(
        &self,
        values: impl IntoIterator<Item = T>,
        codec: Codec,
    ) -> Result<(), StateError> {
        let elements = self.new_elements(values, codec)?;
        let working = &mut self.borrow()?.0;
        let (cell, undo) = working.live.parts();
        if !elements.is_empty() {
            let (before, count) = ((cell.runs.len(), cell.runs.back().copied()), elements.len());
            fill(cell, elements, self.slot.can_expire());
            Undo::append(undo, cell, count, before);
        }
        Ok(())
    }

    /// Puts `values` in place of all elements, without reading them.
    pub(super) fn replace<T: StateValue>(&self, values: impl IntoIterator<Item = T>) -> Result<(), StateError> {
        let elements = self.new_elements(values, self.slot.codec)?;
        let working = &mut self.borrow()?.0;
        let (cell, undo) = working.live.parts();
        if elements.is_empty() && cell.loaded && cell.values.len() == 0 {
            return Ok(());
        }
        let mut new = fresh::<T>();
        new.take_over(cell);
        fill(&mut new, elements, self.slot.can_expire());
        undo.push(Undo::Replace(std::mem::replace(cell, new)));
        Ok(())
    }

    pub(super) fn truncate_front(&self, keep_last: usize) -> Result<(), StateError> {
        self.ready()?;
        let Working { live, spare, is_spare_used } = &mut self.borrow()?.0;
        let (cell, undo) = live.parts();
        let surplus = cell.values.len().saturating_sub(keep_last);
        if surplus > 0 {
            *is_spare_used = true;
            undo.push(Undo::PutFront(cell.cut_front(surplus, &mut **spare)));
        }
        Ok(())
    }

    /// Keeps what `keep` says; asks it about all elements before it changes anything.
    pub(super) fn retain<T: StateValue>(&self, mut keep: impl FnMut(&T) -> bool) -> Result<(), StateError> {
        let goes: Vec<bool> = self.with(|values| values.map(|value| !keep(value)).collect())?;
        self.remove(&goes)
    }

    fn remove(&self, goes: &[bool]) -> Result<(), StateError> {
        let Working { live, spare, is_spare_used } = &mut self.borrow()?.0;
        let (cell, undo) = live.parts();
        if goes.contains(&true) {
            *is_spare_used = true;
            let goes = &mut |place| goes.get(place).copied().unwrap_or(false);
            undo.push(Undo::Restore(cell.remove(goes, &mut **spare)));
        }
        Ok(())
    }

    /// Adds the dirty ones of `runs`, whose elements begin at the place `start`, to `batch`.
    fn flush_runs(
        &self,
        cell: &mut Cell,
        (runs, mut start): (Range<usize>, usize),
        (row, batch): (&RowKey, &mut WriteBatch),
    ) -> Result<(), StateError> {
        let Range { start: mut index, mut end } = runs;
        while let Some(run) = cell.runs.get_mut(index).filter(|_| index < end) {
            if run.is_dirty() {
                self.place(run);
                if run.is_unsettled() || !self.put(run, &cell.values, start, (row, &mut *batch))? {
                    let parts = self.parts(run, &cell.values, start)?;
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

    /// Adds the record of `run`, whose elements begin at `start`, to `batch`, if its codec can hold it.
    fn put(
        &self,
        run: &Run,
        values: &dyn Column,
        start: usize,
        (row, batch): (&RowKey, &mut WriteBatch),
    ) -> Result<bool, StateError> {
        let (suffix, how) = (run.position.to_be_bytes(), (run.codec(), run.stamp()));
        if run.len() > 1 {
            let write = |out: &mut Vec<u8>| values.write_run(start..start + run.len(), run.codec(), out);
            return Ok(self.slot.put_run(batch, row, &suffix, how, write).is_ok());
        }
        match values.payload(start) {
            Some(value) => self.slot.put(batch, row, &suffix, value, how).map(|()| true),
            None => Ok(true),
        }
    }

    /// Takes apart a run that its codec cannot hold, or of which that is not known: into neighbours that one codec can hold, or else lone
    /// elements.
    fn parts(&self, run: &Run, values: &dyn Column, start: usize) -> Result<Vec<Run>, StateError> {
        let mut scratch = Vec::new();
        let mut codecs = Vec::with_capacity(run.len());
        for value in (start..start + run.len()).filter_map(|place| values.payload(place)) {
            scratch.clear();
            let codec = encode(value, run.codec(), &mut scratch);
            codecs.push(codec.map_err(|reason| self.slot.blame(Cause::Encode { reason }.into()))?);
        }
        let differ = codecs.windows(2).any(|pair| pair.first() != pair.last());
        let mut parts = Vec::new();
        let mut start = 0;
        for part in codecs.chunk_by(|a, b| a == b && (differ || run.is_unsettled())) {
            parts.extend(part.first().map(|codec| run.part(start, part.len(), *codec)));
            start += part.len();
        }
        Ok(parts)
    }
}

/// Appends `elements` to `cell`.
fn fill<T: StateValue>(cell: &mut Cell, elements: Vec<(T, Run)>, can_end: bool) {
    for (value, run) in elements {
        cell.values.of_mut().push_back(value);
        cell.push(run, size_of::<T>(), can_end);
    }
    cell.room = cell.values.room();
}

impl Core for List {
    type Cell = Held<Cell>;

    fn slot(&self) -> &Slot {
        &self.slot
    }

    #[inline]
    fn enter(&mut self, cell: &mut Self::Cell) {
        self.working.get_mut().live.enter(cell);
    }

    #[inline]
    fn rest(&mut self, cell: &mut Self::Cell) {
        let is_plain = self.is_plain;
        self.working.get_mut().live.leave(cell, is_plain);
    }

    #[inline]
    fn leave(&mut self, cell: &mut Self::Cell) -> Left {
        let is_plain = self.is_plain;
        let Working { live, spare, is_spare_used } = &mut self.working.get_mut().0;
        let wrote = live.leave(cell, is_plain);
        if is_plain && std::mem::take(is_spare_used) {
            spare.sweep();
        }
        left(wrote, cell, Cell::weight)
    }

    fn undo(&mut self) {
        let Working { live, spare, .. } = &mut self.working.get_mut().0;
        live.undo(|cell, step| step.take(cell, &mut **spare));
    }

    #[inline]
    fn has_waste(&mut self) -> bool {
        let Working { live, is_spare_used, .. } = &mut self.working.get_mut().0;
        live.has_waste() || *is_spare_used
    }

    fn sweep(&mut self) {
        let Working { live, spare, is_spare_used } = &mut self.working.get_mut().0;
        live.sweep();
        spare.sweep();
        *is_spare_used = false;
    }

    fn flush(&self, cell: &mut Self::Cell, to: &mut RowCommit<'_>) -> Result<(), StateError> {
        let RowCommit { row, batch, .. } = to;
        let Some(cell) = cell else { return Ok(()) };
        if cell.erase {
            self.slot.delete_all(batch, row)?;
        }
        // What had ended is of no use to anybody: a commit does not fail for it.
        cell.take_expired(&self.slot).into_iter().for_each(|mut expired| expired.sweep());
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
        if !cell.loaded {
            cell.forget(!self.slot.can_expire());
        }
        cell.settle();
        if cell.is_blank() {
            *held = None;
        }
    }

    fn holds(&self, cell: &Self::Cell, stored: &[(u16, &[u8])]) -> bool {
        let cell = cell.as_deref();
        cell.is_some_and(|cell| cell.runs.iter().any(|run| !self.slot.is_expired(run.stamp())))
            || (cell.is_none_or(|cell| !cell.loaded) && stored.iter().any(|(slot, _)| self.slot.owns(*slot)))
    }
}
