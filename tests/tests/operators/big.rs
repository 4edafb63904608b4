//! More timers than memory has room for.

use super::backends::Failing;
use krishiv_api::{
    BoxError, Driver, EventContext, Keyed, KeyedState, Operator, StateBackend, Timer, TimerKind, ValueState,
};
use krishiv_tests::{Fjall, Memory, Place, RocksDb};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = u64)]
struct Sleepers {
    woken: ValueState<u32>,
}

struct Wake;

impl Operator for Wake {
    type State = Sleepers;
    type In = u64;
    type Out = (i64, u64);

    fn key(&self, event: &u64) -> u64 {
        *event
    }

    fn on_event(&mut self, _: &Sleepers, event: u64, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        ctx.register_event_timer(time(event));
        Ok(())
    }

    fn on_timer(&mut self, _: &Sleepers, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let key = *ctx.current_key();
        ctx.emit((timer.time_ms, key));
        Ok(())
    }
}

const MANY: u64 = 300_000;

/// Several at most of the times, all mixed up.
fn time(key: u64) -> i64 {
    (key * 7_919 % 100_003).cast_signed()
}

fn open<B: StateBackend>(backend: &Arc<Failing<B>>) -> Driver<Wake> {
    let store = Keyed::builder().memory_budget(1 << 20);
    Driver::builder(Wake).store(store).open(Arc::clone(backend)).unwrap()
}

/// Sets all of them, with a commit whenever one is due.
fn set_all<B: StateBackend>(backend: &Arc<Failing<B>>) {
    let mut driver = open(backend);
    backend.take_reads();
    let (mut since, mut most) = (0, 0);
    for key in 0..MANY {
        driver.event(key, None).unwrap();
        since += 1;
        if driver.store().needs_commit() {
            driver.commit("").unwrap();
            (most, since) = (most.max(since), 0);
        }
    }
    driver.commit("").unwrap();
    assert_eq!(backend.take_reads(), (0, 0), "setting a timer reads nothing");
    // Each takes more than 64 bytes of the half of the budget that is for what is not committed.
    assert!((1_000..8_192).contains(&most), "{most} timers between two commits");
}

fn timers_beyond_memory_fire_once_and_in_order<P: Place>(place: &P) {
    set_all(&Failing::new(place.open()));
    let mut expected: Vec<_> = (0..MANY).map(|key| (time(key), key)).collect();
    // As numbers are encoded: seven bits a byte, lowest first.
    expected.sort_by_cached_key(|(time, key)| (*time, varint(*key)));
    let mut fired = Vec::with_capacity(expected.len());
    for part in 1..=4 {
        let backend = Failing::new(place.open());
        let mut driver = open(&backend);
        let (_, read) = backend.take_reads();
        assert!(read < 10, "opening has read {read} records");
        driver.set_watermark(if part < 4 { 25_000 * part } else { i64::MAX });
        while driver.fire(TimerKind::Event, 10_000).unwrap() {
            driver.commit("").unwrap();
            fired.extend(driver.drain().map(|record| record.value));
        }
        fired.extend(driver.drain().map(|record| record.value));
        driver.commit("").unwrap();
    }
    assert!(fired == expected, "{} fired", fired.len());
    let backend = Failing::new(place.open());
    assert_eq!(open(&backend).timers().unwrap(), []);
    // Of a row that was never read RocksDB does not know that nothing is left, until it is read.
    let rows = backend.scan(&[0, 1]).filter(|record| !record.as_ref().unwrap().1.is_empty()).count();
    assert_eq!(rows, 0, "fired timers leave nothing behind");
    assert!(open(&backend).store_mut().keys().unwrap().is_empty());
}

#[test]
fn a_firing_timer_brings_no_more_into_memory_than_there_is_room_for() {
    let backend = Failing::new(Memory::new().open());
    set_all(&backend);
    let mut driver = open(&backend);
    driver.set_watermark(i64::MAX);
    backend.take_reads();
    driver.fire(TimerKind::Event, 1).unwrap();
    let (_, records) = backend.take_reads();
    // At the 64 bytes that each takes at least.
    assert!(records < (1 << 20) / 64, "{records} timers are in memory");
}

#[test]
fn timers_beyond_memory_are_read_about_once() {
    let backend = Failing::new(Memory::new().open());
    set_all(&backend);
    let mut driver = open(&backend);
    driver.set_watermark(i64::MAX);
    backend.take_reads();
    while driver.fire(TimerKind::Event, 2_000).unwrap() {
        driver.commit("").unwrap();
    }
    let (_, records) = backend.take_reads();
    assert!((MANY..2 * MANY).contains(&records), "{records} records read");
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[test]
fn in_memory() {
    timers_beyond_memory_fire_once_and_in_order(&Memory::new());
}

#[test]
fn on_rocksdb() {
    timers_beyond_memory_fire_once_and_in_order(&RocksDb::new());
}

#[test]
fn on_fjall() {
    timers_beyond_memory_fire_once_and_in_order(&Fjall::new());
}
