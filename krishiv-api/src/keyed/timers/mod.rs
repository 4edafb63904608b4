//! Timers: those of a key in its row, and all in the order in which they are due in a queue of the store.
//!
//! An event only says what it asks for; when it has succeeded, row and queue take it in. Both are written by the same commit.

mod asked;
mod due;
mod near;
mod queue;

use crate::backend::{AnyBackend, WriteBatch};
use crate::catalog::clocks::StoreTime;
use crate::codec::keys::EncodedKey;
use crate::error::StateError;
use crate::scope::timers::Became;
use crate::time::{Timer, TimerKind};
use queue::{Place, Queue};
use std::ops::Range;

pub(crate) use asked::Asked;
pub(super) use due::Due;

/// The timers of a store.
pub(crate) struct Timers {
    pub(super) event: Queue,
    pub(super) processing: Queue,
}

/// A timer and its key, encoded and not.
pub(crate) struct TimerOf<K> {
    pub(crate) timer: Timer,
    pub(crate) encoded: EncodedKey,
    pub(crate) key: K,
}

impl Timers {
    /// The timers of an operator's key groups; `stored` says whether the backend may have any. Clean ones take up to a
    /// quarter of the store's `budget`, in bytes.
    pub(crate) fn new(operator: u16, range: &Range<u16>, max_parallelism: u16, stored: bool, budget: usize) -> Self {
        let place = |kind| Place { kind, operator, range: range.clone(), max_parallelism };
        // A quarter for both kinds together.
        let queue = |kind| Queue::new(place(kind), stored, budget / 8);
        let (event, processing) = (queue(TimerKind::Event), queue(TimerKind::Processing));
        Self { event, processing }
    }

    pub(super) fn queue(&mut self, kind: TimerKind) -> &mut Queue {
        match kind {
            TimerKind::Event => &mut self.event,
            TimerKind::Processing => &mut self.processing,
        }
    }

    /// Memory in bytes, roughly.
    pub(super) fn weight(&self) -> usize {
        self.event.weight() + self.processing.weight()
    }

    /// The same of what no commit has written.
    pub(super) fn dirty_weight(&self) -> usize {
        self.event.dirty_weight() + self.processing.dirty_weight()
    }

    pub(super) fn flush(&mut self, batch: &mut WriteBatch) {
        self.event.flush(batch);
        self.processing.flush(batch);
    }

    pub(super) fn committed(&mut self) {
        self.event.committed();
        self.processing.committed();
    }

    /// Tells `time` which timers are next.
    pub(super) fn tell(&self, time: &StoreTime) {
        time.next_timers(self.event.next_time(), self.processing.next_time());
    }

    /// Makes sure that it is known which timers are next.
    pub(super) fn find_next(&mut self, backend: &dyn AnyBackend) -> Result<(), StateError> {
        self.event.find_next(backend)?;
        self.processing.find_next(backend)
    }

    /// Takes in what has become of a timer of the key that is encoded as `key`.
    pub(super) fn take_in(&mut self, timer: Timer, became: Became, key: &EncodedKey) {
        let due = || Due { time: timer.time_ms, key: key.clone() };
        match became {
            Became::Same => {}
            Became::Set => self.queue(timer.kind).insert(due()),
            Became::Deleted { fresh } => self.queue(timer.kind).remove(due(), fresh),
        }
    }
}
