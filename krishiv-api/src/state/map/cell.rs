//! What a row holds of one map: the entries that are known.

use crate::state::map::entries::Entries;
use crate::state::map::entry::{Entry, Keys, Known, Suffix};
use crate::state::sought::Sought;
use crate::value::StateKey;
use std::borrow::Borrow;
use std::hash::Hash;

/// The map of one key: what is known of it.
pub struct Cell<K, V> {
    /// Nothing is left in the backend that is not known here.
    pub(super) complete: bool,
    /// All that the backend has goes.
    pub(super) erase: bool,
    pub(super) entries: Entries<K, V>,
    /// The entries lie in the order of their encoded keys.
    pub(super) sorted: bool,
    pub(super) weight: usize,
}

impl<K, V> Default for Cell<K, V> {
    fn default() -> Self {
        Self { complete: false, erase: false, entries: Entries::default(), sorted: true, weight: 0 }
    }
}

impl<K: StateKey, V> Cell<K, V> {
    /// Adds what is known of a key of which nothing was known; returns its place.
    pub(super) fn insert(&mut self, key: K, suffix: Suffix, known: Known<V>, keys: Keys<'_>) -> usize {
        self.sorted &= self.entries.last().is_none_or(|last| last.suffix < suffix);
        let entry = Entry { suffix, known };
        self.weight += entry.weight(&key, keys);
        self.entries.push(key, entry, keys.by)
    }

    /// Puts in all that the backend has, in the order of the encoded keys. What is known here is newer.
    pub(super) fn fill(&mut self, all: Vec<(K, Entry<V>)>, keys: Keys<'_>) {
        if self.entries.is_empty() {
            self.sorted = true;
            self.weight += all.iter().map(|(key, entry)| entry.weight(key, keys)).sum::<usize>();
            self.entries.set(all);
            return;
        }
        for (key, Entry { suffix, known }) in all {
            if self.entries.seek(&keys.by.sought(&key, &suffix)).is_none() {
                self.insert(key, suffix, known, keys);
            }
        }
    }

    /// Puts what is known of a key in the place of what was, if there is a place.
    pub(super) fn replace<Q>(&mut self, sought: &Sought<'_, Q>, known: Known<V>) -> Result<Known<V>, Known<V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let place = self.entries.seek(sought);
        let Some((_, entry)) = place.and_then(|place| self.entries.at_mut(place)) else { return Err(known) };
        self.weight = self.weight + known.heap as usize - entry.known.heap as usize;
        Ok(std::mem::replace(&mut entry.known, known))
    }

    /// Takes out what is known of a key.
    pub(super) fn remove(&mut self, sought: &Sought<'_, K>, keys: Keys<'_>) -> Option<(K, Entry<V>)> {
        let place = self.entries.find(sought)?;
        let (key, entry) = self.entries.swap_remove(place, keys.by)?;
        self.weight -= entry.weight(&key, keys);
        self.sorted = false;
        Some((key, entry))
    }

    /// Puts the entries in the order of their encoded keys.
    pub(super) fn sort(&mut self) {
        if !self.sorted {
            self.entries.sort();
            self.sorted = true;
        }
    }

    /// Whether it is as good as none.
    pub(super) fn is_blank(&self) -> bool {
        !self.complete && !self.erase && self.entries.is_empty()
    }

    /// All that there was to write is durable; returns what need not be known any more.
    pub(super) fn settle(&mut self, keys: Keys<'_>) -> Vec<(K, Entry<V>)> {
        self.erase = false;
        let Self { complete, weight, .. } = self;
        self.entries.extract(|key, entry| {
            let known = &entry.known;
            // What was removed is not likely to be asked for again; with keys that come and go it would only grow.
            let goes = known.value.is_none() && (*complete || known.dirty);
            if goes {
                *weight -= entry.weight(key, keys);
            }
            entry.known.dirty = false;
            goes
        })
    }
}
