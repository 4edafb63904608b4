//! Changes of a row, put together with what is stored of it.

use super::{Parts, Place, TIMERS, take_value, timers};
use crate::time::Timer;

/// What a row comes to be when `changes` of it are merged into what is stored.
///
/// For [`StateBackend`](crate::StateBackend)s that take [`Op::Merge`](crate::Op): the changes can be merged one by one as they come.
/// What is damaged stays so, for whoever reads the row.
///
/// ```
/// use krishiv_api::merged;
/// let (row, changes) = ([4, 2, 8, 1], [4, 2, 8, 7, 8, 1, 8]);
/// assert_eq!(merged(Some(&row), &changes), changes);
/// ```
pub fn merged(stored: Option<&[u8]>, changes: &[u8]) -> Vec<u8> {
    put_together(stored.unwrap_or_default(), changes, true)
}

/// The changes that `first` and then `next` are together.
#[cfg(feature = "rocksdb")]
pub(crate) fn join(first: &[u8], next: &[u8]) -> Vec<u8> {
    put_together(first, next, false)
}

/// What is in `old` and not in `new`, by their states, and what is in `new`, of a `whole` row without its removals.
fn put_together(old: &[u8], new: &[u8], whole: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(old.len() + new.len());
    let (mut old, mut new) = (Raws::of(old), Raws::of(new));
    merge_timers(&mut old, &mut new, whole, &mut out);
    while let Some(next) = &new.next {
        while let Some(before) = &old.next
            && before.place.id() < next.place.id()
        {
            out.extend_from_slice(before.bytes);
            old.advance();
        }
        while old.next.as_ref().is_some_and(|same| same.place.id() == next.place.id()) {
            old.advance();
        }
        if !whole || !next.is_removal() {
            out.extend_from_slice(next.bytes);
        }
        new.advance();
    }
    while let Some(before) = &old.next {
        out.extend_from_slice(before.bytes);
        old.advance();
    }
    // Nothing, or what is damaged.
    out.extend_from_slice(old.rest);
    out.extend_from_slice(new.rest);
    out
}

/// The same for timers, which stand in front. Where some are damaged all stay as they are, one behind the other.
fn merge_timers(old: &mut Raws<'_>, new: &mut Raws<'_>, whole: bool, out: &mut Vec<u8>) {
    if !new.is_at_timers() {
        return;
    }
    let parts = [old.take_timers(), new.take_timers()];
    let [Some(before), Some(after)] = parts.each_ref().map(|parts| Timers::read(parts)) else {
        return parts.iter().flatten().for_each(|part| out.extend_from_slice(part.bytes));
    };
    push_timers(&union(without(before.there, &after.gone), &after.there), false, out);
    if !whole {
        push_timers(&union(without(before.gone, &after.there), &after.gone), true, out);
    }
}

/// Timers of a row or of changes, each in order.
struct Timers {
    there: Vec<Timer>,
    gone: Vec<Timer>,
}

impl Timers {
    fn read(parts: &[Raw<'_>]) -> Option<Self> {
        let mut all = Self { there: Vec::new(), gone: Vec::new() };
        for part in parts {
            let list = if part.place.apart { &mut all.gone } else { &mut all.there };
            *list = timers::read(part.record())?;
        }
        Some(all)
    }
}

fn union(mut some: Vec<Timer>, others: &[Timer]) -> Vec<Timer> {
    some.extend(others);
    some.sort_unstable();
    some.dedup();
    some
}

fn without(mut some: Vec<Timer>, others: &[Timer]) -> Vec<Timer> {
    some.retain(|timer| others.binary_search(timer).is_err());
    some
}

fn push_timers(timers: &[Timer], gone: bool, out: &mut Vec<u8>) {
    let mut part = Parts::default();
    part.put_timers(timers.iter().copied(), gone);
    part.write(out);
}

/// A value as it lies in a record.
struct Raw<'a> {
    place: Place,
    length: usize,
    /// All of it, with what stands in front.
    bytes: &'a [u8],
}

impl Raw<'_> {
    /// What stands behind its length.
    fn record(&self) -> &[u8] {
        self.bytes.get(self.bytes.len() - self.length..).unwrap_or_default()
    }

    fn is_removal(&self) -> bool {
        self.place.apart && self.length == 0
    }
}

/// The values of a record one by one, as far as they are whole and in order.
struct Raws<'a> {
    next: Option<Raw<'a>>,
    /// What comes behind it.
    rest: &'a [u8],
    /// The place of the last one.
    last: Option<Place>,
}

impl<'a> Raws<'a> {
    fn of(record: &'a [u8]) -> Self {
        let mut raws = Self { next: None, rest: record, last: None };
        raws.advance();
        raws
    }

    fn is_at_timers(&self) -> bool {
        self.next.as_ref().is_some_and(|next| next.place.id() == TIMERS)
    }

    fn take_timers(&mut self) -> Vec<Raw<'a>> {
        let mut parts = Vec::new();
        while self.is_at_timers() {
            parts.extend(self.next.take());
            self.advance();
        }
        parts
    }

    fn advance(&mut self) {
        self.next = None;
        let last = self.last.map(Place::order);
        let Some((place, length, behind)) = take_value(self.rest).filter(|(place, ..)| last < Some(place.order()))
        else {
            return;
        };
        let bytes = self.rest.get(..self.rest.len() - behind.len()).unwrap_or_default();
        self.next = Some(Raw { place, length, bytes });
        (self.rest, self.last) = (behind, Some(place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::keys::STAMPED;
    use crate::time::TimerKind;

    fn written(parts: &Parts) -> Vec<u8> {
        let mut out = Vec::new();
        parts.write(&mut out);
        out
    }

    /// Bytes of a record with these values, a byte each, or their removals.
    fn with(values: &[(u16, Option<u8>)]) -> Vec<u8> {
        let mut parts = Parts::default();
        for (slot, value) in values {
            match value {
                Some(value) => parts.keep(Place::inside(*slot), &[8, *value]),
                None => parts.remove(*slot),
            }
        }
        parts.sort();
        written(&parts)
    }

    #[test]
    fn changes_take_the_place_of_what_is_stored() {
        const TWO: u16 = STAMPED | 2;
        let row = with(&[(1, Some(1)), (2, Some(2)), (5, Some(5))]);
        let changes = with(&[(TWO, Some(7)), (3, Some(8)), (9, Some(9))]);
        let expected = with(&[(1, Some(1)), (TWO, Some(7)), (3, Some(8)), (5, Some(5)), (9, Some(9))]);
        assert_eq!(merged(Some(&row), &changes), expected);
        assert_eq!(merged(Some(&row), &with(&[(1, None), (2, None), (4, None)])), with(&[(5, Some(5))]));
        assert_eq!(merged(None, &with(&[(1, None), (3, Some(8))])), with(&[(3, Some(8))]));
        assert_eq!(merged(Some(&row), &[]), row);
        // Of a state whose form is in doubt there may be both.
        let both = with(&[(2, Some(2)), (TWO, Some(3))]);
        assert_eq!(merged(Some(&both), &with(&[(2, Some(4))])), with(&[(2, Some(4))]));
    }

    #[test]
    #[cfg(feature = "rocksdb")]
    fn changes_can_be_joined_before_they_are_merged() {
        // All rows and changes of two states, each as it is, set or removed.
        let all = |values: [u8; 2]| {
            let of = |slot, value| [None, Some((slot, Some(value))), Some((slot, None))];
            let [one, two] = values;
            let pairs = of(1, one).into_iter().flat_map(move |one| of(2, two).map(move |two| [one, two]));
            pairs.map(|pair| with(&pair.into_iter().flatten().collect::<Vec<_>>()))
        };
        for row in all([1, 2]).map(|row| merged(None, &row)) {
            for first in all([3, 4]) {
                for next in all([5, 6]) {
                    let one_by_one = merged(Some(&merged(Some(&row), &first)), &next);
                    assert_eq!(merged(Some(&row), &join(&first, &next)), one_by_one);
                }
            }
        }
    }

    #[test]
    fn what_is_damaged_stays_so_when_changes_are_merged() {
        let row = with(&[(2, Some(2)), (4, Some(4))]);
        let changes = with(&[(1, Some(1)), (3, Some(3)), (4, Some(4)), (6, Some(6))]);
        for end in 1..row.len() {
            let damaged = merged(row.get(..end), &changes);
            assert_eq!(Parts::read(&damaged).is_ok(), end == 4, "{end}");
        }
        for end in 1..changes.len() {
            let damaged = merged(Some(&row), changes.get(..end).unwrap());
            assert_eq!(Parts::read(&damaged).is_ok(), end % 4 == 0, "{end}");
        }
        let twice = [row.clone(), row].concat();
        assert!(Parts::read(&merged(Some(&twice), &changes)).is_err());
    }

    /// Event timers: those that are there, and those that are gone.
    fn timers_of(there: &[i64], gone: &[i64]) -> Vec<u8> {
        let at = |time_ms: &i64| Timer { kind: TimerKind::Event, time_ms: *time_ms };
        let mut parts = Parts::default();
        parts.put_timers(there.iter().map(at), false);
        parts.put_timers(gone.iter().map(at), true);
        written(&parts)
    }

    #[test]
    fn timers_are_merged_one_by_one() {
        let row = [timers_of(&[1, 5, 9], &[]), with(&[(2, Some(2))])].concat();
        let changes = [timers_of(&[4, 5], &[1, 7]), with(&[(3, Some(3))])].concat();
        let both = [timers_of(&[4, 5, 9], &[]), with(&[(2, Some(2)), (3, Some(3))])].concat();
        assert_eq!(merged(Some(&row), &changes), both);
        assert_eq!(merged(None, &timers_of(&[4], &[1])), timers_of(&[4], &[]));
        assert_eq!(merged(Some(&timers_of(&[1], &[])), &timers_of(&[], &[1])), b"");
        assert_eq!(merged(Some(&row), &with(&[(2, Some(2))])), row);
        #[cfg(feature = "rocksdb")]
        for first in [timers_of(&[1], &[2]), timers_of(&[], &[1, 2, 3]), timers_of(&[2, 3], &[])] {
            for next in [timers_of(&[1, 2], &[3]), timers_of(&[3], &[1, 2]), timers_of(&[], &[5, 9])] {
                let one_by_one = merged(Some(&merged(Some(&row), &first)), &next);
                assert_eq!(merged(Some(&row), &join(&first, &next)), one_by_one);
            }
        }
    }

    #[test]
    fn timers_that_are_damaged_stay_so() {
        let (row, changes) = (timers_of(&[1, 5], &[]), timers_of(&[2], &[5]));
        for at in 2..row.len() {
            let mut damaged = row.clone();
            if let Some(byte) = damaged.get_mut(at) {
                *byte = 0xff;
            }
            let reads = |record: &[u8]| {
                let parts = Parts::read(record).ok()?;
                timers::read(parts.get(TIMERS)?.1)
            };
            assert_eq!(reads(&merged(Some(&damaged), &changes)), None, "{at}");
        }
    }
}
