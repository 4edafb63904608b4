//! The timers of one kind, in the order in which they are due.

use crate::StateError;
use crate::backend::{AnyBackend, WriteBatch};
use crate::codec::keys::key_group;
use crate::codec::timer_key::{push_timer, take_timer, timers_prefix};
use crate::time::TimerKind;
use std::collections::hash_map::{Entry, HashMap};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Most timers of a key group that are read together: what is due next is mostly followed by more.
const CHUNK: usize = 256;

/// Timers that stay in memory whatever the budget says.
const KEEP: usize = 1_024;

/// A timer of a key; they sort as they are due, ties by the encoded key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Due {
    pub(crate) time: i64,
    pub(crate) key: Box<[u8]>,
}

impl Due {
    /// Memory that a timer takes in a set, in bytes, roughly: itself, a share of the set's nodes, and the key.
    fn weight(&self) -> usize {
        64 + self.key.len()
    }
}

/// What no commit has written yet of a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Added {
        /// The backend surely does not have it, so that nothing is left to write if it goes again.
        unknown_below: bool,
    },
    Removed,
}

/// Where the timers of a kind lie.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) kind: TimerKind,
    pub(super) operator: u16,
    pub(super) range: Range<u16>,
    pub(super) max_parallelism: u16,
}

/// The timers of one kind: those next in line in memory, the others in the backend.
///
/// Of each key group, everything before its `rest` is in memory, and what no commit has written is so in any case.
pub(super) struct Queue {
    place: Place,
    near: BTreeSet<Due>,
    changes: HashMap<Due, Change>,
    rest: Rest,
    near_weight: usize,
    changes_weight: usize,
}

impl Queue {
    /// The queue of timers at `place`; `stored` says whether the backend may have any.
    pub(super) fn new(place: Place, stored: bool) -> Self {
        let rest = Rest::new(if stored { place.range.clone() } else { 0..0 });
        Self { place, near: BTreeSet::new(), changes: HashMap::new(), rest, near_weight: 0, changes_weight: 0 }
    }

    /// Whether there is surely none.
    pub(super) fn is_empty(&self) -> bool {
        self.near.is_empty() && self.rest.is_empty()
    }

    /// Memory in bytes, roughly.
    pub(super) fn weight(&self) -> usize {
        self.near_weight + self.changes_weight
    }

    /// The same of what no commit has written.
    pub(super) fn dirty_weight(&self) -> usize {
        // A timer that was added is in both.
        2 * self.changes_weight
    }

    /// Adds a timer, unless it is there.
    pub(super) fn insert(&mut self, due: Due) {
        let covered = self.covers(&due);
        if self.near.contains(&due) {
            return;
        }
        let weight = due.weight();
        match self.changes.entry(due.clone()) {
            // It was removed, and may be in the backend.
            Entry::Occupied(mut removed) => {
                removed.insert(Change::Added { unknown_below: false });
            }
            Entry::Vacant(new) => {
                new.insert(Change::Added { unknown_below: covered });
                self.changes_weight += weight;
            }
        }
        self.near.insert(due);
        self.near_weight += weight;
    }

    /// Removes a timer, if it is there.
    pub(super) fn remove(&mut self, due: Due) {
        let covered = self.covers(&due);
        let weight = due.weight();
        let was_near = self.near.remove(&due);
        if was_near {
            self.near_weight -= weight;
        }
        match self.changes.entry(due) {
            Entry::Occupied(added) if *added.get() == (Change::Added { unknown_below: true }) => {
                added.remove();
                self.changes_weight -= weight;
            }
            Entry::Occupied(mut added) => {
                added.insert(Change::Removed);
            }
            Entry::Vacant(none) => {
                if was_near || !covered {
                    none.insert(Change::Removed);
                    self.changes_weight += weight;
                }
            }
        }
    }

    /// The timer that is next, if it is due at `now`; before there is any time, none is.
    pub(super) fn next(&mut self, now: i64, backend: &dyn AnyBackend) -> Result<Option<&Due>, StateError> {
        if now == i64::MIN {
            return Ok(None);
        }
        while let Some((due, group)) = self.rest.first() {
            if due.time > now || self.near.first().is_some_and(|near| near < due) {
                break;
            }
            self.load(group, now, backend)?;
        }
        Ok(self.near.first().filter(|near| near.time <= now))
    }

    /// Reads the next timers of `group`, if one of them is due at `now`; or else finds out when it will be.
    fn load(&mut self, group: u16, now: i64, backend: &dyn AnyBackend) -> Result<(), StateError> {
        let Some(rest) = self.rest.of(group) else { return Ok(()) };
        let prefix = timers_prefix(self.place.operator, group, self.place.kind);
        let mut from = prefix.clone();
        push_timer(rest.time, &rest.key, &mut from);
        let chunk = (CHUNK * 128 / self.place.range.len().max(1)).clamp(1, CHUNK);
        let mut read = Vec::new();
        let mut next = None;
        for record in backend.scan_from(&prefix, &from) {
            let (key, _) = record?;
            let (time, key) = take_timer(key.get(prefix.len()..).unwrap_or_default())?;
            let due = Due { time, key: key.into() };
            if read.len() == chunk || (read.is_empty() && time > now) {
                next = Some(due);
                break;
            }
            if self.changes.get(&due) != Some(&Change::Removed) {
                read.push(due);
            }
        }
        for due in read {
            let weight = due.weight();
            if self.near.insert(due) {
                self.near_weight += weight;
            }
        }
        self.rest.set(group, next);
        Ok(())
    }

    /// Adds what no commit has written to `batch`; can be repeated until [`committed`](Self::committed).
    pub(super) fn flush(&mut self, batch: &mut WriteBatch) {
        let Place { kind, operator, max_parallelism, .. } = self.place;
        for (due, change) in &mut self.changes {
            let mut key = timers_prefix(operator, key_group(&due.key, max_parallelism), kind);
            push_timer(due.time, &due.key, &mut key);
            match change {
                Change::Removed => batch.delete(&key),
                Change::Added { unknown_below } => {
                    // A write that fails may be there after all.
                    *unknown_below = false;
                    batch.put(&key, &[]);
                }
            }
        }
    }

    /// What there was to write is durable; what goes past `budget` bytes and is due last leaves the memory.
    pub(super) fn committed(&mut self, budget: usize) {
        self.changes.clear();
        self.changes_weight = 0;
        if self.changes.capacity() > KEEP {
            self.changes.shrink_to(KEEP);
        }
        let mut rest = BTreeMap::new();
        while self.near_weight > budget && self.near.len() > KEEP {
            let Some(last) = self.near.pop_last() else { break };
            self.near_weight -= last.weight();
            // They come in descending order: the last one that a group gives is the first of its rest.
            rest.insert(self.group(&last), last);
        }
        for (group, first) in rest {
            if self.rest.of(group).is_none_or(|known| first < *known) {
                self.rest.set(group, Some(first));
            }
        }
    }

    /// All timers, in the order in which they are due.
    pub(super) fn all(&self, backend: &dyn AnyBackend) -> Result<Vec<Due>, StateError> {
        let mut all = self.near.clone();
        for (due, group) in self.rest.iter() {
            let prefix = timers_prefix(self.place.operator, group, self.place.kind);
            let mut from = prefix.clone();
            push_timer(due.time, &due.key, &mut from);
            for record in backend.scan_from(&prefix, &from) {
                let (key, _) = record?;
                let (time, key) = take_timer(key.get(prefix.len()..).unwrap_or_default())?;
                let due = Due { time, key: key.into() };
                if self.changes.get(&due) != Some(&Change::Removed) {
                    all.insert(due);
                }
            }
        }
        Ok(all.into_iter().collect())
    }

    fn group(&self, due: &Due) -> u16 {
        key_group(&due.key, self.place.max_parallelism)
    }

    /// Whether memory tells the truth about this timer.
    fn covers(&self, due: &Due) -> bool {
        self.rest.is_empty() || self.rest.of(self.group(due)).is_none_or(|rest| due < rest)
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
        unknown.for_each(|group| rest.set(group, Some(Due { time: i64::MIN, key: [].into() })));
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
