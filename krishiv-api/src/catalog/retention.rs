//! What of an operator's records has ended for good, so that the backend may drop it.

use crate::backend::{Retention, TtlTime};
use crate::catalog::clocks::{Processing, UNKNOWN};
use crate::catalog::expiry::{Expiry, FirstWatermark, Now};
use crate::codec::keys::{STAMPED, parse};
use crate::codec::record;
use crate::codec::row::{Place, values};
use crate::lock::lock;
use crate::time::{Clock, TtlClock};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// What of the records of one operator may be dropped.
pub(super) struct OperatorRetention {
    operator: u16,
    state: Mutex<RetentionState>,
}

#[derive(Default)]
pub(super) struct RetentionState {
    /// The states in use.
    pub(super) states: HashMap<u16, Arc<Expiry>>,
    /// The same as the last commit has them: a TTL that was switched since may yet be undone by a crash.
    pub(super) committed: Arc<HashMap<u16, Expiry>>,
    /// The states that were given up, as the last commit has them.
    pub(super) dropped: Arc<BTreeSet<u16>>,
    /// What state goes by as of the last commits: a crash goes back there, and must find what had not expired by then.
    pub(super) event_clock: Option<i64>,
    pub(super) committed_clocks: Vec<CommittedClock>,
    /// The processing times of the stores that are open.
    pub(super) open: Vec<Weak<Processing>>,
    pub(super) first_watermark: Option<FirstWatermark>,
    /// Whether a store has a watermark, committed or not.
    pub(super) has_watermark: bool,
    pub(super) clock: Option<Arc<dyn Clock>>,
    /// The time of a backend that brings a TTL of its own.
    pub(super) backend: Option<Arc<TtlTime>>,
}

impl Now for RetentionState {
    fn now(&self, clock: TtlClock) -> Option<i64> {
        match clock {
            TtlClock::Event => self.event_clock,
            TtlClock::Processing => self.processing_time(),
        }
    }

    fn first_watermark(&self) -> Option<FirstWatermark> {
        self.first_watermark
    }

    fn has_watermark(&self) -> bool {
        self.has_watermark
            || self.event_clock.is_some()
            || self.backend.as_ref().is_some_and(|backend| backend.watermark().is_some())
    }
}

/// How far processing time may go for what a commit has written.
#[derive(Clone, Copy)]
pub(crate) struct CommittedClock {
    /// How far it had come.
    pub(super) reached: Option<i64>,
    /// The processing timer that was next; [`UNKNOWN`] or [`NO_TIMER`](super::clocks::NO_TIMER).
    pub(super) next_timer: i64,
}

impl CommittedClock {
    /// The time that a store which is opened there judges by, when the clock shows `shown` and it has fired no timer yet.
    pub(super) fn at(self, shown: i64) -> Option<i64> {
        match self.next_timer {
            UNKNOWN => self.reached,
            next => self.reached.max(Some(shown.min(next))),
        }
    }
}

impl RetentionState {
    /// The greatest time by which an open store has judged.
    pub(super) fn reached(&self) -> Option<i64> {
        self.open.iter().filter_map(Weak::upgrade).filter_map(|open| open.reached()).max()
    }

    /// The time by which no store, and none that is opened after a crash, can still ask for what has ended.
    fn processing_time(&self) -> Option<i64> {
        let shown = self.clock.as_ref()?.now_ms();
        let open: Vec<_> = self.open.iter().filter_map(Weak::upgrade).collect();
        let committed = self.committed_clocks.iter().map(|committed| committed.at(shown));
        let now = committed.chain(open.iter().map(|open| Some(open.now()))).min().flatten()?;
        // What is dropped by this time must be gone by it in memory too, whatever the clock shows then.
        open.iter().for_each(|open| open.reach(now));
        Some(now)
    }
}

impl RetentionState {
    /// Whether there is anything that can end.
    fn can_expire(&self) -> bool {
        !self.dropped.is_empty()
            || self.committed.iter().any(|(slot, life)| life.can_expire() && self.states.contains_key(slot))
    }

    /// Whether a record of a slot has ended for good.
    fn has_ended(&self, disk_slot: u16, record: &[u8]) -> bool {
        let slot = disk_slot & !STAMPED;
        if self.dropped.contains(&slot) {
            return true;
        }
        let (Some(expiry), Some(committed)) = (self.states.get(&slot), self.committed.get(&slot)) else { return false };
        if !expiry.can_expire() {
            return false;
        }
        // What does not read is kept: the reader must see the damage.
        let Ok(head) = record::head(record, disk_slot & STAMPED != 0) else { return false };
        let has_ended = |expiry: &Expiry| expiry.is_expired(expiry.settle(head.era, head.stamp), self);
        has_ended(expiry) && has_ended(committed)
    }
}

impl OperatorRetention {
    pub(super) fn new(operator: u16) -> Self {
        Self { operator, state: Mutex::new(RetentionState::default()) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, RetentionState> {
        lock(&self.state)
    }
}

/// The rule as the backend holds it: over with the last store of the operator, since the next one may have
/// other TTLs.
pub(super) struct WhileOpen(pub(super) Weak<OperatorRetention>);

impl Retention for WhileOpen {
    fn is_expired(&self, key: &[u8], value: &[u8]) -> bool {
        self.0.upgrade().is_some_and(|rule| rule.is_expired(key, value))
    }

    fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }

    fn is_idle(&self) -> bool {
        self.0.upgrade().is_none_or(|rule| !rule.state().can_expire())
    }
}

/// What remains of a record once what has ended is gone.
pub(crate) enum Remains {
    /// All of it.
    All,
    /// These bytes, of a row of which so many values have ended.
    Less(Vec<u8>, u64),
    /// Nothing, of so many values; of a list all elements of a record are one.
    Nothing(u64),
}

impl OperatorRetention {
    fn is_expired(&self, key: &[u8], value: &[u8]) -> bool {
        let Some(parts) = parse(key) else { return false };
        if parts.operator != self.operator {
            return false;
        }
        let now = self.state();
        if !parts.is_row() {
            return now.has_ended(parts.slot, value);
        }
        // A row that is damaged is kept, as a record is.
        let has_ended = |(place, at): (Place, _)| value.get(at).is_some_and(|record| now.has_ended(place.slot, record));
        values(value).all(|value| value.is_ok_and(has_ended))
    }

    /// What remains of a record.
    pub(super) fn remains(&self, key: &[u8], value: &[u8]) -> Remains {
        let is_row = parse(key).is_some_and(|parts| parts.operator == self.operator && parts.is_row());
        if self.is_expired(key, value) {
            return Remains::Nothing(if is_row { values(value).flatten().filter(is_here).count() as u64 } else { 1 });
        }
        if is_row { self.remains_of_row(value).unwrap_or(Remains::All) } else { Remains::All }
    }

    /// What remains of the record of a row, of which something does; none of one that is damaged.
    fn remains_of_row(&self, row: &[u8]) -> Option<Remains> {
        let now = self.state();
        let (mut left, mut ended, mut start) = (Vec::new(), 0, 0);
        for value in values(row) {
            let value = value.ok()?;
            let (place, at) = &value;
            if now.has_ended(place.slot, row.get(at.clone())?) {
                ended += u64::from(is_here(&value));
            } else {
                // With the tag and the length in front of it.
                left.extend_from_slice(row.get(start..at.end)?);
            }
            start = at.end;
        }
        (left.len() < row.len()).then_some(Remains::Less(left, ended))
    }
}

/// Whether a value of a row is in its record; one that lies apart counts there.
fn is_here((place, _): &(Place, Range<usize>)) -> bool {
    !place.apart
}
