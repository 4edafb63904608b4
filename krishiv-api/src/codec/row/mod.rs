//! The record of a row: its values, one behind the other, so that reading and writing a row is one record.
//!
//! `[tag varint][length varint][record]` for each, in the order of the slots. A tag is `slot << 2 | apart << 1 | stamped`, and the record
//! what [`record`](crate::codec::record) says. Of a value that lies apart, in a record of its own, only what stands in front of its
//! payload is here.
//!
//! The id 0, which no state has, is that of the timers of the key.
//!
//! The changes of a row look the same, and have what has changed: of what was removed an empty front, as nothing else has, and of
//! timers those that were set and, as if they lay apart, those that are gone.

mod merge;
pub(crate) mod timers;

use crate::codec::keys::{STAMPED, push_varint, take_varint};
use crate::codec::record;
use crate::error::{Cause, StateError};
use crate::time::Timer;
use std::ops::Range;

#[cfg(feature = "rocksdb")]
pub(crate) use merge::join;
pub use merge::merged;

/// Bytes of a value, in its record, from which on it lies apart: a change of its neighbours then does not write it again.
///
/// Measured: docs/performance.md, "One record a row".
pub(crate) const APART: usize = 512;

/// The id of the timers among the values of a row.
pub(crate) const TIMERS: u16 = 0;

/// The values of a row as they are stored.
#[derive(Debug, Default)]
pub struct Parts {
    bytes: Vec<u8>,
    list: Vec<Part>,
    /// They are not in the order of their slots, and are found one by one.
    mixed: bool,
}

/// One of them.
#[derive(Clone, Debug)]
struct Part {
    place: Place,
    at: Range<usize>,
    /// Whether it stays as it is, because no cell has it.
    kept: bool,
    /// It has been taken out.
    gone: bool,
}

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its slot, with the bit that says whether it has a stamp.
    pub(crate) slot: u16,
    /// It has a record of its own, in that slot.
    pub(crate) apart: bool,
}

impl Place {
    /// In the record of its row.
    pub(crate) fn inside(slot: u16) -> Self {
        Self { slot, apart: false }
    }

    /// The id of its state.
    fn id(self) -> u16 {
        self.slot & !STAMPED
    }

    /// What values are put in order by: the state, and then the form.
    fn order(self) -> (u16, bool) {
        (self.id(), self.is_stamped() || self.is_of_gone_timers())
    }

    /// Whether it is that of the timers that are gone, which only changes have.
    fn is_of_gone_timers(self) -> bool {
        self.id() == TIMERS && self.apart
    }

    /// Whether its record begins with a stamp.
    pub(crate) fn is_stamped(self) -> bool {
        self.slot & STAMPED != 0
    }

    fn tag(self) -> u64 {
        u64::from(self.id()) << 2 | u64::from(self.apart) << 1 | u64::from(self.is_stamped())
    }

    fn of_tag(tag: u64) -> Option<Self> {
        let stamped = tag & 1 != 0;
        let id = u16::try_from(tag >> 2).ok().filter(|id| *id < STAMPED && !(*id == TIMERS && stamped))?;
        Some(Self { slot: if stamped { id | STAMPED } else { id }, apart: tag & 2 != 0 })
    }
}

impl Parts {
    /// Takes a record apart.
    pub(crate) fn read(record: &[u8]) -> Result<Self, StateError> {
        let mut parts = Self { bytes: record.to_vec(), ..Self::default() };
        for value in values(record) {
            let (place, at) = value?;
            parts.push(place, at, true);
        }
        Ok(parts)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.iter().all(|part| part.gone)
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.list.clear();
        self.mixed = false;
    }

    fn push(&mut self, place: Place, at: Range<usize>, kept: bool) {
        self.mixed |= self.list.last().is_some_and(|last| last.place.order() >= place.order());
        self.list.push(Part { place, at, kept, gone: false });
    }

    /// Where in the list the value of the state `id` is.
    fn find(&self, id: u16) -> Option<usize> {
        let start = if self.mixed { 0 } else { self.list.partition_point(|part| part.place.id() < id) };
        let candidates = self.list.get(start..).unwrap_or_default();
        let of_it = |part: &Part| part.place.id() == id && !part.gone;
        let found = match self.mixed {
            true => candidates.iter().position(of_it),
            // One in each form at most.
            false => candidates.iter().take(2).position(of_it),
        };
        found.map(|at| start + at)
    }

    /// The value of the state `id`: where it lies, and its record, or the front of that.
    pub(crate) fn get(&self, id: u16) -> Option<(Place, &[u8])> {
        let part = self.list.get(self.find(id)?)?;
        Some((part.place, self.slice(part)))
    }

    /// Whether there is one of the state of `slot`.
    pub(crate) fn has(&self, slot: u16) -> bool {
        self.get(slot & !STAMPED).is_some()
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Place, &[u8])> {
        self.there().map(|part| (part.place, self.slice(part)))
    }

    fn there(&self) -> impl Iterator<Item = &Part> {
        self.list.iter().filter(|part| !part.gone)
    }

    /// Adds a value, whose record `write` appends; one of more than [`APART`] bytes is handed to `apart`, and only its front stays.
    pub(crate) fn put<E>(
        &mut self,
        slot: u16,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
        apart: impl FnOnce(&[u8]),
    ) -> Result<Place, E> {
        let start = self.bytes.len();
        write(&mut self.bytes)?;
        let mut place = Place::inside(slot);
        if self.bytes.len() - start > APART {
            place.apart = true;
            let record = self.bytes.get(start..).unwrap_or_default();
            apart(record);
            let front = front(record, place);
            self.bytes.truncate(start + front);
        }
        // Of what lies apart the row keeps only where it is, as of what no cell has.
        self.push(place, start..self.bytes.len(), place.apart);
        Ok(place)
    }

    /// Adds what is stored at `place` and stays as it is.
    pub(crate) fn keep(&mut self, place: Place, record: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(record);
        self.push(place, start..self.bytes.len(), true);
    }

    /// Takes note, among the changes of a row, that the value of a state is removed.
    pub(crate) fn remove(&mut self, slot: u16) {
        let end = self.bytes.len();
        self.push(Place { slot: slot & !STAMPED, apart: true }, end..end, false);
    }

    /// Adds timers of the key, or, among changes, those that are `gone`; they come in order.
    pub(crate) fn put_timers(&mut self, timers: impl Iterator<Item = Timer> + Clone, gone: bool) {
        if timers.clone().next().is_none() {
            return;
        }
        let start = self.bytes.len();
        timers::write(timers, &mut self.bytes);
        self.push(Place { slot: TIMERS, apart: gone }, start..self.bytes.len(), false);
    }

    /// Adds a record that lies by itself, as all did before format 5: a long one stays where it is.
    pub(crate) fn adopt(&mut self, slot: u16, record: &[u8]) {
        let place = Place { slot, apart: record.len() > APART };
        let length = if place.apart { front(record, place) } else { record.len() };
        self.keep(place, record.get(..length).unwrap_or(record));
    }

    /// Takes note that a cell has the value of the state `id`, which need not be kept for its sake.
    pub(crate) fn claim(&mut self, id: u16) {
        if let Some(part) = self.find(id).and_then(|at| self.list.get_mut(at)) {
            part.kept = false;
        }
    }

    /// Takes out the value of the state `id`.
    pub(crate) fn take(&mut self, id: u16) -> Option<(Place, &[u8])> {
        let at = self.find(id)?;
        let part = self.list.get_mut(at)?;
        part.gone = true;
        Some((part.place, self.bytes.get(part.at.clone()).unwrap_or_default()))
    }

    /// Adds what `others` has besides, as it is.
    pub(crate) fn keep_all(&mut self, others: &Self) {
        self.sort();
        let missing: Vec<_> = others.iter().filter(|(place, _)| self.get(place.id()).is_none()).collect();
        missing.into_iter().for_each(|(place, record)| self.keep(place, record));
        self.sort();
    }

    /// Adds the places of those of `others` that lie apart.
    pub(crate) fn keep_apart(&mut self, others: &Self) {
        for (place, record) in others.iter().filter(|(place, _)| place.apart) {
            self.list.retain(|part| part.place.slot != place.slot);
            self.keep(place, record);
        }
        self.sort();
    }

    /// Puts them in the order of their slots.
    pub(crate) fn sort(&mut self) {
        if self.mixed {
            self.list.sort_by_key(|part| part.place.order());
            self.mixed = false;
        }
    }

    /// Appends the record that they make up.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        self.there().for_each(|part| self.write_part(part, out));
    }

    /// The same of those that no cell has.
    pub(crate) fn write_kept(&self) -> Box<[u8]> {
        let mut out = Vec::new();
        self.there().filter(|part| part.kept).for_each(|part| self.write_part(part, &mut out));
        out.into()
    }

    fn write_part(&self, part: &Part, out: &mut Vec<u8>) {
        let record = self.slice(part);
        push_varint(part.place.tag(), out);
        push_varint(record.len() as u64, out);
        out.extend_from_slice(record);
    }

    fn slice(&self, part: &Part) -> &[u8] {
        self.bytes.get(part.at.clone()).unwrap_or_default()
    }
}

/// Bytes in front of the payload of `record`; all of it, if it is damaged, which whoever reads it finds.
fn front(record: &[u8], place: Place) -> usize {
    record::front(record, place.is_stamped()).unwrap_or(record.len())
}

/// The values in a record, where they lie, one by one; after an error there are no more.
pub(crate) fn values(record: &[u8]) -> impl Iterator<Item = Result<(Place, Range<usize>), StateError>> {
    let (mut rest, mut last) = (record, None);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((place, length, behind)) = take_value(rest).filter(|(place, ..)| last < Some(place.order())) else {
            rest = &[];
            let reason = "the record of the row is cut short, or what it holds is not in order".to_owned();
            return Some(Err(Cause::Decode { reason }.into()));
        };
        (rest, last) = (behind, Some(place.order()));
        let end = record.len() - behind.len();
        Some(Ok((place, end - length..end)))
    })
}

/// The first value of `bytes`: where it lies, the length of its record, and what comes behind it.
fn take_value(bytes: &[u8]) -> Option<(Place, usize, &[u8])> {
    let (tag, rest) = take_varint(bytes)?;
    let (length, rest) = take_varint(rest)?;
    let length = usize::try_from(length).ok()?;
    Some((Place::of_tag(tag)?, length, rest.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(list: &[(u16, usize)]) -> Parts {
        let mut parts = Parts::default();
        for (slot, length) in list {
            let write = |out: &mut Vec<u8>| {
                out.push(8);
                out.resize(out.len() + length, 7);
                Ok::<(), ()>(())
            };
            parts.put(*slot, write, |_| {}).unwrap();
        }
        parts.sort();
        parts
    }

    fn written(parts: &Parts) -> Vec<u8> {
        let mut out = Vec::new();
        parts.write(&mut out);
        out
    }

    #[test]
    fn values_come_apart_as_they_were_put_together_in_the_order_of_their_slots() {
        let bytes = written(&of(&[(300, 200), (2, 0), (STAMPED | 7, 9), (1, 3)]));
        let parts = Parts::read(&bytes).unwrap();
        let slots: Vec<_> = parts.iter().map(|(place, record)| (place.slot, record.len())).collect();
        assert_eq!(slots, [(1, 4), (2, 1), (STAMPED | 7, 10), (300, 201)]);
        assert_eq!(written(&parts), bytes);
        assert_eq!(parts.get(7).unwrap().0, Place::inside(STAMPED | 7));
        assert_eq!(parts.get(3), None);
    }

    #[test]
    fn a_long_value_lies_apart_and_leaves_its_front() {
        let mut parts = Parts::default();
        let mut apart = Vec::new();
        let write = |out: &mut Vec<u8>| {
            out.push(8);
            out.resize(out.len() + APART, 7);
            Ok::<(), ()>(())
        };
        let place = parts.put(3, write, |record| apart.extend_from_slice(record)).unwrap();
        assert_eq!((place.apart, apart.len()), (true, APART + 1));
        let parts = Parts::read(&written(&parts)).unwrap();
        assert_eq!(parts.get(3), Some((Place { slot: 3, apart: true }, &[8][..])));
    }

    #[test]
    fn what_is_cut_short_or_out_of_order_is_refused() {
        let bytes = written(&of(&[(1, 3), (2, 200)]));
        for end in 1..bytes.len() {
            let cut = bytes.get(..end).unwrap();
            // At the end of the first value it is a record of that alone.
            assert_eq!(Parts::read(cut).is_ok(), end == 6, "{end}");
        }
        let twice = [bytes.clone(), bytes].concat();
        assert!(Parts::read(&twice).is_err());
        assert!(Parts::read(&[1, 0]).is_err(), "timers with a stamp");
    }

    #[test]
    fn what_is_taken_out_is_gone_in_any_order() {
        for slots in [[1, 2, 3, 4], [4, 1, 3, 2]] {
            let mut parts = Parts::default();
            slots.into_iter().for_each(|slot| parts.keep(Place::inside(slot), &[8, slot as u8]));
            parts.keep(Place { slot: STAMPED | 3, apart: true }, &[8]);
            assert_eq!(parts.take(2), Some((Place::inside(2), &[8, 2][..])));
            assert!(parts.take(2).is_none() && parts.get(2).is_none());
            // Of a state whose form is in doubt there may be both.
            assert!(parts.take(3).is_some() && parts.take(3).is_some() && parts.take(3).is_none());
            parts.keep_all(&of(&[(2, 1), (4, 1), (9, 1)]));
            let left: Vec<_> = parts.iter().map(|(place, _)| place.slot).collect();
            assert_eq!(left, [1, 2, 4, 9]);
            assert!(!parts.is_empty());
            left.iter().for_each(|slot| assert!(parts.take(*slot).is_some()));
            assert!(parts.is_empty() && written(&parts).is_empty());
        }
    }

    #[test]
    fn what_no_cell_has_is_kept() {
        let mut parts = Parts::read(&written(&of(&[(1, 3), (2, 4), (3, 5)]))).unwrap();
        parts.claim(2);
        let kept = Parts::read(&parts.write_kept()).unwrap();
        assert_eq!(kept.iter().map(|(place, _)| place.slot).collect::<Vec<_>>(), [1, 3]);
    }
}
