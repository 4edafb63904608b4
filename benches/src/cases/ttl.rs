//! In memory: read, modify, write, with a time to live and without.

use super::counter::{Counter, count, step};
use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::input::Keys;
use crate::measure::{Sample, timed};
use crate::table::{Row, Target};
use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState, Volatile};
use std::sync::Arc;

pub(super) const CASES: Cases = &[
    ("TTL on against off, processing time", |name, bench| {
        run::<ByProcessingTime>(name, bench, Pace::Single, by_processing_time)
    }),
    ("TTL on against off, processing time, batches of 256", |name, bench| {
        run::<ByProcessingTime>(name, bench, Pace::Batches, by_processing_time)
    }),
    ("TTL on against off, event time", |name, bench| run::<ByEventTime>(name, bench, Pace::Single, by_event_time)),
];

/// How events come in.
#[derive(Clone, Copy)]
enum Pace {
    Single,
    Batches,
}

const KEYS: u64 = 10_000;

/// Events between two watermarks.
const WATERMARK_EVERY: usize = 1_000;

#[derive(KeyedState)]
#[state(key = u64)]
struct ByProcessingTime {
    #[state(ttl = "1h")]
    count: ValueState<i64>,
}

#[derive(KeyedState)]
#[state(key = u64)]
struct ByEventTime {
    #[state(ttl = "1h", clock = "event")]
    count: ValueState<i64>,
}

fn by_processing_time(state: &ByProcessingTime) -> i64 {
    let count = step(state.count.get());
    state.count.set(count);
    count
}

fn by_event_time(state: &ByEventTime) -> i64 {
    let count = step(state.count.get());
    state.count.set(count);
    count
}

/// A store, its input, and the watermark that it has come to.
struct Side<S: KeyedState> {
    store: Keyed<S>,
    keys: Keys,
    watermark: i64,
}

impl<S: KeyedState<Key = u64, Needs = Volatile>> Side<S> {
    fn new(keys: u64, event: impl Fn(&S) -> i64) -> Result<Self, Error> {
        let backend = Arc::new(InMemoryStateBackend::new());
        let mut store = Keyed::<S>::builder().memory_budget(usize::MAX).open(backend)?;
        store.set_watermark(0);
        for key in 0..keys {
            store.with_key(&key, &event)?;
        }
        Ok(Self { store, keys: Keys::uniform(keys), watermark: 0 })
    }

    fn run(&mut self, events: usize, pace: Pace, event: impl Fn(&S) -> i64) -> Result<Sample, Error> {
        let keys = self.keys.draw(events);
        timed(|| {
            let mut sum = 0_u64;
            for keys in keys.chunks(WATERMARK_EVERY) {
                self.watermark += 1;
                self.store.set_watermark(self.watermark);
                match pace {
                    Pace::Single => {
                        for key in keys {
                            sum = sum.wrapping_add_signed(self.store.with_key(key, &event)?);
                        }
                    }
                    Pace::Batches => {
                        let add = |state: &S, _| sum = sum.wrapping_add_signed(event(state));
                        self.store.for_each_event(keys, |key| *key, add)?;
                    }
                }
            }
            Ok(sum)
        })
    }
}

fn run<S: KeyedState<Key = u64, Needs = Volatile>>(
    name: &str,
    bench: &Bench,
    pace: Pace,
    event: fn(&S) -> i64,
) -> Result<Vec<Row>, Error> {
    let keys = bench.shape(KEYS);
    let events = bench.events(2_000_000, 10_000_000);
    let mut on = Side::<S>::new(keys, event)?;
    let mut off = Side::<Counter>::new(keys, count)?;
    let pairs = bench.compare(events, || on.run(events, pace, event), || off.run(events, pace, count))?;
    Ok(vec![Row::new(name, Target::Time(1.1), pairs)])
}
