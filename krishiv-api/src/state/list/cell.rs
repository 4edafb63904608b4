//! The elements of one list, and how an event on them is undone.

use crate::StateError;
use crate::backend::WriteBatch;
use crate::codec::Codec;
use crate::codec::keys::RowKey;
use crate::codec::record::Stamp;
use crate::error::Cause;
use crate::state::handle::{Core, Left};
use crate::state::slot::{Slot, heap_size};
use crate::time::TtlClock;
use crate::value::StateValue;
use std::cell::{RefCell, RefMut};
use std::collections::vec_deque::Iter;
use std::collections::{HashSet, VecDeque};

/// An element.
struct Item<T> {
    /// Where the backend has it or will have it; 0 until a commit assigns one.
    position: u64,
    expires_at: i64,
    clock: TtlClock,
    codec: Codec,
    dirty: bool,
    /// Memory outside the item, in bytes.
    heap: u32,
    value: T,
}

impl<T> Item<T> {
    /// A clean one, if the backend has it at `position`.
    fn new(position: u64, codec: Codec, stamp: Stamp, heap: usize, value: T) -> Self {
        let Stamp { expires_at, clock } = stamp;
        let heap = u32::try_from(heap).unwrap_or(u32::MAX);
        Self { position, expires_at, clock, codec, dirty: position == 0, heap, value }
    }

    fn stamp(&self) -> Stamp {
        Stamp { expires_at: self.expires_at, clock: self.clock }
    }

    fn renew(&mut self, dirty: bool, stamp: Stamp) {
        (self.dirty, self.expires_at, self.clock) = (dirty, stamp.expires_at, stamp.clock);
    }

    /// Memory that it takes, in bytes.
    fn weight(&self) -> usize {
        self.heap as usize + size_of::<Self>()
    }
}

/// The list of one key: all of it when `loaded`, else what was appended since the last commit.
pub struct Cell<T> {
    entered: bool,
    loaded: bool,
    /// The backend has elements that are not listed here, and all of them go.
    erase: bool,
    items: VecDeque<Item<T>>,
    /// No item before this one is dirty.
    clean_until: usize,
    /// Stored elements that an event removed, and such that have expired; both go with the next write.
    removed: Vec<u64>,
    expired: Vec<u64>,
    heap: usize,
}

impl<T> Default for Cell<T> {
    fn default() -> Self {
        Self {
            entered: true,
            loaded: false,
            erase: false,
            items: VecDeque::new(),
            clean_until: 0,
            removed: Vec::new(),
            expired: Vec::new(),
            heap: 0,
        }
    }
}

impl<T> Cell<T> {
    fn push(&mut self, item: Item<T>) {
        self.clean_until = self.clean_until.min(self.items.len());
        self.heap += item.weight();
        self.items.push_back(item);
    }

    /// Takes note that items were put in or taken out anywhere.
    fn reshaped(&mut self) {
        self.clean_until = 0;
        self.heap = self.items.iter().map(Item::weight).sum();
    }

    /// Takes out what `gone` names, with the places it was at.
    fn extract(&mut self, mut gone: impl FnMut(usize, &Item<T>) -> bool) -> Vec<(usize, Item<T>)> {
        let mut taken = Vec::new();
        let mut kept = VecDeque::with_capacity(self.items.len());
        for (index, item) in std::mem::take(&mut self.items).into_iter().enumerate() {
            if gone(index, &item) {
                taken.push((index, item));
            } else {
                kept.push_back(item);
            }
        }
        self.items = kept;
        self.reshaped();
        taken
    }

    fn drop_expired(&mut self, slot: &Slot) {
        if slot.can_expire() && self.items.iter().any(|item| slot.is_expired(item.stamp())) {
            let gone = self.extract(|_, item| slot.is_expired(item.stamp()));
            slot.shared.meter.expired.add(gone.len());
            self.expired.extend(gone.iter().map(|(_, item)| item.position).filter(|position| *position != 0));
        }
    }
}

/// One step back.
enum Undo<T> {
    /// So many elements were appended.
    Append(usize),
    /// These were taken out of their places, and so many noted as removed.
    Remove(Vec<(usize, Item<T>)>, usize),
    /// The stamps were renewed.
    Renew(Vec<(bool, Stamp)>),
    /// The whole list was replaced.
    Replace(Cell<T>),
}

struct Live<T> {
    cell: Cell<T>,
    undo: Vec<Undo<T>>,
}

impl<T> Live<T> {
    /// Takes note of what an event has taken out.
    fn note(&mut self, taken: Vec<(usize, Item<T>)>) {
        if !taken.is_empty() {
            let noted = self.cell.removed.len();
            let stored = taken.iter().map(|(_, item)| item.position).filter(|position| *position != 0);
            self.cell.removed.extend(stored);
            self.undo.push(Undo::Remove(taken, noted));
        }
    }
}

/// The bound handle of one list.
pub struct List<T> {
    slot: Slot,
    live: RefCell<Live<T>>,
}

/// Elements, first to last.
pub(super) struct Items<'a, T>(Iter<'a, Item<T>>);

impl<'a, T> Iterator for Items<'a, T> {
    type Item = &'a T;
    fn next(&mut self) -> Option<&'a T> {
        self.0.next().map(|item| &item.value)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> DoubleEndedIterator for Items<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|item| &item.value)
    }
}

impl<T> ExactSizeIterator for Items<'_, T> {}

impl<T: StateValue> List<T> {
    pub(super) fn new(slot: Slot) -> Self {
        let cell = Cell { entered: false, ..Cell::default() };
        Self { slot, live: RefCell::new(Live { cell, undo: Vec::new() }) }
    }

    fn borrow(&self) -> Result<RefMut<'_, Live<T>>, StateError> {
        let live = self.live.try_borrow_mut().map_err(|_| self.slot.blame(Cause::Reentrant.into()))?;
        self.slot.shared.touch();
        if live.cell.entered { Ok(live) } else { Err(self.slot.blame(Cause::OutsideEvent.into())) }
    }

    /// Makes the list readable: loaded, without what has expired, renewed if reading does that.
    pub(super) fn ready(&self) -> Result<(), StateError> {
        // A closure that reads it has it judged already, in this event.
        if self.live.try_borrow_mut().is_err() && self.live.try_borrow().is_ok() {
            return Ok(());
        }
        if let Ok(live) = self.live.try_borrow()
            && live.cell.entered
            && live.cell.loaded
            && !self.slot.can_expire()
        {
            return Ok(());
        }
        let Live { cell, undo } = &mut *self.borrow()?;
        if !cell.loaded {
            self.load(cell)?;
        }
        cell.drop_expired(&self.slot);
        if self.slot.refreshes_on_read() {
            let stamp = self.slot.stamp();
            if cell.items.iter().any(|item| item.stamp() != stamp) {
                undo.push(Undo::Renew(cell.items.iter().map(|item| (item.dirty, item.stamp())).collect()));
                for item in &mut cell.items {
                    item.renew(true, stamp);
                }
                cell.clean_until = 0;
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
        // A commit that failed may have reached the backend after all: then an element is in both.
        let pending: HashSet<u64> = cell.items.iter().map(|item| item.position).filter(|at| *at != 0).collect();
        let mut items = VecDeque::new();
        self.slot.load_all::<T>(|suffix, loaded| {
            let position = <[u8; 8]>::try_from(suffix).map(u64::from_be_bytes).map_err(|_| {
                let reason = format!("a list position has 8 bytes, and this one {}", suffix.len());
                StateError::from(Cause::Decode { reason })
            })?;
            if !pending.contains(&position) {
                let heap = if std::mem::needs_drop::<T>() { loaded.size } else { 0 };
                items.push_back(Item::new(position, loaded.codec, loaded.stamp, heap, loaded.value));
            }
            Ok(())
        })?;
        let clean = items.len();
        items.append(&mut cell.items);
        cell.items = items;
        cell.loaded = true;
        cell.reshaped();
        cell.clean_until = clean;
        Ok(())
    }

    /// Runs `f` on the elements.
    pub(super) fn with<R>(&self, f: impl FnOnce(Items<'_, T>) -> R) -> Result<R, StateError> {
        self.ready()?;
        self.read(f)
    }

    /// Runs `f` on the elements, which are [ready](Self::ready).
    pub(super) fn read<R>(&self, f: impl FnOnce(Items<'_, T>) -> R) -> Result<R, StateError> {
        let live = self.live.try_borrow().map_err(|_| self.slot.blame(Cause::Reentrant.into()))?;
        Ok(f(Items(live.cell.items.iter())))
    }

    fn items(&self, values: impl IntoIterator<Item = T>, codec: Codec) -> Result<Vec<Item<T>>, StateError> {
        let stamp = self.slot.stamp();
        let item = |value| {
            let heap = heap_size(&value).map_err(|error| self.slot.blame(error))?;
            Ok(Item::new(0, codec, stamp, heap, value))
        };
        values.into_iter().map(item).collect()
    }

    /// Appends `values`, which may come from an iterator that uses this very list.
    pub(super) fn extend(&self, values: impl IntoIterator<Item = T>, codec: Codec) -> Result<(), StateError> {
        let items = self.items(values, codec)?;
        let Live { cell, undo } = &mut *self.borrow()?;
        if items.is_empty() {
            return Ok(());
        }
        match undo.last_mut() {
            Some(Undo::Append(count)) => *count += items.len(),
            _ => undo.push(Undo::Append(items.len())),
        }
        items.into_iter().for_each(|item| cell.push(item));
        Ok(())
    }

    /// Puts `values` in place of all elements, without reading them.
    pub(super) fn replace(&self, values: impl IntoIterator<Item = T>) -> Result<(), StateError> {
        let items = self.items(values, self.slot.codec)?;
        let Live { cell, undo } = &mut *self.borrow()?;
        if items.is_empty() && cell.loaded && cell.items.is_empty() {
            return Ok(());
        }
        let mut new = Cell { loaded: true, erase: cell.erase || !cell.loaded, ..Cell::default() };
        new.removed.clone_from(&cell.removed);
        new.expired.clone_from(&cell.expired);
        new.removed.extend(cell.items.iter().map(|item| item.position).filter(|position| *position != 0));
        items.into_iter().for_each(|item| new.push(item));
        undo.push(Undo::Replace(std::mem::replace(cell, new)));
        Ok(())
    }

    pub(super) fn truncate_front(&self, keep_last: usize) -> Result<(), StateError> {
        self.ready()?;
        let live = &mut *self.borrow()?;
        let surplus = live.cell.items.len().saturating_sub(keep_last);
        let clean_until = live.cell.clean_until.saturating_sub(surplus);
        // Only the front is touched, so that a rolling window costs what leaves it.
        let taken: Vec<_> = live.cell.items.drain(..surplus).enumerate().collect();
        live.cell.heap -= taken.iter().map(|(_, item)| item.weight()).sum::<usize>();
        live.cell.clean_until = clean_until;
        live.note(taken);
        Ok(())
    }

    /// Keeps what `keep` says; asks it about all elements before it changes anything.
    pub(super) fn retain(&self, mut keep: impl FnMut(&T) -> bool) -> Result<(), StateError> {
        let gone: Vec<bool> = self.with(|items| items.map(|value| !keep(value)).collect())?;
        let live = &mut *self.borrow()?;
        let taken = match gone.contains(&true) {
            true => live.cell.extract(|index, _| gone.get(index).copied().unwrap_or(false)),
            false => Vec::new(),
        };
        live.note(taken);
        Ok(())
    }
}

impl<T: StateValue> Core for List<T> {
    type Cell = Cell<T>;

    fn slot(&self) -> &Slot {
        &self.slot
    }

    fn enter(&mut self, cell: &mut Cell<T>) {
        std::mem::swap(&mut self.live.get_mut().cell, cell);
    }

    fn leave(&mut self, cell: &mut Cell<T>) -> Left {
        let live = self.live.get_mut();
        let wrote = !live.undo.is_empty();
        live.undo.clear();
        std::mem::swap(&mut live.cell, cell);
        Left { wrote, complete: self.is_complete(cell), weight: cell.heap }
    }

    fn is_complete(&self, cell: &Cell<T>) -> bool {
        cell.loaded
    }

    fn undo(&mut self) {
        let Live { cell, undo } = self.live.get_mut();
        while let Some(step) = undo.pop() {
            match step {
                Undo::Append(count) => cell.items.truncate(cell.items.len().saturating_sub(count)),
                Undo::Remove(taken, noted) => {
                    cell.removed.truncate(noted);
                    for (index, item) in taken {
                        cell.items.insert(index.min(cell.items.len()), item);
                    }
                }
                Undo::Renew(stamps) => {
                    for (item, (dirty, stamp)) in cell.items.iter_mut().zip(stamps) {
                        item.renew(dirty, stamp);
                    }
                }
                Undo::Replace(old) => *cell = old,
            }
            cell.reshaped();
        }
    }

    fn flush(&self, cell: &mut Cell<T>, row: &RowKey, batch: &mut WriteBatch) -> Result<(), StateError> {
        if cell.erase {
            self.slot.delete_all(batch, row)?;
        }
        cell.drop_expired(&self.slot);
        for position in cell.removed.iter().chain(&cell.expired) {
            self.slot.delete(batch, row, &position.to_be_bytes());
        }
        for item in cell.items.range_mut(cell.clean_until..).filter(|item| item.dirty) {
            if item.position == 0 {
                item.position = self.slot.shared.take_position();
            }
            let suffix = item.position.to_be_bytes();
            self.slot.put(batch, row, &suffix, &item.value, (item.codec, item.stamp()))?;
        }
        Ok(())
    }

    fn committed(&self, cell: &mut Cell<T>) {
        cell.erase = false;
        cell.removed.clear();
        cell.expired.clear();
        if !cell.loaded {
            // The backend has them now, behind others that nobody has asked for.
            cell.items.clear();
            cell.heap = 0;
        }
        for item in cell.items.range_mut(cell.clean_until..) {
            item.dirty = false;
        }
        cell.clean_until = cell.items.len();
    }

    fn holds(&self, cell: &Cell<T>, stored: &[(u16, &[u8])]) -> bool {
        cell.items.iter().any(|item| !self.slot.is_expired(item.stamp()))
            || (!cell.loaded && stored.iter().any(|(slot, _)| self.slot.owns(*slot)))
    }
}
