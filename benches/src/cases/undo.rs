//! In memory: events that fail and are undone.

use super::family::Cases;
use super::memory::{Two, store};
use crate::bench::Bench;
use crate::error::Error;
use crate::input::Keys;
use crate::measure::{Sample, timed};
use crate::table::{Row, Target};
use krishiv_api::{Keyed, StateError};

pub(super) const CASES: Cases = &[("events that fail and are undone, 10k keys", run)];

const KEYS: u64 = 10_000;

/// What an event ends with.
enum Refused {
    /// Its own doing, with what it had read.
    ByEvent(u64),
    /// The store's.
    ByStore(StateError),
}

impl From<StateError> for Refused {
    fn from(error: StateError) -> Self {
        Self::ByStore(error)
    }
}

/// Swaps the two values, so that it reads the same in sum whether the last one was undone or not.
#[inline]
fn event(state: &Two) -> u64 {
    let (a, b) = (state.a.get().unwrap_or(0), state.b.get().unwrap_or(0));
    state.a.set(b);
    state.b.set(a);
    (a + b).unsigned_abs()
}

/// Runs one event for each of `keys`, and `end` decides how each ends.
#[inline]
fn run_all(store: &mut Keyed<Two>, keys: &[u64], end: impl Fn(u64) -> Result<u64, Refused>) -> Result<Sample, Error> {
    timed(|| {
        let mut sum = 0_u64;
        for key in keys {
            match store.try_with_key(key, |state| end(event(state))) {
                Ok(read) | Err(Refused::ByEvent(read)) => sum = sum.wrapping_add(read),
                Err(Refused::ByStore(error)) => return Err(error.into()),
            }
        }
        Ok(sum)
    })
}

fn run(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let keys = bench.shape(KEYS);
    let events = bench.events(2_000_000, 10_000_000);
    let (mut failing, mut succeeding) = (store()?, store()?);
    for store in [&mut failing, &mut succeeding] {
        for key in 0..keys {
            store.with_key(&key, |state| {
                state.a.set(key.cast_signed());
                state.b.set(-1);
            })?;
        }
    }
    let mut for_failing = Keys::uniform(keys);
    let mut for_succeeding = for_failing.clone();
    let pairs = bench.compare(
        events,
        || run_all(&mut failing, &for_failing.draw(events), |read| Err(Refused::ByEvent(read))),
        || run_all(&mut succeeding, &for_succeeding.draw(events), Ok),
    )?;
    // Nothing of all that has stayed.
    for key in 0..keys {
        let b = failing.with_key(&key, |state| state.b.get())?;
        if b != Some(-1) {
            return Err(Error::Record { key });
        }
    }
    Ok(vec![Row::new(name, Target::Time(1.5), pairs)])
}
