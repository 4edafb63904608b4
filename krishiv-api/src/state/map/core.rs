//! The bound handle of one map: its calls.

use super::cell::{Cell, fresh};
use super::known::{Known, Meta, Suffix};
use super::table::{Spare, Taken};
use super::there::There;
use super::undo::Undo;
use crate::codec::keys::{check_key, check_same, encode_key};
use crate::codec::{Codec, show};
use crate::error::{Cause, StateError};
use crate::scope::one_thread::OneThreadAtATime;
use crate::scope::slot::Slot;
use crate::state::calls::Ran;
use crate::state::live::Live;
use crate::state::sought::By;
use crate::value::{StateKey, StateValue};
use std::borrow::Borrow;
use std::cell::{Cell as Scratch, RefCell, RefMut};
use std::collections::HashSet;
use std::hash::Hash;

pub(super) struct Working {
    pub(super) live: Live<Cell, Undo>,
    /// The values that the steps back have taken out.
    pub(super) spare: Box<dyn Spare>,
    /// Whether there may be any.
    pub(super) is_spare_used: bool,
}

/// The bound handle of one map, whatever its entries: only what takes or hands out some knows their types.
pub struct Map {
    pub(super) slot: Slot,
    /// Whether nothing happens when an entry is dropped.
    pub(super) is_plain: bool,
    pub(super) working: RefCell<OneThreadAtATime<Working>>,
    /// Scratch: a key that is being encoded.
    encoded: Scratch<OneThreadAtATime<Vec<u8>>>,
    by: By,
}

impl Map {
    pub(super) fn new<K: StateKey, V: StateValue>(slot: Slot) -> Self {
        let spare: Box<dyn Spare> = Box::new(Taken::<K, V>::default());
        let working = Working { live: Live::new(fresh::<K, V>), spare, is_spare_used: false };
        Self {
            slot,
            is_plain: !std::mem::needs_drop::<(K, V)>(),
            working: RefCell::new(OneThreadAtATime(working)),
            encoded: Scratch::default(),
            by: By::of_keys::<K>(),
        }
    }

    #[inline]
    fn borrow(&self) -> Result<RefMut<'_, OneThreadAtATime<Working>>, StateError> {
        let working = self.working.try_borrow_mut().map_err(|_| self.reentrant())?;
        self.slot.shared.touch_entries();
        if working.live.is_entered() { Ok(working) } else { Err(self.slot.blame(Cause::OutsideEvent.into())) }
    }

    #[cold]
    fn reentrant(&self) -> StateError {
        self.slot.blame(Cause::Reentrant.into())
    }

    /// Judges an entry by the time, and renews it if reading does that.
    fn judge(&self, cell: &mut Cell, place: usize, undo: &mut Vec<Undo>) {
        let Some(known) = cell.known(place).filter(Known::is_there) else { return };
        if !self.slot.can_expire() {
            return;
        }
        if self.slot.is_expired(known.stamp()) {
            cell.replace(place, known.ended());
            self.slot.shared.meter.expired.add(1);
            cell.table.clear(place);
        } else if self.slot.refreshes_on_read() {
            let stamp = self.slot.renewed(known.stamp());
            if stamp != known.stamp() {
                undo.push(Undo::Renew(place, known.dirty, known.stamp()));
                cell.replace(place, known.renewed(true, stamp));
            }
        }
    }

    fn suffix<K: StateKey>(&self, key: &K) -> Result<Suffix, StateError> {
        let OneThreadAtATime(mut encoded) = self.encoded.take();
        encoded.clear();
        let done = encode_key(key, self.slot.key_codec, &mut encoded);
        let done = done.and_then(|()| self.slot.shared.check_length("the map key", encoded.len()));
        done.map_err(|error| self.slot.blame(error))?;
        let suffix = Suffix::from_slice(&encoded);
        self.encoded.set(OneThreadAtATime(encoded));
        Ok(suffix)
    }

    /// Refuses a key that is not what its encoded form decodes to; `place` is that of the entry of this form, if there is one.
    #[inline(never)]
    fn admit<K: StateKey + Borrow<Q>, Q: Eq + ?Sized>(
        &self,
        place: Option<usize>,
        key: &Q,
        (owned, suffix): (&K, &Suffix),
    ) -> Result<(), StateError> {
        let working = self.working.try_borrow().map_err(|_| self.reentrant())?;
        let known = working.live.cell().zip(place).and_then(|(cell, place)| cell.table.key(place)?.downcast_ref::<K>());
        let checked = match known {
            Some(known) => check_same(known, known.borrow(), key, || show(owned)),
            None => check_key(owned, self.slot.key_codec, suffix),
        };
        checked.map_err(|error| self.slot.blame(error))
    }

    /// Place of the entry that `find` finds, and whether that is all there is to know: what is found has been judged by the time,
    /// and what is not is known to be absent.
    fn look_up(&self, find: &dyn Fn(&Cell) -> Option<usize>) -> (Option<usize>, bool) {
        match self.working.try_borrow_mut() {
            Ok(mut working) => working.live.cell_mut().map_or((None, false), |cell| {
                cell.prepare();
                let place = find(cell);
                (place, !self.slot.can_expire() && (place.is_some() || cell.complete))
            }),
            // A closure that reads the map has what is known of it judged already, in this event.
            Err(_) => match self.working.try_borrow().as_deref().map(|working| working.live.cell()) {
                Ok(Some(cell)) => {
                    let place = find(cell);
                    (place, place.is_some() || cell.complete)
                }
                _ => (None, false),
            },
        }
    }

    /// Makes the entry of `key` readable; returns its place, if anything is known of it.
    pub(super) fn entry_ready<K: StateKey + Borrow<Q>, V: StateValue, Q>(
        &self,
        key: &Q,
    ) -> Result<Option<usize>, StateError>
    where
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        if self.by == By::Bytes {
            return self.entry_ready_by_bytes::<K, V, Q>(key);
        }
        let (place, is_settled) = self.look_up(&|cell| cell.find::<K, V, Q>(key));
        if is_settled {
            return Ok(place);
        }
        if place.is_some() || self.is_complete() {
            return self.judge_at(place);
        }
        let key = key.to_owned();
        let suffix = self.suffix(&key)?;
        self.load_entry::<K, V>(key, suffix)
    }

    #[inline(never)]
    fn entry_ready_by_bytes<K: StateKey + Borrow<Q>, V: StateValue, Q>(
        &self,
        key: &Q,
    ) -> Result<Option<usize>, StateError>
    where
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        let owned = key.to_owned();
        let suffix = self.suffix(&owned)?;
        let (place, is_settled) = self.look_up(&|cell| cell.find_bytes(&suffix));
        self.admit(place, key, (&owned, &suffix))?;
        if is_settled {
            return Ok(place);
        }
        if place.is_some() || self.is_complete() {
            return self.judge_at(place);
        }
        self.load_entry::<K, V>(owned, suffix)
    }

    fn is_complete(&self) -> bool {
        self.working.try_borrow().is_ok_and(|working| working.live.cell().is_some_and(|cell| cell.complete))
    }

    /// Judges the entry at `place`, if there is one.
    fn judge_at(&self, place: Option<usize>) -> Result<Option<usize>, StateError> {
        let Working { live, .. } = &mut self.borrow()?.0;
        let (cell, undo) = live.parts();
        if let Some(place) = place {
            self.judge(cell, place, undo);
        }
        Ok(place)
    }

    /// Reads the entry of a key of which nothing is known.
    fn load_entry<K: StateKey, V: StateValue>(&self, key: K, suffix: Suffix) -> Result<Option<usize>, StateError> {
        let Working { live, .. } = &mut self.borrow()?.0;
        let (cell, undo) = live.parts();
        self.slot.shared.meter.loads.add(1);
        let (known, value) = match self.slot.load_at::<V>(&suffix)? {
            Some(found) => (Known::found(found.codec, found.stamp, found.heap), Some(found.value)),
            None => (Known::absent(self.slot.codec), None),
        };
        let place = cell.push((key, value), Meta { suffix, known }, self.slot.key_plan());
        self.judge(cell, place, undo);
        Ok(Some(place))
    }

    /// Makes the entry of `key` readable, and sure that no closure is reading the map, so that it can be written.
    pub(super) fn entry_ready_to_write<K: StateKey, V: StateValue>(&self, key: &K) -> Result<(), StateError> {
        let place = self.entry_ready::<K, V, K>(key)?;
        drop(self.borrow()?);
        if place.is_none() {
            // A map that is known to be without it has not encoded the key yet.
            self.suffix(key)?;
        }
        Ok(())
    }

    /// Runs `f` on the value of `key`.
    pub(super) fn with_entry<K: StateKey + Borrow<Q>, V: StateValue, Q, R>(
        &self,
        key: &Q,
        f: impl FnOnce(Option<&V>) -> R,
    ) -> Result<R, StateError>
    where
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        if self.by == By::Key
            && !self.slot.can_expire()
            && let Ok(working) = self.working.try_borrow()
            && let Some(value) = working.live.cell().and_then(|cell| cell.peek::<K, V, Q>(key))
        {
            return Ok(f(value));
        }
        let place = self.entry_ready::<K, V, Q>(key)?;
        self.with_value::<K, V, R>(place, f)
    }

    /// Runs `f` on the value at `place`.
    fn with_value<K: StateKey, V: StateValue, R>(
        &self,
        place: Option<usize>,
        f: impl FnOnce(Option<&V>) -> R,
    ) -> Result<R, StateError> {
        let working = self.working.try_borrow().map_err(|_| self.reentrant())?;
        let value = match (working.live.cell(), place) {
            (Some(cell), Some(place)) => cell.value::<K, V>(place),
            _ => None,
        };
        Ok(f(value))
    }

    /// Makes the whole map readable, in the order of the encoded keys.
    pub(super) fn ready(&self) -> Result<(), StateError> {
        self.make_ready_unless(true, |cell| cell.complete && cell.sorted)
    }

    /// The same in any order, to be counted.
    fn ready_to_count(&self) -> Result<(), StateError> {
        self.make_ready_unless(false, |cell| cell.complete)
    }

    fn make_ready_unless(&self, in_order: bool, is_ready: fn(&Cell) -> bool) -> Result<(), StateError> {
        // A closure that reads it has it judged already, in this event.
        if self.working.try_borrow_mut().is_err() && self.working.try_borrow().is_ok() {
            return Ok(());
        }
        if let Ok(working) = self.working.try_borrow()
            && working.live.cell().is_some_and(|cell| is_ready(cell) && cell.is_current(&self.slot))
            && !self.slot.refreshes_on_read()
        {
            return Ok(());
        }
        self.make_ready(in_order)
    }

    fn make_ready(&self, in_order: bool) -> Result<(), StateError> {
        let Working { live, .. } = &mut self.borrow()?.0;
        let (cell, undo) = live.parts();
        if !cell.complete {
            self.load(cell)?;
        }
        if in_order && let Some(places) = cell.sort() {
            Undo::reorder(undo, &places);
        }
        if !cell.is_current(&self.slot) || self.slot.refreshes_on_read() {
            (0..cell.table.len()).for_each(|place| self.judge(cell, place, undo));
            cell.look_ahead();
        }
        Ok(())
    }

    /// Reads all that is not known.
    fn load(&self, cell: &mut Cell) -> Result<(), StateError> {
        self.slot.shared.meter.loads.add(1);
        let mut all = cell.table.fresh();
        // What is known is newer.
        let known: HashSet<&[u8]> = cell.metas().map(|meta| &*meta.suffix).collect();
        self.slot.find_all(&mut |suffix, found| {
            if known.contains(suffix) {
                return Ok(());
            }
            let known = Known::found(found.head.codec, found.stamp, 0);
            all.read(Meta { suffix: Suffix::from_slice(suffix), known }, found, &self.slot)
        })?;
        drop(known);
        cell.fill(&mut *all, self.slot.key_plan());
        Ok(())
    }

    /// Makes it readable, and sure that no closure is reading it, so that it can be written.
    pub(super) fn ready_to_write(&self) -> Result<(), StateError> {
        self.ready()?;
        self.borrow().map(drop)
    }

    /// Runs `f` on all entries.
    pub(crate) fn with<K: StateKey, V: StateValue, R>(
        &self,
        f: impl FnOnce(There<'_, K, V>) -> R,
    ) -> Result<R, StateError> {
        self.ready()?;
        self.read(f)
    }

    /// Runs `f` on all entries, which are [ready](Self::ready), in the order of their encoded keys.
    #[inline]
    pub(super) fn read<K: StateKey, V: StateValue, R>(
        &self,
        f: impl FnOnce(There<'_, K, V>) -> R,
    ) -> Result<R, StateError> {
        let working = self.working.try_borrow().map_err(|_| self.reentrant())?;
        let there = working.live.cell().map(|cell| There { entries: cell.table.of().iter(), left: cell.there });
        Ok(f(there.unwrap_or_default()))
    }

    pub(super) fn length(&self) -> Result<usize, StateError> {
        self.ready_to_count()?;
        let working = self.working.try_borrow().map_err(|_| self.reentrant())?;
        Ok(working.live.cell().map_or(0, |cell| cell.there))
    }

    /// Sets the value of `key` without reading it.
    pub(crate) fn put<K: StateKey, V: StateValue>(&self, key: K, value: V, codec: Codec) -> Result<(), StateError> {
        let known = self.settled(Some(&value), codec)?;
        self.write(key, Some(value), known)
    }

    /// Removes `key` without reading what it had.
    pub(crate) fn forget<K: StateKey, V: StateValue>(&self, key: K) -> Result<(), StateError> {
        let known = self.settled::<V>(None, self.slot.codec)?;
        self.write::<K, V>(key, None, known)
    }

    /// What is known of an entry once `value` is put there, or nothing.
    fn settled<V: StateValue>(&self, value: Option<&V>, codec: Codec) -> Result<Known, StateError> {
        let (codec, heap) = value.map_or(Ok((codec, 0)), |value| self.slot.settle(value, codec))?;
        Ok(Known::dirty(value.is_some(), codec, self.slot.stamp(), heap))
    }

    pub(super) fn put_all<K: StateKey, V: StateValue>(
        &self,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), StateError> {
        // First all of them, then the map: the iterator may read it, and one that does not encode stops all.
        let mut settled = Vec::new();
        let entries: Vec<_> = entries.into_iter().collect();
        for (key, value) in entries {
            let suffix = self.suffix(&key)?;
            if self.by == By::Bytes {
                let (place, _) = self.look_up(&|cell| cell.find_bytes(&suffix));
                self.admit::<K, K>(place, &key, (&key, &suffix))?;
            }
            let known = self.settled(Some(&value), self.slot.codec)?;
            settled.push((key, value, known));
        }
        settled.into_iter().try_for_each(|(key, value, known)| self.write(key, Some(value), known))
    }

    fn write<K: StateKey, V: StateValue>(&self, key: K, value: Option<V>, known: Known) -> Result<(), StateError> {
        let sought = if self.by == By::Bytes { self.admitted(&key)? } else { Suffix::new() };
        let Working { live, spare, is_spare_used } = &mut self.borrow()?.0;
        let (cell, undo) = live.parts();
        cell.prepare();
        let by_key = self.by == By::Key;
        let found = if by_key {
            cell.find_mut::<K, V>(&key)
        } else {
            let place = cell.find_bytes(&sought);
            place.and_then(|place| Some((place, cell.table.of_mut::<K, V>().get_mut(place)?)))
        };
        if let Some((place, entry)) = found {
            *is_spare_used = true;
            spare.of_mut::<K, V>().before.push(std::mem::replace(&mut entry.value, value));
            let before = std::mem::replace(&mut entry.meta.known, known);
            undo.push(Undo::Known(place, before));
            cell.replaced(place, &before, &known);
        } else {
            let suffix = if by_key { self.suffix(&key)? } else { sought };
            let place = cell.push((key, value), Meta { suffix, known }, self.slot.key_plan());
            undo.push(Undo::Unknown(place, cell.complete));
        }
        Ok(())
    }

    /// What a key is encoded as that is found by that, if it may be one.
    #[inline(never)]
    fn admitted<K: StateKey>(&self, key: &K) -> Result<Suffix, StateError> {
        let suffix = self.suffix(key)?;
        let (place, _) = self.look_up(&|cell| cell.find_bytes(&suffix));
        self.admit::<K, K>(place, key, (key, &suffix))?;
        Ok(suffix)
    }

    /// Sets or removes the value of `key` by what `f` makes of a copy, so that a panic in `f` changes nothing.
    pub(super) fn update<K: StateKey + Borrow<Q>, V: StateValue + Clone, Q, R>(
        &self,
        key: &Q,
        f: impl FnOnce(&mut Option<V>) -> R,
    ) -> Result<R, StateError>
    where
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        let (result, done) = self.change(key, f)?;
        done.map(|()| result)
    }

    /// The same, with what `f` returned also where what it made cannot be stored.
    pub(super) fn change<K: StateKey + Borrow<Q>, V: StateValue + Clone, Q, R>(
        &self,
        key: &Q,
        f: impl FnOnce(&mut Option<V>) -> R,
    ) -> Result<Ran<R>, StateError>
    where
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        let place = self.entry_ready::<K, V, Q>(key)?;
        drop(self.borrow()?);
        let mut value = self.with_value::<K, V, _>(place, |value| value.cloned())?;
        // Text stays text.
        let codec = if self.is_text(place)? { Codec::Json } else { self.slot.codec };
        let had = value.is_some();
        let result = f(&mut value);
        let done = match had || value.is_some() {
            true => {
                self.settled(value.as_ref(), codec).and_then(|known| self.write::<K, V>(key.to_owned(), value, known))
            }
            false => Ok(()),
        };
        Ok((result, done))
    }

    fn is_text(&self, place: Option<usize>) -> Result<bool, StateError> {
        let known = self.borrow()?.live.cell().zip(place).and_then(|(cell, place)| cell.known(place));
        Ok(known.is_some_and(|known| known.codec == Codec::Json))
    }

    /// Keeps what `keep` says; asks it about all entries before it changes anything.
    pub(super) fn retain<K: StateKey, V: StateValue>(
        &self,
        mut keep: impl FnMut(&K, &V) -> bool,
    ) -> Result<(), StateError> {
        let gone: Vec<K> = self.with(|entries: There<'_, K, V>| {
            let gone = entries.filter(|(key, value)| !keep(key, value));
            gone.map(|(key, _)| key.clone()).collect()
        })?;
        gone.into_iter().try_for_each(|key| self.forget::<K, V>(key))
    }

    /// Drops all entries without reading them.
    pub(super) fn clear(&self) -> Result<(), StateError> {
        let Working { live, .. } = &mut self.borrow()?.0;
        let mut empty = live.fresh();
        let (cell, undo) = live.parts();
        if cell.complete && cell.there == 0 {
            return Ok(());
        }
        empty.take_over(cell);
        undo.push(Undo::Clear(std::mem::replace(cell, empty)));
        Ok(())
    }
}
