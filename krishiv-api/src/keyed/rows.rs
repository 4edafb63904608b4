//! The rows in memory: one per live key, the dirty ones, and the eviction of clean ones.

use crate::codec::is_exact;
use crate::error::StateError;
use crate::keyed::KeyedState;
use crate::keyed::row::{Row, Status};
use crate::scope::left::Left;
use crate::scope::timers::OfKey;
use crate::value::AsKey;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::convert::Infallible;
use std::hash::{BuildHasher, Hash};
use std::hint::black_box;
use std::ops::Range;

/// Rows that one event may look at to evict clean ones, so that no single event pays for all.
const SWEEP: usize = 64;

/// Dirty rows that a commit looks at before it works on the first of them, so that the processor waits for all at once.
const AHEAD: usize = 64;

/// Dirty rows, or places of the table, that a commit works on together.
const PORTION: usize = 256;

/// Fewer dirty rows are gone over in the order in which they changed: that is the same in every run, and the processor's cache has
/// them anyway.
const MANY: usize = 4_096;

/// Some of the dirty rows, in the order in which a commit goes over them.
#[derive(Clone)]
pub(super) struct Portion {
    /// Of the table, and not of the list of dirty rows.
    by_place: bool,
    part: Range<usize>,
}

/// All rows in memory.
pub(super) struct Rows<S: KeyedState> {
    pub(super) table: HashTable<Row<S>>,
    pub(super) hasher: Hasher,
    /// Hashes of the dirty rows: eight bytes each, where keys could be of any size.
    pub(super) dirty: Vec<u64>,
    pub(super) weight: Weight,
    /// Rows that the sweep has dropped, ever.
    pub(super) evicted: u64,
    /// Where the sweep goes on.
    hand: usize,
}

/// What rows are found by.
pub(super) struct Hasher {
    pub(super) state: RandomState,
    /// Whether keys are [exact](is_exact), so that they are looked up as they are; others are by their bytes.
    pub(super) exact: bool,
}

impl Hasher {
    fn of<S: KeyedState>(&self, row: &Row<S>) -> u64 {
        if self.exact { self.state.hash_one(&row.key) } else { self.state.hash_one(row.encoded()) }
    }
}

/// Memory of all rows, in bytes.
pub(super) struct Weight {
    pub(super) budget: usize,
    pub(super) all: usize,
    pub(super) dirty: usize,
    /// Of all timers, and of those that no commit has written.
    pub(super) timers: usize,
    pub(super) dirty_timers: usize,
}

impl Weight {
    /// Whether what can be dropped does not fit the budget.
    #[inline]
    fn is_over(&self) -> bool {
        self.all + self.timers > self.budget
    }

    /// Takes note of what an event made of a row.
    pub(super) fn update<S: KeyedState>(&mut self, before: Status, after: Status) {
        let (old, new) = (Row::<S>::SIZE + before.outside(), Row::<S>::SIZE + after.outside());
        self.all = self.all + new - old;
        self.dirty += if after.is_dirty() { new } else { 0 };
        self.dirty -= if before.is_dirty() { old } else { 0 };
    }
}

impl<S: KeyedState> Rows<S> {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            table: HashTable::new(),
            hasher: Hasher { state: RandomState::default(), exact: is_exact::<S::Key>() },
            dirty: Vec::new(),
            weight: Weight { budget, all: 0, dirty: 0, timers: 0, dirty_timers: 0 },
            evicted: 0,
            hand: 0,
        }
    }

    #[inline]
    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.state.hash_one(key)
    }

    pub(super) fn needs_commit(&self) -> bool {
        let dirty = self.weight.dirty + self.weight.dirty_timers;
        dirty > 0 && dirty >= self.weight.budget / 2
    }

    /// The row of an [exact](is_exact) `key`, which hashes to `hash`, for an event; `admit` makes one if there is none.
    #[inline]
    pub(super) fn seat<Q>(
        &mut self,
        hash: u64,
        key: &Q,
        admit: impl FnOnce(S::Key) -> Result<Row<S>, StateError>,
    ) -> Result<Seat<'_, S>, StateError>
    where
        Q: AsKey<S::Key> + ?Sized,
    {
        let Self { table, hasher, dirty, weight, .. } = self;
        let (row, new) = match table.find_entry(hash, |row| Q::borrowed(&row.key) == key) {
            Ok(row) => (row.into_mut(), false),
            Err(absent) => {
                let row = admit(key.to_owned())?;
                weight.all += row.weight();
                (absent.into_table().insert_unique(hash, row, |row| hasher.of(row)).into_mut(), true)
            }
        };
        Ok(Seat { row, new, hash, dirty, weight })
    }

    /// The row of the key that is encoded as `encoded`; `admit` makes one if there is none.
    pub(super) fn seat_by_bytes(
        &mut self,
        encoded: &[u8],
        admit: impl FnOnce() -> Result<Row<S>, StateError>,
    ) -> Result<Seat<'_, S>, StateError> {
        let Self { table, hasher, dirty, weight, .. } = self;
        let hash = hasher.state.hash_one(encoded);
        let (row, new) = match table.find_entry(hash, |row| row.encoded() == encoded) {
            Ok(row) => (row.into_mut(), false),
            Err(absent) => {
                let row = admit()?;
                weight.all += row.weight();
                (absent.into_table().insert_unique(hash, row, |row| hasher.of(row)).into_mut(), true)
            }
        };
        Ok(Seat { row, new, hash, dirty, weight })
    }

    /// The dirty rows in portions of some hundred, for [`for_each_dirty_of`](Self::for_each_dirty_of).
    pub(super) fn portions(&self) -> impl Iterator<Item = Portion> + use<S> {
        let (by_place, end) = (self.is_mostly_dirty(), self.table.num_buckets());
        let end = if by_place { end } else { self.dirty.len() };
        (0..end).step_by(PORTION).map(move |start| Portion { by_place, part: start..end.min(start + PORTION) })
    }

    /// Whether to go over all places of the table, one after the other, is faster than to look for each dirty row.
    fn is_mostly_dirty(&self) -> bool {
        self.dirty.len() > MANY && self.dirty.len() > self.table.num_buckets() / 8
    }

    /// Runs `f` on the dirty rows of a portion until it fails.
    pub(super) fn for_each_dirty_of<E>(
        &mut self,
        portion: Portion,
        mut f: impl FnMut(&mut Row<S>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { table, hasher, dirty, .. } = self;
        let Portion { by_place, mut part } = portion;
        if by_place {
            return part.try_for_each(|place| match table.get_bucket_mut(place) {
                Some(row) if row.status.is_dirty() => f(row),
                _ => Ok(()),
            });
        }
        for hashes in dirty.get(part).unwrap_or_default().chunks(AHEAD) {
            for hash in hashes {
                black_box(table.find(*hash, |row| row.status.is_dirty()).is_some());
            }
            for hash in hashes {
                // One, but for collisions.
                let rows = table.iter_hash_mut(*hash);
                rows.filter(|row| row.status.is_dirty() && hasher.of(row) == *hash).try_for_each(&mut f)?;
            }
        }
        Ok(())
    }

    /// Makes the dirty rows clean, by `f` on each.
    pub(super) fn settle(&mut self, mut f: impl FnMut(&mut Row<S>)) {
        let mut clean = 0;
        for portion in self.portions() {
            let Ok(()) = self.for_each_dirty_of(portion, |row| {
                f(row);
                row.settle();
                clean += row.weight();
                Ok::<(), Infallible>(())
            });
        }
        self.weight.dirty -= clean;
        self.dirty.clear();
    }

    /// Drops clean rows that were not used lately, until the rest fits the budget or has been looked at.
    #[inline]
    pub(super) fn evict(&mut self) {
        if self.weight.is_over() {
            self.sweep(SWEEP);
        }
    }

    /// Drops all clean rows that do not fit the budget.
    pub(super) fn evict_all(&mut self) {
        // Twice around: the first time takes the mark of recent use away.
        self.sweep(2 * self.table.num_buckets());
        if self.table.len() < self.table.num_buckets() / 8 {
            // After a burst most of the table would stay empty, and rows lie inside it.
            let Self { table, hasher, .. } = self;
            table.shrink_to(2 * table.len(), |row| hasher.of(row));
            self.hand = 0;
        }
    }

    #[cold]
    fn sweep(&mut self, steps: usize) {
        for _ in 0..steps {
            // What cannot go leaves nothing to look for.
            if !self.weight.is_over() || self.weight.all == self.weight.dirty {
                return;
            }
            self.hand = if self.hand + 1 < self.table.num_buckets() { self.hand + 1 } else { 0 };
            let Some(row) = self.table.get_bucket_mut(self.hand) else { continue };
            if row.status.is_dirty() {
                continue;
            }
            if row.status.take_recent() {
                continue;
            }
            if let Ok(entry) = self.table.get_bucket_entry(self.hand) {
                let (row, _) = entry.remove();
                self.weight.all -= row.weight();
                self.evicted += 1;
                row.drop_quietly();
            }
        }
    }
}

/// A row, and the books in which an event on it is entered.
pub(super) struct Seat<'a, S: KeyedState> {
    pub(super) row: &'a mut Row<S>,
    /// The row was made for this event, and its key encoded for that.
    pub(super) new: bool,
    hash: u64,
    dirty: &'a mut Vec<u64>,
    weight: &'a mut Weight,
}

impl<S: KeyedState> Seat<'_, S> {
    /// Changes the timers of the row by `f`, which takes note of what all timers weigh then.
    pub(super) fn change_timers(self, f: impl FnOnce(&mut OfKey, &mut Weight)) {
        let Self { row, hash, dirty, weight, .. } = self;
        let before = row.status;
        row.change_timers(|of_key| f(of_key, weight));
        if !before.is_dirty() {
            dirty.push(hash);
        }
        weight.update::<S>(before, row.status);
    }

    /// Takes note of what an event made of the row; returns its key.
    #[inline(always)]
    pub(super) fn leave(&mut self, left: &Left) -> &S::Key {
        let Self { row, hash, dirty, weight, .. } = self;
        let (before, after) = (row.status, row.status.after(left));
        if after != before {
            if after.is_dirty() && !before.is_dirty() {
                dirty.push(*hash);
            }
            weight.update::<S>(before, after);
            row.status = after;
        }
        &row.key
    }
}
