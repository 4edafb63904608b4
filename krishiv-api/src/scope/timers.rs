//! The timers of one key: a few of them in the record of its row, the others in records of their own.

use crate::codec::Codec;
use crate::codec::keys::{decode_key, encode_key};
use crate::codec::record::{self, FIRST_VERSION, How};
use crate::codec::row::{Parts, TIMERS, timers};
use crate::error::{Cause, StateError};
use crate::time::{Timer, TimerKind};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Timers of a key that lie in its row; a change of one writes them all.
const IN_ROW: usize = 32;

/// Of the timers of a key, what is known in memory, and what of that is to be written.
#[derive(Debug, Default)]
pub(crate) struct OfKey {
    /// Those in the row; if the row has not been read, those that surely are there. In order.
    there: SmallVec<[InRow; 1]>,
    /// What most keys have nothing of.
    rest: Option<Box<Rest>>,
    dirty: bool,
}

#[derive(Debug, Default)]
struct Rest {
    /// Of a row that has not been read: those that surely are not there, and whose removal is to be written. In order.
    gone: Vec<Timer>,
    /// Changes of those in records of their own, set or deleted, that are to be written.
    apart: BTreeMap<Timer, bool>,
}

/// A timer in the row.
#[derive(Clone, Copy, Debug)]
struct InRow {
    kind: TimerKind,
    /// A commit is to write it.
    fresh: bool,
    /// The backend may have it.
    stored: bool,
    time_ms: i64,
}

impl InRow {
    fn timer(&self) -> Timer {
        Timer { kind: self.kind, time_ms: self.time_ms }
    }
}

/// What has become of a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Became {
    /// It was as it should be already.
    Same,
    /// It is set, and may have been before.
    Set,
    /// It is deleted, if it was there; a `fresh` one was set since the last commit, and was not there before.
    Deleted { fresh: bool },
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
    fn find(&self, timer: Timer) -> Result<usize, usize> {
        self.there.binary_search_by_key(&timer, InRow::timer)
    }

    /// Sets a timer, unless it is there.
    pub(crate) fn set(&mut self, timer: Timer, rule: Rule) -> Became {
        let Err(place) = self.find(timer) else { return Became::Same };
        if !rule.in_row || self.there.len() >= IN_ROW {
            self.rest.get_or_insert_default().apart.insert(timer, true);
            return Became::Set;
        }
        self.there.insert(place, InRow { kind: timer.kind, fresh: true, stored: !rule.known, time_ms: timer.time_ms });
        if let Some(rest) = &mut self.rest
            && let Ok(place) = rest.gone.binary_search(&timer)
        {
            rest.gone.remove(place);
        }
        self.dirty = true;
        Became::Set
    }

    /// Deletes a timer, if it is there.
    pub(crate) fn delete(&mut self, timer: Timer, rule: Rule) -> Became {
        let apart = rule.apart || self.rest.as_ref().is_some_and(|rest| rest.apart.contains_key(&timer));
        if apart {
            self.rest.get_or_insert_default().apart.insert(timer, false);
        }
        let found = self.find(timer).ok().map(|place| self.there.remove(place));
        self.dirty |= found.is_some();
        if rule.in_row && !rule.known {
            let gone = &mut self.rest.get_or_insert_default().gone;
            if let Err(place) = gone.binary_search(&timer) {
                gone.insert(place, timer);
                self.dirty = true;
            }
        }
        match found {
            _ if apart => Became::Deleted { fresh: false },
            Some(found) => Became::Deleted { fresh: !found.stored },
            // Also where the row says that there was none: one that fires must be gone in the order of time, whatever a row says.
            None => Became::Deleted { fresh: false },
        }
    }

    /// Takes in what is stored in the row, `None` if nothing is; changes nothing if it fails.
    pub(crate) fn learn(&mut self, stored: Option<&[u8]>) -> Result<(), StateError> {
        for timer in stored.map(read).transpose()?.unwrap_or_default() {
            let read = InRow { kind: timer.kind, fresh: false, stored: true, time_ms: timer.time_ms };
            match (self.find(timer), self.gone().binary_search(&timer)) {
                // One that was deleted and set again since the last commit is to be written all the same.
                (Ok(place), _) => self.there.get_mut(place).into_iter().for_each(|known| known.stored = true),
                (Err(place), Err(_)) => self.there.insert(place, read),
                (Err(_), Ok(_)) => {}
            }
        }
        if let Some(rest) = &mut self.rest {
            rest.gone.clear();
        }
        Ok(())
    }

    fn gone(&self) -> &[Timer] {
        self.rest.as_ref().map_or(&[], |rest| &rest.gone)
    }

    /// `stored` timers of the row, as they are by now.
    fn with(&self, stored: Vec<Timer>) -> impl Iterator<Item = Timer> {
        let left = stored.into_iter().filter(|timer| self.gone().binary_search(timer).is_err());
        left.chain(self.there.iter().map(InRow::timer))
    }

    /// All of those in the row, of which `stored` is what was read, if anything was.
    pub(crate) fn in_row(&self, stored: Option<&[u8]>) -> Result<Vec<Timer>, StateError> {
        Ok(self.with(stored.map(read).transpose()?.unwrap_or_default()).collect())
    }

    /// Those in records of their own that are to be written: whether each is to be there.
    pub(crate) fn apart(&self) -> impl Iterator<Item = (Timer, bool)> {
        self.rest.iter().flat_map(|rest| &rest.apart).map(|(timer, there)| (*timer, *there))
    }

    /// Whether it knows of no timer in the row.
    pub(crate) fn is_empty(&self) -> bool {
        self.there.is_empty()
    }

    /// Whether no commit has written the first.
    pub(crate) fn is_fresh(&self) -> bool {
        self.there.first().is_some_and(|first| first.fresh)
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
        to.put_timers(self.there.iter().map(InRow::timer), false);
        if changes_only {
            to.put_timers(self.gone().iter().copied(), true);
        }
    }

    /// Those that no commit has written.
    pub(crate) fn fresh(&self) -> impl Iterator<Item = Timer> {
        let in_row = self.there.iter().filter(|known| known.fresh).map(InRow::timer);
        in_row.chain(self.apart().filter(|(_, there)| *there).map(|(timer, _)| timer))
    }

    /// What was to be written is.
    pub(crate) fn committed(&mut self) {
        self.rest = None;
        if self.there.is_empty() {
            self.there = SmallVec::new();
        }
        self.there.iter_mut().for_each(|known| (known.fresh, known.stored) = (false, true));
        self.dirty = false;
    }

    /// Memory that it takes outside itself, in bytes, roughly.
    pub(crate) fn weight(&self) -> usize {
        let in_row = if self.there.spilled() { self.there.capacity() } else { 0 };
        // Entries of a tree, and a share of its nodes.
        let rest = self.rest.as_ref().map_or(0, |rest| rest.gone.capacity() + 2 * rest.apart.len() + 4);
        (in_row + rest) * size_of::<Timer>()
    }
}

/// The suffix of a timer in a record of its own, and its value: an entry of a map.
pub(crate) fn record(timer: Timer) -> Result<(Vec<u8>, Vec<u8>), StateError> {
    let (mut suffix, mut value) = (Vec::new(), Vec::new());
    encode_key(&timer, Codec::Postcard, &mut suffix)?;
    let how = How { codec: Codec::Postcard, stamp: None, era: 0, version: FIRST_VERSION };
    record::write(&(), how, &mut value)?;
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
    use std::collections::BTreeSet;

    fn at(time_ms: i64) -> Timer {
        Timer { kind: TimerKind::Event, time_ms }
    }

    fn bytes(times: &[i64]) -> Vec<u8> {
        let mut out = Vec::new();
        timers::write(times.iter().copied().map(at), &mut out);
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
        let fresh: Vec<_> = of_key.fresh().map(|timer| timer.time_ms).collect();
        assert_eq!(fresh, [1, 7, 9], "what was deleted may be gone in the order of time");
        assert!(of_key.changes_row(), "and is still to be written");
        let known = Rule { known: true, ..rule };
        assert_eq!(of_key.delete(at(1), known), Became::Deleted { fresh: false });
        of_key.set(at(8), known);
        assert_eq!(of_key.delete(at(8), known), Became::Deleted { fresh: true });
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
        assert!((0..40).all(|time| of_key.set(at(time), rule) == Became::Set));
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
