//! The entries of one map, behind a pointer: what a map does with them beside handing them to the user is there once, and not for
//! each pair of types.

use super::known::Meta;
use crate::codec::keys::decode_key;
use crate::codec::{Payload, Plan, weigh};
use crate::error::StateError;
use crate::quiet::drop_quietly;
use crate::scope::slot::{Found, Slot};
use crate::value::{StateKey, StateValue};
use foldhash::fast::RandomState;
use std::any::Any;
use std::hash::BuildHasher;

/// One entry.
pub(super) struct Entry<K, V> {
    pub(super) key: K,
    pub(super) value: Option<V>,
    pub(super) meta: Meta,
}

/// Entries by their place. Tables that change entries with each other are of one pair of types.
pub trait Table: Any + Send {
    fn len(&self) -> usize;

    /// Memory of an entry in place, in bytes.
    fn size(&self) -> usize;

    /// Whether nothing happens when a key is dropped.
    fn are_keys_plain(&self) -> bool;

    /// A table without entries.
    fn fresh(&self) -> Box<dyn Table>;

    fn meta(&self, place: usize) -> Option<&Meta>;

    fn meta_mut(&mut self, place: usize) -> Option<&mut Meta>;

    /// The key at this place, as what it is.
    fn key(&self, place: usize) -> Option<&dyn Any>;

    fn hash(&self, place: usize, hasher: &RandomState) -> Option<u64>;

    /// Memory of the key at this place outside itself, in bytes.
    fn weigh(&self, place: usize, plan: &Plan) -> usize;

    /// The value at this place, to be written.
    fn payload(&self, place: usize) -> Option<&dyn Payload>;

    /// Drops the value at this place, which may panic.
    fn clear(&mut self, place: usize);

    /// Puts the value that was kept last back in its place, and what has been there to what is of no use any more.
    fn put_back(&mut self, place: usize, spare: &mut dyn Spare);

    /// Moves the entry at this place to what is of no use any more; the last one takes its place.
    fn move_out(&mut self, place: usize, spare: &mut dyn Spare);

    /// Lets two entries change places.
    fn swap(&mut self, one: usize, other: usize);

    /// Drops those from this place on; those of the user's types may panic, and no other suffers for it.
    fn cut(&mut self, length: usize);

    /// Puts the entry of a record behind the others.
    fn read(&mut self, meta: Meta, found: &Found<'_>, slot: &Slot) -> Result<(), StateError>;

    /// Takes all of `from` behind the others.
    fn append(&mut self, from: &mut dyn Table);
}

impl dyn Table {
    /// The entries as what they are.
    #[inline]
    pub(super) fn of<K: StateKey, V: StateValue>(&self) -> &Vec<Entry<K, V>> {
        let any: &dyn Any = self;
        any.downcast_ref().unwrap_or_else(|| other_type())
    }

    #[inline]
    pub(super) fn of_mut<K: StateKey, V: StateValue>(&mut self) -> &mut Vec<Entry<K, V>> {
        let any: &mut dyn Any = self;
        any.downcast_mut().unwrap_or_else(|| other_type())
    }
}

#[cold]
fn other_type() -> ! {
    unreachable!("a map makes its tables itself, all of the types of its handle")
}

impl<K: StateKey, V: StateValue> Table for Vec<Entry<K, V>> {
    fn len(&self) -> usize {
        self.len()
    }

    fn size(&self) -> usize {
        size_of::<Entry<K, V>>()
    }

    fn are_keys_plain(&self) -> bool {
        !std::mem::needs_drop::<K>()
    }

    fn fresh(&self) -> Box<dyn Table> {
        Box::new(Self::new())
    }

    fn meta(&self, place: usize) -> Option<&Meta> {
        match self.get(place) {
            Some(entry) => Some(&entry.meta),
            None => None,
        }
    }

    fn meta_mut(&mut self, place: usize) -> Option<&mut Meta> {
        match self.get_mut(place) {
            Some(entry) => Some(&mut entry.meta),
            None => None,
        }
    }

    fn key(&self, place: usize) -> Option<&dyn Any> {
        match self.get(place) {
            Some(entry) => Some(&entry.key),
            None => None,
        }
    }

    fn hash(&self, place: usize, hasher: &RandomState) -> Option<u64> {
        self.get(place).map(|entry| hasher.hash_one(&entry.key))
    }

    fn weigh(&self, place: usize, plan: &Plan) -> usize {
        match self.get(place) {
            Some(entry) => weigh(&entry.key, plan),
            None => 0,
        }
    }

    fn payload(&self, place: usize) -> Option<&dyn Payload> {
        match self.get(place) {
            Some(Entry { value: Some(value), .. }) => Some(value),
            _ => None,
        }
    }

    fn clear(&mut self, place: usize) {
        if let Some(entry) = self.get_mut(place) {
            entry.value = None;
        }
    }

    fn put_back(&mut self, place: usize, spare: &mut dyn Spare) {
        let taken = spare.of_mut::<K, V>();
        if let (Some(before), Some(entry)) = (taken.before.pop(), self.get_mut(place)) {
            taken.waste.push((None, std::mem::replace(&mut entry.value, before)));
        }
    }

    fn move_out(&mut self, place: usize, spare: &mut dyn Spare) {
        if place < self.len() {
            let Entry { key, value, .. } = self.swap_remove(place);
            spare.of_mut::<K, V>().waste.push((Some(key), value));
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        if one.max(other) < self.len() {
            <[_]>::swap(self, one, other);
        }
    }

    fn cut(&mut self, length: usize) {
        while self.len() > length {
            let Some(Entry { key, value, .. }) = self.pop() else { return };
            drop_quietly((Some(key), value));
        }
    }

    fn read(&mut self, meta: Meta, found: &Found<'_>, slot: &Slot) -> Result<(), StateError> {
        let loaded = slot.read(found)?;
        let key = decode_key("a map key", slot.key_codec, &meta.suffix)?;
        let meta = Meta { known: meta.known.with(loaded.codec, loaded.heap), ..meta };
        self.push(Entry { key, value: Some(loaded.value), meta });
        Ok(())
    }

    fn append(&mut self, from: &mut dyn Table) {
        let from = from.of_mut::<K, V>();
        if self.is_empty() { std::mem::swap(self, from) } else { self.append(from) }
    }
}

/// What an event has taken out of a map.
pub trait Spare: Any + Send {
    /// Drops it; the user's types may panic, and no other suffers for it.
    fn sweep(&mut self);
}

pub(super) struct Taken<K, V> {
    /// The values that its steps back put in their places again, those of the last step last.
    pub(super) before: Vec<Option<V>>,
    /// What is of no use any more.
    waste: Vec<(Option<K>, Option<V>)>,
}

impl<K, V> Default for Taken<K, V> {
    fn default() -> Self {
        Self { before: Vec::new(), waste: Vec::new() }
    }
}

impl dyn Spare {
    #[inline]
    pub(super) fn of_mut<K: StateKey, V: StateValue>(&mut self) -> &mut Taken<K, V> {
        let any: &mut dyn Any = self;
        any.downcast_mut().unwrap_or_else(|| other_type())
    }
}

impl<K: StateKey, V: StateValue> Spare for Taken<K, V> {
    fn sweep(&mut self) {
        if !std::mem::needs_drop::<V>() {
            self.before.clear();
        }
        while let Some(value) = self.before.pop() {
            drop_quietly(value);
        }
        while let Some(entry) = self.waste.pop() {
            drop_quietly(entry);
        }
    }
}
