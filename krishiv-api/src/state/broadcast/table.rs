//! One broadcast state as one instance sees it: decoded, at one version, with the undo of a broadcast.

use crate::StateError;
use crate::backend::WriteBatch;
use crate::codec::decode;
use crate::codec::keys::{RowKey, encode_key};
use crate::codec::record;
use crate::error::Cause;
use crate::keyed::tables::{Change, Tables};
use crate::state::broadcast::BroadcastScope;
use crate::state::handle::{Core, Left};
use crate::state::slot::Slot;
use crate::value::{StateKey, StateValue};
use hashbrown::HashMap;
use std::borrow::Borrow;
use std::cell::{Ref, RefCell, RefMut};
use std::hash::Hash;
use std::sync::Arc;

struct Entry<V> {
    value: V,
    /// The encoded key.
    suffix: Vec<u8>,
    /// Encoded size of key and value, in bytes.
    size: usize,
}

struct Local<K, V> {
    entries: HashMap<K, Entry<V>>,
    size: usize,
    undo: Vec<(K, Option<Entry<V>>)>,
}

impl<K: StateKey, V> Local<K, V> {
    fn set(&mut self, key: K, entry: Option<Entry<V>>) -> Option<Entry<V>> {
        self.size += entry.as_ref().map_or(0, |entry| entry.size);
        let before = match entry {
            Some(entry) => self.entries.insert(key, entry),
            None => self.entries.remove(&key),
        };
        self.size -= before.as_ref().map_or(0, |before| before.size);
        before
    }
}

/// The bound handle of one broadcast state.
pub struct Table<K, V> {
    slot: Slot,
    local: RefCell<Local<K, V>>,
}

impl<K: StateKey, V: StateValue> Table<K, V> {
    pub(super) fn open(slot: Slot) -> Result<Self, StateError> {
        let local = Local { entries: HashMap::default(), size: 0, undo: Vec::new() };
        let table = Self { slot, local: RefCell::new(local) };
        let shared = &table.slot.shared;
        let mut tables = shared.hub.tables();
        tables.load(table.slot.id(), shared.id, shared.backend()).map_err(|error| table.slot.blame(error))?;
        table.reload(&tables)?;
        table.rewind(&tables, shared.tables_seen())?;
        drop(tables);
        Ok(table)
    }

    fn borrow(&self) -> Result<Ref<'_, Local<K, V>>, StateError> {
        self.local.try_borrow().map_err(|_| self.slot.blame(Cause::Reentrant.into()))
    }

    fn borrow_mut(&self) -> Result<RefMut<'_, Local<K, V>>, StateError> {
        self.local.try_borrow_mut().map_err(|_| self.slot.blame(Cause::Reentrant.into()))
    }

    pub(super) fn get<Q, R>(&self, key: &Q, f: impl FnOnce(Option<&V>) -> R) -> Result<R, StateError>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Ok(f(self.borrow()?.entries.get(key).map(|entry| &entry.value)))
    }

    pub(super) fn length(&self) -> Result<usize, StateError> {
        Ok(self.borrow()?.entries.len())
    }

    pub(super) fn entries(&self) -> Result<Vec<(K, V)>, StateError>
    where
        V: Clone,
    {
        let local = self.borrow()?;
        let mut entries: Vec<_> = local.entries.iter().collect();
        entries.sort_by_key(|(_, entry)| entry.suffix.as_slice());
        Ok(entries.into_iter().map(|(key, entry)| (key.clone(), entry.value.clone())).collect())
    }

    pub(super) fn put(&self, scope: &mut BroadcastScope, key: K, value: V) -> Result<(), StateError> {
        self.check(scope)?;
        let mut record = Vec::new();
        self.slot.write(&value, &mut record)?;
        let suffix = self.suffix(&key)?;
        let mut local = self.borrow_mut()?;
        let entry = Entry { value, size: suffix.len() + record.len(), suffix: suffix.clone() };
        let before = local.set(key.clone(), Some(entry));
        let (size, limit) = (local.size, self.slot.shared.broadcast_limit);
        if size > limit {
            local.set(key, before);
            return Err(self.slot.blame(Cause::BroadcastLimit { size, limit }.into()));
        }
        local.undo.push((key, before));
        scope.changes.push(self.change(suffix, Some(record)));
        Ok(())
    }

    pub(super) fn remove<Q>(&self, scope: &mut BroadcastScope, key: &Q) -> Result<(), StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.check(scope)?;
        let mut local = self.borrow_mut()?;
        let key = key.to_owned();
        if let Some(before) = local.set(key.clone(), None) {
            scope.changes.push(self.change(before.suffix.clone(), None));
            local.undo.push((key, Some(before)));
        }
        Ok(())
    }

    pub(super) fn clear(&self, scope: &mut BroadcastScope) -> Result<(), StateError> {
        let mut keys: Vec<_> = self.borrow()?.entries.iter().map(|(k, e)| (e.suffix.clone(), k.clone())).collect();
        keys.sort_by(|(a, _), (b, _)| a.cmp(b));
        keys.into_iter().try_for_each(|(_, key)| self.remove(scope, &key))
    }

    fn check(&self, scope: &BroadcastScope) -> Result<(), StateError> {
        if Arc::ptr_eq(&scope.shared, &self.slot.shared) {
            return Ok(());
        }
        let reason = "the scope belongs to another store; write with the scope of the store's own `broadcast`";
        Err(self.slot.blame(Cause::Setting { reason: reason.to_owned() }.into()))
    }

    fn suffix(&self, key: &K) -> Result<Vec<u8>, StateError> {
        let mut suffix = Vec::new();
        encode_key(key, self.slot.key_codec, &mut suffix).map_err(|error| self.slot.blame(error))?;
        Ok(suffix)
    }

    fn change(&self, key: Vec<u8>, record: Option<Vec<u8>>) -> Change {
        Change { slot: self.slot.id(), name: self.slot.name().to_owned(), key, record, before: None }
    }

    fn reload(&self, tables: &Tables) -> Result<(), StateError> {
        let mut local = self.borrow_mut()?;
        local.entries.clear();
        local.size = 0;
        tables.entries(self.slot.id()).try_for_each(|(key, record)| self.apply(&mut local, key, Some(record)))
    }

    /// Goes back to version `seen`, which the other broadcast states of the event at hand show.
    fn rewind(&self, tables: &Tables, seen: u64) -> Result<(), StateError> {
        let mut local = self.borrow_mut()?;
        let later = tables.since(seen).into_iter().flatten().rev();
        let mut own = later.filter(|change| change.slot == self.slot.id());
        own.try_for_each(|change| self.apply(&mut local, &change.key, change.before.as_deref()))
    }

    fn apply(&self, local: &mut Local<K, V>, key: &[u8], record: Option<&[u8]>) -> Result<(), StateError> {
        let damaged = |reason| self.slot.blame(Cause::Decode { reason }.into());
        let typed: K = decode(self.slot.key_codec, key).map_err(damaged)?;
        let entry = match record {
            None => None,
            Some(record) => {
                let head = record::head(record, false).map_err(|error| self.slot.blame(error))?;
                let value = record::value(&head).map_err(|error| self.slot.blame(error))?;
                Some(Entry { value, suffix: key.to_vec(), size: key.len() + record.len() })
            }
        };
        local.set(typed, entry);
        Ok(())
    }
}

impl<K: StateKey, V: StateValue> Core for Table<K, V> {
    type Cell = ();

    fn slot(&self) -> &Slot {
        &self.slot
    }

    fn enter(&mut self, (): &mut ()) {}

    fn leave(&mut self, (): &mut ()) -> Left {
        Left::NOTHING
    }

    fn undo(&mut self) {
        let local = self.local.get_mut();
        while let Some((key, before)) = local.undo.pop() {
            local.set(key, before);
        }
    }

    fn flush(&self, (): &mut (), _: &RowKey, _: &mut WriteBatch) -> Result<(), StateError> {
        Ok(())
    }

    fn committed(&self, (): &mut ()) {}

    fn holds(&self, (): &(), _: &[(u16, &[u8])]) -> bool {
        false
    }

    fn refresh(&self, tables: &Tables, seen: u64) -> Result<(), StateError> {
        // Whatever a broadcast of this instance has changed is part of the tables now.
        self.borrow_mut()?.undo.clear();
        let Some(changes) = tables.since(seen) else { return self.reload(tables) };
        let mut local = self.borrow_mut()?;
        let mut own = changes.filter(|change| change.slot == self.slot.id());
        own.try_for_each(|change| self.apply(&mut local, &change.key, change.record.as_deref()))
    }
}
