//! In memory: an event of two gets and two sets, one at a time and in batches.

use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::input::Keys;
use crate::measure::{Pairs, timed};
use crate::table::{Row, Target};
use hashbrown::HashMap;
use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, StateError, ValueState};
use std::hint::black_box;
use std::sync::Arc;

pub(super) const CASES: Cases = &[
    ("in memory, 2 gets + 2 sets, 10k keys", |name, bench| one_at_a_time(name, bench, 10_000)),
    ("in memory, 2 gets + 2 sets, 1M keys", |name, bench| one_at_a_time(name, bench, 1_000_000)),
    ("in memory, 2 gets + 2 sets, 1M keys, batches of 256", |name, bench| batches(name, bench, 1_000_000)),
    ("in memory, 2 gets + 2 sets, 10M keys, batches of 256", |name, bench| batches(name, bench, 10_000_000)),
    ("in memory, 10k keys, against a map with undo and a list of what changed", |name, bench| {
        Ok(vec![Row::new(name, Target::Time(2.0), compare::<Careful>(bench, 10_000, ours)?)])
    }),
    ("in memory, 1M keys, against a map with undo and a list of what changed", |name, bench| {
        Ok(vec![Row::new(name, Target::Time(2.0), compare::<Careful>(bench, 1_000_000, ours)?)])
    }),
    ("in memory, 1M keys, batches of 256, against a map with undo and a list of what changed", |name, bench| {
        Ok(vec![Row::new(name, Target::Time(1.3), compare::<Careful>(bench, 1_000_000, ours_in_batches)?)])
    }),
];

const BATCH: usize = 256;

/// Ours.
#[derive(KeyedState)]
#[state(key = u64)]
pub(super) struct Two {
    pub(super) a: ValueState<i64>,
    pub(super) b: ValueState<i64>,
}

/// The peer.
pub(super) type Map = HashMap<u64, (Option<i64>, Option<i64>)>;

/// What an event makes of the two values.
#[inline]
fn step(a: Option<i64>, b: Option<i64>) -> (i64, i64) {
    let a = a.unwrap_or(0) + 1;
    (a, b.unwrap_or(0) ^ a)
}

/// One event of ours.
#[inline]
pub(super) fn event(state: &Two) -> i64 {
    let (a, b) = step(state.a.get(), state.b.get());
    state.a.set(a);
    state.b.set(b);
    b
}

/// A store that keeps all of its rows.
pub(super) fn store() -> Result<Keyed<Two>, StateError> {
    Keyed::builder().memory_budget(usize::MAX).open(Arc::new(InMemoryStateBackend::new()))
}

/// All `keys`, one event each.
pub(super) fn ours(store: &mut Keyed<Two>, keys: &[u64]) -> Result<u64, Error> {
    let mut sum = 0_u64;
    for key in keys {
        sum = sum.wrapping_add_signed(store.with_key(key, event)?);
    }
    Ok(sum)
}

/// The same in batches.
fn ours_in_batches(store: &mut Keyed<Two>, keys: &[u64]) -> Result<u64, Error> {
    let mut sum = 0_u64;
    for batch in keys.chunks(BATCH) {
        store.for_each_event(
            batch.iter().copied(),
            |key| key,
            |state, _| sum = sum.wrapping_add_signed(event(state)),
        )?;
    }
    Ok(sum)
}

/// The same by hand.
pub(super) fn by_hand(map: &mut Map, keys: &[u64]) -> u64 {
    let mut sum = 0_u64;
    for key in keys {
        let values = map.entry(*key).or_default();
        let (a, b) = step(values.0, values.1);
        *values = (Some(a), Some(b));
        sum = sum.wrapping_add_signed(b);
    }
    sum
}

/// What the peers are compared as.
trait Peer: Default {
    fn run(&mut self, keys: &[u64]) -> Result<u64, Error>;
}

impl Peer for Map {
    fn run(&mut self, keys: &[u64]) -> Result<u64, Error> {
        Ok(by_hand(self, keys))
    }
}

/// A map that does what an event of a store does: what fails or panics is undone, and a commit knows what has changed.
#[derive(Default)]
struct Careful {
    map: HashMap<u64, CarefulRow>,
    changed: Vec<u64>,
}

#[derive(Default)]
struct CarefulRow {
    values: Values,
    changed: bool,
}

type Values = (Option<i64>, Option<i64>);

/// Goes back to before the event, unless that has succeeded.
struct Undo<'a> {
    values: &'a mut Values,
    before: Values,
    keep: bool,
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if !self.keep {
            *self.values = self.before;
        }
    }
}

impl Careful {
    fn with_key<R>(&mut self, key: u64, event: impl FnOnce(&mut Values) -> Result<R, Error>) -> Result<R, Error> {
        let CarefulRow { values, changed } = self.map.entry(key).or_default();
        let before = *values;
        let mut undo = Undo { values, before, keep: false };
        let result = event(undo.values);
        undo.keep = result.is_ok();
        if undo.keep && !*changed {
            *changed = true;
            self.changed.push(key);
        }
        result
    }
}

impl Peer for Careful {
    fn run(&mut self, keys: &[u64]) -> Result<u64, Error> {
        let mut sum = 0_u64;
        for key in keys {
            let b = self.with_key(*key, |values| {
                let (a, b) = step(values.0, values.1);
                *values = (Some(a), Some(b));
                // The compiler does not know that it cannot fail.
                if black_box(true) { Ok(b) } else { Err(Error::Record { key: *key }) }
            })?;
            sum = sum.wrapping_add_signed(b);
        }
        Ok(sum)
    }
}

fn one_at_a_time(name: &str, bench: &Bench, keys: u64) -> Result<Vec<Row>, Error> {
    let pairs = compare::<Map>(bench, keys, ours)?;
    Ok(vec![Row::new(name, Target::Time(1.5), pairs)])
}

fn batches(name: &str, bench: &Bench, keys: u64) -> Result<Vec<Row>, Error> {
    let pairs = compare::<Map>(bench, keys, ours_in_batches)?;
    Ok(vec![Row::new(name, Target::Time(1.0), pairs)])
}

fn compare<P: Peer>(
    bench: &Bench,
    keys: u64,
    ours: impl Fn(&mut Keyed<Two>, &[u64]) -> Result<u64, Error>,
) -> Result<Pairs, Error> {
    let keys = bench.shape(keys);
    let events = bench.events(2_000_000, 10_000_000);
    let (mut store, mut peer) = (store()?, P::default());
    // Every key is there before the clock starts.
    let all: Vec<u64> = (0..keys).collect();
    self::ours(&mut store, &all)?;
    peer.run(&all)?;
    let mut for_ours = Keys::uniform(keys);
    let mut for_peer = for_ours.clone();
    bench.compare(
        events,
        || {
            let keys = for_ours.draw(events);
            timed(|| ours(&mut store, &keys))
        },
        || {
            let keys = for_peer.draw(events);
            timed(|| peer.run(&keys))
        },
    )
}
