//! What a row holds of one map: the entries that are known.

use super::index::{Index, SHORT};
use super::known::{Known, Meta, Suffix};
use super::table::{Entry, Spare, Table};
use crate::codec::{Payload, Plan};
use crate::scope::slot::Slot;
use crate::state::horizon::Horizon;
use crate::state::sought::By;
use crate::value::{StateKey, StateValue};
use foldhash::fast::RandomState;
use smallvec::SmallVec;
use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash};

/// The map of one key: what is known of it.
///
/// In this order, so that what a call on one entry needs lies side by side.
#[repr(C)]
pub struct Cell<T: ?Sized = dyn Table> {
    /// Places of all entries that are dirty, and perhaps of others.
    touched: SmallVec<[usize; 2]>,
    /// How many are spent.
    spent: usize,
    /// Memory of an entry in place, in bytes, with a hash and a place.
    entry_size: usize,
    horizon: Horizon,
    /// How many have a value.
    pub(super) there: usize,
    pub(super) weight: usize,
    /// Nothing is left in the backend that is not known here.
    pub(super) complete: bool,
    /// All that the backend has goes.
    pub(super) erase: bool,
    /// What it may have goes, by the encoded keys: of a map that was complete when it was cleared.
    pub(super) gone: Vec<Suffix>,
    /// The entries lie in the order of their encoded keys.
    pub(super) sorted: bool,
    by: By,
    /// Keys take no memory outside themselves.
    are_keys_plain: bool,
    index: Index,
    pub(super) table: T,
}

/// A map of which nothing is known.
pub(super) fn fresh<K: StateKey, V: StateValue>() -> Box<Cell> {
    empty(By::of_keys::<K>(), Vec::<Entry<K, V>>::new())
}

fn empty<T: Table>(by: By, table: T) -> Box<Cell> {
    Box::new(Cell {
        touched: SmallVec::new(),
        spent: 0,
        entry_size: table.size() + 2 * size_of::<usize>(),
        horizon: Horizon::default(),
        there: 0,
        weight: 0,
        complete: false,
        erase: false,
        gone: Vec::new(),
        sorted: true,
        by,
        are_keys_plain: table.are_keys_plain(),
        index: Index::default(),
        table,
    })
}

impl Cell {
    /// What is known of the entry at a place.
    pub(super) fn known(&self, place: usize) -> Option<Known> {
        self.table.meta(place).map(|meta| meta.known)
    }

    /// What is known of all entries.
    pub(super) fn metas(&self) -> impl Iterator<Item = &Meta> {
        (0..self.table.len()).filter_map(|place| self.table.meta(place))
    }

    /// Place of the entry of `key`, which is found by itself.
    #[inline]
    pub(super) fn find<K, V, Q>(&self, key: &Q) -> Option<usize>
    where
        K: StateKey + Borrow<Q>,
        V: StateValue,
        Q: Hash + Eq + ?Sized,
    {
        self.index.find_key(self.table.of::<K, V>(), key)
    }

    /// The value of `key`, if that is at hand: `None` where nothing of it is known, or it takes an index first.
    #[inline]
    pub(super) fn peek<K, V, Q>(&self, key: &Q) -> Option<Option<&V>>
    where
        K: StateKey + Borrow<Q>,
        V: StateValue,
        Q: Hash + Eq + ?Sized,
    {
        let entries = self.table.of::<K, V>();
        if self.index.is_empty() && entries.len() > SHORT {
            return None;
        }
        match self.index.find_key(entries, key).and_then(|place| entries.get(place)) {
            Some(entry) => Some(entry.value.as_ref()),
            None => self.complete.then_some(None),
        }
    }

    /// The value at a place.
    pub(super) fn value<K: StateKey, V: StateValue>(&self, place: usize) -> Option<&V> {
        match self.table.of::<K, V>().get(place) {
            Some(entry) => entry.value.as_ref(),
            None => None,
        }
    }

    /// The entry of `key`, and its place.
    #[inline]
    pub(super) fn find_mut<K: StateKey, V: StateValue>(&mut self, key: &K) -> Option<(usize, &mut Entry<K, V>)> {
        let entries = self.table.of_mut::<K, V>();
        let place = self.index.find_key(entries, key)?;
        entries.get_mut(place).map(|entry| (place, entry))
    }

    /// Place of the entry whose key is encoded as `suffix`, where entries are found by that.
    pub(super) fn find_bytes(&self, suffix: &[u8]) -> Option<usize> {
        let is = |place: usize| self.table.meta(place).is_some_and(|meta| *meta.suffix == *suffix);
        if self.index.is_empty() {
            return (0..self.table.len()).find(|place| is(*place));
        }
        self.index.find(self.index.hash(suffix), is)
    }

    /// Makes the index, where going over all entries would take longer than to look for one in it.
    #[inline]
    pub(super) fn prepare(&mut self) {
        if self.index.is_empty() && self.table.len() > SHORT {
            self.make_index();
        }
    }

    #[inline(never)]
    fn make_index(&mut self) {
        let mut index = std::mem::take(&mut self.index);
        index.set(self.table.len(), |hasher, place| self.hash_by(hasher, place));
        self.index = index;
    }

    /// The hash of a key that is not in the index yet. If it panics, there is no index any more: better none than one in which
    /// an entry is missing.
    fn hash_apart(&mut self, place: usize) -> Option<u64> {
        let index = std::mem::take(&mut self.index);
        let hash = self.hash_by(index.hasher(), place);
        if hash.is_some() {
            self.index = index;
        }
        hash
    }

    fn hash(&self, place: usize) -> Option<u64> {
        self.hash_by(self.index.hasher(), place)
    }

    fn hash_by(&self, hasher: &RandomState, place: usize) -> Option<u64> {
        match self.by {
            By::Key => self.table.hash(place, hasher),
            By::Bytes => self.table.meta(place).map(|meta| hasher.hash_one(&*meta.suffix)),
        }
    }

    /// Memory that an entry takes with its key, in bytes; the key is held twice, typed and encoded, and its hash beside it.
    fn weigh(&self, place: usize, plan: &Plan) -> usize {
        let Some(meta) = self.table.meta(place) else { return 0 };
        self.entry_size + meta.spilled() + meta.known.heap as usize + self.weigh_key(place, plan)
    }

    /// Memory that a key takes outside itself, in bytes.
    fn weigh_key(&self, place: usize, plan: &Plan) -> usize {
        match self.by {
            _ if self.are_keys_plain => 0,
            By::Key => self.table.weigh(place, plan),
            // What a type of the user takes is not asked for again and again, and never when an event is undone.
            By::Bytes => self.table.meta(place).map_or(0, |meta| 32 + 2 * meta.suffix.len()),
        }
    }

    fn count(&mut self, known: &Known, is_here: bool) {
        let counted = if known.is_there() {
            self.horizon.add(known.stamp());
            &mut self.there
        } else if known.is_spent() {
            &mut self.spent
        } else {
            return;
        };
        *counted = if is_here { *counted + 1 } else { counted.saturating_sub(1) };
    }

    /// Adds an entry of a key of which nothing is known; returns its place.
    pub(super) fn push<K: StateKey, V: StateValue>(
        &mut self,
        (key, value): (K, Option<V>),
        meta: Meta,
        plan: &Plan,
    ) -> usize {
        let entries = self.table.of_mut::<K, V>();
        let place = entries.len();
        let is_last = entries.last().is_none_or(|last| last.meta.suffix < meta.suffix);
        let (known, memory) = (meta.known, meta.spilled());
        entries.push(Entry { key, value, meta });
        self.pushed(place, known, is_last, plan);
        self.weight += memory;
        place
    }

    /// Takes note of an entry in the last place, with a key behind all others or not.
    fn pushed(&mut self, place: usize, known: Known, is_last: bool, plan: &Plan) {
        self.sorted &= is_last;
        if known.dirty {
            self.touched.push(place);
        }
        self.count(&known, true);
        self.weight += self.entry_size + known.heap as usize + self.weigh_key(place, plan);
        if !self.index.is_empty()
            && let Some(hash) = self.hash_apart(place)
        {
            self.index.push(hash, place);
        }
    }

    /// Puts what is known of an entry in the place of what was, and returns that.
    pub(super) fn replace(&mut self, place: usize, known: Known) -> Known {
        let Some(meta) = self.table.meta_mut(place) else { return known };
        let before = std::mem::replace(&mut meta.known, known);
        self.replaced(place, &before, &known);
        before
    }

    /// Takes note of what is known of an entry now, and was before.
    #[inline]
    pub(super) fn replaced(&mut self, place: usize, before: &Known, known: &Known) {
        if known.dirty && !before.dirty {
            self.touched.push(place);
        }
        if before.is_there() && known.is_there() {
            self.horizon.add(known.stamp());
        } else {
            self.count(before, false);
            self.count(known, true);
        }
        self.weight = self.weight + known.heap as usize - before.heap as usize;
    }

    /// Goes back to what was known of an entry before, without its value.
    pub(super) fn restore(&mut self, place: usize, known: Known) {
        let after = self.replace(place, known);
        if after.dirty && !known.dirty {
            self.untouch(place);
        }
    }

    /// The last entries that were touched are the first to be undone.
    fn untouch(&mut self, place: usize) {
        if let Some(at) = self.touched.iter().rposition(|touched| *touched == place) {
            self.touched.swap_remove(at);
        }
    }

    /// Takes out an entry that an event has added; one with others behind it is only noted in `added`, and goes when all is
    /// [undone](Self::undone), since steps back that are yet to come know places.
    pub(super) fn take_out(&mut self, place: usize, added: &mut Vec<usize>, spare: &mut dyn Spare, plan: &Plan) {
        if place + 1 == self.table.len() { self.move_out(place, spare, plan) } else { added.push(place) }
    }

    /// All steps back have been taken.
    pub(super) fn undone(&mut self, mut added: Vec<usize>, spare: &mut dyn Spare, plan: &Plan) {
        added.sort_unstable_by(|a, b| b.cmp(a));
        added.into_iter().for_each(|place| self.move_out(place, spare, plan));
    }

    /// Moves an entry to the waste of `spare`; the last one takes its place.
    fn move_out(&mut self, place: usize, spare: &mut dyn Spare, plan: &Plan) {
        let Some(known) = self.known(place) else { return };
        let last = self.table.len() - 1;
        self.weight -= self.weigh(place, plan).min(self.weight);
        if !self.index.is_empty()
            && let (Some(hash), Some(last_hash)) = (self.hash(place), self.hash(last))
        {
            self.index.swap_remove((hash, place), (last_hash, last));
        }
        self.table.move_out(place, spare);
        self.count(&known, false);
        if known.dirty {
            self.untouch(place);
        }
        if place < last {
            self.sorted = false;
            self.touched.iter_mut().filter(|touched| **touched == last).for_each(|touched| *touched = place);
        }
    }

    /// Takes in all that the backend has and that is not known here, in the order of the encoded keys.
    pub(super) fn fill(&mut self, all: &mut dyn Table, plan: &Plan) {
        let start = self.table.len();
        self.sorted = start == 0;
        self.index = Index::default();
        self.table.append(all);
        for place in start..self.table.len() {
            self.weight += self.weigh(place, plan);
        }
        self.there += self.table.len() - start;
        self.complete = true;
        self.look_ahead();
    }

    /// Whether nothing has ended.
    pub(super) fn is_current(&self, slot: &Slot) -> bool {
        self.horizon.is_ahead(slot)
    }

    /// Goes over all entries to see when the first of them ends.
    pub(super) fn look_ahead(&mut self) {
        let there = self.metas().map(|meta| meta.known).filter(Known::is_there);
        self.horizon = Horizon::of(there.map(|known| known.stamp()));
    }

    /// Puts the entries in the order of their encoded keys; returns the new place of each, if any of them has one.
    pub(super) fn sort(&mut self) -> Option<Vec<usize>> {
        if self.sorted {
            return None;
        }
        let mut order: Vec<usize> = (0..self.table.len()).collect();
        // Stable, since that is quick where most of it is in order.
        order.sort_by(|a, b| {
            let suffix = |place: &usize| self.table.meta(*place).map(|meta| &meta.suffix);
            suffix(a).cmp(&suffix(b))
        });
        let mut places = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(place) = places.get_mut(*old) {
                *place = new;
            }
        }
        self.index.follow(|place| places.get(place).copied());
        for touched in &mut self.touched {
            *touched = places.get(*touched).copied().unwrap_or(*touched);
        }
        // Each swap puts one entry where it belongs; what is left to do for the other is noted in its place.
        let mut left = places.clone();
        for at in 0..left.len() {
            while let Some(to) = left.get(at).copied().filter(|to| *to != at) {
                self.table.swap(at, to);
                left.swap(at, to);
            }
        }
        self.sorted = true;
        Some(places)
    }

    /// Whether it is as good as none.
    pub(super) fn is_blank(&self) -> bool {
        !self.complete && !self.erase && self.table.len() == 0 && self.gone.is_empty()
    }

    /// Becomes what is left of `before` once it is cleared: what the backend may have of it is to go.
    pub(super) fn take_over(&mut self, before: &Self) {
        (self.complete, self.erase) = (true, before.erase || !before.complete);
        if !self.erase {
            self.gone.clone_from(&before.gone);
            let stored = before.metas().filter(|meta| !meta.known.is_nowhere());
            self.gone.extend(stored.map(|meta| meta.suffix.clone()));
            self.weight += self.weight_of_gone();
        }
    }

    fn weight_of_gone(&self) -> usize {
        self.gone.len() * size_of::<Suffix>()
    }

    /// The encoded keys of what is to go and does not come again in the same commit.
    pub(super) fn gone_for_good(&self) -> impl Iterator<Item = &Suffix> {
        let again: HashSet<&[u8]> = match self.gone.is_empty() {
            true => HashSet::new(),
            false => self.metas().filter(|meta| meta.known.dirty).map(|meta| &*meta.suffix).collect(),
        };
        self.gone.iter().filter(move |suffix| !again.contains(&***suffix))
    }

    /// What is to be written, in the order of the places: a backend takes in keys in their order faster.
    pub(super) fn dirty(&mut self) -> impl Iterator<Item = (&Meta, Option<&dyn Payload>)> {
        self.touched.sort_unstable();
        self.touched.dedup();
        let table = &self.table;
        let all = self.touched.iter().filter_map(|place| Some((table.meta(*place)?, table.payload(*place))));
        all.filter(|(meta, _)| meta.known.dirty)
    }

    /// All that there was to write is durable. Takes as long as that was, and now and then as long as all entries.
    pub(super) fn settle(&mut self, plan: &Plan) {
        self.erase = false;
        self.weight -= self.weight_of_gone().min(self.weight);
        self.gone = Vec::new();
        for place in std::mem::take(&mut self.touched) {
            if let Some(known) = self.known(place) {
                self.replace(place, known.settled());
            }
        }
        // In a complete map what is not there needs no entry; elsewhere it spares a read.
        let gone = if self.complete { self.table.len() - self.there } else { self.spent };
        if gone > 0 && gone * 4 >= self.table.len() {
            self.compact(plan);
        }
    }

    /// Drops the entries that are of no use. What was removed is not likely to be asked for again; with keys that come and go it
    /// would only grow.
    fn compact(&mut self, plan: &Plan) {
        let mut places = Vec::with_capacity(self.table.len());
        let mut left = 0;
        for place in 0..self.table.len() {
            let known = self.known(place);
            let goes = known.is_none_or(|known| if self.complete { !known.is_there() } else { known.is_spent() });
            places.push((!goes).then_some(left));
            if goes {
                self.weight -= self.weigh(place, plan).min(self.weight);
            } else {
                left += 1;
            }
        }
        self.index.follow(|place| places.get(place).copied().flatten());
        for (old, new) in places.iter().enumerate() {
            if let Some(new) = new.filter(|new| *new != old) {
                self.table.swap(old, new);
            }
        }
        self.table.cut(left);
        self.spent = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec;
    use crate::codec::record::Stamp;
    use crate::state::map::table::Taken;
    use std::cell::Cell as Shared;
    use std::collections::BTreeMap;
    use std::hash::Hasher;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn plan() -> Plan {
        Plan::default()
    }

    fn cell<K: StateKey>(by: By) -> Box<Cell> {
        empty(by, Vec::<Entry<K, u32>>::new())
    }

    fn known(is_there: bool) -> Known {
        Known::dirty(is_there, Codec::Postcard, Stamp::NEVER, 0)
    }

    fn find(cell: &mut Cell, by: By, key: u8) -> Option<usize> {
        cell.prepare();
        if by == By::Key { cell.find::<u8, u32, u8>(&key) } else { cell.find_bytes(&[key]) }
    }

    fn push(cell: &mut Cell, key: u8, value: u32) -> usize {
        let place = cell.table.len();
        let meta = Meta { suffix: Suffix::from_slice(&[key]), known: known(true) };
        assert_eq!(cell.push((key, Some(value)), meta, &plan()), place);
        place
    }

    /// Calls in any order, on short and on long lists, against a map that needs no index.
    #[test]
    fn every_entry_is_found_whatever_came_before() {
        every_entry_is_found(By::Key);
        every_entry_is_found(By::Bytes);
    }

    fn every_entry_is_found(by: By) {
        let (mut cell, mut model, mut spare) = (cell::<u8>(by), BTreeMap::new(), Taken::<u8, u32>::default());
        cell.complete = true;
        let mut seed = 0x9e37_79b9_u32;
        let (mut longest, mut shortest_after) = (0, usize::MAX);
        for step in 0..20_000 {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            // Lists grow for a while, and shrink for a while.
            let (key, adds) = ((seed >> 8) as u8 % 40, step / 500 % 2 == 0);
            match (seed % 16, find(&mut cell, by, key)) {
                (0, found) => {
                    let places = cell.sort();
                    assert!(
                        found
                            .zip(places)
                            .is_none_or(|(old, places)| { find(&mut cell, by, key) == places.get(old).copied() })
                    );
                }
                (1, _) => cell.settle(&plan()),
                (2, Some(place)) => {
                    cell.replace(place, known(false));
                    cell.table.clear(place);
                    model.remove(&key);
                }
                (_, Some(place)) if !adds => {
                    let mut added = Vec::new();
                    cell.take_out(place, &mut added, &mut spare, &plan());
                    cell.undone(added, &mut spare, &plan());
                    model.remove(&key);
                }
                (_, Some(place)) => {
                    cell.replace(place, known(true));
                    if let Some(entry) = cell.table.of_mut::<u8, u32>().get_mut(place) {
                        entry.value = Some(step);
                    }
                    model.insert(key, step);
                }
                (_, None) if adds => {
                    let place = push(&mut cell, key, step);
                    assert_eq!(find(&mut cell, by, key), Some(place), "step {step}");
                    model.insert(key, step);
                }
                (_, None) => {}
            }
            for key in 0..40 {
                let found = find(&mut cell, by, key);
                let value = found.and_then(|place| cell.table.of::<u8, u32>().get(place)?.value);
                assert_eq!(value, model.get(&key).copied(), "step {step}, key {key}");
            }
            assert_eq!(cell.there, model.len(), "step {step}");
            // What is dirty is told once, and everything that is.
            let dirty: Vec<_> = cell.dirty().map(|(meta, _)| meta.suffix.clone()).collect();
            let all = cell.metas().filter(|meta| meta.known.dirty).map(|meta| &meta.suffix);
            assert!(all.eq(&dirty), "step {step}");
            longest = longest.max(model.len());
            shortest_after = if model.len() == longest { usize::MAX } else { shortest_after.min(model.len()) };
        }
        assert!(longest > 2 * SHORT && shortest_after < SHORT, "both kinds of lists: {longest}, {shortest_after}");
    }

    #[test]
    fn what_an_event_added_in_front_of_others_goes_when_all_is_undone() {
        let (mut cell, mut spare) = (cell::<u8>(By::Key), Taken::<u8, u32>::default());
        for key in [30, 20, 10] {
            push(&mut cell, key, 0);
        }
        assert_eq!(cell.sort(), Some(vec![2, 1, 0]));
        // The steps back of 10 and of 30, where the sort has put them.
        let mut added = Vec::new();
        cell.take_out(0, &mut added, &mut spare, &plan());
        cell.take_out(2, &mut added, &mut spare, &plan());
        assert_eq!(find(&mut cell, By::Key, 20), Some(1));
        cell.undone(added, &mut spare, &plan());
        assert!(cell.table.of::<u8, u32>().iter().map(|entry| entry.key).eq([20]));
        assert_eq!((cell.there, cell.table.len(), cell.dirty().count()), (1, 1, 1));
    }

    #[test]
    fn sorted_entries_lie_in_the_order_of_their_encoded_keys() {
        let mut cell = cell::<u8>(By::Key);
        for key in (0..100_u8).rev() {
            push(&mut cell, key, 0);
            assert_eq!(find(&mut cell, By::Key, key), Some(usize::from(99 - key)));
        }
        cell.sort();
        assert!(cell.table.of::<u8, u32>().iter().map(|entry| entry.key).eq(0..100));
        assert_eq!(find(&mut cell, By::Key, 7), Some(7));
        assert_eq!(cell.sort(), None);
    }

    #[test]
    fn what_was_removed_and_written_goes_before_it_is_a_quarter() {
        let mut cell = cell::<u8>(By::Bytes);
        for key in 0..100 {
            push(&mut cell, key, 0);
        }
        cell.settle(&plan());
        for key in 0..100 {
            if let Some(place) = find(&mut cell, By::Bytes, key) {
                cell.replace(place, known(false));
            }
            cell.settle(&plan());
            assert!(cell.table.len() - cell.there <= cell.table.len() / 4, "{key}");
        }
        assert!(cell.is_blank());
        assert_eq!(cell.weight, 0);
    }

    /// A key whose hash panics when it is told to.
    #[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Moody(u8);

    thread_local!(static PANICS_AT: Shared<Option<u8>> = const { Shared::new(None) });

    impl Hash for Moody {
        fn hash<H: Hasher>(&self, state: &mut H) {
            assert_ne!(PANICS_AT.get(), Some(self.0), "on purpose");
            self.0.hash(state);
        }
    }

    #[test]
    fn a_hash_that_panics_hides_no_entry() {
        let push = |cell: &mut Cell, key: u8| {
            let meta = Meta { suffix: Suffix::from_slice(&[key]), known: known(true) };
            cell.push((Moody(key), Some(0_u32)), meta, &plan());
        };
        let all_are_there = |cell: &mut Cell, length: u8| {
            PANICS_AT.set(None);
            cell.prepare();
            (0..length).all(|key| cell.find::<Moody, u32, Moody>(&Moody(key)) == Some(usize::from(key)))
        };
        for at in 0..20 {
            let (mut cell, mut spare) = (cell::<Moody>(By::Key), Taken::<Moody, u32>::default());
            for key in 0..20 {
                push(&mut cell, key);
            }
            PANICS_AT.set(Some(at));
            assert!(catch_unwind(AssertUnwindSafe(|| cell.prepare())).is_err());
            assert!(all_are_there(&mut cell, 20), "{at}");
            PANICS_AT.set(Some(19));
            assert!(
                catch_unwind(AssertUnwindSafe(|| cell.take_out(19, &mut Vec::new(), &mut spare, &plan()))).is_err()
            );
            assert!(all_are_there(&mut cell, 20), "{at}");
            PANICS_AT.set(Some(20));
            assert!(catch_unwind(AssertUnwindSafe(|| push(&mut cell, 20))).is_err());
            assert!(all_are_there(&mut cell, 21), "{at}");
        }
    }
}
