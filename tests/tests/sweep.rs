//! What has ended leaves the storage, by itself or when it is told to, and nobody who reads can tell.

use krishiv_api::{
    BoxError, Cause, Driver, EventContext, InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock, MapState,
    Operator, ReducingState, Retention, Scan, StateBackend, StateError, Timer, ValueState, Volatile, WriteBatch,
};
use krishiv_tests::{Memory, Place, Reading, on_every_backend};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Keys that never come back.
const MANY: u32 = 60_000;

#[derive(KeyedState)]
#[state(key = u32, name = "visits")]
struct Visits {
    #[state(ttl = "10ms", clock = "event")]
    by_event: ValueState<u64>,
    #[state(ttl = "10ms")]
    by_clock: ListState<u64>,
    #[state(ttl = "10ms", clock = "event")]
    pages: MapState<u8, u64>,
    #[state(ttl = "10ms")]
    long: ValueState<String>,
    kept: ValueState<u64>,
}

/// Another operator of the same backend.
#[derive(KeyedState)]
#[state(key = u32, name = "others")]
struct Others {
    #[state(ttl = "10ms", clock = "event")]
    by_event: ValueState<u64>,
}

struct World<S: KeyedState, B> {
    clock: Arc<ManualClock>,
    backend: Arc<B>,
    store: Keyed<S>,
}

impl<S: KeyedState<Needs = Volatile>, B: StateBackend> World<S, B> {
    fn new(backend: Arc<B>) -> Self {
        Self::at(backend, Arc::new(ManualClock::new(0)))
    }

    fn at(backend: Arc<B>, clock: Arc<ManualClock>) -> Self {
        let store = Keyed::builder().memory_budget(1 << 20).clock(Arc::clone(&clock));
        Self { store: store.open(Arc::clone(&backend)).unwrap(), clock, backend }
    }

    /// Both clocks show `ms`, and that is committed.
    fn pass(&mut self, ms: i64) {
        self.clock.set(ms);
        self.store.set_watermark(ms);
        self.store.commit(ms.to_string()).unwrap();
    }

    fn reopen(self) -> Self {
        let Self { clock, backend, store } = self;
        drop(store);
        Self::at(backend, clock)
    }

    fn records(&self) -> usize {
        self.backend.scan(b"").count()
    }
}

/// A key each, by one clock.
fn fill<B: StateBackend>(world: &mut World<Visits, B>, by_event: bool) {
    for key in 0..MANY {
        let set = |state: &Visits| if by_event { state.by_event.set(1) } else { state.by_clock.add(1) };
        world.store.with_key(&key, set).unwrap();
        if key % 10_000 == 0 {
            world.store.commit("").unwrap();
        }
    }
    world.pass(1);
}

fn the_storage_is_rid_of_keys_that_never_come_back<P: Place>(_: P) {
    for by_event in [true, false] {
        let mut world = World::new(P::new().open());
        world.store.set_watermark(0);
        fill(&mut world, by_event);
        assert_eq!((world.store.ended().unwrap(), world.store.sweep().unwrap()), (0, 0));
        world.pass(100);
        assert!(world.store.ended().unwrap() <= u64::from(MANY));
        // Memory has begun by itself, and helps.
        let swept = world.store.sweep().unwrap();
        assert!(swept <= u64::from(MANY) && swept > 40_000, "{swept}");
        assert_eq!((world.store.ended().unwrap(), world.store.sweep().unwrap()), (0, 0));
        assert_eq!(world.store.keys().unwrap(), [0; 0]);
    }
}

#[test]
fn memory_is_rid_of_keys_that_never_come_back_by_itself() {
    for by_event in [true, false] {
        let mut world = World::new(Memory::new().open());
        world.store.set_watermark(0);
        fill(&mut world, by_event);
        assert!(world.records() > MANY as usize);
        // Each write looks at 16 records at least.
        for ms in 0..i64::from(MANY) / 16 + 10 {
            world.pass(100 + ms);
        }
        assert!(world.records() < 10, "{}", world.records());
        assert_eq!(world.store.ended().unwrap(), 0);
    }
}

/// However many keys come and go, there are never more of those that have gone than of those that are there.
#[test]
fn memory_holds_no_more_of_what_has_ended_than_of_what_lives() {
    let mut world = World::<Visits, _>::new(Memory::new().open());
    let mut most = 0;
    for ms in 0..300_u32 {
        world.clock.set(i64::from(ms));
        world.store.set_watermark(i64::from(ms));
        // 200 come each millisecond, and live for ten of them.
        for key in 0..200 {
            world.store.with_key(&(ms * 200 + key), |state| state.by_event.set(1)).unwrap();
        }
        world.store.commit("").unwrap();
        most = most.max(world.records());
    }
    assert!(most < 2 * 11 * 200 + 200, "{most} records of {} that live", 11 * 200);
}

fn what_lives_stays_as_it_is<P: Place>(place: P) {
    let mut world = World::<Visits, _>::new(place.open());
    world.store.set_watermark(0);
    let long = "long".repeat(500);
    for key in 0..10 {
        world
            .store
            .with_key(&key, |state| {
                state.by_event.set(1);
                state.by_clock.add(2);
                state.long.set(long.clone());
                state.kept.set(u64::from(key));
                state.pages.put(1, 1);
            })
            .unwrap();
    }
    world.pass(5);
    let fresh = |state: &Visits| {
        state.by_clock.add(3);
        state.pages.put(2, 2);
    };
    (0..5).for_each(|key| world.store.with_key(&key, fresh).unwrap());
    world.pass(12);
    // A value in the row, a long one apart, an element and an entry of each; of what ends by the clock memory has
    // dropped some by itself.
    let ended = world.store.ended().unwrap();
    assert!(ended == 40 || !P::Backend::DURABLE && ended >= 20, "{ended}");
    assert_eq!(world.store.sweep().unwrap(), ended);
    assert_eq!(world.store.ended().unwrap(), 0);
    let expect = |world: &mut World<Visits, P::Backend>| {
        for key in 0..10 {
            let fresh = u64::from(key < 5);
            let found = world.store.with_key(&key, |state| {
                let rest = (state.by_clock.get(), state.pages.entries(), state.long.get());
                (state.by_event.get(), state.kept.get(), rest)
            });
            let rest = (vec![3; fresh as usize], vec![(2, 2); fresh as usize], None);
            assert_eq!(found.unwrap(), (None, Some(u64::from(key)), rest));
        }
    };
    expect(&mut world);
    let mut world = world.reopen();
    expect(&mut world);
    // What comes back is there as if nothing had been.
    world.store.with_key(&1, |state| (state.by_event.set(7), state.long.set("short".to_owned()))).unwrap();
    world.pass(13);
    let mut world = world.reopen();
    let found = world.store.with_key(&1, |state| (state.by_event.get(), state.kept.get(), state.long.get())).unwrap();
    assert_eq!(found, (Some(7), Some(1), Some("short".to_owned())));
}

fn what_is_not_committed_neither_ends_nor_goes<P: Place>(place: P) {
    let mut world = World::<Visits, _>::new(place.open());
    world.store.set_watermark(0);
    world.store.with_key(&1, |state| state.by_event.set(1)).unwrap();
    world.pass(1);
    world.store.with_key(&1, |state| state.kept.set(2)).unwrap();
    world.store.set_watermark(100);
    assert_eq!(world.store.sweep().unwrap(), 0);
    // A crash goes back to before it had ended.
    let mut world = world.reopen();
    assert_eq!(world.store.with_key(&1, |state| (state.by_event.get(), state.kept.get())).unwrap(), (Some(1), None));
    world.pass(100);
    world.store.with_key(&1, |state| state.kept.set(2)).unwrap();
    assert_eq!(world.store.sweep().unwrap(), 1);
    world.store.commit("").unwrap();
    let mut world = world.reopen();
    assert_eq!(world.store.with_key(&1, |state| (state.by_event.get(), state.kept.get())).unwrap(), (None, Some(2)));
}

fn one_operator_and_one_range_leave_the_others_alone<P: Place>(place: P) {
    let backend = place.open();
    let mut visits = World::<Visits, _>::new(Arc::clone(&backend));
    let mut others = World::<Others, _>::new(Arc::clone(&backend));
    for key in 0..100 {
        visits.store.set_watermark(0);
        others.store.set_watermark(0);
        visits.store.with_key(&key, |state| state.by_event.set(1)).unwrap();
        others.store.with_key(&key, |state| state.by_event.set(1)).unwrap();
    }
    visits.pass(1);
    others.pass(1);
    visits.pass(100);
    others.pass(100);
    // Memory has dropped a few by itself.
    assert!(visits.store.sweep().unwrap() > 0);
    assert_eq!(visits.store.ended().unwrap(), 0);
    let all = others.store.ended().unwrap();
    assert!(all > 0, "{all}");
    drop((visits, others));
    let open = |range| Keyed::<Others>::builder().key_groups(range).open(Arc::clone(&backend)).unwrap();
    let (mut half, mut other) = (open(0..64), open(64..128));
    let ended = [half.ended().unwrap(), other.ended().unwrap()];
    assert_eq!(ended.iter().sum::<u64>(), all);
    assert_eq!(half.sweep().unwrap(), ended[0]);
    assert_eq!(half.ended().unwrap(), 0);
    assert!(!P::Backend::DURABLE || other.ended().unwrap() == ended[1]);
}

on_every_backend!(
    the_storage_is_rid_of_keys_that_never_come_back,
    what_lives_stays_as_it_is,
    what_is_not_committed_neither_ends_nor_goes,
    one_operator_and_one_range_leave_the_others_alone,
);

/// Says of all that has ended by its word; that it is over, or idle, as it is told.
#[derive(Default)]
struct Rule {
    asked: AtomicUsize,
    panics: bool,
    is_over: AtomicBool,
    is_idle: AtomicBool,
}

impl Retention for Rule {
    fn is_expired(&self, _: &[u8], value: &[u8]) -> bool {
        self.asked.fetch_add(1, Relaxed);
        assert!(!self.panics, "a bug in a rule");
        value == b"ended"
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }

    fn is_idle(&self) -> bool {
        self.is_idle.load(Relaxed)
    }
}

#[test]
fn memory_asks_a_rule_for_as_long_as_it_has_something_to_say() {
    let backend = InMemoryStateBackend::new();
    let put = |value: &[u8]| {
        let mut batch = WriteBatch::default();
        batch.put(b"k", value);
        batch.put(b"other", b"stays");
        backend.write(batch).unwrap();
        backend.get(b"k").unwrap().is_some()
    };
    let panics = Arc::new(Rule { panics: true, ..Rule::default() });
    backend.add_retention(Arc::clone(&panics) as Arc<dyn Retention>);
    assert!(put(b"ended"));
    assert!(panics.asked.load(Relaxed) > 0);
    panics.is_over.store(true, Relaxed);
    let rule = Arc::new(Rule::default());
    backend.add_retention(Arc::clone(&rule) as Arc<dyn Retention>);
    assert_eq!(Arc::strong_count(&panics), 1, "one that is over is forgotten");
    assert!(!put(b"ended") && put(b"lives"));
    rule.is_idle.store(true, Relaxed);
    let asked = rule.asked.load(Relaxed);
    assert!(put(b"ended"));
    rule.is_idle.store(false, Relaxed);
    rule.is_over.store(true, Relaxed);
    assert!(put(b"ended"));
    assert_eq!(rule.asked.load(Relaxed), asked);
    rule.is_over.store(false, Relaxed);
    // However little is written.
    backend.write(WriteBatch::default()).unwrap();
    assert_eq!(backend.scan(b"").count(), 1);
}

/// Memory that drops nothing by itself, may be others' too, and fails when it has written so often.
struct Plain {
    inner: Arc<InMemoryStateBackend>,
    writes_left: AtomicUsize,
}

impl Plain {
    fn on(inner: &Arc<InMemoryStateBackend>) -> Arc<Self> {
        Arc::new(Self { inner: Arc::clone(inner), writes_left: AtomicUsize::new(usize::MAX) })
    }
}

impl StateBackend for Plain {
    type Survival = Volatile;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.inner.get(key)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.inner.scan(prefix)
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        if self.writes_left.fetch_sub(1, Relaxed) == 0 {
            self.writes_left.store(0, Relaxed);
            return Err(StateError::backend("on purpose"));
        }
        self.inner.write(batch)
    }
}

#[test]
fn a_sweep_that_is_cut_short_has_dropped_a_part() {
    let inner = Arc::new(InMemoryStateBackend::new());
    let mut world = World::<Visits, _>::new(Plain::on(&inner));
    world.store.set_watermark(0);
    fill(&mut world, true);
    world.store.with_key(&1, |state| state.kept.set(1)).unwrap();
    world.pass(100);
    // That of the key that came back went when its row was written.
    assert_eq!(world.store.ended().unwrap(), u64::from(MANY) - 1);
    world.backend.writes_left.store(2, Relaxed);
    let error = world.store.sweep().unwrap_err();
    assert_eq!((error.operator(), error.kind()), (Some("visits"), krishiv_api::ErrorKind::Backend), "{error}");
    let mut world = World::<Visits, _>::at(Plain::on(&inner), Arc::clone(&world.clock));
    let left = world.store.ended().unwrap();
    assert!(left > 0 && left < u64::from(MANY), "{left}");
    assert_eq!(world.store.keys().unwrap(), [1]);
    assert_eq!(world.store.sweep().unwrap(), left);
    assert_eq!(world.store.keys().unwrap(), [1]);
    assert!(world.records() < 10);
}

#[test]
fn who_no_longer_owns_the_storage_sweeps_nothing() {
    let inner = Arc::new(InMemoryStateBackend::new());
    let fill = |backend| {
        let mut world = World::<Visits, _>::new(backend);
        world.store.set_watermark(0);
        (1..4).for_each(|key| world.store.with_key(&key, |state| state.by_event.set(1)).unwrap());
        world.pass(1);
        world.pass(100);
        world
    };
    // Whether it has committed before, or has only been opened.
    for has_committed in [true, false] {
        let mut first = match has_committed {
            true => fill(Plain::on(&inner)),
            false => World::<Visits, _>::new(Plain::on(&inner)),
        };
        let mut second = World::<Visits, _>::new(Plain::on(&inner));
        second.store.set_watermark(200);
        second.store.with_key(&1, |state| state.by_event.set(2)).unwrap();
        second.store.commit("").unwrap();
        let before: Vec<_> = inner.scan(b"").map(Result::unwrap).collect();
        let error = first.store.sweep();
        if let Err(error) = &error {
            assert!(matches!(error.cause(), Cause::Fenced), "{error}");
        }
        assert!(error.is_err() || !has_committed);
        assert_eq!(inner.scan(b"").map(Result::unwrap).collect::<Vec<_>>(), before);
    }
}

/// What the operator of the model does with a key, and then tells of it.
#[derive(Clone, Debug)]
enum Act {
    Look,
    Set(u64),
    Clear,
    Timer(i64),
    ClockTimer(i64),
}

#[derive(Clone, Debug)]
enum Step {
    Event(u32, Act),
    Watermark(i64),
    Clock(i64),
    Commit,
    Crash,
    Sweep,
}

#[derive(KeyedState)]
#[state(key = u32, name = "model")]
struct Model {
    #[state(ttl = "7ms", clock = "event")]
    event: ValueState<u64>,
    #[state(ttl = "5ms", clock = "event", ttl_update = "read_and_write")]
    looked_at: ValueState<u64>,
    #[state(ttl = "6ms")]
    clock: ReducingState<u64>,
    #[state(ttl = "7ms", clock = "event")]
    list: ListState<u64>,
    #[state(ttl = "6ms")]
    map: MapState<u64, u64>,
    #[state(ttl = "9ms", clock = "event")]
    long: ValueState<String>,
    kept: ValueState<u64>,
}

struct Tells;

impl Tells {
    fn tell(state: &Model) -> String {
        let (list, map) = (state.list.get(), state.map.entries());
        let values = (state.event.get(), state.looked_at.get(), state.clock.get(), state.kept.get());
        format!("{values:?} {list:?} {map:?} {:?}", state.long.with(|long| long.map(String::len)))
    }
}

impl Operator for Tells {
    type State = Model;
    type In = (u32, Act);
    type Out = String;

    fn key(&self, (key, _): &(u32, Act)) -> u32 {
        *key
    }

    fn on_event(
        &mut self,
        state: &Model,
        (_, act): (u32, Act),
        ctx: &mut EventContext<'_, Self>,
    ) -> Result<(), BoxError> {
        match act {
            Act::Look => {}
            Act::Set(n) => {
                if n % 2 == 0 {
                    state.event.set(n);
                    state.list.add(n);
                    state.long.set("x".repeat(n as usize * 100));
                }
                if n % 3 == 0 {
                    state.looked_at.set(n);
                    state.map.put(n, n);
                }
                if n % 5 == 0 {
                    state.clock.merge(n);
                    state.kept.set(n);
                }
                return Ok(());
            }
            Act::Clear => {
                state.event.clear();
                state.list.clear();
                state.map.clear();
                state.long.clear();
            }
            Act::Timer(time) => ctx.register_event_timer(time),
            Act::ClockTimer(time) => ctx.register_processing_timer(time),
        }
        ctx.emit(Self::tell(state));
        Ok(())
    }

    fn on_timer(&mut self, state: &Model, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        ctx.emit(format!("{timer:?} {}", Self::tell(state)));
        Ok(())
    }
}

struct Run<B> {
    backend: Arc<B>,
    clock: Arc<ManualClock>,
    driver: Option<Driver<Tells>>,
    /// What the clocks show, and showed when it was last committed.
    now: (i64, i64),
    budget: usize,
}

impl<B: StateBackend> Run<B> {
    fn new(backend: Arc<B>, budget: usize) -> Self {
        let mut run = Self { backend, clock: Arc::new(ManualClock::new(0)), driver: None, now: (0, 0), budget };
        run.open();
        run
    }

    fn open(&mut self) {
        self.driver = None;
        let store = Keyed::builder().memory_budget(self.budget).clock(Arc::clone(&self.clock));
        self.driver = Some(Driver::builder(Tells).store(store).open(Arc::clone(&self.backend)).unwrap());
    }

    /// Takes a step; returns all that it put out.
    fn step(&mut self, step: &Step) -> Vec<String> {
        let driver = self.driver.as_mut().unwrap();
        match step {
            Step::Event(key, act) => driver.event((*key, act.clone()), None).unwrap(),
            Step::Watermark(more) => {
                self.now.0 = driver.watermark().unwrap_or(0) + more;
                driver.advance(self.now.0).unwrap();
            }
            Step::Clock(more) => {
                self.now.1 += more;
                self.clock.set(self.now.1);
                driver.tick().unwrap();
            }
            Step::Commit => driver.commit("").unwrap(),
            Step::Crash => self.open(),
            Step::Sweep => drop(driver.store_mut().sweep().unwrap()),
        }
        self.driver.as_mut().unwrap().drain().map(|record| record.value).collect()
    }
}

fn step() -> impl Strategy<Value = Step> {
    let act = prop_oneof![
        3 => Just(Act::Look),
        6 => (0..40_u64).prop_map(Act::Set),
        1 => Just(Act::Clear),
        2 => (0..60_i64).prop_map(Act::Timer),
        2 => (0..60_i64).prop_map(Act::ClockTimer),
    ];
    prop_oneof![
        10 => (0..4_u32, act).prop_map(|(key, act)| Step::Event(key, act)),
        3 => (0..6_i64).prop_map(Step::Watermark),
        3 => (0..6_i64).prop_map(Step::Clock),
        3 => Just(Step::Commit),
        1 => Just(Step::Crash),
        3 => Just(Step::Sweep),
    ]
}

fn nobody_can_tell_who_was_swept<P: Place>(_: P) {
    let steps = (prop::collection::vec(step(), 1..80), prop_oneof![Just(0_usize), Just(1 << 20)]);
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&steps, |(steps, budget)| {
        // The one drops what has ended whenever it likes, and when it is told to; the other never does.
        let (place, plain) = (P::new(), Reading::new());
        let (mut swept, mut plain) = (Run::new(place.open(), budget), Run::new(plain.open(), budget));
        for (index, step) in steps.iter().enumerate() {
            let told = swept.step(step);
            let expected = if matches!(step, Step::Sweep) { Vec::new() } else { plain.step(step) };
            prop_assert_eq!(told, expected, "step {}: {:?}", index, step);
        }
        for last in [Step::Commit, Step::Sweep, Step::Crash] {
            swept.step(&last);
            plain.step(&last);
        }
        for key in 0..4 {
            let look = Step::Event(key, Act::Look);
            prop_assert_eq!(swept.step(&look), plain.step(&look), "in the end");
        }
        let keys = |run: &mut Run<_>| run.driver.as_mut().unwrap().store_mut().keys().unwrap();
        let mut found = keys(&mut swept);
        found.sort_unstable();
        let mut expected = plain.driver.as_mut().unwrap().store_mut().keys().unwrap();
        expected.sort_unstable();
        prop_assert_eq!(found, expected);
        Ok(())
    });
    result.unwrap();
}

on_every_backend!(nobody_can_tell_who_was_swept);
