//! Where the entries of a long map are found.

use super::table::Entry;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

/// Lists of up to so many entries are searched from end to end, which takes no longer than hashing does.
pub(super) const SHORT: usize = 8;

/// Hashes and places of all entries of a map, or of none: it is made when an entry of a long list is looked for. A map that is
/// only ever gone over has none.
#[derive(Default)]
pub(super) struct Index {
    /// With the hash beside it no place is hashed again when the table grows: a `Hash` that panics leaves it as it was.
    places: HashTable<(u64, usize)>,
    hasher: RandomState,
}

impl Index {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn hasher(&self) -> &RandomState {
        &self.hasher
    }

    #[inline]
    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }

    #[inline]
    pub(super) fn find(&self, hash: u64, mut is: impl FnMut(usize) -> bool) -> Option<usize> {
        self.places.find(hash, |(_, place)| is(*place)).map(|(_, place)| *place)
    }

    /// Place of the entry of `key`, which is found by itself. Not inline: it is long, and called from all that looks for an entry.
    #[inline(never)]
    pub(super) fn find_key<K: Borrow<Q>, V, Q: Hash + Eq + ?Sized>(
        &self,
        entries: &[Entry<K, V>],
        key: &Q,
    ) -> Option<usize> {
        let is = |place: usize| entries.get(place).is_some_and(|entry| entry.key.borrow() == key);
        if self.is_empty() {
            return (0..entries.len()).find(|place| is(*place));
        }
        self.find(self.hash(key), is)
    }

    /// Makes it of these hashes, in the order of the places; none if one of them is missing.
    pub(super) fn set(&mut self, length: usize, hash: impl Fn(&RandomState, usize) -> Option<u64>) {
        let mut places = HashTable::with_capacity(length);
        for place in 0..length {
            let Some(hash) = hash(&self.hasher, place) else { return };
            places.insert_unique(hash, (hash, place), |(hash, _)| *hash);
        }
        self.places = places;
    }

    /// Adds a place, if it has all others.
    pub(super) fn push(&mut self, hash: u64, place: usize) {
        self.places.insert_unique(hash, (hash, place), |(hash, _)| *hash);
    }

    /// Follows the removal of `place`, which `last` takes.
    pub(super) fn swap_remove(&mut self, (hash, place): (u64, usize), (last_hash, last): (u64, usize)) {
        if let Ok(found) = self.places.find_entry(hash, |(_, other)| *other == place) {
            found.remove();
        }
        if let Some((_, moved)) = self.places.find_mut(last_hash, |(_, other)| *other == last) {
            *moved = place;
        }
    }

    /// Follows all entries to their new places, but for those that have none.
    pub(super) fn follow(&mut self, new: impl Fn(usize) -> Option<usize>) {
        self.places.retain(|(_, place)| match new(*place) {
            Some(new) => {
                *place = new;
                true
            }
            None => false,
        });
    }
}
