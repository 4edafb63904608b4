//! Records that reads have found expired, until the next write removes them.

use super::stamp;
use crate::backend::{StateBackend, WriteBatch};
use crate::error::StateError;
use crate::time::is_expired;
use std::collections::BTreeMap;

/// Most records to remember; what is beyond is found again by a later read, or dropped by compaction.
const LIMIT: usize = 4096;

/// Keys with the stamp that was found.
#[derive(Debug, Default)]
pub(super) struct Expired {
    found: BTreeMap<Vec<u8>, i64>,
}

impl Expired {
    pub(super) fn remember(&mut self, key: &[u8], expires_at: i64) {
        if self.found.len() < LIMIT {
            self.found.insert(key.to_vec(), expires_at);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.found.clear();
    }

    /// Takes all back that was taken for a write that failed.
    pub(super) fn restore(&mut self, other: Self) {
        for (key, expires_at) in other.found {
            self.remember(&key, expires_at);
        }
    }

    /// Removes those that are still what was found, and still expired.
    pub(super) fn removals(&self, backend: &impl StateBackend, now: i64) -> Result<WriteBatch, StateError> {
        let keys: Vec<&[u8]> = self.found.keys().map(Vec::as_slice).collect();
        let mut batch = WriteBatch::default();
        for ((key, found), value) in self.found.iter().zip(backend.multi_get(&keys)?) {
            let Some(value) = value else { continue };
            let (stored, _) = stamp::split(key, &value)?;
            if stored == *found && is_expired(stored, now) {
                batch.delete(key);
            }
        }
        Ok(batch)
    }
}
