//! All keys of a store: what the backend has and what is not committed yet, as one.

use crate::codec::keys::show_key;
use crate::codec::keys::{OPERATOR_GROUP, Parts, RowKey, STAMPED, decode_key, group_prefix, operator_prefix, parse};
use crate::codec::row::{self, values};
use crate::codec::{decode, record};
use crate::error::{Cause, StateError};
use crate::keyed::row::Row;
use crate::keyed::store::Instance;
use crate::keyed::{Keyed, KeyedState};
use crate::scope::timers::{self, OfKey};
use crate::state::calls::Calls;
use crate::state::handle::{Core, Handle, Visitor};
use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU16;
use std::sync::Arc;

impl<S: KeyedState> Keyed<S> {
    /// Every key that holds any state, uncommitted changes included, each once, in no order to rely on.
    ///
    /// Keeps all of them in memory; [`for_each_key`](Self::for_each_key) does not.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let mut store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// store.with_key("ann", |_| ValueState::<u64>::new("seen").set(1))?;
    /// store.with_key("bob", |_| ValueState::<u64>::new("seen").get())?;
    /// assert_eq!(store.keys()?, ["ann"]);
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the backend fails or a stored key is damaged.
    pub fn keys(&mut self) -> Result<Vec<S::Key>, StateError> {
        let mut keys = Vec::new();
        self.walk(|_, key| {
            keys.push(key);
            Ok(())
        })?;
        Ok(keys)
    }

    /// Runs `visit` on every key that holds any state, each as an event of its own that may change or clear
    /// what it visits.
    ///
    /// Reads as it goes. Keys are those that held state when the walk came by them. What is changed on the way
    /// stays in memory until the next commit; a state that outgrows it is walked one range of key groups at a
    /// time, each by a store of its own.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = String)]
    /// # struct Visits { seen: ValueState<u64> }
    /// let mut visits = Keyed::<Visits>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// visits.with_key("ann", |state| state.seen.set(1))?;
    /// visits.for_each_key(|name, state| {
    ///     assert_eq!(name, "ann");
    ///     state.seen.clear();
    /// })?;
    /// assert!(visits.keys()?.is_empty());
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When an event fails, which ends the walk, the backend fails, or a stored key is damaged.
    pub fn for_each_key(&mut self, mut visit: impl FnMut(&S::Key, &S)) -> Result<(), StateError> {
        self.walk(|store, key| store.with_key::<S::Key, _>(&key, |state| visit(&key, state)))
    }

    fn walk(&mut self, mut f: impl FnMut(&mut Self, S::Key) -> Result<(), StateError>) -> Result<(), StateError> {
        self.begin(None, None)?;
        // Taken first, so that what `f` changes on the way does not come by twice.
        let dirty = self.dirty_keys()?;
        let backend = Arc::clone(self.instance.shared.hub.backend());
        for prefix in self.prefixes() {
            let mut row: Option<Vec<u8>> = None;
            for item in backend.scan(&prefix) {
                let (bytes, value) = item.map_err(|error| self.blame(error))?;
                let Some(parts) = parse(&bytes) else {
                    let reason = format!("a stored key is damaged: {bytes:02x?}");
                    return Err(self.blame(Cause::Decode { reason }.into()));
                };
                let prefix = bytes.get(..parts.row_len).unwrap_or_default();
                if row.as_deref() == Some(prefix) || parts.group == OPERATOR_GROUP || parts.is_timer() {
                    continue;
                }
                if !self.is_live(&parts, &value)? {
                    continue;
                }
                row = Some(prefix.to_vec());
                let is_dirty = dirty.contains_key(parts.key);
                let key = decode_key("a stored key", self.instance.shared.key_codec, parts.key);
                let key: S::Key = key.map_err(|error| self.blame(error))?;
                if !is_dirty {
                    f(self, key)?;
                }
            }
        }
        for key in dirty.into_values() {
            if self.holds(&key)? {
                f(self, key)?;
            }
        }
        Ok(())
    }

    /// The keys of all dirty rows by their encoded forms.
    fn dirty_keys(&self) -> Result<HashMap<Box<[u8]>, S::Key>, StateError> {
        let mut row_key = RowKey::default();
        let dirty = self.rows.table.iter().filter(|row| row.status.is_dirty());
        let by_bytes = dirty.map(|row| {
            self.instance.encode(&row.key, &mut row_key)?;
            Ok((row_key.key().into(), row.key.clone()))
        });
        by_bytes.collect()
    }

    /// What the keys of this store's records begin with.
    pub(super) fn prefixes(&self) -> Vec<Vec<u8>> {
        if self.instance.range == (0..self.instance.max_parallelism) {
            return vec![operator_prefix(self.instance.shared.id).to_vec()];
        }
        self.instance.range.clone().map(|group| group_prefix(self.instance.shared.id, group).to_vec()).collect()
    }

    fn is_live(&self, parts: &Parts<'_>, value: &[u8]) -> Result<bool, StateError> {
        let mut any = false;
        self.for_each_live(parts, value, |_, _| any = true)?;
        Ok(any)
    }

    /// Runs `f` on what of a record is there: slot and suffix of it, or the slots of the values in the record of a row.
    fn for_each_live(&self, parts: &Parts<'_>, value: &[u8], mut f: impl FnMut(u16, &[u8])) -> Result<(), StateError> {
        let mut look = |slot, record: &[u8]| {
            if self.is_live_record(slot, record)? {
                f(slot, parts.suffix);
            }
            Ok(())
        };
        let looked = if parts.is_row() {
            // The record of a row has no suffix, and neither have the values in it.
            values(value).try_for_each(|found| {
                let (place, at) = found?;
                look(place.slot, value.get(at).unwrap_or_default())
            })
        } else {
            look(parts.slot, value)
        };
        looked.map_err(|error| self.blame_at(error, parts.key))
    }

    fn is_live_record(&self, disk_slot: u16, value: &[u8]) -> Result<bool, StateError> {
        if self.instance.shared.hub.is_dropped(disk_slot & !STAMPED) {
            return Ok(false);
        }
        // Of a state that this program does not use it is not known when it ends: it counts as there.
        let Some((name, expiry)) = self.instance.shared.hub.expiry(disk_slot & !STAMPED) else { return Ok(true) };
        let head = record::head(value, disk_slot & STAMPED != 0).map_err(|error| error.at_state(&name))?;
        let stamp = expiry.settle(head.era, head.stamp);
        Ok(!expiry.is_expired(stamp, &self.instance.shared.time))
    }

    /// Names the operator in `error`, and the key that is encoded as `key`.
    fn blame_at(&self, error: StateError, key: &[u8]) -> StateError {
        let error = self.blame(error);
        match decode::<S::Key>(self.instance.shared.key_codec, key) {
            Ok(key) => error.at_key(|| show_key(&key)),
            Err(_) => error,
        }
    }

    /// Whether the dirty row of `key` holds anything.
    fn holds(&mut self, key: &S::Key) -> Result<bool, StateError> {
        let mut row_key = RowKey::default();
        row_key.set(self.instance.shared.id, self.instance.max_parallelism, (key, self.instance.shared.key_codec))?;
        let (mut records, mut stored_timers) = (Vec::new(), None);
        let backend = Arc::clone(self.instance.shared.hub.backend());
        for item in backend.scan(row_key.prefix()) {
            let (bytes, value) = item.map_err(|error| self.blame(error))?;
            if let Some(parts) = parse(&bytes).filter(|parts| !parts.is_timer()) {
                self.for_each_live(&parts, &value, |slot, suffix| records.push((slot, suffix.to_vec())))?;
                if parts.is_row() {
                    let row = row::Parts::read(&value).map_err(|error| self.blame_at(error, parts.key))?;
                    stored_timers = timers::stored(&row).map(<[u8]>::to_vec);
                }
            }
        }
        let stored: Vec<_> = records.iter().map(|(slot, suffix)| (*slot, suffix.as_slice())).collect();
        let hash = self.hash(key);
        let Self { instance, rows, .. } = self;
        let Some(row) = instance.find(rows, hash, key, &mut row_key) else {
            return Ok(!stored.is_empty());
        };
        let mut holds = Holds { stored: &stored, any: false, slots: Vec::new() };
        if let Some(of_key) = row.timers() {
            let stored_timers = stored_timers.as_deref().filter(|_| !row.status.is_known());
            holds.add_timers(of_key, stored_timers, instance.shared.timers_id())?;
        }
        let Row { cells, extra, .. } = row;
        let Instance { state, dynamic, .. } = instance;
        state.visit(cells, &mut holds);
        let Holds { mut any, mut slots, .. } = holds;
        dynamic.visit(extra, |handle, cell| {
            any |= handle.holds(cell, &stored);
            slots.extend(handle.slot());
        });
        // States that this store has no handle for have what is stored.
        Ok(any || stored.iter().any(|(slot, _)| !slots.contains(&(slot & !STAMPED))))
    }
}

struct Holds<'a> {
    stored: &'a [(u16, &'a [u8])],
    any: bool,
    /// The states that have a handle.
    slots: Vec<u16>,
}

impl Holds<'_> {
    /// Takes in the timers of the key, of the state `id`, of which the row has those `in_row` stored.
    fn add_timers(&mut self, of_key: &OfKey, in_row: Option<&[u8]>, id: Option<NonZeroU16>) -> Result<(), StateError> {
        let id = id.map_or(row::TIMERS, NonZeroU16::get);
        let mut apart = BTreeSet::new();
        for (_, suffix) in self.stored.iter().filter(|(slot, _)| id != row::TIMERS && *slot == id) {
            apart.insert(timers::of_suffix(suffix)?);
        }
        for (timer, there) in of_key.apart() {
            if there {
                apart.insert(timer)
            } else {
                apart.remove(&timer)
            };
        }
        self.any |= !apart.is_empty() || !of_key.in_row(in_row)?.is_empty();
        self.slots.extend([row::TIMERS, id]);
        Ok(())
    }
}

impl Visitor for Holds<'_> {
    fn visit<H: Handle>(&mut self, handle: &mut H, cell: &mut H::Cell) {
        if let Some(core) = handle.core() {
            self.any |= core.holds(cell, self.stored);
            self.slots.push(core.slot().id());
        }
    }
}
