//! The timers of one key: a few of them in the record of its row, the others in records of their own.

use crate::codec::Codec;
use crate::codec::keys::{decode_key, encode_key};
use crate::codec::record::{self, How};
use crate::codec::row::{Parts, TIMERS, timers};
use crate::error::{Cause, StateError};
use crate::time::Timer;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Timers of a key that lie in its row; a change of one writes them all.
const IN_ROW: usize = 32;

/// Of the timers of a key, what is known in memory, and what of that is to be written.
#[derive(Debug, Default)]
pub(crate) struct OfKey {
    /// Those in the row; if the row has not been read, those that surely are there. In order.
    there: SmallVec<[Timer; 2]>,
    /// Of a row that has not been read: those that surely are not there, and whose removal is to be written. In order.
    gone: Vec<Timer>,
    /// Changes of those in records of their own, set or deleted, that are to be written.
    apart: BTreeMap<Timer, bool>,
    dirty: bool,
}

/// Where timers can lie.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    /// In the row.
    pub(crate) in_row: bool,
    /// In records of their own: some do, or did.
    pub(crate) apart: bool,
    /// The row has been read, or nothing else is stored of it.
    pub(crate) known: bool,
}

impl OfKey {
    /// Sets a timer, unless it is there.
    pub(crate) fn set(&mut self, timer: Timer, rule: Rule) {
        let Err(place) = self.there.binary_search(&timer) else { return };
        if !rule.in_row || self.there.len() >= IN_ROW {
            self.apart.insert(timer, true);
            return;
        }
        self.there.insert(place, timer);
        if let Ok(place) = self.gone.binary_search(&timer) {
            self.gone.remove(place);
        }
        self.dirty = true;
    }

    /// Deletes a timer, if it is there.
    pub(crate) fn delete(&mut self, timer: Timer, rule: Rule) {
        if rule.apart || self.apart.contains_key(&timer) {
            self.apart.insert(timer, false);
        }
        if !rule.in_row {
            return;
        }
        if let Ok(place) = self.there.binary_search(&timer) {
            self.there.remove(place);
            self.dirty = true;
        }
        if !rule.known
            && let Err(place) = self.gone.binary_search(&timer)
        {
            self.gone.insert(place, timer);
            self.dirty = true;
        }
    }

    /// Takes in what is stored in the row, `None` if nothing is; changes nothing if it fails.
    pub(crate) fn learn(&mut self, stored: Option<&[u8]>) -> Result<(), StateError> {
        if let Some(stored) = stored {
            self.there = self.with(read(stored)?).collect();
            self.there.sort_unstable();
            self.there.dedup();
        }
        self.gone.clear();
        Ok(())
    }

    /// `stored` timers of the row, as they are by now.
    fn with(&self, stored: Vec<Timer>) -> impl Iterator<Item = Timer> {
        let left = stored.into_iter().filter(|timer| self.gone.binary_search(timer).is_err());
        left.chain(self.there.iter().copied())
    }

    /// All of those in the row, of which `stored` is what was read, if anything was.
    pub(crate) fn in_row(&self, stored: Option<&[u8]>) -> Result<Vec<Timer>, StateError> {
        Ok(self.with(stored.map(read).transpose()?.unwrap_or_default()).collect())
    }

    /// Those in records of their own that are to be written: whether each is to be there.
    pub(crate) fn apart(&self) -> impl Iterator<Item = (Timer, bool)> {
        self.apart.iter().map(|(timer, there)| (*timer, *there))
    }

    /// Whether there is nothing to remember.
    pub(crate) fn is_empty(&self) -> bool {
        self.there.is_empty() && self.gone.is_empty() && self.apart.is_empty()
    }

    /// Whether those in the row have changed.
    pub(crate) fn changes_row(&self) -> bool {
        self.dirty
    }

    /// Adds those in the row to its record, or to the changes of it.
    pub(crate) fn write(&self, changes_only: bool, to: &mut Parts) {
        if changes_only && !self.dirty {
            return;
        }
        to.put_timers(&self.there, false);
        if changes_only {
            to.put_timers(&self.gone, true);
        }
    }

    /// What was to be written is.
    pub(crate) fn committed(&mut self) {
        self.gone = Vec::new();
        self.apart.clear();
        self.dirty = false;
    }

    /// Memory that it takes, in bytes, roughly.
    pub(crate) fn weight(&self) -> usize {
        let in_row = if self.there.spilled() { self.there.capacity() } else { 0 };
        // A share of the nodes of the tree.
        let apart = 2 * self.apart.len();
        size_of::<Self>() + (in_row + self.gone.capacity() + apart) * size_of::<Timer>()
    }
}

/// The suffix of a timer in a record of its own, and its value: an entry of a map.
pub(crate) fn record(timer: Timer) -> Result<(Vec<u8>, Vec<u8>), StateError> {
    let (mut suffix, mut value) = (Vec::new(), Vec::new());
    encode_key(&timer, Codec::Postcard, &mut suffix)?;
    record::write(&(), How { codec: Codec::Postcard, stamp: None, era: 0 }, &mut value)?;
    Ok((suffix, value))
}

/// The timer of such a suffix.
pub(crate) fn of_suffix(suffix: &[u8]) -> Result<Timer, StateError> {
    decode_key("a stored timer", Codec::Postcard, suffix)
}

fn read(stored: &[u8]) -> Result<Vec<Timer>, StateError> {
    timers::read(stored)
        .ok_or_else(|| Cause::Decode { reason: "the timers in the record of the row are damaged".to_owned() }.into())
}

/// What a row has stored of its timers.
pub(crate) fn stored(parts: &Parts) -> Option<&[u8]> {
    parts.get(TIMERS).map(|(_, record)| record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::TimerKind;
    use std::collections::BTreeSet;

    fn at(time_ms: i64) -> Timer {
        Timer { kind: TimerKind::Event, time_ms }
    }

    fn bytes(times: &[i64]) -> Vec<u8> {
        let mut out = Vec::new();
        timers::write(&times.iter().copied().map(at).collect::<Vec<_>>(), &mut out);
        out
    }

    fn times(of_key: &OfKey, stored: Option<&[u8]>) -> Vec<i64> {
        let all: BTreeSet<_> = of_key.in_row(stored).unwrap().into_iter().collect();
        all.into_iter().map(|timer| timer.time_ms).collect()
    }

    #[test]
    fn what_was_not_read_is_joined_with_what_is_stored() {
        let rule = Rule { in_row: true, apart: false, known: false };
        let stored = bytes(&[1, 5, 9]);
        let mut of_key = OfKey::default();
        of_key.delete(at(5), rule);
        of_key.set(at(7), rule);
        of_key.set(at(1), rule);
        of_key.delete(at(9), rule);
        of_key.set(at(9), rule);
        assert_eq!(times(&of_key, Some(&stored)), [1, 7, 9]);
        assert!(of_key.changes_row());
        assert!(of_key.learn(Some(b"\x01")).is_err(), "damaged");
        assert_eq!(times(&of_key, Some(&stored)), [1, 7, 9], "a failure changes nothing");
        of_key.learn(Some(&stored)).unwrap();
        assert_eq!(times(&of_key, None), [1, 7, 9]);
        assert!(of_key.changes_row(), "and is still to be written");
        let known = Rule { known: true, ..rule };
        of_key.delete(at(1), known);
        of_key.committed();
        assert_eq!(times(&of_key, None), [7, 9]);
        assert!(!of_key.changes_row());
        of_key.delete(at(1), known);
        of_key.set(at(7), known);
        assert!(!of_key.changes_row(), "neither changes anything");
    }

    #[test]
    fn more_than_a_few_lie_apart() {
        let rule = Rule { in_row: true, apart: false, known: true };
        let mut of_key = OfKey::default();
        (0..40).for_each(|time| of_key.set(at(time), rule));
        assert_eq!(times(&of_key, None), (0..32).collect::<Vec<_>>());
        of_key.delete(at(35), rule);
        let apart: Vec<_> = of_key.apart().map(|(timer, there)| (timer.time_ms, there)).collect();
        assert_eq!(apart, (32..40).map(|time| (time, time != 35)).collect::<Vec<_>>());
        of_key.committed();
        let rule = Rule { apart: true, ..rule };
        of_key.delete(at(36), rule);
        of_key.delete(at(3), rule);
        // There is room again.
        of_key.set(at(50), rule);
        let apart: Vec<_> = of_key.apart().map(|(timer, there)| (timer.time_ms, there)).collect();
        assert_eq!(apart, [(3, false), (36, false)], "which of them lies apart is not known");
        assert_eq!(times(&of_key, None).last(), Some(&50));
    }

    #[test]
    fn of_older_formats_all_lie_apart() {
        let rule = Rule { in_row: false, apart: true, known: true };
        let mut of_key = OfKey::default();
        of_key.set(at(1), rule);
        of_key.delete(at(2), rule);
        assert!(!of_key.changes_row() && times(&of_key, None).is_empty());
        assert_eq!(of_key.apart().count(), 2);
    }
}
