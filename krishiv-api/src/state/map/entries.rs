//! The known entries of one map, in a list, found by their keys.

use crate::state::map::entry::Entry;
use crate::state::sought::{By, Sought};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::borrow::Borrow;
use std::hash::Hash;

/// Lists of up to so many entries are searched from end to end, which takes no longer than hashing does.
const SHORT: usize = 8;

/// Entries in a list, with an index that is made when an entry of a long list is looked for.
///
/// A map that is only ever gone over has none, and going over it is going over a slice.
pub(super) struct Entries<K, V> {
    list: Vec<(K, Entry<V>)>,
    /// Hashes of the keys and places in the list, of all entries or of none.
    ///
    /// With the hash beside it no place is hashed again when the table grows: a `Hash` that panics leaves it as it was.
    index: HashTable<(u64, usize)>,
    hasher: RandomState,
}

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Self { list: Vec::new(), index: HashTable::new(), hasher: RandomState::default() }
    }
}

impl<K, V> Entries<K, V> {
    pub(super) fn as_slice(&self) -> &[(K, Entry<V>)] {
        &self.list
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut Entry<V>)> {
        self.list.iter_mut().map(|(key, entry)| (&*key, entry))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Entry<V>> {
        self.list.iter().map(|(_, entry)| entry)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn last(&self) -> Option<&Entry<V>> {
        self.list.last().map(|(_, entry)| entry)
    }

    /// The entry at a place, which changes of other entries may move.
    pub(super) fn at(&self, place: usize) -> Option<&Entry<V>> {
        self.list.get(place).map(|(_, entry)| entry)
    }

    /// The key of the entry at a place.
    pub(super) fn key_at(&self, place: usize) -> Option<&K> {
        self.list.get(place).map(|(key, _)| key)
    }

    pub(super) fn at_mut(&mut self, place: usize) -> Option<(&K, &mut Entry<V>)> {
        self.list.get_mut(place).map(|(key, entry)| (&*key, entry))
    }

    /// Makes these the entries.
    pub(super) fn set(&mut self, list: Vec<(K, Entry<V>)>) {
        self.index.clear();
        self.list = list;
    }

    /// Takes out the entries that `goes` says.
    pub(super) fn extract(&mut self, mut goes: impl FnMut(&K, &mut Entry<V>) -> bool) -> Vec<(K, Entry<V>)> {
        let gone: Vec<_> = self.list.extract_if(.., |(key, entry)| goes(key, entry)).collect();
        if !gone.is_empty() {
            self.index.clear();
        }
        gone
    }

    /// Puts the entries in the order of their encoded keys.
    pub(super) fn sort(&mut self) {
        self.list.sort_unstable_by(|(_, a), (_, b)| a.suffix.cmp(&b.suffix));
        self.index.clear();
    }
}

impl<K: Hash + Eq, V> Entries<K, V> {
    /// Place of the entry that is sought.
    pub(super) fn find<Q>(&self, sought: &Sought<'_, Q>) -> Option<usize>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if self.index.is_empty() {
            return self.list.iter().position(|(key, entry)| sought.is(key, &entry.suffix));
        }
        let is =
            |(_, place): &(u64, usize)| self.list.get(*place).is_some_and(|(key, entry)| sought.is(key, &entry.suffix));
        self.index.find(sought.hash(&self.hasher), is).map(|(_, place)| *place)
    }

    /// The same, and makes the index first where going over all of them would take longer.
    pub(super) fn seek<Q>(&mut self, sought: &Sought<'_, Q>) -> Option<usize>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if self.index.is_empty() && self.list.len() > SHORT {
            let mut index = HashTable::with_capacity(self.list.len());
            for (place, (key, entry)) in self.list.iter().enumerate() {
                let hash = sought.hash_of(key, &entry.suffix, &self.hasher);
                index.insert_unique(hash, (hash, place), |(hash, _)| *hash);
            }
            self.index = index;
        }
        self.find(sought)
    }

    /// Adds an entry, whose key is none of those that are there; returns its place.
    pub(super) fn push(&mut self, key: K, entry: Entry<V>, by: By) -> usize {
        let place = self.list.len();
        if !self.index.is_empty() {
            let hash = by.sought(&key, &entry.suffix).hash(&self.hasher);
            self.index.insert_unique(hash, (hash, place), |(hash, _)| *hash);
        }
        self.list.push((key, entry));
        place
    }

    /// Removes the entry at `place`; the last one takes its place.
    pub(super) fn swap_remove(&mut self, place: usize, by: By) -> Option<(K, Entry<V>)> {
        if place + 1 != self.list.len() {
            self.index.clear();
            return (place < self.list.len()).then(|| self.list.swap_remove(place));
        }
        if !self.index.is_empty() {
            let (key, entry) = self.list.last()?;
            let hash = by.sought(key, &entry.suffix).hash(&self.hasher);
            if let Ok(last) = self.index.find_entry(hash, |(_, other)| *other == place) {
                last.remove();
            }
        }
        self.list.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec;
    use crate::codec::record::Stamp;
    use crate::state::map::entry::{Known, Suffix};
    use std::cell::Cell;
    use std::collections::BTreeMap;
    use std::hash::Hasher;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn entry(key: u8, value: u32) -> Entry<u32> {
        Entry { suffix: Suffix::from_slice(&[key]), known: Known::dirty(Some(value), Codec::Postcard, Stamp::NEVER, 0) }
    }

    /// Calls in any order, on short and on long lists, against a map that needs no index.
    #[test]
    fn every_entry_is_found_whatever_came_before() {
        every_entry_is_found(By::Key);
        every_entry_is_found(By::Bytes);
    }

    fn every_entry_is_found(by: By) {
        let (mut entries, mut model) = (Entries::default(), BTreeMap::new());
        let mut seed = 0x9e37_79b9_u32;
        let (mut longest, mut shortest_after) = (0, usize::MAX);
        for step in 0..20_000 {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            // Lists grow for a while, and shrink for a while.
            let (key, adds) = ((seed >> 8) as u8 % 40, step / 500 % 2 == 0);
            match seed % 16 {
                0 => assert_eq!(
                    entries.seek(&by.sought(&key, &[key])).is_some(),
                    model.contains_key(&key),
                    "step {step}"
                ),
                1 => entries.sort(),
                2 => {
                    let gone = key;
                    drop(entries.extract(|_, entry| *entry.suffix == [gone]));
                    model.remove(&gone);
                }
                3 => entries.set(model.iter().map(|(key, value)| (*key, entry(*key, *value))).collect()),
                _ => match entries.find(&by.sought(&key, &[key])) {
                    Some(place) if !adds => {
                        let removed = entries.swap_remove(place, by).map(|(key, entry)| (key, entry.known.value));
                        assert_eq!(removed, Some((key, model.remove(&key))), "step {step}");
                    }
                    Some(_) => {}
                    None if adds => {
                        let place = entries.push(key, entry(key, step), by);
                        assert_eq!(entries.find(&by.sought(&key, &[key])), Some(place), "step {step}");
                        model.insert(key, step);
                    }
                    None => {}
                },
            }
            for key in 0..40 {
                let found = entries.find(&by.sought(&key, &[key])).and_then(|place| entries.at(place));
                assert_eq!(
                    found.and_then(|entry| entry.known.value),
                    model.get(&key).copied(),
                    "step {step}, key {key}"
                );
            }
            assert_eq!(entries.as_slice().len(), model.len(), "step {step}");
            longest = longest.max(model.len());
            shortest_after = if model.len() == longest { usize::MAX } else { shortest_after.min(model.len()) };
        }
        assert!(longest > 2 * SHORT && shortest_after < SHORT, "both kinds of lists: {longest}, {shortest_after}");
    }

    /// A key whose hash panics when it is told to.
    #[derive(PartialEq, Eq)]
    struct Moody(u8);

    thread_local!(static PANICS_AT: Cell<Option<u8>> = const { Cell::new(None) });

    impl Hash for Moody {
        fn hash<H: Hasher>(&self, state: &mut H) {
            assert_ne!(PANICS_AT.get(), Some(self.0), "on purpose");
            self.0.hash(state);
        }
    }

    #[test]
    fn a_hash_that_panics_hides_no_entry() {
        let all_are_there = |entries: &mut Entries<Moody, u32>, length: u8| {
            PANICS_AT.set(None);
            (0..length).all(|key| entries.seek(&Sought::Key(&Moody(key))) == Some(usize::from(key)))
        };
        for at in 0..20 {
            let mut entries = Entries::default();
            for key in 0..20 {
                entries.push(Moody(key), entry(key, 0), By::Key);
            }
            for _ in 0..2 {
                PANICS_AT.set(Some(at));
                assert!(catch_unwind(AssertUnwindSafe(|| entries.seek(&Sought::Key(&Moody(at))))).is_err());
                assert!(all_are_there(&mut entries, 20), "{at}");
            }
            PANICS_AT.set(Some(19));
            assert!(catch_unwind(AssertUnwindSafe(|| entries.swap_remove(19, By::Key))).is_err());
            assert!(all_are_there(&mut entries, 20), "{at}");
            PANICS_AT.set(Some(20));
            assert!(catch_unwind(AssertUnwindSafe(|| entries.push(Moody(20), entry(20, 0), By::Key))).is_err());
            assert!(all_are_there(&mut entries, 20) && entries.find(&Sought::Key(&Moody(20))).is_none(), "{at}");
        }
    }

    #[test]
    fn sorted_entries_lie_in_the_order_of_their_encoded_keys() {
        let mut entries = Entries::default();
        for key in (0..100_u8).rev() {
            entries.push(key, entry(key, 0), By::Key);
            assert_eq!(entries.seek(&Sought::Key(&key)), Some(usize::from(99 - key)));
        }
        entries.sort();
        assert!(entries.as_slice().iter().map(|(key, _)| *key).eq(0..100));
        assert_eq!(entries.find(&Sought::Key(&7)), Some(7));
    }
}
