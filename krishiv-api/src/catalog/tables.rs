//! Broadcast states as all instances of an operator share them: encoded, versioned, with a log of the latest changes.

use crate::backend::{AnyBackend, WriteBatch};
use crate::codec::keys::RowKey;
use crate::error::{Cause, StateError};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Changes that an instance may lag behind before it reads whole tables again.
const LOG: usize = 4_096;

/// Bytes that those changes may take together.
const LOG_BYTES: usize = 16 << 20;

/// One put or delete in a broadcast state.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) slot: u16,
    pub(crate) name: String,
    pub(crate) key: Vec<u8>,
    /// The new record; `None` removes it.
    pub(crate) record: Option<Vec<u8>>,
    /// The old one.
    pub(crate) before: Option<Vec<u8>>,
}

impl Change {
    fn size(&self) -> usize {
        let len = |record: &Option<Vec<u8>>| record.as_ref().map_or(0, Vec::len);
        self.name.len() + self.key.len() + len(&self.record) + len(&self.before)
    }
}

#[derive(Default)]
struct Table {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    bytes: usize,
}

/// All broadcast states of an operator.
#[derive(Default)]
pub struct Tables {
    tables: HashMap<u16, Table>,
    /// Number of changes ever made; the log holds the latest of them.
    version: u64,
    log: VecDeque<Change>,
    log_bytes: usize,
    uncommitted: Vec<Change>,
}

impl Tables {
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Reads the table of `slot` from the backend, unless it is here.
    pub(crate) fn load(&mut self, slot: u16, operator: u16, backend: &dyn AnyBackend) -> Result<(), StateError> {
        if self.tables.contains_key(&slot) {
            return Ok(());
        }
        let prefix = RowKey::of_operator(operator).record(slot, &[]);
        let mut table = Table::default();
        for record in backend.scan(&prefix) {
            let (mut key, value) = record?;
            let key = key.split_off(prefix.len().min(key.len()));
            table.bytes += key.len() + value.len();
            table.entries.insert(key, value);
        }
        self.tables.insert(slot, table);
        Ok(())
    }

    /// All entries of `slot`, encoded.
    pub(crate) fn entries(&self, slot: u16) -> impl Iterator<Item = (&[u8], &[u8])> {
        let entries = self.tables.get(&slot).map(|table| table.entries.iter());
        entries.into_iter().flatten().map(|(key, record)| (key.as_slice(), record.as_slice()))
    }

    /// The changes since `version`; `None` when they are no longer all known.
    pub(crate) fn since(&self, version: u64) -> Option<impl DoubleEndedIterator<Item = &Change>> {
        let missed = usize::try_from(self.version.checked_sub(version)?).ok()?;
        let skip = self.log.len().checked_sub(missed)?;
        Some(self.log.iter().skip(skip))
    }

    /// Applies all of `changes`, or none when a table would grow past `limit` bytes.
    pub(crate) fn publish(&mut self, mut changes: Vec<Change>, limit: usize) -> Result<(), StateError> {
        for index in 0..changes.len() {
            let Some(change) = changes.get_mut(index) else { break };
            change.before = self.apply(change.slot, &change.key, change.record.as_deref());
            let size = self.tables.get(&change.slot).map_or(0, |table| table.bytes);
            if size > limit && change.record.is_some() {
                let error = StateError::from(Cause::BroadcastLimit { size, limit }).at_state(&change.name);
                for change in changes.iter().take(index + 1).rev() {
                    self.apply(change.slot, &change.key, change.before.as_deref());
                }
                return Err(error);
            }
        }
        self.version += changes.len() as u64;
        self.uncommitted.extend(changes.iter().cloned());
        self.log_bytes += changes.iter().map(Change::size).sum::<usize>();
        self.log.extend(changes);
        while self.log.len() > LOG || self.log_bytes > LOG_BYTES {
            let Some(oldest) = self.log.pop_front() else { break };
            self.log_bytes -= oldest.size();
        }
        Ok(())
    }

    /// Adds what no commit has written yet to `batch`; returns how much that is.
    pub(crate) fn flush(&self, operator: u16, batch: &mut WriteBatch) -> usize {
        let row = RowKey::of_operator(operator);
        for change in &self.uncommitted {
            let key = row.record(change.slot, &change.key);
            match &change.record {
                Some(record) => batch.put(&key, record),
                None => batch.delete(&key),
            }
        }
        self.uncommitted.len()
    }

    /// Forgets the first `count` uncommitted changes, which are durable now.
    pub(crate) fn committed(&mut self, count: usize) {
        self.uncommitted.drain(..count.min(self.uncommitted.len()));
    }

    fn apply(&mut self, slot: u16, key: &[u8], record: Option<&[u8]>) -> Option<Vec<u8>> {
        let table = self.tables.entry(slot).or_default();
        let before = match record {
            Some(record) => {
                table.bytes += key.len() + record.len();
                table.entries.insert(key.to_vec(), record.to_vec())
            }
            None => table.entries.remove(key),
        };
        if let Some(before) = &before {
            table.bytes -= key.len() + before.len();
        }
        before
    }
}
