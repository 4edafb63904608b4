//! The timers of one kind, in the order in which they are due.

use super::due::{Due, WEIGHT};
use super::near::Near;
use crate::backend::{AnyBackend, WriteBatch};
use crate::catalog::clocks::{NO_TIMER, UNKNOWN};
use crate::codec::keys::{EncodedKey, key_group};
use crate::codec::timer_key::{push_timer, take_timer, timers_prefix};
use crate::error::StateError;
use crate::time::TimerKind;
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::ops::Range;

/// Most timers of a key group that are read together: what is due next is mostly followed by more.
const CHUNK: usize = 256;

/// Timers that stay in memory whatever the budget says.
const KEEP: usize = 1_024;

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
    near: Near,
    rest: Rest,
    /// What clean timers may take, in bytes.
    budget: usize,
    /// Those that are deleted and that the backend may have, until a commit has removed them; some may be there twice.
    removed: Vec<Due>,
    /// Those of them that would be read again.
    hidden: HashSet<Due, RandomState>,
    /// Of what no commit has written, in bytes.
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
            near: Near::default(),
            rest,
            budget,
            removed: Vec::new(),
            hidden: HashSet::default(),
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
        self.near.weight() + (self.removed.len() + self.hidden.len()) * WEIGHT
    }

    /// The same of what no commit has written.
    pub(super) fn dirty_weight(&self) -> usize {
        self.dirty_weight
    }

    /// Adds a timer; its row is to write it.
    pub(super) fn insert(&mut self, due: Due) {
        self.dirty_weight += due.weight();
        self.near.insert(due);
    }

    /// Removes a timer; a `fresh` one was set since the last commit, and was not there before.
    pub(super) fn remove(&mut self, due: Due, fresh: bool) {
        let weight = due.weight();
        if fresh && !self.tried {
            self.dirty_weight = self.dirty_weight.saturating_sub(weight);
        } else {
            self.dirty_weight += weight;
            self.removed.push(due.clone());
            if !self.covers(&due) {
                self.hidden.insert(due.clone());
            }
        }
        self.near.remove(due);
    }

    /// The timer that is next, as far as [`load_due`](Self::load_due) has looked.
    #[inline]
    pub(in crate::keyed) fn first(&self) -> Option<&Due> {
        self.near.first()
    }

    /// Some of those that are due next, in order, if others than when this was last asked.
    pub(in crate::keyed) fn advanced(&mut self) -> Option<&VecDeque<Due>> {
        self.near.advanced()
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
        first.time == i64::MIN || self.hidden.contains(first)
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
            if self.hidden.contains(&due) {
                continue;
            }
            if read.len() == chunk || (read.is_empty() && due.time > now) {
                next = Some(due);
                break;
            }
            read.push(due);
        }
        read.into_iter().for_each(|due| self.near.insert(due));
        self.rest.set(group, next);
        Ok(())
    }

    /// Adds the removals that no commit has written to `batch`, before the rows add what is there; can be repeated until
    /// [`committed`](Self::committed).
    pub(super) fn flush(&mut self, batch: &mut WriteBatch) {
        self.tried = true;
        for due in &self.removed {
            batch.delete(&self.place.record(due));
        }
    }

    /// What there was to write is durable; what goes past the budget and is due last leaves the memory.
    pub(super) fn committed(&mut self) {
        self.tried = false;
        self.dirty_weight = 0;
        self.removed.clear();
        self.removed.shrink_to(KEEP);
        self.hidden.clear();
        self.hidden.shrink_to(KEEP);
        for due in self.near.shrink(self.budget, KEEP) {
            let group = self.place.group(&due);
            if self.rest.of(group).is_none_or(|known| due < *known) {
                self.rest.set(group, Some(due));
            }
        }
    }

    /// Whether memory has this timer, if there is one.
    fn covers(&self, due: &Due) -> bool {
        self.rest.is_empty() || self.rest.of(self.place.group(due)).is_none_or(|rest| due < rest)
    }

    /// All timers, in the order in which they are due.
    pub(in crate::keyed) fn all(&self, backend: &dyn AnyBackend) -> Result<Vec<Due>, StateError> {
        let mut all: BTreeSet<Due> = self.near.iter().cloned().collect();
        for (rest, group) in self.rest.iter() {
            for due in self.place.stored(group, rest, backend) {
                let due = due?;
                if !self.hidden.contains(&due) {
                    all.insert(due);
                }
            }
        }
        Ok(all.into_iter().collect())
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
