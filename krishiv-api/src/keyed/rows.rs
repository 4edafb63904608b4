//! The rows in memory: one per live key, the dirty ones, and the eviction of clean ones.

use crate::keyed::KeyedState;
use crate::keyed::dynamic::Extra;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hash};

/// Rows that one event may look at to evict clean ones, so that no single event pays for all.
const SWEEP: usize = 64;

/// What is held in memory of one key.
pub(super) struct Row<S: KeyedState> {
    pub(super) key: S::Key,
    pub(super) cells: S::Row,
    /// Cells of states that the struct does not declare, in the order the store got to know them.
    pub(super) extra: Extra,
    pub(super) status: Status,
}

/// What the store knows of a row.
#[derive(Clone, Copy, Default)]
pub(super) struct Status {
    /// Memory that it takes, in bytes, roughly.
    pub(super) weight: usize,
    /// Memory of the key outside the row, of that.
    pub(super) key: u32,
    /// It has what no commit has written.
    pub(super) dirty: bool,
    /// It was used since the sweep last passed.
    pub(super) recent: bool,
    /// Nothing of it is left to read from the backend.
    pub(super) complete: bool,
}

/// All rows in memory.
pub(super) struct Rows<S: KeyedState> {
    pub(super) table: HashTable<Row<S>>,
    pub(super) hasher: RandomState,
    /// Hashes of the dirty rows: eight bytes each, where keys could be of any size.
    pub(super) dirty: Vec<u64>,
    pub(super) weight: Weight,
    /// Where the sweep goes on.
    hand: usize,
}

/// Memory of all rows, in bytes.
pub(super) struct Weight {
    pub(super) budget: usize,
    pub(super) all: usize,
    pub(super) dirty: usize,
}

impl Weight {
    /// Takes note of what an event made of a row.
    pub(super) fn update(&mut self, before: Status, after: Status) {
        self.all = self.all + after.weight - before.weight;
        self.dirty += if after.dirty { after.weight } else { 0 };
        self.dirty -= if before.dirty { before.weight } else { 0 };
    }
}

impl<S: KeyedState> Row<S> {
    /// A row of nothing yet, for a key that takes `encoded` bytes.
    pub(super) fn new(key: S::Key, encoded: usize) -> Self {
        let outside = if std::mem::needs_drop::<S::Key>() { u32::try_from(encoded).unwrap_or(u32::MAX) } else { 0 };
        let status = Status { weight: Self::WEIGHT + outside as usize, key: outside, ..Status::default() };
        Self { key, cells: S::Row::default(), extra: None, status }
    }

    /// Memory of a row itself, in bytes; a byte of the table's own comes with each.
    pub(super) const WEIGHT: usize = size_of::<Self>() + 1;
}

impl<S: KeyedState> Rows<S> {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            table: HashTable::new(),
            hasher: RandomState::default(),
            dirty: Vec::new(),
            weight: Weight { budget, all: 0, dirty: 0 },
            hand: 0,
        }
    }

    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }

    pub(super) fn needs_commit(&self) -> bool {
        self.weight.dirty > 0 && self.weight.dirty >= self.weight.budget / 2
    }

    /// Drops clean rows that were not used lately, until the rest fits the budget or has been looked at.
    #[inline]
    pub(super) fn evict(&mut self) {
        if self.weight.all > self.weight.budget {
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
            table.shrink_to(2 * table.len(), |row| hasher.hash_one(&row.key));
            self.hand = 0;
        }
    }

    #[cold]
    fn sweep(&mut self, steps: usize) {
        for _ in 0..steps {
            // What cannot go leaves nothing to look for.
            if self.weight.all <= self.weight.budget || self.weight.all == self.weight.dirty {
                return;
            }
            self.hand = if self.hand + 1 < self.table.num_buckets() { self.hand + 1 } else { 0 };
            let Some(row) = self.table.get_bucket_mut(self.hand) else { continue };
            if row.status.dirty {
                continue;
            }
            if std::mem::take(&mut row.status.recent) {
                continue;
            }
            if let Ok(entry) = self.table.get_bucket_entry(self.hand) {
                let (row, _) = entry.remove();
                self.weight.all -= row.status.weight;
            }
        }
    }
}

/// The dirty rows of `table` whose keys hash to `hash`: one, but for collisions.
pub(super) fn dirty_rows<'a, S: KeyedState>(
    table: &'a mut HashTable<Row<S>>,
    hasher: &'a RandomState,
    hash: u64,
) -> impl Iterator<Item = &'a mut Row<S>> {
    table.iter_hash_mut(hash).filter(move |row| row.status.dirty && hasher.hash_one(&row.key) == hash)
}
