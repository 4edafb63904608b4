//! What an event asks for, and what it is told of the timers of its key.

use crate::codec::keys::EncodedKey;
use crate::codec::row;
use crate::descriptor::StateKind;
use crate::error::{Cause, StateError};
use crate::names::TIMERS;
use crate::scope::current;
use crate::scope::shared::Shared;
use crate::scope::timers::{self, OfKey};
use crate::state::MapState;
use crate::state::bind::By;
use crate::state::handle::Handle;
use crate::time::{Timer, TimerKind};
use std::collections::BTreeSet;

/// What timers that lie in records of their own are: entries of a map.
type Apart = MapState<Timer, ()>;

/// What an event asked for: timers of its key to be there or not, in this order.
#[derive(Default)]
pub(crate) struct Asked {
    pub(in crate::keyed) key: EncodedKey,
    pub(in crate::keyed) timers: Vec<(Timer, bool)>,
}

impl Asked {
    /// Forgets what an event that failed has asked for.
    pub(crate) fn clear(&mut self) {
        self.timers.clear();
    }

    /// Whether it asked for a timer of `kind`.
    pub(in crate::keyed) fn has_set(&self, kind: TimerKind) -> bool {
        self.timers.iter().any(|(timer, there)| *there && timer.kind == kind)
    }

    /// Sets or deletes a timer of the event of `store`; a failure is latched.
    pub(crate) fn timer(&mut self, store: &Shared, timer: Timer, there: bool) {
        self.ask(store, timer, there).unwrap_or_else(|error| store.latch(error));
    }

    fn ask(&mut self, store: &Shared, timer: Timer, there: bool) -> Result<(), StateError> {
        check_own(store)?;
        match store.timers_id() {
            // There never was one.
            None if !there => return Ok(()),
            None => declare()?,
            Some(_) => {}
        }
        if self.timers.is_empty() {
            self.key = store.key()?;
        }
        self.timers.push((timer, there));
        Ok(())
    }

    /// The timers of the key of the event of `store`, in the order in which they are due, event time first; a failure is latched.
    pub(crate) fn of_key(&self, store: &Shared) -> Vec<Timer> {
        let found = check_own(store).and_then(|()| self.find(store).map_err(|error| error.at_state(TIMERS)));
        match found {
            Ok(timers) => timers.into_iter().collect(),
            Err(error) => {
                store.latch(error);
                Vec::new()
            }
        }
    }

    fn find(&self, store: &Shared) -> Result<BTreeSet<Timer>, StateError> {
        let mut all = BTreeSet::new();
        let Some(id) = store.timers_id() else { return Ok(all) };
        let mut known = false;
        current::with(&mut |current| known = current.timers().1);
        let stored = if known { None } else { store.value(row::TIMERS)? };
        if store.timers_rule(known).apart {
            let prefix = store.record(id.get(), &[])?;
            store.backend().for_each(&prefix, &mut |key, _| {
                all.insert(timers::of_suffix(key.get(prefix.len()..).unwrap_or_default())?);
                Ok(())
            })?;
        }
        let mut in_row = Ok(Vec::new());
        current::with(&mut |current| {
            let none = OfKey::default();
            let of_key = current.timers().0.unwrap_or(&none);
            of_key.apart().for_each(|(timer, there)| put(&mut all, timer, there));
            in_row = of_key.in_row(stored.as_ref().map(|(_, record)| record.as_slice()));
        });
        all.extend(in_row?);
        self.timers.iter().for_each(|(timer, there)| put(&mut all, *timer, *there));
        Ok(all)
    }
}

fn put(all: &mut BTreeSet<Timer>, timer: Timer, there: bool) {
    if there {
        all.insert(timer)
    } else {
        all.remove(&timer)
    };
}

/// Refuses timers where another store may be the one being processed, inside the event of `store`: they are not meant.
fn check_own(store: &Shared) -> Result<(), StateError> {
    if current::is(store) { Ok(()) } else { Err(elsewhere()) }
}

#[cold]
fn elsewhere() -> StateError {
    let reason = "the timers of an event are those of its own key, and another store, or none, is being processed here; call the \
                  context outside of that store's `with_key`, on the thread of the event";
    Cause::Setting { reason: reason.to_owned() }.into()
}

/// Lets the catalog know that the operator of the event has timers.
#[cold]
fn declare() -> Result<(), StateError> {
    let mut result = Err(Cause::OutsideEvent.into());
    current::with(&mut |current| {
        let store = current.shared();
        let mut draft = store.hub.draft();
        result = draft.slot(store, By::Own(TIMERS), (StateKind::Map, Apart::shapes)).map(|slot| {
            draft.publish();
            store.know_timers(slot.id());
        });
    });
    result
}
