//! Two databases with 5,000,000 keys: one of ours, one of the peer.

use crate::cases::counter::{Counter, step};
use crate::error::Error;
use crate::raw::Raw;
use krishiv_api::{Keyed, RocksDbStateBackend};
use std::sync::Arc;
use tempfile::TempDir;

/// Keys of a full run.
pub(crate) const KEYS: u64 = 5_000_000;
const COMMIT_EVERY: u64 = 500_000;

/// Folders of closed databases in which every key has a counter.
pub(crate) struct Large {
    pub(crate) ours: TempDir,
    pub(crate) peer: TempDir,
    pub(crate) keys: u64,
}

impl Large {
    /// Fills both folders with `keys` keys.
    pub(crate) fn new(ours: TempDir, peer: TempDir, keys: u64) -> Result<Self, Error> {
        let large = Self { ours, peer, keys };
        let first = step(None);
        let backend = Arc::new(RocksDbStateBackend::open(large.ours.path())?);
        let mut store = Keyed::<Counter>::builder().memory_budget(256 << 20).open(Arc::clone(&backend))?;
        for key in 0..large.keys {
            store.with_key(&key, |state| state.count.set(first))?;
            if (key + 1) % COMMIT_EVERY == 0 {
                store.commit((key + 1).to_be_bytes())?;
            }
        }
        store.commit(large.keys.to_be_bytes())?;
        backend.compact()?;
        let value = first.to_le_bytes();
        Raw::open(large.peer.path())?.load((0..large.keys).map(|key| (key.to_be_bytes(), value)))?;
        Ok(large)
    }
}
