//! Timers: per key in a map of the key's own row, and in the order in which they are due in a queue of the store.
//!
//! An event changes the map through a handle, and is undone with it; the queue takes in what an event that succeeded
//! asked for. Both are written by the same commit.

mod queue;

use crate::backend::{AnyBackend, WriteBatch};
use crate::catalog::clocks::StoreTime;
use crate::error::{Cause, StateError};
use crate::names::TIMERS;
use crate::scope::current;
use crate::scope::shared::Shared;
use crate::state::handle::Core;
use crate::state::map::{Map, There};
use crate::state::{MapState, named};
use crate::time::{Timer, TimerKind};
use queue::{Place, Queue};
use std::ops::Range;

pub(super) use queue::Due;

/// The state that holds the timers of a key.
pub(crate) type TimerMap = MapState<Timer, ()>;

/// The timers of a store.
pub(crate) struct Timers {
    pub(super) event: Queue,
    pub(super) processing: Queue,
}

/// A timer and its key, encoded and not.
pub(crate) struct TimerOf<K> {
    pub(crate) timer: Timer,
    pub(crate) encoded: Box<[u8]>,
    pub(crate) key: K,
}

/// What an event asked for: timers of its key to be there or not, in this order.
#[derive(Default)]
pub(crate) struct Asked {
    key: Box<[u8]>,
    pub(super) timers: Vec<(Timer, bool)>,
}

impl Asked {
    /// Forgets what an event that failed has asked for.
    pub(crate) fn clear(&mut self) {
        self.timers.clear();
    }

    /// Whether it asked for a timer of `kind`.
    pub(super) fn has_set(&self, kind: TimerKind) -> bool {
        self.timers.iter().any(|(timer, there)| *there && timer.kind == kind)
    }

    /// Sets or deletes a timer of the event of `store`; a failure is latched.
    pub(crate) fn timer(&mut self, store: &Shared, timer: Timer, there: bool) {
        of_event(store, |map| {
            if there { map.put(timer, (), map.slot().codec) } else { map.forget::<_, ()>(timer) }?;
            if self.timers.is_empty() {
                self.key = store.key()?;
            }
            self.timers.push((timer, there));
            Ok(())
        });
    }
}

/// The timers of the key of the event of `store`, in the order in which they are due, event time first; a failure is latched.
pub(crate) fn of_key(store: &Shared) -> Vec<Timer> {
    let all = |timers: There<'_, Timer, ()>| timers.map(|(timer, ())| *timer).collect::<Vec<_>>();
    let mut timers = of_event(store, |map| map.with(all)).unwrap_or_default();
    timers.sort_unstable();
    timers
}

/// Runs `f` on the timers of the event of `store`, and latches there what fails: another store may be the one being processed,
/// inside the event, and its timers are not meant.
fn of_event<R>(store: &Shared, f: impl FnOnce(&Map) -> Result<R, StateError>) -> Option<R> {
    if !current::is(store) {
        store.latch(elsewhere());
        return None;
    }
    let (mut f, mut result) = (Some(f), None);
    let found = named::with_own_core::<TimerMap>(TIMERS, &mut |timers| result = f.take().map(|f| f(timers)));
    let result = found.and_then(|()| result.unwrap_or_else(|| Err(Cause::OutsideEvent.into())));
    result.map_err(|error| store.latch(error)).ok()
}

#[cold]
fn elsewhere() -> StateError {
    let reason = "the timers of an event are those of its own key, and another store, or none, is being processed here; call the \
                  context outside of that store's `with_key`, on the thread of the event";
    Cause::Setting { reason: reason.to_owned() }.into()
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

    /// Takes in what an event that succeeded asked for.
    pub(super) fn take_in(&mut self, asked: &mut Asked) {
        for (timer, there) in asked.timers.drain(..) {
            let due = Due { time: timer.time_ms, key: asked.key.clone() };
            let queue = self.queue(timer.kind);
            if there { queue.insert(due) } else { queue.remove(due) }
        }
    }
}
