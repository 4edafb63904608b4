//! Iterators that are kept from one scan to the next: to make one costs as much as to read fifteen records.

use super::bounds::verified;
use crate::backend::prefix::end_of;
use crate::lock::lock;
use ::rocksdb::{DB, DBRawIterator, ReadOptions};
use self_cell::self_cell;
use std::sync::{Arc, Mutex};

/// Deleted records that a kept iterator goes over in one step before it gives up. It does not know where its prefix ends,
/// and behind it may lie what was a list of a million elements; one that is made for the prefix stops there.
const PATIENCE: u64 = 32;

self_cell!(
    /// An iterator over all records, and the database that it reads.
    pub(super) struct Cursor {
        owner: Arc<DB>,
        #[not_covariant]
        dependent: DBRawIterator,
    }
);

/// The iterators that nobody uses at the moment. All of them see the last write.
#[derive(Default)]
pub(super) struct Cursors {
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// Writes so far. An iterator shows what was there when it was made.
    writes: u64,
    cursors: Vec<Cursor>,
}

impl Cursors {
    /// Runs `f` on an iterator over all records of `db`.
    pub(super) fn with<R>(&self, db: &Arc<DB>, f: impl FnOnce(&mut DBRawIterator<'_>) -> R) -> R {
        let (kept, writes) = {
            let idle = &mut *lock(&self.idle);
            (idle.cursors.pop(), idle.writes)
        };
        let mut cursor = kept.unwrap_or_else(|| Cursor::new(Arc::clone(db), |db| db.raw_iterator_opt(everything())));
        let result = cursor.with_dependent_mut(|_, records| f(records));
        let idle = &mut *lock(&self.idle);
        if idle.writes == writes {
            idle.cursors.push(cursor);
        }
        result
    }

    /// Drops all iterators: what they show is no longer what is there, and they keep files from being deleted.
    pub(super) fn forget(&self) {
        let idle = &mut *lock(&self.idle);
        idle.writes += 1;
        idle.cursors.clear();
    }
}

fn everything() -> ReadOptions {
    let mut options = within(b"");
    options.set_max_skippable_internal_keys(PATIENCE);
    options
}

/// How the records of a prefix are read, in the order of their keys.
pub(super) fn within(prefix: &[u8]) -> ReadOptions {
    let mut options = verified();
    options.set_total_order_seek(true);
    if let Some(end) = end_of(prefix) {
        options.set_iterate_upper_bound(end);
    }
    options
}
