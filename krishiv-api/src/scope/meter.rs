//! What a store counts of its own work.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A count that only grows.
///
/// One thread at a time uses a store, so a load and a store will do, and adding costs no more than to a plain `u64`.
#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    #[inline]
    pub(crate) fn add(&self, more: usize) {
        self.0.store(self.0.load(Relaxed) + more as u64, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What a store, and the driver on it, have done since it was opened: all that is counted where something slow happens anyway.
///
/// Events, which are not slow, are a plain number of the store's own.
#[derive(Default)]
pub(crate) struct Meter {
    pub(crate) undone: Count,
    /// Rows that were not in memory and came in.
    pub(crate) misses: Count,
    /// Reads of the backend: plain values of a row, one entry of a map, a whole list or map.
    pub(crate) loads: Count,
    /// Values, elements and entries that were found expired.
    pub(crate) expired: Count,
    /// Times that broadcast changes were taken in.
    pub(crate) catch_ups: Count,
    pub(crate) failed_commits: Count,
    /// Timers that fired and were not undone.
    pub(crate) fired: Count,
    /// What failed and was left out, and what became a dead letter.
    pub(crate) skipped: Count,
    pub(crate) dead_letters: Count,
    /// Late events that the operator did not get.
    pub(crate) late: Count,
}
