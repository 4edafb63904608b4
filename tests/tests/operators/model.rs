//! Random programs against the plain world.

use super::backends::{Fail, on_every_failing_backend, opened};
use super::script::{Act, Event, In, Processing, Rules, Script, Scripted, Side, at};
use super::world::{Out, Policy, Stored, World};
use krishiv_api::{Harness, InMemoryStateBackend, Keyed, OnError, StateBackend, Timer};
use krishiv_tests::Place;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestRunner};
use std::marker::PhantomData;
use std::sync::Arc;

/// Some are the start of others, and short ones sort first.
const KEYS: [&str; 5] = ["", "a", "ab", "b", "ba"];

#[derive(Clone, Debug)]
struct Program {
    /// Bytes of rows and timers in memory: none, a few rows, all.
    budget: usize,
    groups: u16,
    instances: u16,
    policy: Policy,
    /// Whether all timers and states are looked at after every step.
    watchful: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Event(&'static str, Option<i64>, Vec<Act>),
    Broadcast(Rules),
    Watermark(i64),
    Clock(i64),
    Commit,
    /// A commit whose first write fails, before it has written or after.
    FailedCommit(Fail),
    Crash,
    /// A commit and a crash: all is stored, and nothing is loaded.
    Reopen,
    Rescale(u16),
}

fn program(length: usize, step: impl Strategy<Value = Step>) -> impl Strategy<Value = Program> {
    let budget = select(vec![0, 3_000, usize::MAX]);
    let groups = select(vec![4, 7, 128, 1_000]);
    let policy = select(vec![Policy::Stop, Policy::Skip, Policy::DeadLetter]);
    let steps = prop::collection::vec(step, 1..length);
    (budget, groups, 1..4_u16, policy, any::<bool>(), steps).prop_map(
        |(budget, groups, instances, policy, watchful, steps)| Program {
            budget,
            groups,
            instances,
            policy,
            watchful,
            steps,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let rules = prop::collection::vec((select(vec!["x".to_owned(), "y".to_owned()]), 0..9_i64), 0..3);
    let failure = prop::option::weighted(0.3, failure());
    prop_oneof![
        14 => (select(KEYS.to_vec()), prop::option::of(0..20_i64), acts()).prop_map(|(k, t, a)| Step::Event(k, t, a)),
        1 => (rules, failure).prop_map(Step::Broadcast),
        5 => time().prop_map(Step::Watermark),
        4 => time().prop_map(Step::Clock),
        3 => Just(Step::Commit),
        2 => select(vec![Fail::Before, Fail::After]).prop_map(Step::FailedCommit),
        2 => Just(Step::Crash),
        2 => Just(Step::Reopen),
        1 => (1..5_u16).prop_map(Step::Rescale),
    ]
}

/// So many timers that not all are read at once, nor stay in memory, and some that are set past those not read yet.
fn crowded_step() -> impl Strategy<Value = Step> {
    let start = || (select(vec![Event, Event, Processing]), 0..4_000_i64).prop_map(|(kind, time)| at(kind, time));
    let many = (start(), 200..1_600_u16).prop_map(|(timer, many)| vec![Act::SetMany(timer, many)]);
    let few = (start(), start()).prop_map(|(set, delete)| vec![Act::Set(set), Act::Delete(delete)]);
    let event = |acts| (select(KEYS.to_vec()), acts).prop_map(|(key, acts)| Step::Event(key, None, acts));
    prop_oneof![
        5 => event(many.boxed()),
        5 => event(few.boxed()),
        4 => (0..5_000_i64).prop_map(Step::Watermark),
        2 => (0..5_000_i64).prop_map(Step::Clock),
        4 => Just(Step::Commit),
        3 => Just(Step::Reopen),
        4 => step(),
    ]
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        30 => -3..20_i64,
        1 => 200..400_i64,
        2 => select(vec![i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX]),
    ]
}

fn timer() -> impl Strategy<Value = Timer> {
    (select(vec![Event, Event, Processing]), time()).prop_map(|(kind, time)| at(kind, time))
}

fn failure() -> impl Strategy<Value = Act> {
    select(vec![Act::Err, Act::Panic, Act::Latch])
}

fn simple() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => timer().prop_map(Act::Set),
        1 => (timer(), 2..6_u16).prop_map(|(timer, many)| Act::SetMany(timer, many)),
        5 => timer().prop_map(Act::Delete),
        3 => Just(Act::Emit),
        1 => select(vec![Side::Audit, Side::Rejects]).prop_map(Act::EmitTo),
        2 => Just(Act::Timers),
        1 => failure(),
    ]
}

/// A timer that does more than to fire: it is set, and what it does then.
fn acts() -> impl Strategy<Value = Vec<Act>> {
    let planned = (timer(), prop::collection::vec(simple(), 1..4));
    let act = prop_oneof![
        4 => simple().prop_map(|act| vec![act]),
        1 => planned.prop_map(|(timer, acts)| vec![Act::Set(timer), Act::Plan(timer, acts)]),
    ];
    prop::collection::vec(act, 0..4).prop_map(|acts| acts.into_iter().flatten().collect())
}

/// A harness and its model.
struct Run<B> {
    harness: Harness<Script>,
    world: World,
    committed: (Stored, Out),
    backend: PhantomData<B>,
}

impl<B: StateBackend> Run<B> {
    fn new<P: Place + 'static>(program: &Program) -> Self {
        let place = P::new();
        let on_error = match program.policy {
            Policy::Stop => OnError::stop(),
            Policy::Skip => OnError::skip(),
            Policy::DeadLetter => OnError::dead_letter(),
        };
        let store = Keyed::builder().memory_budget(program.budget).max_parallelism(program.groups);
        let builder = Harness::builder(|| Script).shared_backend(move || Ok(place.open())).store(store.clone());
        let harness = builder.on_error(on_error).instances(program.instances).open().unwrap();
        let groups = store.open(Arc::new(InMemoryStateBackend::new())).unwrap();
        let stored = Stored { watermarks: vec![None; usize::from(program.groups)], ..Stored::default() };
        let mut world = World {
            stored: stored.clone(),
            out: Out::default(),
            skipped: 0,
            policy: program.policy,
            clock: 0,
            instances: Vec::new(),
            group: Box::new(move |key| groups.key_group(key).unwrap()),
        };
        world.open(program.instances);
        Self { harness, world, committed: (stored, Out::default()), backend: PhantomData }
    }

    fn step(&mut self, step: &Step) {
        let Self { harness, world, .. } = self;
        match step {
            Step::Event(key, time, acts) => {
                let event: In = ((*key).to_owned(), acts.clone());
                let result = match time {
                    Some(time) => harness.event_at(event, *time),
                    None => harness.event(event),
                };
                assert_eq!(result.is_ok(), world.event(key, *time, acts), "{result:?}");
                if let Err(error) = result {
                    assert_eq!((error.operator(), error.key()), ("scripted", Some(format!("{key:?}").as_str())));
                }
            }
            Step::Broadcast(rules) => {
                let result = harness.broadcast(rules.clone());
                assert_eq!(result.is_ok(), world.broadcast(rules), "{result:?}");
            }
            Step::Watermark(ms) => {
                let result = harness.watermark(*ms);
                assert_eq!(result.is_ok(), world.watermark(*ms), "{result:?}");
            }
            Step::Clock(ms) => {
                world.clock = *ms;
                let result = harness.clock(*ms);
                assert_eq!(result.is_ok(), world.tick(), "{result:?}");
            }
            Step::Commit => {
                harness.commit().unwrap();
                self.committed = (world.to_store(), world.out.clone());
            }
            Step::FailedCommit(how) => {
                // What instances before the one that fails have written is a chapter of its own.
                if world.instances.len() == 1 {
                    opened::<B>().fail_writes(0, *how);
                    harness.commit().unwrap_err();
                    if *how == Fail::After {
                        self.committed.0 = world.to_store();
                    }
                }
            }
            Step::Reopen => {
                self.step(&Step::Commit);
                self.step(&Step::Crash);
            }
            Step::Crash => {
                harness.crash_and_reopen().unwrap();
                self.world.stored = self.committed.0.clone();
                self.world.out = self.committed.1.clone();
                self.world.open(self.world.instances.len() as u16);
            }
            Step::Rescale(instances) => {
                harness.rescale(*instances).unwrap();
                self.committed = (world.to_store(), world.out.clone());
                self.world.stored = self.committed.0.clone();
                self.world.open(*instances);
            }
        }
    }

    fn check(&mut self, watchful: bool) {
        let Self { harness, world, .. } = self;
        assert_eq!(harness.emitted(), world.out.main);
        assert_eq!(harness.side("audit"), world.out.audit);
        assert_eq!(harness.side("rejects"), world.out.rejects);
        assert_eq!(harness.dead_letters().len(), world.out.dead_letters);
        assert_eq!(harness.skipped(), world.skipped);
        if watchful {
            assert_eq!(harness.timers().unwrap(), world.timers());
            for key in KEYS {
                let look = |state: &Scripted| (state.count.get_or(0), state.rules.entries());
                let (count, rules) = harness.state(&key.to_owned(), look).unwrap();
                assert_eq!(count, world.stored.rows.get(key).map_or(0, |row| row.count));
                assert!(rules.into_iter().eq(world.stored.rules.clone()));
            }
        }
    }
}

fn run<B: StateBackend, P: Place + 'static>(program: &Program) {
    let mut run = Run::<B>::new::<P>(program);
    for step in &program.steps {
        run.step(step);
        run.check(program.watchful);
    }
    run.check(true);
    // What was set fires in the end, also what no step has come to.
    for step in [Step::Commit, Step::Crash, Step::Watermark(i64::MAX), Step::Clock(i64::MAX)] {
        run.step(&step);
        run.check(true);
    }
}

/// The seed is fixed; `PROPTEST_RNG_SEED` and `PROPTEST_CASES` try others. A program that failed is written, made
/// as short as it goes, to `model.regressions` beside this file, and tried first from then on.
fn try_all<B: StateBackend, P: Place + 'static>(cases: u32, programs: impl Strategy<Value = Program>) {
    let asked = |name: &str| std::env::var(name).is_ok();
    let mut config = Config { max_shrink_iters: 20_000, source_file: Some(file!()), ..Config::default() };
    config.failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("regressions")));
    if !asked("PROPTEST_CASES") {
        config.cases = cases;
    }
    if !asked("PROPTEST_RNG_SEED") {
        config.rng_seed = RngSeed::Fixed(1);
    }
    let result = TestRunner::new(config).run(&programs, |program| {
        run::<B, P>(&program);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn an_operator_does_what_a_plain_world_would<B: StateBackend, P: Place + 'static>() {
    // On RocksDB every commit waits for the disk.
    let (cases, length) = if B::DURABLE { (24, 30) } else { (2_000, 40) };
    try_all::<B, P>(cases, program(length, step()));
}
on_every_failing_backend!(an_operator_does_what_a_plain_world_would);

fn more_timers_than_stay_in_memory_fire_as_in_a_plain_world<B: StateBackend, P: Place + 'static>() {
    let cases = if B::DURABLE { 4 } else { 150 };
    try_all::<B, P>(cases, program(25, crowded_step()));
}
on_every_failing_backend!(more_timers_than_stay_in_memory_fire_as_in_a_plain_world);
