//! The bound handle of one map: its calls, and how an event on it is undone.

use crate::backend::WriteBatch;
use crate::codec::keys::{RowKey, check_key, check_same, decode_key, encode_key};
use crate::codec::record::Stamp;
use crate::codec::{Codec, show};
use crate::error::{Cause, StateError};
use crate::quiet::drop_quietly;
use crate::scope::left::Left;
use crate::scope::slot::Slot;
use crate::state::calls::Ran;
use crate::state::handle::Core;
use crate::state::live::{Held, Live, left};
use crate::state::map::cell::Cell;
use crate::state::map::entry::{Entry, Keys, Known, Suffix};
use crate::state::sought::{By, Sought};
use crate::value::{StateKey, StateValue};
use std::borrow::Borrow;
use std::cell::{Cell as Scratch, RefCell, RefMut};
use std::hash::Hash;
use std::slice::Iter;

/// One step back.
enum Undo<K, V> {
    /// This was known of the key.
    Known(Name<K>, Known<V>),
    /// Nothing was known of the entry, and the map may have been complete without it.
    Unknown(Name<K>, bool),
    /// The stamp was renewed.
    Renew(Name<K>, bool, Stamp),
    /// The whole map was this.
    Clear(Cell<K, V>),
    /// No step: what is of no use any more.
    Gone(K, Entry<V>),
}

/// What an entry is found by when it is undone.
enum Name<K> {
    Key(K),
    Bytes(Suffix),
}

impl<K> Name<K> {
    fn sought(&self) -> Sought<'_, K> {
        match self {
            Self::Key(key) => Sought::Key(key),
            Self::Bytes(bytes) => Sought::Bytes(bytes),
        }
    }
}

type Working<K, V> = Live<Cell<K, V>, Undo<K, V>>;

/// The bound handle of one map.
pub struct Map<K, V> {
    slot: Slot,
    live: RefCell<Working<K, V>>,
    /// Scratch: a key that is being encoded.
    encoded: Scratch<Vec<u8>>,
    by: By,
}

/// The entries that are there, in the order of their encoded keys.
struct Entries<'a, K, V> {
    entries: Iter<'a, (K, Entry<V>)>,
    left: usize,
}

impl<'a, K, V> Iterator for Entries<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.entries.find_map(|(key, entry)| Some((key, entry.known.value.as_ref()?)));
        self.left = self.left.saturating_sub(1);
        next
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<K, V> ExactSizeIterator for Entries<'_, K, V> {}

impl<K: StateKey, V: StateValue> Map<K, V> {
    pub(super) fn new(slot: Slot) -> Self {
        Self { slot, live: RefCell::default(), encoded: Scratch::default(), by: By::of_keys::<K>() }
    }

    fn borrow(&self) -> Result<RefMut<'_, Working<K, V>>, StateError> {
        let live = self.live.try_borrow_mut().map_err(|_| self.slot.blame(Cause::Reentrant.into()))?;
        self.slot.shared.touch();
        if live.is_entered() { Ok(live) } else { Err(self.slot.blame(Cause::OutsideEvent.into())) }
    }

    fn keys(&self) -> Keys<'_> {
        Keys { by: self.by, plan: self.slot.key_plan() }
    }

    /// Judges an entry by the time, and renews it if reading does that.
    fn judge(&self, name: impl FnOnce() -> Name<K>, known: &mut Known<V>, undo: &mut Vec<Undo<K, V>>) {
        if known.value.is_none() || !self.slot.can_expire() {
            return;
        }
        if self.slot.is_expired(known.stamp()) {
            // Dirty, so that the record goes with the next write of the row; but no row is written for this alone.
            (known.value, known.dirty) = (None, true);
            self.slot.shared.meter.expired.add(1);
        } else if self.slot.refreshes_on_read() {
            let stamp = self.slot.stamp();
            if stamp != known.stamp() {
                undo.push(Undo::Renew(name(), known.dirty, known.stamp()));
                known.renew(true, stamp);
            }
        }
    }

    fn suffix(&self, key: &K) -> Result<Suffix, StateError> {
        let mut encoded = self.encoded.take();
        encoded.clear();
        encode_key(key, self.slot.key_codec, &mut encoded).map_err(|error| self.slot.blame(error))?;
        let suffix = Suffix::from_slice(&encoded);
        self.encoded.set(encoded);
        Ok(suffix)
    }

    /// What the entry of a key that is encoded as `suffix` is found by later.
    fn name(&self, key: &K, suffix: &Suffix) -> Name<K> {
        match self.by {
            By::Key => Name::Key(key.clone()),
            By::Bytes => Name::Bytes(suffix.clone()),
        }
    }

    /// Refuses a key that is not what its encoded form decodes to; `place` is that of the entry of this form, if there is one.
    #[inline(never)]
    fn admit<Q>(&self, place: Option<usize>, key: &Q, (owned, suffix): (&K, &Suffix)) -> Result<(), StateError>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let live = self.live.try_borrow().map_err(|_| self.slot.blame(Cause::Reentrant.into()))?;
        let known = live.cell().zip(place).and_then(|(cell, place)| cell.entries.key_at(place));
        let checked = match known {
            Some(known) => check_same(known, known.borrow(), key, || show(owned)),
            None => check_key(owned, self.slot.key_codec, suffix),
        };
        checked.map_err(|error| self.slot.blame(error))
    }

    /// Place of the entry that is sought, and whether that is all there is to know: what is found has been judged by the time, and what
    /// is not is known to be absent.
    fn look_up<Q>(&self, sought: &Sought<'_, Q>) -> (Option<usize>, bool)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        match self.live.try_borrow_mut() {
            Ok(mut live) => live.cell_mut().map_or((None, false), |cell| {
                let place = cell.entries.seek(sought);
                (place, !self.slot.can_expire() && (place.is_some() || cell.complete))
            }),
            // A closure that reads the map has what is known of it judged already, in this event.
            Err(_) => match self.live.try_borrow().as_deref().map(Live::cell) {
                Ok(Some(cell)) => {
                    let place = cell.entries.find(sought);
                    (place, place.is_some() || cell.complete)
                }
                _ => (None, false),
            },
        }
    }

    /// Makes the entry of `key` readable; returns its place, if anything is known of it.
    pub(super) fn entry_ready<Q>(&self, key: &Q) -> Result<Option<usize>, StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        if self.by == By::Bytes {
            return self.entry_ready_by_bytes(key);
        }
        let (place, is_settled) = self.look_up(&Sought::Key(key));
        if is_settled {
            return Ok(place);
        }
        self.look_into(place, || {
            let key = key.to_owned();
            let suffix = self.suffix(&key)?;
            Ok((key, suffix))
        })
    }

    #[inline(never)]
    fn entry_ready_by_bytes<Q>(&self, key: &Q) -> Result<Option<usize>, StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        let owned = key.to_owned();
        let suffix = self.suffix(&owned)?;
        let (place, is_settled) = self.look_up::<Q>(&Sought::Bytes(&suffix));
        self.admit(place, key, (&owned, &suffix))?;
        if is_settled { Ok(place) } else { self.look_into(place, || Ok((owned, suffix))) }
    }

    /// Judges the entry at `place`, or reads that of a key of which nothing is known.
    fn look_into(
        &self,
        place: Option<usize>,
        key: impl FnOnce() -> Result<(K, Suffix), StateError>,
    ) -> Result<Option<usize>, StateError> {
        let live = &mut *self.borrow()?;
        let (cell, undo) = live.parts();
        if let Some((key, Entry { suffix, known })) = place.and_then(|place| cell.entries.at_mut(place)) {
            self.judge(|| self.name(key, suffix), known, undo);
        } else if !cell.complete {
            let (key, suffix) = key()?;
            self.slot.shared.meter.loads.add(1);
            let found = self.slot.load(&suffix)?;
            let mut known = found.map_or_else(|| Known::absent(self.slot.codec), Known::found);
            self.judge(|| self.name(&key, &suffix), &mut known, undo);
            return Ok(Some(cell.insert(key, suffix, known, self.keys())));
        }
        Ok(place)
    }

    /// Makes the entry of `key` readable, and sure that no closure is reading the map, so that it can be written.
    pub(super) fn entry_ready_to_write(&self, key: &K) -> Result<(), StateError> {
        let place = self.entry_ready(key)?;
        drop(self.borrow()?);
        if place.is_none() {
            // A map that is known to be without it has not encoded the key yet.
            self.suffix(key)?;
        }
        Ok(())
    }

    /// Runs `f` on the value of `key`.
    pub(super) fn with_entry<Q, R>(&self, key: &Q, f: impl FnOnce(Option<&V>) -> R) -> Result<R, StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        let place = self.entry_ready(key)?;
        let live = self.live.try_borrow().map_err(|_| self.slot.blame(Cause::Reentrant.into()))?;
        let entry = live.cell().zip(place).and_then(|(cell, place)| cell.entries.at(place));
        Ok(f(entry.and_then(|entry| entry.known.value.as_ref())))
    }

    /// Makes the whole map readable.
    pub(super) fn ready(&self) -> Result<(), StateError> {
        // A closure that reads it has it judged already, in this event.
        if self.live.try_borrow_mut().is_err() && self.live.try_borrow().is_ok() {
            return Ok(());
        }
        if let Ok(live) = self.live.try_borrow()
            && live.cell().is_some_and(|cell| cell.complete && cell.sorted)
            && !self.slot.can_expire()
        {
            return Ok(());
        }
        let live = &mut *self.borrow()?;
        let (cell, undo) = live.parts();
        if !cell.complete {
            self.load(cell)?;
        }
        cell.sort();
        if self.slot.can_expire() {
            for (key, Entry { suffix, known }) in cell.entries.iter_mut() {
                self.judge(|| self.name(key, suffix), known, undo);
            }
        }
        Ok(())
    }

    /// Reads all that is not known.
    fn load(&self, cell: &mut Cell<K, V>) -> Result<(), StateError> {
        self.slot.shared.meter.loads.add(1);
        let mut all = Vec::new();
        self.slot.load_all::<V>(|suffix, found| {
            let key: K = decode_key("a map key", self.slot.key_codec, suffix)?;
            all.push((key, Entry { suffix: Suffix::from_slice(suffix), known: Known::found(found) }));
            Ok(())
        })?;
        cell.fill(all, self.keys());
        cell.complete = true;
        Ok(())
    }

    /// Makes it readable, and sure that no closure is reading it, so that it can be written.
    pub(super) fn ready_to_write(&self) -> Result<(), StateError> {
        self.ready()?;
        self.borrow().map(drop)
    }

    /// Runs `f` on all entries.
    pub(super) fn with<R>(
        &self,
        f: impl FnOnce(&mut dyn ExactSizeIterator<Item = (&K, &V)>) -> R,
    ) -> Result<R, StateError> {
        self.ready()?;
        self.read(f)
    }

    /// Runs `f` on all entries, which are [ready](Self::ready), in the order of their encoded keys.
    pub(super) fn read<R>(
        &self,
        f: impl FnOnce(&mut dyn ExactSizeIterator<Item = (&K, &V)>) -> R,
    ) -> Result<R, StateError> {
        let live = self.live.try_borrow().map_err(|_| self.slot.blame(Cause::Reentrant.into()))?;
        let entries = live.cell().map(|cell| cell.entries.as_slice().iter()).unwrap_or_default();
        let left = entries.clone().filter(|(_, entry)| entry.known.value.is_some()).count();
        Ok(f(&mut Entries { entries, left }))
    }

    pub(super) fn length(&self) -> Result<usize, StateError> {
        self.with(|entries| entries.len())
    }

    /// Sets the value of `key` without reading it.
    pub(super) fn put(&self, key: K, value: V, codec: Codec) -> Result<(), StateError> {
        let known = self.settled(Some(value), codec)?;
        self.write(key, known)
    }

    /// Removes `key` without reading what it had.
    pub(super) fn forget(&self, key: K) -> Result<(), StateError> {
        let known = self.settled(None, self.slot.codec)?;
        self.write(key, known)
    }

    /// What is known of an entry once `value` is put there, or nothing.
    fn settled(&self, value: Option<V>, codec: Codec) -> Result<Known<V>, StateError> {
        let (codec, heap) = value.as_ref().map_or(Ok((codec, 0)), |value| self.slot.settle(value, codec))?;
        Ok(Known::dirty(value, codec, self.slot.stamp(), heap))
    }

    pub(super) fn put_all(&self, entries: impl IntoIterator<Item = (K, V)>) -> Result<(), StateError> {
        // First all of them, then the map: the iterator may read it, and one that does not encode stops all.
        let entries: Vec<_> = entries.into_iter().collect();
        let settle = |(key, value)| {
            let suffix = self.suffix(&key)?;
            if self.by == By::Bytes {
                let (place, _) = self.look_up::<K>(&Sought::Bytes(&suffix));
                self.admit(place, &key, (&key, &suffix))?;
            }
            Ok((key, self.settled(Some(value), self.slot.codec)?))
        };
        let settled = entries.into_iter().map(settle).collect::<Result<Vec<_>, StateError>>()?;
        settled.into_iter().try_for_each(|(key, known)| self.write(key, known))
    }

    fn write(&self, key: K, known: Known<V>) -> Result<(), StateError> {
        if self.by == By::Bytes {
            return self.write_by_bytes(key, known);
        }
        let live = &mut *self.borrow()?;
        let (cell, undo) = live.parts();
        match cell.replace(&Sought::Key(&key), known) {
            Ok(before) => undo.push(Undo::Known(Name::Key(key), before)),
            Err(known) => {
                let suffix = self.suffix(&key)?;
                undo.push(Undo::Unknown(Name::Key(key.clone()), cell.complete));
                cell.insert(key, suffix, known, self.keys());
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn write_by_bytes(&self, key: K, known: Known<V>) -> Result<(), StateError> {
        let suffix = self.suffix(&key)?;
        let sought: Sought<'_, K> = Sought::Bytes(&suffix);
        let (place, _) = self.look_up(&sought);
        self.admit(place, &key, (&key, &suffix))?;
        let live = &mut *self.borrow()?;
        let (cell, undo) = live.parts();
        match cell.replace(&sought, known) {
            Ok(before) => undo.push(Undo::Known(Name::Bytes(suffix), before)),
            Err(known) => {
                undo.push(Undo::Unknown(Name::Bytes(suffix.clone()), cell.complete));
                cell.insert(key, suffix, known, self.keys());
            }
        }
        Ok(())
    }

    /// Sets or removes the value of `key` by what `f` makes of a copy, so that a panic in `f` changes nothing.
    pub(super) fn update<Q, R>(&self, key: &Q, f: impl FnOnce(&mut Option<V>) -> R) -> Result<R, StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
        V: Clone,
    {
        let (result, done) = self.change(key, f)?;
        done.map(|()| result)
    }

    /// The same, with what `f` returned also where what it made cannot be stored.
    pub(super) fn change<Q, R>(&self, key: &Q, f: impl FnOnce(&mut Option<V>) -> R) -> Result<Ran<R>, StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
        V: Clone,
    {
        let place = self.entry_ready(key)?;
        let (mut value, codec) = match self.borrow()?.cell().zip(place).and_then(|(cell, place)| cell.entries.at(place))
        {
            // Text stays text.
            Some(Entry { known, .. }) if known.codec == Codec::Json => (known.value.clone(), known.codec),
            Some(entry) => (entry.known.value.clone(), self.slot.codec),
            None => (None, self.slot.codec),
        };
        let had = value.is_some();
        let result = f(&mut value);
        let done = match had || value.is_some() {
            true => self.settled(value, codec).and_then(|known| self.write(key.to_owned(), known)),
            false => Ok(()),
        };
        Ok((result, done))
    }

    /// Keeps what `keep` says; asks it about all entries before it changes anything.
    pub(super) fn retain(&self, mut keep: impl FnMut(&K, &V) -> bool) -> Result<(), StateError> {
        let gone: Vec<K> = self.with(|entries| {
            let gone = entries.filter(|(key, value)| !keep(key, value));
            gone.map(|(key, _)| key.clone()).collect()
        })?;
        gone.into_iter().try_for_each(|key| self.forget(key))
    }

    /// Drops all entries without reading them.
    pub(super) fn clear(&self) -> Result<(), StateError> {
        let live = &mut *self.borrow()?;
        let (cell, undo) = live.parts();
        if cell.complete && cell.entries.values().all(|entry| entry.known.value.is_none()) {
            return Ok(());
        }
        let empty = Cell { complete: true, erase: true, ..Cell::default() };
        undo.push(Undo::Clear(std::mem::replace(cell, empty)));
        Ok(())
    }
}

impl<K: StateKey, V: StateValue> Core for Map<K, V> {
    type Cell = Held<Cell<K, V>>;

    fn slot(&self) -> &Slot {
        &self.slot
    }

    #[inline]
    fn enter(&mut self, cell: &mut Self::Cell) {
        self.live.get_mut().enter(cell);
    }

    #[inline]
    fn rest(&mut self, cell: &mut Self::Cell) {
        self.live.get_mut().leave(cell, !std::mem::needs_drop::<(K, V)>());
    }

    fn leave(&mut self, cell: &mut Self::Cell) -> Left {
        let wrote = self.live.get_mut().leave(cell, !std::mem::needs_drop::<(K, V)>());
        left(wrote, cell, |cell| cell.weight)
    }

    fn undo(&mut self) {
        let keys = Keys { by: self.by, plan: self.slot.key_plan() };
        self.live.get_mut().undo(|cell, step| match step {
            Undo::Known(name, known) => {
                let (Ok(known) | Err(known)) = cell.replace(&name.sought(), known);
                Some(Undo::Known(name, known))
            }
            Undo::Unknown(name, complete) => {
                let removed = cell.remove(&name.sought(), keys);
                // Loading the whole map since has left out what lies under this key in the backend.
                cell.complete = complete;
                removed.map(|(key, entry)| Undo::Gone(key, entry))
            }
            Undo::Renew(name, dirty, stamp) => {
                let place = cell.entries.find(&name.sought());
                if let Some((_, entry)) = place.and_then(|place| cell.entries.at_mut(place)) {
                    entry.known.renew(dirty, stamp);
                }
                Some(Undo::Renew(name, dirty, stamp))
            }
            Undo::Clear(old) => Some(Undo::Clear(std::mem::replace(cell, old))),
            Undo::Gone(..) => Some(step),
        });
    }

    #[inline]
    fn has_waste(&mut self) -> bool {
        self.live.get_mut().has_waste()
    }

    fn sweep(&mut self) {
        self.live.get_mut().sweep();
    }

    fn flush(&self, cell: &mut Self::Cell, row: &RowKey, batch: &mut WriteBatch) -> Result<(), StateError> {
        let Some(cell) = cell else { return Ok(()) };
        if cell.erase {
            self.slot.delete_all(batch, row)?;
        }
        for Entry { suffix, known } in cell.entries.values().filter(|entry| entry.known.dirty) {
            match &known.value {
                Some(value) => self.slot.put(batch, row, suffix, value, (known.codec, known.stamp()))?,
                None => self.slot.delete(batch, row, suffix),
            }
        }
        Ok(())
    }

    fn committed(&self, held: &mut Self::Cell) {
        let Some(cell) = held else { return };
        let gone = cell.settle(self.keys());
        if cell.is_blank() {
            *held = None;
        }
        gone.into_iter().for_each(drop_quietly);
    }

    fn holds(&self, cell: &Self::Cell, stored: &[(u16, &[u8])]) -> bool {
        let stored = |shadowed: &dyn Fn(&[u8]) -> bool| {
            stored.iter().any(|(slot, suffix)| self.slot.owns(*slot) && !shadowed(suffix))
        };
        let Some(cell) = cell else { return stored(&|_| false) };
        let live = |entry: &Entry<V>| entry.known.value.is_some() && !self.slot.is_expired(entry.known.stamp());
        let shadowed = |suffix: &[u8]| cell.entries.values().any(|entry| *entry.suffix == *suffix);
        cell.entries.values().any(live) || (!cell.complete && stored(&shadowed))
    }
}
