//! What a migration writes: under the new id, some of it still in memory.

use crate::backend::{AnyBackend, WriteBatch};
use crate::catalog::backend::BackendHub;
use crate::codec::keys::ROW_SLOT;
use crate::error::StateError;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The records under the new id, as they are to be.
pub(super) struct Target<'a> {
    hub: &'a BackendHub,
    backend: Arc<dyn AnyBackend>,
    /// Those that are not written yet; `None` is removed.
    pending: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Bytes of those.
    size: usize,
}

impl<'a> Target<'a> {
    pub(super) fn new(hub: &'a BackendHub, backend: &Arc<dyn AnyBackend>) -> Self {
        Self { hub, backend: Arc::clone(backend), pending: BTreeMap::new(), size: 0 }
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        match self.pending.get(key) {
            Some(pending) => Ok(pending.clone()),
            None => self.backend.get(key),
        }
    }

    pub(super) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.size += key.len() + value.len();
        self.pending.insert(key, Some(value));
    }

    pub(super) fn delete(&mut self, key: Vec<u8>) {
        self.size += key.len();
        self.pending.insert(key, None);
    }

    /// Bytes that are not written yet.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether anything is stored of the row whose records begin with `prefix`.
    pub(super) fn has_row(&self, prefix: &[u8]) -> Result<bool, StateError> {
        if self.get(&record(prefix, ROW_SLOT, &[]))?.is_some() {
            return Ok(true);
        }
        // The timers of a key group lie between the two, if the key takes no bytes.
        let first = record(prefix, ROW_SLOT + 1, &[]);
        let mut pending = self.pending.range(first.clone()..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(pending.any(|(_, value)| value.is_some())
            || self.backend.scan_from(prefix, &first).next().transpose()?.is_some())
    }

    /// Writes what is pending.
    pub(super) fn write(&mut self) -> Result<(), StateError> {
        let mut batch = WriteBatch::default();
        for (key, value) in std::mem::take(&mut self.pending) {
            match value {
                Some(value) => batch.put(&key, &value),
                None => batch.delete(&key),
            }
        }
        self.size = 0;
        self.hub.write_alone(batch, false)
    }
}

/// Key of a record in the row whose records begin with `prefix`.
pub(super) fn record(prefix: &[u8], slot: u16, suffix: &[u8]) -> Vec<u8> {
    [prefix, &slot.to_be_bytes(), suffix].concat()
}
