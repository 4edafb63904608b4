//! Whatever a program does with its handles, the store answers as plain collections would, undone by cloning
//! and gone back to the last commit in a crash.

mod calls;
mod world;

use calls::{Answer, Call, join};
use krishiv_api::{
    BroadcastState, ErrorKind, Keyed, KeyedState, ListState, ManualClock, MapState, ReducingState, StateBackend,
    StateError, ValueState,
};
use krishiv_tests::{Place, Reading, on_every_backend};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestRunner};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use world::{Now, Row, World};

#[derive(KeyedState)]
#[state(key = String)]
pub struct Everything {
    value: ValueState<String>,
    #[state(ttl = "10ms", clock = "event")]
    brief_value: ValueState<String>,
    #[state(ttl = "10ms", clock = "event", ttl_update = "read_and_write")]
    fresh_value: ValueState<String>,
    #[state(ttl = "10ms", clock = "processing", ttl_update = "read_and_write")]
    session: ValueState<String>,
    list: ListState<i32>,
    #[state(ttl = "10ms", clock = "event")]
    brief_list: ListState<i32>,
    #[state(ttl = "10ms", clock = "event", ttl_update = "read_and_write")]
    fresh_list: ListState<i32>,
    map: MapState<String, u32>,
    #[state(ttl = "10ms", clock = "event")]
    brief_map: MapState<String, u32>,
    #[state(ttl = "10ms", clock = "event", ttl_update = "read_and_write")]
    fresh_map: MapState<String, u32>,
    #[state(reduce = join)]
    joined: ReducingState<String>,
    #[state(ttl = "10ms", clock = "event", reduce = join)]
    brief_joined: ReducingState<String>,
    latest: ReducingState<String>,
    rules: BroadcastState<String, i32>,
}

/// Some are the start of others.
const KEYS: [&str; 4] = ["", "a", "ab", "b"];

#[derive(Clone, Debug)]
struct Program {
    /// Bytes of rows in memory: none, hardly any, a few rows, all.
    budget: usize,
    /// Whether all states of a key are looked at after every event. That loads them, so not always.
    watchful: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Event(&'static str, Vec<Call>, End),
    /// Some events in one go; the first that fails ends it.
    Batch(Vec<(&'static str, Vec<Call>, bool)>),
    Broadcast(Vec<Rule>, End),
    Look(&'static str),
    Keys,
    EachKey(Vec<Call>),
    Watermark(i64),
    Tick(i64),
    Commit,
    Crash,
    /// A commit and a crash: all is stored, and nothing is loaded.
    Reopen,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Well,
    Err,
    Panic,
    /// By a call that fails, with all others before or after it.
    LatchedFirst,
    LatchedLast,
}

#[derive(Clone, Debug)]
enum Rule {
    Put(&'static str, i32),
    Remove(&'static str),
    Clear,
}

fn program(length: usize) -> impl Strategy<Value = Program> {
    let budget = select(vec![0, 1, 3_000, usize::MAX]);
    let steps = prop::collection::vec(step(), 1..length);
    let narrow = prop::option::of(0..5_usize);
    (budget, any::<bool>(), steps, narrow).prop_map(|(budget, watchful, mut steps, narrow)| {
        if let Some(which) = narrow {
            steps.iter_mut().for_each(|step| step.narrow(which));
        }
        Program { budget, watchful, steps }
    })
}

impl Step {
    /// Turns it to one key and one state of each kind, where more happens to each.
    fn narrow(&mut self, which: usize) {
        match self {
            Self::Event(key, calls, _) => {
                *key = KEYS[1];
                calls.iter_mut().for_each(|call| call.narrow(which));
            }
            Self::EachKey(calls) => calls.iter_mut().for_each(|call| call.narrow(which)),
            Self::Batch(events) => {
                for (key, calls, _) in events {
                    *key = KEYS[1];
                    calls.iter_mut().for_each(|call| call.narrow(which));
                }
            }
            Self::Look(key) => *key = KEYS[1],
            _ => {}
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let event = (key(), calls::calls(), prop::bool::weighted(0.8));
    prop_oneof![
        12 => (key(), calls::calls(), end()).prop_map(|(key, calls, end)| Step::Event(key, calls, end)),
        1 => prop::collection::vec(event, 0..4).prop_map(Step::Batch),
        2 => (prop::collection::vec(rule(), 0..4), end()).prop_map(|(rules, end)| Step::Broadcast(rules, end)),
        1 => key().prop_map(Step::Look),
        1 => Just(Step::Keys),
        1 => calls::calls().prop_map(Step::EachKey),
        3 => (-3..9_i64).prop_map(Step::Watermark),
        1 => (0..12_i64).prop_map(Step::Tick),
        2 => Just(Step::Commit),
        1 => Just(Step::Crash),
        3 => Just(Step::Reopen),
    ]
}

fn key() -> impl Strategy<Value = &'static str> {
    select(KEYS.to_vec())
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        6 => Just(End::Well),
        1 => Just(End::Err),
        1 => Just(End::Panic),
        1 => Just(End::LatchedFirst),
        1 => Just(End::LatchedLast),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let name = || select(vec!["", "x", "xy", "y"]);
    prop_oneof![
        4 => (name(), 0..9).prop_map(|(name, value)| Rule::Put(name, value)),
        2 => name().prop_map(Rule::Remove),
        1 => Just(Rule::Clear),
    ]
}

/// A store and its model.
struct Run<P: Place> {
    place: P,
    budget: usize,
    clock: Arc<ManualClock>,
    store: Option<Keyed<Everything>>,
    world: World,
    committed: World,
    processing: i64,
}

impl<P: Place> Run<P> {
    fn new(budget: usize) -> Self {
        let clock = Arc::new(ManualClock::new(0));
        let (world, committed) = (World::default(), World::default());
        let mut run = Self { place: P::new(), budget, clock, store: None, world, committed, processing: 0 };
        run.crash();
        run
    }

    fn store(&mut self) -> &mut Keyed<Everything> {
        self.store.as_mut().unwrap()
    }

    fn now(&self) -> Now {
        Now { event: self.world.watermark, processing: self.processing }
    }

    /// Drops the store as it is, and finds what was committed.
    fn crash(&mut self) {
        self.store = None;
        let builder = Keyed::builder().memory_budget(self.budget).clock(Arc::clone(&self.clock));
        self.store = Some(builder.open(self.place.open()).unwrap());
        self.world = self.committed.clone();
        let World { watermark, position, .. } = self.world.clone();
        assert_eq!(self.store().watermark(), watermark);
        assert_eq!(self.store().position(), position.as_deref());
    }

    /// What `calls` do to the row of `key` and answer.
    fn expect(&self, key: &str, calls: &[Call]) -> (Row, Vec<Answer>) {
        let mut row = self.world.rows.get(key).cloned().unwrap_or_default();
        let answers = calls.iter().map(|call| call.expect(&mut row, &self.world.rules, self.now())).collect();
        (row, answers)
    }

    fn event(&mut self, key: &'static str, calls: &[Call], end: End) {
        let (row, expected) = self.expect(key, calls);
        let mut answers = Vec::new();
        let store = self.store();
        let event = |state: &Everything| {
            if end == End::LatchedFirst {
                fail();
            }
            for call in calls {
                answers.push(call.run(state)?);
            }
            match end {
                End::Panic => resume_unwind(Box::new("on purpose")),
                End::LatchedLast => fail(),
                End::Err => return Err(StateError::backend("on purpose")),
                _ => {}
            }
            Ok(())
        };
        let result = catch_unwind(AssertUnwindSafe(|| store.try_with_key(key, event)));
        check_end(result, end, Some(key));
        for ((call, answer), expected) in calls.iter().zip(&answers).zip(&expected) {
            assert_eq!(answer, expected, "{call:?} on {key:?}");
        }
        assert_eq!(answers.len(), expected.len());
        if end == End::Well {
            self.world.rows.insert(key, row);
        }
    }

    fn batch(&mut self, events: &[(&'static str, Vec<Call>, bool)]) {
        let mut expected = Vec::new();
        let failing = events.iter().position(|(_, _, well)| !well);
        for (index, (key, calls, _)) in events.iter().enumerate().take(failing.map_or(events.len(), |last| last + 1)) {
            let (row, answers) = self.expect(key, calls);
            expected.push(answers);
            if Some(index) != failing {
                self.world.rows.insert(key, row);
            }
        }
        let mut answers = Vec::new();
        let event = |state: &Everything, (_, calls, well): &(&str, Vec<Call>, bool)| {
            let all: Result<Vec<_>, _> = calls.iter().map(|call| call.run(state)).collect();
            answers.push(all?);
            if *well { Ok(()) } else { Err(StateError::backend("on purpose")) }
        };
        let result = self.store().for_each_event(events, |(key, _, _)| *key, event);
        assert_eq!(result.map_err(|error| error.index), failing.map_or(Ok(()), Err));
        assert_eq!(answers, expected);
    }

    fn broadcast(&mut self, rules: &[Rule], end: End) {
        let mut expected = self.world.rules.clone();
        for rule in rules {
            match rule {
                Rule::Put(name, value) => drop(expected.insert((*name).to_owned(), *value)),
                Rule::Remove(name) => drop(expected.remove(*name)),
                Rule::Clear => expected.clear(),
            }
        }
        let by_name = rules.len().is_multiple_of(2);
        let result = catch_unwind(AssertUnwindSafe(|| {
            self.store().broadcast(|state, scope| {
                if end == End::LatchedFirst {
                    fail();
                }
                let named = BroadcastState::new("rules");
                let handle = if by_name { &named } else { &state.rules };
                for rule in rules {
                    match rule {
                        Rule::Put(name, value) => handle.put(scope, (*name).to_owned(), *value),
                        Rule::Remove(name) => handle.remove(scope, *name),
                        Rule::Clear => handle.clear(scope),
                    }
                }
                assert_eq!(handle.entries().into_iter().collect::<BTreeMap<_, _>>(), expected);
                match end {
                    End::Panic | End::Err => resume_unwind(Box::new("on purpose")),
                    End::LatchedLast => fail(),
                    _ => {}
                }
            })
        }));
        check_end(result, if end == End::Err { End::Panic } else { end }, None);
        if end == End::Well {
            self.world.rules = expected;
        }
    }

    /// Compares all states of `key`, in an event that fails, so that it does not renew what it looks at.
    fn look(&mut self, key: &'static str) {
        self.event(key, &Call::look(), End::Err);
    }

    /// Keys in the model that hold any state.
    fn live(&self) -> Vec<&'static str> {
        self.world.rows.iter().filter(|(_, row)| row.is_live(self.now())).map(|(key, _)| *key).collect()
    }

    fn keys(&mut self) {
        let mut keys = self.store().keys().unwrap();
        keys.sort();
        assert_eq!(keys, self.live());
    }

    fn each_key(&mut self, calls: &[Call]) {
        let mut expected = BTreeMap::new();
        for key in self.live() {
            let (row, answers) = self.expect(key, calls);
            self.world.rows.insert(key, row);
            expected.insert(key.to_owned(), answers);
        }
        let mut seen = BTreeMap::new();
        let visit = |key: &String, state: &Everything| {
            let answers = calls.iter().map(|call| call.run(state).unwrap()).collect();
            assert_eq!(seen.insert(key.clone(), answers), None, "visited twice");
        };
        self.store().for_each_key(visit).unwrap();
        assert_eq!(seen, expected);
    }

    fn commit(&mut self, step: usize) {
        self.store().commit(step.to_string()).unwrap();
        self.world.position = Some(step.to_string().into_bytes());
        self.committed = self.world.clone();
    }

    fn step(&mut self, index: usize, step: &Step, watchful: bool) {
        match step {
            Step::Event(key, calls, end) => {
                self.event(key, calls, *end);
                if watchful || *end != End::Well {
                    self.look(key);
                }
            }
            Step::Batch(events) => self.batch(events),
            Step::Broadcast(rules, end) => self.broadcast(rules, *end),
            Step::Look(key) => self.look(key),
            Step::Keys => self.keys(),
            Step::EachKey(calls) => self.each_key(calls),
            Step::Watermark(by) => {
                let watermark = self.world.watermark.unwrap_or(0) + by;
                self.store().set_watermark(watermark);
                self.world.set_watermark(watermark);
                let watermark = self.world.watermark;
                assert_eq!(self.store().watermark(), watermark);
            }
            Step::Tick(by) => {
                self.processing += by;
                self.clock.set(self.processing);
            }
            Step::Commit => self.commit(index),
            Step::Crash => self.look_after_crash(watchful),
            Step::Reopen => {
                self.commit(index);
                self.look_after_crash(watchful);
            }
        }
    }

    fn look_after_crash(&mut self, watchful: bool) {
        self.crash();
        self.keys();
        if watchful {
            KEYS.into_iter().for_each(|key| self.look(key));
        }
    }
}

/// Asks for a state by another type than it has.
fn fail() {
    assert_eq!(ValueState::<bool>::new("list").get(), None);
}

fn check_end<E>(result: Result<Result<(), StateError>, E>, end: End, key: Option<&str>) {
    match (end, result) {
        (End::Well, Ok(Ok(()))) | (End::Panic, Err(_)) => {}
        (End::Err, Ok(Err(error))) => assert_eq!(error.kind(), ErrorKind::Backend, "{error}"),
        (End::LatchedFirst | End::LatchedLast, Ok(Err(error))) => {
            assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
            assert_eq!((error.operator(), error.state()), (Some("everything"), Some("list")));
            assert_eq!(error.key().map(str::to_owned), key.map(|key| format!("{key:?}")));
        }
        (end, Ok(result)) => panic!("{end:?}, but {result:?}"),
        (end, Err(_)) => panic!("{end:?}, but it panicked"),
    }
}

/// The seed is fixed; `PROPTEST_RNG_SEED` and `PROPTEST_CASES` try others. A program that failed is written, made
/// as short as it goes, to `main.regressions` beside this file, and tried first from then on.
fn the_store_answers_as_plain_collections_would<P: Place>(_: P) {
    // On RocksDB every commit waits for the disk.
    let (cases, length) = if P::Backend::DURABLE { (40, 30) } else { (3_000, 50) };
    let asked = |name: &str| std::env::var(name).is_ok();
    let mut config = Config { max_shrink_iters: 20_000, source_file: Some(file!()), ..Config::default() };
    config.failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("regressions")));
    if !asked("PROPTEST_CASES") {
        config.cases = cases;
    }
    if !asked("PROPTEST_RNG_SEED") {
        config.rng_seed = RngSeed::Fixed(1);
    }
    let result = TestRunner::new(config).run(&program(length), |Program { budget, watchful, steps }| {
        let mut run = Run::<P>::new(budget);
        steps.iter().enumerate().for_each(|(index, step)| run.step(index, step, watchful));
        run.commit(steps.len());
        run.look_after_crash(true);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
on_every_backend!(the_store_answers_as_plain_collections_would);

#[test]
fn the_store_answers_so_where_its_commits_read() {
    the_store_answers_as_plain_collections_would(Reading::new());
}
