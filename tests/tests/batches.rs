//! A batch is its events one by one, only faster; and rows that are used again stay in memory.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use krishiv_api::{
    InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock, MapState, Record, ReducingState, Scan,
    StateBackend, StateError, ValueState, Volatile, WriteBatch,
};
use krishiv_tests::{Place, on_every_backend};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[derive(KeyedState)]
#[state(key = String)]
struct Account {
    seen: ValueState<u64>,
    #[state(ttl = "5ms", clock = "event")]
    late: ValueState<String>,
    log: ListState<u32>,
    by_city: MapState<u8, u64>,
    #[state(reduce = u32::max)]
    most: ReducingState<u32>,
}

#[derive(Clone, Debug)]
struct Event {
    key: String,
    kind: u8,
    number: u32,
}

/// What an event does, and what it has seen: all of its state.
fn apply(state: &Account, event: &Event) -> Result<String, StateError> {
    let seen = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        state.seen.get(),
        state.late.get(),
        state.log.get(),
        state.by_city.entries(),
        state.most.get()
    );
    match event.kind {
        0 => state.seen.set(state.seen.get_or(0) + 1),
        1 => state.late.set(event.number.to_string()),
        2 => state.log.add(event.number),
        3 => state.by_city.put((event.number % 3) as u8, u64::from(event.number)),
        4 => state.most.merge(event.number),
        5 => state.seen.clear(),
        6 => state.log.truncate_front(2),
        _ => {
            // All of it is undone.
            state.seen.set(u64::MAX);
            state.log.add(0);
            return Err(StateError::backend("this event fails"));
        }
    }
    Ok(seen)
}

/// A small generator with a fixed seed: the same events in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as u32 % limit
    }
}

fn open<P: Place>(place: &P) -> Keyed<Account> {
    // Room for a few rows, so that most are read again.
    Keyed::builder().memory_budget(4_000).open(place.open()).unwrap()
}

/// Runs `events` as one batch after the other, beginning again behind each one that fails.
fn in_batches(store: &mut Keyed<Account>, events: &[Event]) -> Vec<Option<String>> {
    let mut outcomes = Vec::new();
    let mut rest = events;
    while !rest.is_empty() {
        let ran = store.for_each_event(
            rest,
            |event| event.key.as_str(),
            |state, event| {
                outcomes.push(Some(apply(state, event)?));
                Ok::<(), StateError>(())
            },
        );
        match ran {
            Ok(()) => rest = &[],
            Err(failed) => {
                outcomes.push(None);
                rest = &rest[failed.index + 1..];
            }
        }
    }
    outcomes
}

fn one_by_one(store: &mut Keyed<Account>, events: &[Event]) -> Vec<Option<String>> {
    events.iter().map(|event| store.try_with_key(event.key.as_str(), |state| apply(state, event)).ok()).collect()
}

fn a_batch_is_its_events_one_by_one<P: Place>(place: P) {
    let other = P::new();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let (mut batched, mut single) = (open(&place), open(&other));
    for round in 0..60 {
        // Of few keys and of many: rows meet again within a group, and groups are begun and left in the middle.
        let keys = [3, 40, 400][random.below(3) as usize];
        let events: Vec<Event> = (0..random.below(700))
            .map(|_| Event {
                key: format!("key {}", random.below(keys)),
                // One of a hundred fails.
                kind: if random.below(100) == 0 { 7 } else { random.below(7) as u8 },
                number: random.below(100),
            })
            .collect();
        assert_eq!(in_batches(&mut batched, &events), one_by_one(&mut single, &events), "round {round}");
        for store in [&mut batched, &mut single] {
            store.set_watermark(round);
            if round % 3 == 0 {
                store.commit(round.to_be_bytes()).unwrap();
            }
        }
        if round % 10 == 9 {
            drop((batched, single));
            (batched, single) = (open(&place), open(&other));
        }
    }
}

on_every_backend!(a_batch_is_its_events_one_by_one);

/// Counts the calls that read records.
#[derive(Default)]
struct Counting {
    inner: InMemoryStateBackend,
    gets: AtomicUsize,
    multi_gets: AtomicUsize,
    keys: AtomicUsize,
}

impl StateBackend for Counting {
    type Survival = Volatile;
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.gets.fetch_add(1, Relaxed);
        self.inner.get(key)
    }
    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        self.multi_gets.fetch_add(1, Relaxed);
        self.keys.fetch_add(keys.len(), Relaxed);
        self.inner.multi_get(keys)
    }
    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.inner.scan(prefix)
    }
    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        self.inner.write(batch)
    }
}

impl Counting {
    fn take(&self) -> (usize, usize, usize) {
        (self.gets.swap(0, Relaxed), self.multi_gets.swap(0, Relaxed), self.keys.swap(0, Relaxed))
    }
}

#[derive(KeyedState)]
#[state(key = u32)]
struct Counter {
    count: ValueState<u64>,
    last: ValueState<u64>,
    log: ListState<u64>,
}

fn count(state: &Counter) {
    state.count.set(state.count.get_or(0) + 1);
    state.last.set(state.last.get_or(0) + 1);
}

#[test]
fn a_group_of_events_reads_each_of_its_rows_once_and_all_of_them_together() {
    let backend = Arc::new(Counting::default());
    let mut store = Keyed::<Counter>::open(Arc::clone(&backend)).unwrap();
    let events: Vec<u32> = (0..200).chain(0..50).collect();
    backend.take();
    store.for_each_event(&events, |key| *key, |state, _| count(state)).unwrap();
    assert_eq!(backend.take(), (0, 1, 200), "250 events on 200 keys of two values");
    // The list of a row has not been read, and the batch does not ask for it.
    store.for_each_event(&events, |key| *key, |state, _| count(state)).unwrap();
    assert_eq!(backend.take(), (0, 0, 0), "all rows are in memory");
    store.commit("").unwrap();
    drop(store);

    let mut store = Keyed::<Counter>::open(Arc::clone(&backend)).unwrap();
    backend.take();
    store.for_each_event(&events, |key| *key, |state, _| count(state)).unwrap();
    assert_eq!(backend.take(), (0, 1, 200));
    assert_eq!(store.with_key(&7, |state| state.count.get()).unwrap(), Some(6));
}

#[test]
fn rows_that_were_read_ahead_stay_until_their_events() {
    let backend = Arc::new(Counting::default());
    let mut store = Keyed::<Counter>::open(Arc::clone(&backend)).unwrap();
    let keys: Vec<u32> = (0..2_560).collect();
    store.for_each_event(&keys, |key| *key, |state, _| count(state)).unwrap();
    store.commit("").unwrap();
    drop(store);

    // Room for some 300 rows: each group makes those of the one before go.
    let mut store = Keyed::<Counter>::builder().memory_budget(150_000).open(Arc::clone(&backend)).unwrap();
    backend.take();
    store.for_each_event(&keys, |key| *key, |state, _| assert_eq!(state.count.get(), Some(1))).unwrap();
    assert_eq!(backend.take(), (0, 10, 2_560), "ten groups, each read once");
}

/// Fails all reads while it is told to.
#[derive(Default)]
struct Failing {
    inner: InMemoryStateBackend,
    fails: std::sync::atomic::AtomicBool,
}

impl Failing {
    fn answer<T>(&self, answer: Result<T, StateError>) -> Result<T, StateError> {
        if self.fails.load(Relaxed) { Err(StateError::backend("the disk is gone")) } else { answer }
    }
}

impl StateBackend for Failing {
    type Survival = Volatile;
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.answer(self.inner.get(key))
    }
    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        let records: Vec<Result<Record, StateError>> = self.inner.scan(prefix).collect();
        Box::new(records.into_iter())
    }
    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        self.inner.write(batch)
    }
}

#[test]
fn an_event_that_reads_nothing_succeeds_though_reading_ahead_fails() {
    let backend = Arc::new(Failing::default());
    let mut store = Keyed::<Counter>::open(Arc::clone(&backend)).unwrap();
    store.with_key(&1, |state| state.count.set(1)).unwrap();
    store.with_key(&2, |state| state.count.set(1)).unwrap();
    store.commit("").unwrap();
    drop(store);

    let mut store = Keyed::<Counter>::open(Arc::clone(&backend)).unwrap();
    backend.fails.store(true, Relaxed);
    store.for_each_event([1, 2], |key| key, |state, key| state.count.set(u64::from(key))).unwrap();
    let failed = store.for_each_event([1, 2], |key| key, |state, _| count(state)).unwrap_err();
    assert_eq!(failed.index, 0);
    assert!(failed.error.to_string().contains("the disk is gone"), "{failed}");
    backend.fails.store(false, Relaxed);
    assert_eq!(store.with_key(&2, |state| (state.count.get(), state.last.get())).unwrap(), (Some(2), None));
}

#[test]
fn a_walk_over_keys_that_are_needed_once_leaves_the_others_in_memory() {
    let backend = Arc::new(Counting::default());
    let mut store = Keyed::<Counter>::open(Arc::clone(&backend)).unwrap();
    for key in 0..5_000 {
        store.with_key(&key, count).unwrap();
    }
    store.commit("").unwrap();
    drop(store);

    // Room for some 200 rows, of which a hundred are in use all the time.
    let mut store = Keyed::<Counter>::builder().memory_budget(100_000).open(Arc::clone(&backend)).unwrap();
    let read = |state: &Counter| (state.count.get(), state.last.get());
    for _ in 0..3 {
        for key in 0..100 {
            store.with_key(&key, read).unwrap();
        }
    }
    let mut missed = 0;
    for walk in (100..5_000).collect::<Vec<u32>>().chunks(140) {
        for key in walk {
            store.with_key(key, read).unwrap();
        }
        backend.take();
        for key in 0..100 {
            store.with_key(&key, read).unwrap();
        }
        missed += backend.take().1;
    }
    assert!(missed < 35, "of 3,500 reads of rows in use {missed} went to the backend");
}

#[derive(KeyedState)]
#[state(key = u32)]
struct Session {
    #[state(ttl = "5ms")]
    last: ValueState<u32>,
}

#[test]
fn events_of_a_batch_see_one_time_of_the_clock() {
    let clock = Arc::new(ManualClock::new(0));
    let store = Keyed::<Session>::builder().clock(Arc::clone(&clock));
    let mut store = store.open(Arc::new(InMemoryStateBackend::new())).unwrap();
    let mut seen = Vec::new();
    let mut look = |store: &mut Keyed<Session>, batch: [u32; 2]| {
        let event = |state: &Session, number| {
            seen.push(state.last.get());
            state.last.set(number);
            clock.advance(10);
        };
        store.for_each_event(batch, |_| &7, event).unwrap();
    };
    look(&mut store, [1, 2]);
    look(&mut store, [3, 4]);
    assert_eq!(seen, [None, Some(1), None, Some(3)]);
    clock.advance(10);
    assert_eq!(store.with_key(&7, |state| state.last.get()).unwrap(), None, "an event by itself asks the clock");
}
