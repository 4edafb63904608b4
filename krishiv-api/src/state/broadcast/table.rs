//! One broadcast state as one instance sees it: decoded, at one version, with the undo of a broadcast.

use crate::catalog::tables::{Change, Tables};
use crate::codec::keys::{check_key, check_same, decode_key, encode_key, show_key};
use crate::codec::{record, show};
use crate::error::{Cause, StateError};
use crate::quiet::drop_quietly;
use crate::scope::left::Left;
use crate::scope::one_thread::OneThreadAtATime;
use crate::scope::row_commit::RowCommit;
use crate::scope::slot::Slot;
use crate::state::broadcast::BroadcastScope;
use crate::state::handle::Core;
use crate::state::sought::{By, Sought};
use crate::value::{StateKey, StateValue};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::borrow::Borrow;
use std::cell::{Ref, RefCell, RefMut};
use std::hash::Hash;
use std::sync::Arc;

struct Entry<K, V> {
    key: K,
    value: V,
    /// The encoded key.
    suffix: Vec<u8>,
    /// Encoded size of key and value, in bytes.
    size: usize,
}

/// One step back: what was there, or that nothing was.
enum Before<K, V> {
    Entry(Entry<K, V>),
    Nothing(Vec<u8>, K),
}

struct Local<K, V> {
    entries: HashTable<Entry<K, V>>,
    hasher: RandomState,
    by: By,
    size: usize,
    undo: Vec<Before<K, V>>,
    /// What an undone broadcast had put in, until it is swept.
    waste: Vec<Entry<K, V>>,
}

impl<K: StateKey, V> Local<K, V> {
    fn find<Q>(&self, sought: &Sought<'_, Q>) -> Option<&Entry<K, V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.entries.find(sought.hash(&self.hasher), |entry| sought.is(&entry.key, &entry.suffix))
    }

    fn put(&mut self, entry: Entry<K, V>) -> Option<Entry<K, V>> {
        let before = self.take(&entry.key, &entry.suffix);
        self.size += entry.size;
        let Self { entries, hasher, by, .. } = self;
        let hash = |entry: &Entry<K, V>| by.sought(&entry.key, &entry.suffix).hash(hasher);
        entries.insert_unique(hash(&entry), entry, hash);
        before
    }

    fn take(&mut self, key: &K, suffix: &[u8]) -> Option<Entry<K, V>> {
        let sought = self.by.sought(key, suffix);
        let is = |entry: &Entry<K, V>| sought.is(&entry.key, &entry.suffix);
        let (before, _) = self.entries.find_entry(sought.hash(&self.hasher), is).ok()?.remove();
        self.size -= before.size;
        Some(before)
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.size = 0;
    }
}

/// The bound handle of one broadcast state.
pub struct Table<K, V> {
    slot: Slot,
    local: RefCell<OneThreadAtATime<Local<K, V>>>,
}

impl<K: StateKey, V: StateValue> Table<K, V> {
    pub(super) fn open(slot: Slot) -> Result<Self, StateError> {
        let (by, hasher) = (By::of_keys::<K>(), RandomState::default());
        let local = Local { entries: HashTable::new(), hasher, by, size: 0, undo: Vec::new(), waste: Vec::new() };
        let table = Self { slot, local: RefCell::new(OneThreadAtATime(local)) };
        let shared = &table.slot.shared;
        let mut tables = shared.hub.tables();
        tables.load(table.slot.id(), shared.id, shared.backend()).map_err(|error| table.slot.blame(error))?;
        table.reload(&tables)?;
        table.rewind(&tables, shared.tables_seen())?;
        drop(tables);
        Ok(table)
    }

    fn borrow(&self) -> Result<Ref<'_, OneThreadAtATime<Local<K, V>>>, StateError> {
        self.local.try_borrow().map_err(|_| self.slot.blame(Cause::Reentrant.into()))
    }

    fn borrow_mut(&self) -> Result<RefMut<'_, OneThreadAtATime<Local<K, V>>>, StateError> {
        self.local.try_borrow_mut().map_err(|_| self.slot.blame(Cause::Reentrant.into()))
    }

    pub(super) fn get<Q, R>(&self, key: &Q, f: impl FnOnce(Option<&V>) -> R) -> Result<R, StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        let local = self.borrow()?;
        if local.by == By::Key {
            return Ok(f(local.find(&Sought::Key(key)).map(|entry| &entry.value)));
        }
        let owned = key.to_owned();
        let suffix = self.suffix(&owned)?;
        let found = self.admit(&local, &owned, &suffix)?;
        Ok(f(found.map(|entry| &entry.value)))
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
        entries.sort_by_key(|entry| entry.suffix.as_slice());
        Ok(entries.into_iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect())
    }

    pub(super) fn put(&self, scope: &mut BroadcastScope, key: K, value: V) -> Result<(), StateError> {
        self.check(scope)?;
        let mut record = Vec::new();
        self.slot.write(&value, &mut record)?;
        let suffix = self.suffix(&key)?;
        let local = &mut self.borrow_mut()?.0;
        self.admit(local, &key, &suffix)?;
        let size = suffix.len() + record.len();
        let before = local.put(Entry { key: key.clone(), value, size, suffix: suffix.clone() });
        // A key that is not needed is dropped last: that may panic, and by then the step back is known.
        let (step, _spare) = match before {
            Some(before) => (Before::Entry(before), Some(key)),
            None => (Before::Nothing(suffix.clone(), key), None),
        };
        let (size, limit) = (local.size, self.slot.shared.broadcast_limit);
        if size > limit {
            local.back(step);
            return Err(self.slot.blame(Cause::BroadcastLimit { size, limit }.into()));
        }
        local.undo.push(step);
        scope.changes.push(self.change(suffix, Some(record)));
        Ok(())
    }

    pub(super) fn remove<Q>(&self, scope: &mut BroadcastScope, key: &Q) -> Result<(), StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.check(scope)?;
        let owned = key.to_owned();
        let suffix = self.suffix(&owned)?;
        let local = &mut self.borrow_mut()?.0;
        self.admit(local, &owned, &suffix)?;
        if let Some(before) = local.take(&owned, &suffix) {
            scope.changes.push(self.change(suffix, None));
            local.undo.push(Before::Entry(before));
        }
        Ok(())
    }

    pub(super) fn clear(&self, scope: &mut BroadcastScope) -> Result<(), StateError> {
        let mut keys: Vec<_> = self.borrow()?.entries.iter().map(|e| (e.suffix.clone(), e.key.clone())).collect();
        keys.sort_by(|(a, _), (b, _)| a.cmp(b));
        keys.into_iter().try_for_each(|(_, key)| self.remove(scope, &key))
    }

    /// The entry of a key, unless that is not what its encoded form decodes to.
    fn admit<'l>(&self, local: &'l Local<K, V>, key: &K, suffix: &[u8]) -> Result<Option<&'l Entry<K, V>>, StateError> {
        let found = local.find(&local.by.sought(key, suffix));
        let checked = match (local.by, found) {
            (By::Key, _) => Ok(()),
            (By::Bytes, Some(found)) => check_same(&found.key, &found.key, key, || show(key)),
            (By::Bytes, None) => check_key(key, self.slot.key_codec, suffix),
        };
        checked.map(|()| found).map_err(|error| self.slot.blame(error))
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
        let encoded = encode_key(key, self.slot.key_codec, &mut suffix);
        let encoded = encoded.and_then(|()| self.slot.shared.check_length("the broadcast key", suffix.len()));
        encoded.map_err(|error| self.slot.blame(error))?;
        Ok(suffix)
    }

    fn change(&self, key: Vec<u8>, record: Option<Vec<u8>>) -> Change {
        Change { slot: self.slot.id(), name: self.slot.name().to_owned(), key, record, before: None }
    }

    fn reload(&self, tables: &Tables) -> Result<(), StateError> {
        let mut local = self.borrow_mut()?;
        local.clear();
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
        let typed: K = decode_key("a map key", self.slot.key_codec, key).map_err(|error| self.slot.blame(error))?;
        match record {
            None => drop(local.take(&typed, key)),
            Some(record) => {
                let value = record::head(record, false).and_then(|head| self.slot.value(&head));
                // There is no key of an event here, and the table is read as a whole: which entry it is has to be said.
                let value = value.map_err(|error| self.slot.blame(error).at_key(|| show_key(&typed)))?;
                local.put(Entry { key: typed, value, suffix: key.to_vec(), size: key.len() + record.len() });
            }
        }
        Ok(())
    }
}

impl<K: StateKey, V> Local<K, V> {
    /// Takes a step back.
    fn back(&mut self, step: Before<K, V>) {
        let replaced = match step {
            Before::Entry(entry) => self.put(entry),
            Before::Nothing(suffix, key) => {
                let taken = self.take(&key, &suffix);
                // Another copy of the key is in what is taken.
                drop_quietly(key);
                taken
            }
        };
        self.waste.extend(replaced);
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
        while let Some(step) = local.undo.pop() {
            local.back(step);
        }
    }

    fn has_waste(&mut self) -> bool {
        !self.local.get_mut().waste.is_empty()
    }

    fn sweep(&mut self) {
        let local = self.local.get_mut();
        while let Some(entry) = local.waste.pop() {
            drop_quietly(entry);
        }
    }

    fn flush(&self, (): &mut (), _: &mut RowCommit<'_>) -> Result<(), StateError> {
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
