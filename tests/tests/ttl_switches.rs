//! A verdict that was ever given holds, through any number of switches of a TTL.

use krishiv_api::{ErrorKind, Keyed, ManualClock, StateBackend, Volatile, WriteBatch};
use krishiv_tests::four::Four;
use krishiv_tests::{Fjall, Folder, Memory, Place, RocksDb, four, on_every_folder};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The TTL that a program gives to all states of its one operator.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ttl {
    None,
    Processing(i64),
    Event(i64),
}

trait Kept: Four<Key = u8, Needs = Volatile> {}

impl<S: Four<Key = u8, Needs = Volatile>> Kept for S {}

four! {
    key = u8, name = "kept";
    Forever()
    Processing10(ttl = "10ms")
    Processing5(ttl = "5ms")
    Event10(ttl = "10ms", clock = "event")
    Event5(ttl = "5ms", clock = "event")
}

const ALL: [Ttl; 5] = [Ttl::None, Ttl::Processing(10), Ttl::Processing(5), Ttl::Event(10), Ttl::Event(5)];

type Shown = (Option<i64>, Vec<i64>, Vec<(i64, i64)>, Option<i64>);

/// A store whose TTL the test chooses as it runs.
trait Store {
    fn write(&mut self, key: u8, n: i64);
    fn look(&mut self, key: u8) -> Shown;
    fn keys(&mut self) -> Vec<u8>;
    fn watermark(&mut self, ms: i64);
    fn commit(&mut self);
}

impl<S: Kept> Store for Keyed<S> {
    fn write(&mut self, key: u8, n: i64) {
        let write = |state: &S| {
            let (value, list, map, last) = state.fields();
            value.set(n);
            list.add(n);
            map.put(n, n);
            last.merge(n);
        };
        self.with_key(&key, write).unwrap();
    }

    fn look(&mut self, key: u8) -> Shown {
        let look = |state: &S| {
            let (value, list, map, last) = state.fields();
            let mut entries = map.entries();
            entries.sort_unstable();
            (value.get(), list.get(), entries, last.get())
        };
        self.with_key(&key, look).unwrap()
    }

    fn keys(&mut self) -> Vec<u8> {
        let mut keys = Keyed::keys(self).unwrap();
        keys.sort_unstable();
        keys
    }

    fn watermark(&mut self, ms: i64) {
        self.set_watermark(ms);
    }

    fn commit(&mut self) {
        Keyed::commit(self, "").unwrap();
    }
}

fn open<B: StateBackend>(backend: Arc<B>, ttl: Ttl, budget: usize, clock: &Arc<ManualClock>) -> Box<dyn Store> {
    fn store<S: Kept>(backend: Arc<impl StateBackend>, budget: usize, clock: &Arc<ManualClock>) -> Box<dyn Store> {
        Box::new(Keyed::<S>::builder().memory_budget(budget).clock(Arc::clone(clock)).open(backend).unwrap())
    }
    match ttl {
        Ttl::None => store::<Forever>(backend, budget, clock),
        Ttl::Processing(10) => store::<Processing10>(backend, budget, clock),
        Ttl::Processing(_) => store::<Processing5>(backend, budget, clock),
        Ttl::Event(10) => store::<Event10>(backend, budget, clock),
        Ttl::Event(_) => store::<Event5>(backend, budget, clock),
    }
}

/// What is written, and when it ends by each clock, as far as that is settled.
#[derive(Clone, Copy, Debug)]
struct Item {
    n: i64,
    /// By its stamp.
    processing: Option<i64>,
    event: Option<i64>,
    /// Written before the first watermark, with so long to live from then on.
    waits: Option<i64>,
    /// There when the TTL in force was switched on before the first watermark, with so long to live from then on.
    counts: Option<i64>,
    /// By the clock in use; of event time `None` is from the first watermark on.
    ends: Option<i64>,
    /// It had ended when a TTL gave way.
    gone: bool,
}

/// What must be there: whoever has ended when a TTL gives way is gone, and the others start anew where they have no end by
/// the new clock.
#[derive(Clone, Debug)]
struct Model {
    ttl: Ttl,
    event: Option<i64>,
    processing: i64,
    items: BTreeMap<u8, Vec<Item>>,
}

impl Model {
    fn new(ttl: Ttl) -> Self {
        Self { ttl, event: None, processing: 0, items: BTreeMap::new() }
    }

    fn lives(&self, item: &Item) -> bool {
        let now = match self.ttl {
            Ttl::None => None,
            Ttl::Processing(_) => Some(self.processing),
            Ttl::Event(_) => self.event,
        };
        !item.gone && item.ends.zip(now).is_none_or(|(ends, now)| ends > now)
    }

    fn write(&mut self, key: u8, n: i64) {
        let mut item = Item { n, processing: None, event: None, waits: None, counts: None, ends: None, gone: false };
        match self.ttl {
            Ttl::None => {}
            Ttl::Processing(ms) => item.processing = Some(self.processing + ms),
            Ttl::Event(ms) => {
                item.event = self.event.map(|now| now + ms);
                item.waits = self.event.is_none().then_some(ms);
            }
        }
        item.ends = item.processing.or(item.event);
        self.items.entry(key).or_default().push(item);
    }

    fn watermark(&mut self, ms: i64) {
        let first = self.event.is_none();
        self.event = self.event.max(Some(ms));
        let by_event = matches!(self.ttl, Ttl::Event(_));
        for item in self.items.values_mut().flatten().filter(|_| first) {
            item.event = item.event.or(item.waits.map(|ttl| ms + ttl));
            if by_event && item.ends.is_none() {
                item.ends = item.event.or(item.counts.map(|ttl| ms + ttl));
            }
        }
    }

    /// Ends what has ended, and gives what has no end by the new clock one.
    fn switch(&mut self, ttl: Ttl) {
        if std::mem::discriminant(&self.ttl) != std::mem::discriminant(&ttl) {
            let ended = self.clone();
            let (event, processing) = (self.event, self.processing);
            for item in self.items.values_mut().flatten() {
                item.gone = !ended.lives(item);
                (item.ends, item.counts) = match ttl {
                    Ttl::None => (None, None),
                    Ttl::Processing(ms) => (item.processing.or(Some(processing + ms)), None),
                    Ttl::Event(ms) => (item.event.or(event.map(|now| now + ms)), Some(ms)),
                };
            }
        }
        self.ttl = ttl;
    }

    fn look(&self, key: u8) -> Shown {
        let items = self.items.get(&key).into_iter().flatten();
        let live: Vec<_> = items.clone().filter(|item| self.lives(item)).map(|item| item.n).collect();
        let last = items.last().filter(|item| self.lives(item)).map(|item| item.n);
        (last, live.clone(), live.iter().map(|n| (*n, *n)).collect(), last)
    }
}

/// A store, its model, and both as of the last commit.
struct World<'a, P: Place> {
    place: &'a P,
    clock: Arc<ManualClock>,
    store: Option<Box<dyn Store>>,
    model: Model,
    committed: Model,
    budget: usize,
    next: i64,
}

impl<'a, P: Place> World<'a, P> {
    fn new(place: &'a P, ttl: Ttl, budget: usize) -> Self {
        let model = Model::new(ttl);
        let mut world =
            Self { place, clock: Arc::default(), store: None, committed: model.clone(), model, budget, next: 0 };
        world.open();
        world
    }

    fn open(&mut self) {
        self.store = None;
        self.store = Some(open(self.place.open(), self.model.ttl, self.budget, &self.clock));
    }

    fn store(&mut self) -> &mut dyn Store {
        &mut **self.store.as_mut().unwrap()
    }

    fn write(&mut self, key: u8) {
        self.next += 1;
        let n = self.next;
        self.store().write(key, n);
        self.model.write(key, n);
    }

    #[track_caller]
    fn look(&mut self, key: u8) {
        let expected = self.model.look(key);
        assert_eq!(self.store().look(key), expected, "key {key} of {:?}", self.model);
    }

    fn commit(&mut self) {
        self.store().commit();
        self.committed = self.model.clone();
    }

    fn crash(&mut self) {
        let processing = self.model.processing;
        self.model = self.committed.clone();
        self.model.processing = processing;
        self.open();
    }

    fn switch(&mut self, ttl: Ttl) {
        self.commit();
        self.model.switch(ttl);
        self.open();
        self.commit();
    }

    fn pass(&mut self, processing: i64, event: i64) {
        self.model.processing += processing;
        self.clock.set(self.model.processing);
        if event > 0 {
            let watermark = self.model.event.unwrap_or(0) + event;
            self.store().watermark(watermark);
            self.model.watermark(watermark);
        }
    }

    #[track_caller]
    fn check(&mut self) {
        let there: Vec<u8> = (0..4).filter(|key| !self.model.look(*key).1.is_empty()).collect();
        assert_eq!(self.store().keys(), there, "{:?}", self.model);
        (0..4).for_each(|key| self.look(key));
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n) as i64
    }
}

fn random_life<P: Place>(place: &P, seed: u64, compact: impl Fn(&P::Backend)) {
    let mut random = Random(seed);
    let first = ALL[random.below(5) as usize];
    let budget = if random.below(2) == 0 { 0 } else { 1 << 20 };
    let mut world = World::new(place, first, budget);
    for _ in 0..40 {
        match random.below(14) {
            0..=3 => world.write(random.below(4) as u8),
            4 | 5 => world.look(random.below(4) as u8),
            6 | 7 => world.commit(),
            8 => world.crash(),
            9 | 10 => world.switch(ALL[random.below(5) as usize]),
            11 => {
                world.commit();
                world.store = None;
                let backend = place.open();
                let store = open(Arc::clone(&backend), world.model.ttl, world.budget, &world.clock);
                compact(&backend);
                drop((store, backend));
                world.open();
            }
            _ => world.pass(random.below(7), random.below(7)),
        }
    }
    world.check();
}

#[test]
fn random_switches_agree_with_a_model_in_memory() {
    for seed in 0..3_000 {
        let run = std::panic::catch_unwind(|| random_life(&Memory::new(), seed, |_| ()));
        run.unwrap_or_else(|_| panic!("with seed {seed}"));
    }
}

fn random_switches_agree_with_a_model<F: Folder>() {
    for seed in 0..12 {
        let run = std::panic::catch_unwind(|| random_life(&F::new(), seed, F::compact));
        run.unwrap_or_else(|_| panic!("with seed {seed}"));
    }
}

#[test]
fn random_switches_agree_with_a_model_on_rocksdb() {
    random_switches_agree_with_a_model::<RocksDb>();
}

#[test]
fn random_switches_agree_with_a_model_on_fjall() {
    random_switches_agree_with_a_model::<Fjall>();
}

/// Stored under the first TTL, read (or not) under each, with time that passes before each switch.
fn chain<P: Place>(place: &P, ttls: &[Ttl], read: bool, budget: usize, steps: [i64; 3]) {
    let mut world = World::new(place, ttls[0], budget);
    world.pass(0, 1);
    world.write(1);
    world.pass(3, 3);
    world.write(1);
    world.write(2);
    for (ttl, step) in ttls[1..].iter().zip(steps) {
        world.pass(step, step);
        if read {
            world.look(1);
        }
        world.switch(*ttl);
    }
    world.check();
    world.write(3);
    world.pass(steps[2], steps[2]);
    world.check();
    world.crash();
    world.check();
}

#[test]
fn every_pair_and_triple_of_ttls_keeps_what_was_said_under_each() {
    for a in ALL {
        for b in ALL {
            for steps in [[2, 4, 3], [4, 8, 20], [20, 4, 4], [8, 20, 4]] {
                for (read, budget) in [(true, 1 << 20), (false, 0), (true, 0)] {
                    chain(&Memory::new(), &[a, b], read, budget, steps);
                    ALL.iter().for_each(|c| chain(&Memory::new(), &[a, b, *c], read, budget, steps));
                    ALL.iter().for_each(|c| chain(&Memory::new(), &[a, b, *c, a], read, budget, steps));
                }
            }
        }
    }
}

/// The example of the report: stored without a TTL, given one, read as absent, and the TTL removed.
fn what_had_ended_under_a_ttl_that_is_gone_stays_gone<P: Place>() {
    for read in [true, false] {
        let place = P::new();
        let clock = Arc::new(ManualClock::new(0));
        let mut store = open(place.open(), Ttl::None, 0, &clock);
        store.write(1, 1);
        store.commit();
        drop(store);
        let mut store = open(place.open(), Ttl::Processing(10), 0, &clock);
        store.commit();
        clock.set(20);
        if read {
            assert_eq!(store.look(1), (None, vec![], vec![], None));
        }
        store.commit();
        drop(store);
        let mut store = open(place.open(), Ttl::None, 0, &clock);
        assert_eq!(store.look(1), (None, vec![], vec![], None), "read before: {read}");
        assert!(store.keys().is_empty());
        store.commit();
        drop(store);
        let mut store = open(place.open(), Ttl::Event(10), 0, &clock);
        assert_eq!(store.look(1), (None, vec![], vec![], None), "before any watermark");
    }
}

#[test]
fn what_had_ended_under_a_ttl_that_is_gone_stays_gone_in_memory() {
    what_had_ended_under_a_ttl_that_is_gone_stays_gone::<Memory>();
}

#[test]
fn what_had_ended_under_a_ttl_that_is_gone_stays_gone_on_rocksdb() {
    what_had_ended_under_a_ttl_that_is_gone_stays_gone::<RocksDb>();
}

#[test]
fn what_had_ended_under_a_ttl_that_is_gone_stays_gone_on_fjall() {
    what_had_ended_under_a_ttl_that_is_gone_stays_gone::<Fjall>();
}

/// A clock that is set back: what it had ended stays gone, and what is written lives as long as if it stood still.
fn a_clock_that_goes_back_gives_one_answer<P: Place>() {
    for budget in [0, 1 << 20] {
        let place = P::new();
        let clock = Arc::new(ManualClock::new(0));
        let mut store = open(place.open(), Ttl::Processing(10), budget, &clock);
        store.write(1, 1);
        store.commit();
        clock.set(10);
        assert_eq!(store.look(1).0, None);
        clock.set(5);
        assert_eq!(store.look(1).0, None, "in memory");
        store.write(2, 2);
        store.commit();
        drop(store);
        let mut store = open(place.open(), Ttl::Processing(10), budget, &clock);
        assert_eq!(store.look(1).0, None, "after a reopen");
        clock.set(19);
        assert_eq!(store.look(2).0, Some(2));
        clock.set(20);
        assert_eq!(store.look(2).0, None);
        drop(store);
    }
}

#[test]
fn a_clock_that_goes_back_gives_one_answer_in_memory() {
    a_clock_that_goes_back_gives_one_answer::<Memory>();
}

#[test]
fn a_clock_that_goes_back_gives_one_answer_on_rocksdb() {
    a_clock_that_goes_back_gives_one_answer::<RocksDb>();
}

#[test]
fn a_clock_that_goes_back_gives_one_answer_on_fjall() {
    a_clock_that_goes_back_gives_one_answer::<Fjall>();
}

/// What compaction has dropped by the clock is gone in memory too.
fn a_clock_that_goes_back_after_a_compaction_gives_one_answer<F: Folder>(place: F) {
    let clock = Arc::new(ManualClock::new(0));
    let backend = place.open();
    let mut store = open(Arc::clone(&backend), Ttl::Processing(10), 1 << 20, &clock);
    store.write(1, 1);
    store.commit();
    clock.set(10);
    F::compact(&backend);
    clock.set(5);
    assert_eq!(store.look(1), (None, vec![], vec![], None));
}
on_every_folder!(a_clock_that_goes_back_after_a_compaction_gives_one_answer);

/// Stamps of the far past have another meaning, so nothing that ends by event time can be there.
#[test]
fn event_times_of_the_far_past_are_refused_where_state_ends_by_them() {
    let early = i64::MIN / 2 - 1;
    let mut store = Keyed::<Event10>::open(Memory::new().open()).unwrap();
    store.set_watermark(early);
    let refused = store.with_key(&1, |state| state.value.set(1)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("event time"), "{refused}");
    assert_eq!(Keyed::commit(&mut store, "").unwrap_err().kind(), ErrorKind::Invalid);
    // Time goes on, and nothing was lost.
    store.set_watermark(i64::MIN / 2);
    store.with_key(&1, |state| state.value.set(1)).unwrap();
    store.set_watermark(i64::MIN / 2 + 9);
    assert_eq!(store.with_key(&1, |state| state.value.get()).unwrap(), Some(1));
    store.set_watermark(i64::MIN / 2 + 10);
    assert_eq!(store.with_key(&1, |state| state.value.get()).unwrap(), None);
    Keyed::commit(&mut store, "").unwrap();

    let mut store = Keyed::<Processing10>::open(Memory::new().open()).unwrap();
    store.set_watermark(early);
    store.with_key(&1, |state| state.value.set(1)).unwrap();
    Keyed::commit(&mut store, "").unwrap();
}

/// Catalogs of format 3 say when a clock was last in use, and nothing of eras.
#[test]
fn a_store_that_was_switched_before_there_were_eras_answers_as_it_did() {
    let backend = Memory::new().open();
    let clock = Arc::new(ManualClock::new(1_000));
    let mut store = open(Arc::clone(&backend), Ttl::Processing(10), 0, &clock);
    store.write(1, 1);
    clock.set(1_007);
    store.write(1, 2);
    store.commit();
    drop(store);
    let catalog = b"\0\0okept";
    let mut record: serde_json::Value = serde_json::from_slice(&backend.get(catalog).unwrap().unwrap()).unwrap();
    for state in record["states"].as_array_mut().unwrap() {
        (state["ttl"], state["plain"]) = (serde_json::Value::Null, true.into());
        state["switches"]["processing_stopped"] = 1_012.into();
        assert!(state.get("eras").is_none(), "nothing is written of eras where there were none");
    }
    let mut batch = WriteBatch::default();
    batch.put(catalog, &serde_json::to_vec(&record).unwrap());
    backend.write(batch).unwrap();

    let two = (Some(2), vec![2], vec![(2, 2)], Some(3));
    clock.set(9_000);
    for ttl in [Ttl::None, Ttl::Event(10), Ttl::None, Ttl::Processing(10)] {
        let mut store = open(Arc::clone(&backend), ttl, 0, &clock);
        let seen = store.look(1);
        let expected = if ttl == Ttl::Processing(10) { (None, vec![], vec![], None) } else { two.clone() };
        assert_eq!((seen.0, seen.1, seen.2), (expected.0, expected.1, expected.2), "{ttl:?}");
        store.commit();
    }
}
