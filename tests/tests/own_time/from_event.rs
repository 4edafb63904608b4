//! Where a life counts from the event's own time, it does so whatever the watermark, memory, commits and crashes.

use krishiv_api::{
    BoxError, Driver, EventContext, Keyed, KeyedState, ListState, MapState, Operator, ReducingState, ValueState,
};
use krishiv_tests::{Place, on_every_backend};
use std::collections::BTreeMap;

const TTL: i64 = 100;

#[derive(KeyedState)]
#[state(key = u8)]
struct All {
    #[state(ttl = "100ms", clock = "event")]
    last: ValueState<u64>,
    #[state(ttl = "100ms", clock = "event", ttl_update = "read_and_write")]
    read: ValueState<u64>,
    #[state(ttl = "100ms", clock = "event")]
    list: ListState<u64>,
    #[state(ttl = "100ms", clock = "event", ttl_update = "read_and_write")]
    read_list: ListState<u64>,
    #[state(ttl = "100ms", clock = "event")]
    map: MapState<u64, u64>,
    #[state(ttl = "100ms", clock = "event", reduce = u64::max)]
    greatest: ReducingState<u64>,
    kept: ValueState<u64>,
}

/// What an event of a key finds, before it writes its number everywhere.
type Found = (Option<u64>, Option<u64>, Vec<u64>, Vec<u64>, Vec<u64>, Option<u64>, Option<u64>);

struct Look;

impl Operator for Look {
    type State = All;
    type In = (u8, u64);
    type Out = Found;

    fn key(&self, (key, _): &(u8, u64)) -> u8 {
        *key
    }

    fn on_event(&mut self, all: &All, (_, n): (u8, u64), ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let mut map = all.map.keys();
        map.sort_unstable();
        let found = (
            all.last.get(),
            all.read.get(),
            all.list.get(),
            all.read_list.get(),
            map,
            all.greatest.get(),
            all.kept.get(),
        );
        ctx.emit(found);
        all.last.set(n);
        all.read.set(n);
        all.list.add(n);
        all.read_list.add(n);
        all.map.put(n % 5, n);
        all.greatest.merge(n);
        all.kept.set(n);
        Ok(())
    }
}

/// Values and when they end.
#[derive(Clone, Default)]
struct Ends(Vec<(u64, i64)>);

impl Ends {
    fn at(&mut self, watermark: Option<i64>) -> Vec<u64> {
        self.0.retain(|(_, end)| watermark.is_none_or(|watermark| *end > watermark));
        self.0.iter().map(|(n, _)| *n).collect()
    }
}

#[derive(Clone, Default)]
struct Model {
    last: Ends,
    read: Ends,
    list: Ends,
    read_list: Ends,
    map: BTreeMap<u64, i64>,
    greatest: Ends,
    kept: Option<u64>,
}

impl Model {
    /// What an event of `time` finds while the watermark is there, after which it has written `n`.
    fn event(&mut self, n: u64, time: i64, watermark: Option<i64>) -> Found {
        let end = time + TTL;
        self.map.retain(|_, end| watermark.is_none_or(|watermark| *end > watermark));
        let found = (
            self.last.at(watermark).pop(),
            self.read.at(watermark).pop(),
            self.list.at(watermark),
            self.read_list.at(watermark),
            self.map.keys().copied().collect(),
            self.greatest.at(watermark).pop(),
            self.kept,
        );
        self.last.0 = vec![(n, end)];
        self.read.0 = vec![(n, end)];
        self.list.0.push((n, end));
        // Reading renews, and ends nothing sooner.
        self.read_list.0.iter_mut().for_each(|(_, old)| *old = end.max(*old));
        self.read_list.0.push((n, end));
        self.map.insert(n % 5, end);
        self.greatest.0 = vec![(n.max(found.5.unwrap_or(0)), end)];
        self.kept = Some(n);
        found
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n.unsigned_abs()) as i64
    }
}

fn it_counts_from_there<P: Place>(place: P) {
    run(&place, 0);
    (1..40).for_each(|seed| run(&P::new(), seed));
}

fn run<P: Place>(place: &P, seed: u64) {
    let mut random = Random(seed);
    let budget = if seed.is_multiple_of(2) { 1 } else { 64 << 20 };
    let open = || {
        let store = Keyed::builder().memory_budget(budget).ttl_from_event_time();
        Driver::builder(Look).store(store).open(place.open()).unwrap()
    };
    let mut driver = open();
    let (mut models, mut watermark, mut newest) = (vec![Model::default(); 3], None, 0);
    let mut committed = (models.clone(), watermark, newest);
    for n in 0..120 {
        match random.below(12) {
            0 => {
                let next = newest - random.below(60);
                driver.advance(next).unwrap();
                watermark = watermark.max(Some(next));
            }
            1 => {
                driver.commit(n.to_string()).unwrap();
                committed = (models.clone(), watermark, newest);
            }
            2 => {
                drop(driver);
                driver = open();
                (models, watermark, newest) = committed.clone();
            }
            _ => {
                let key = random.below(3) as u8;
                // Early, late, or neither.
                let time = newest + random.below(80) - 50;
                newest = newest.max(time);
                driver.event((key, n), Some(time)).unwrap();
                let found: Vec<_> = driver.drain().map(|record| record.value).collect();
                assert_eq!(
                    found,
                    [models[usize::from(key)].event(n, time, watermark)],
                    "seed {seed}, event {n} of {time}"
                );
            }
        }
    }
}

on_every_backend!(it_counts_from_there);
