//! The timers of one kind, in the order in which they are due.

use crate::backend::{AnyBackend, WriteBatch};
use crate::catalog::clocks::{NO_TIMER, UNKNOWN};
use crate::codec::keys::{EncodedKey, key_group};
use crate::codec::timer_key::{push_timer, take_timer, timers_prefix};
use crate::error::StateError;
use crate::time::TimerKind;
use foldhash::fast::RandomState;
use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

/// Most timers of a key group that are read together: what is due next is mostly followed by more.
const CHUNK: usize = 256;

/// Timers that stay in memory whatever the budget says.
const KEEP: usize = 1_024;

/// Memory that a timer takes in a set, in bytes, roughly: itself, and a share of the set's nodes; its key comes on top.
const WEIGHT: usize = 64;

/// A timer of a key; they sort as they are due, ties by the encoded key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Due {
    pub(crate) time: i64,
    pub(crate) key: EncodedKey,
}

impl Due {
    /// Memory that it takes in a set, in bytes, roughly.
    fn weight(&self) -> usize {
        WEIGHT + if self.key.spilled() { self.key.len() } else { 0 }
    }
}

/// How a timer came into memory.
#[derive(Clone, Copy)]
struct Origin {
    /// The commit that writes it, by number; 0 if it was read.
    commit: u64,
    /// The backend surely did not have it, so that nothing is left to write if it goes again before that commit.
    unknown_below: bool,
}

impl Origin {
    const BACKEND: Self = Self { commit: 0, unknown_below: false };
}

/// Where the timers of a kind lie.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) kind: TimerKind,
    pub(super) operator: u16,
    pub(super) range: Range<u16>,
    pub(super) max_parallelism: u16,
}

impl Place {
    fn group(&self, due: &Due) -> u16 {
        key_group(&due.key, self.max_parallelism)
    }

    /// Where a timer of `group` lies.
    fn record_in(&self, group: u16, due: &Due) -> Vec<u8> {
        let mut key = timers_prefix(self.operator, group, self.kind);
        push_timer(due.time, &due.key, &mut key);
        key
    }

    fn record(&self, due: &Due) -> Vec<u8> {
        self.record_in(self.group(due), due)
    }

    /// The timers of `group` that the backend has, from `from` on.
    fn stored<'a>(
        &self,
        group: u16,
        from: &Due,
        backend: &'a dyn AnyBackend,
    ) -> impl Iterator<Item = Result<Due, StateError>> + use<'a> {
        let prefix = timers_prefix(self.operator, group, self.kind);
        backend.scan_from(&prefix, &self.record_in(group, from)).map(move |record| {
            let (key, _) = record?;
            let (time, key) = take_timer(key.get(prefix.len()..).unwrap_or_default())?;
            Ok(Due { time, key: EncodedKey::from_slice(key) })
        })
    }
}

/// The timers of one kind: those next in line in memory, the others in the backend.
///
/// Of each key group, everything before its `rest` is in memory, and what no commit has written is so in any case.
pub(in crate::keyed) struct Queue {
    place: Place,
    near: BTreeMap<Due, Origin>,
    rest: Rest,
    /// What clean timers may take, in bytes.
    budget: usize,
    near_weight: usize,
    /// The next commit, by number.
    commit: u64,
    /// What it has to write; some of what was added may be gone again.
    added: Vec<Due>,
    removed: HashSet<Due, RandomState>,
    dirty_weight: usize,
    /// A commit has been tried and has failed, and may have written all the same.
    tried: bool,
}

impl Queue {
    /// The queue of timers at `place`; `stored` says whether the backend may have any.
    pub(super) fn new(place: Place, stored: bool, budget: usize) -> Self {
        let rest = Rest::new(if stored { place.range.clone() } else { 0..0 });
        Self {
            place,
            near: BTreeMap::new(),
            rest,
            budget,
            near_weight: 0,
            commit: 1,
            added: Vec::new(),
            removed: HashSet::default(),
            dirty_weight: 0,
            tried: false,
        }
    }

    /// Whether there is surely none.
    pub(in crate::keyed) fn is_empty(&self) -> bool {
        self.near.is_empty() && self.rest.is_empty()
    }

    /// Memory in bytes, roughly.
    pub(super) fn weight(&self) -> usize {
        self.near_weight + self.dirty_weight
    }

    /// The same of what the next commit has to write, and what that keeps in memory.
    pub(super) fn dirty_weight(&self) -> usize {
        2 * self.dirty_weight
    }

    /// Adds a timer, unless it is there.
    pub(super) fn insert(&mut self, due: Due) {
        let covered = self.covers(&due);
        let weight = due.weight();
        let Entry::Vacant(place) = self.near.entry(due) else { return };
        let removed = self.removed.remove(place.key());
        self.dirty_weight -= if removed { weight } else { 0 };
        self.added.push(place.key().clone());
        self.dirty_weight += weight;
        place.insert(Origin { commit: self.commit, unknown_below: covered && !removed });
        self.near_weight += weight;
    }

    /// Removes a timer, if it is there.
    pub(super) fn remove(&mut self, due: Due) {
        let weight = due.weight();
        let origin = self.near.remove(&due);
        self.near_weight -= if origin.is_some() { weight } else { 0 };
        let may_be_stored = match origin {
            Some(origin) => origin.commit != self.commit || !origin.unknown_below || self.tried,
            None => !self.covers(&due),
        };
        if may_be_stored && self.removed.insert(due) {
            self.dirty_weight += weight;
        }
    }

    /// The timer that is next, as far as [`load_due`](Self::load_due) has looked.
    #[inline]
    pub(in crate::keyed) fn first(&self) -> Option<&Due> {
        self.near.first_key_value().map(|(due, _)| due)
    }

    /// Makes sure that the timer that is next is in memory, if it is due at `now`; before there is any time, none is.
    #[inline]
    pub(in crate::keyed) fn load_due(&mut self, now: i64, backend: &dyn AnyBackend) -> Result<(), StateError> {
        while let Some((due, group)) = self.rest.first() {
            if due.time > now || self.first().is_some_and(|near| near < due) {
                break;
            }
            self.load(group, now, backend)?;
        }
        Ok(())
    }

    /// The time of the timer that is next, as it will be when the next commit has written; [`UNKNOWN`] where the backend may have
    /// an earlier one than memory, and [`NO_TIMER`] where there is none.
    pub(super) fn next_time(&self) -> i64 {
        match (self.first(), self.rest.first()) {
            (Some(near), Some((rest, _))) if near <= rest => near.time,
            (_, Some((rest, _))) => {
                if self.is_vague(rest) {
                    UNKNOWN
                } else {
                    rest.time
                }
            }
            (Some(near), None) => near.time,
            (None, None) => NO_TIMER,
        }
    }

    /// Whether a rest that begins with `first` may as well begin later: nobody has looked, or that timer is deleted.
    fn is_vague(&self, first: &Due) -> bool {
        first.time == i64::MIN || self.removed.contains(first)
    }

    /// Makes sure that [`next_time`](Self::next_time) is known.
    pub(super) fn find_next(&mut self, backend: &dyn AnyBackend) -> Result<(), StateError> {
        while let Some((due, group)) = self.rest.first() {
            if self.first().is_some_and(|near| near <= due) || !self.is_vague(due) {
                break;
            }
            self.load(group, i64::MIN, backend)?;
        }
        Ok(())
    }

    /// Reads the next timers of `group`, if one of them is due at `now`; or else finds out when it will be.
    fn load(&mut self, group: u16, now: i64, backend: &dyn AnyBackend) -> Result<(), StateError> {
        let Some(rest) = self.rest.of(group) else { return Ok(()) };
        // All groups together read no more than the next commit leaves in memory.
        let room = self.budget.max(KEEP * WEIGHT) / WEIGHT;
        let chunk = (room / self.place.range.len().max(1)).clamp(1, CHUNK);
        let mut read = Vec::new();
        let mut next = None;
        for due in self.place.stored(group, rest, backend) {
            let due = due?;
            if self.removed.contains(&due) {
                continue;
            }
            if read.len() == chunk || (read.is_empty() && due.time > now) {
                next = Some(due);
                break;
            }
            read.push(due);
        }
        for due in read {
            let weight = due.weight();
            if let Entry::Vacant(place) = self.near.entry(due) {
                place.insert(Origin::BACKEND);
                self.near_weight += weight;
            }
        }
        self.rest.set(group, next);
        Ok(())
    }

    /// Adds what no commit has written to `batch`; can be repeated until [`committed`](Self::committed).
    pub(super) fn flush(&mut self, batch: &mut WriteBatch) {
        self.tried = true;
        for due in self.added.iter().filter(|due| self.near.contains_key(due)) {
            batch.put(&self.place.record(due), &[]);
        }
        for due in &self.removed {
            batch.delete(&self.place.record(due));
        }
    }

    /// What there was to write is durable; what goes past the budget and is due last leaves the memory.
    pub(super) fn committed(&mut self) {
        self.commit += 1;
        self.tried = false;
        self.dirty_weight = 0;
        self.added.clear();
        self.added.shrink_to(KEEP);
        self.removed.clear();
        self.removed.shrink_to(KEEP);
        let mut rest = BTreeMap::new();
        while self.near_weight > self.budget && self.near.len() > KEEP {
            let Some((last, _)) = self.near.pop_last() else { break };
            self.near_weight -= last.weight();
            // They come in descending order: the last one that a group gives is the first of its rest.
            rest.insert(self.place.group(&last), last);
        }
        for (group, first) in rest {
            if self.rest.of(group).is_none_or(|known| first < *known) {
                self.rest.set(group, Some(first));
            }
        }
    }

    /// All timers, in the order in which they are due.
    pub(in crate::keyed) fn all(&self, backend: &dyn AnyBackend) -> Result<Vec<Due>, StateError> {
        let mut all: BTreeSet<Due> = self.near.keys().cloned().collect();
        for (rest, group) in self.rest.iter() {
            for due in self.place.stored(group, rest, backend) {
                let due = due?;
                if !self.removed.contains(&due) {
                    all.insert(due);
                }
            }
        }
        Ok(all.into_iter().collect())
    }

    /// Whether memory tells the truth about this timer.
    fn covers(&self, due: &Due) -> bool {
        self.rest.is_empty() || self.rest.of(self.place.group(due)).is_none_or(|rest| due < rest)
    }
}

/// Of each key group, from which timer on the backend may have some that are not in memory.
struct Rest {
    groups: BTreeMap<u16, Due>,
    in_order: BTreeSet<(Due, u16)>,
}

impl Rest {
    /// Nothing is known of these groups.
    fn new(unknown: Range<u16>) -> Self {
        let mut rest = Self { groups: BTreeMap::new(), in_order: BTreeSet::new() };
        unknown.for_each(|group| rest.set(group, Some(Due { time: i64::MIN, key: EncodedKey::new() })));
        rest
    }

    fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    fn of(&self, group: u16) -> Option<&Due> {
        self.groups.get(&group)
    }

    fn set(&mut self, group: u16, first: Option<Due>) {
        let old = match &first {
            Some(first) => self.groups.insert(group, first.clone()),
            None => self.groups.remove(&group),
        };
        if let Some(old) = old {
            self.in_order.remove(&(old, group));
        }
        if let Some(first) = first {
            self.in_order.insert((first, group));
        }
    }

    /// The group whose rest begins first.
    fn first(&self) -> Option<(&Due, u16)> {
        self.in_order.first().map(|(due, group)| (due, *group))
    }

    fn iter(&self) -> impl Iterator<Item = (&Due, u16)> {
        self.in_order.iter().map(|(due, group)| (due, *group))
    }
}
