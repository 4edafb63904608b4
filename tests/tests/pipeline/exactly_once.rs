//! Wherever sources, sinks, operators and the backend fail, and however often: what is run until it is done leaves the
//! outputs of one run that nothing disturbed.

use crate::model::Model;
use crate::world::{Flaky, Fold, Fuse, How, ListSource, Rec, Shelf, until_done};
use krishiv_api::{InMemoryStateBackend, Keyed, StateBackend, TtlConfig, TtlStateBackend, WatermarkStrategy};
use krishiv_pipeline::{Input, Pipeline, PipelineError, Step, StopSignal, Summary};
use krishiv_tests::{Fjall, Memory, Place, RocksDb};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::cell::Cell;
use std::sync::Arc;

/// What runs.
#[derive(Clone, Debug)]
pub struct Job {
    /// One or more; `None` is an item that is skipped.
    inputs: Vec<Vec<Option<Rec>>>,
    pub behind_ms: u64,
    /// One to three.
    operators: usize,
    commit_every: u64,
    budget: usize,
    /// Whether late events go to an output of their own.
    pub late: bool,
    /// Whether some events fail for good, and become dead letters.
    pub dead: bool,
    pub broadcasts: Vec<(i64, u64)>,
    pub drain: bool,
}

type Calls = Vec<(u64, How)>;

/// Which calls fail, counted over all runs.
#[derive(Clone, Debug, Default)]
struct Faults {
    source: Calls,
    broadcast: Calls,
    event: Calls,
    timer: Calls,
    sink_write: Calls,
    sink_sync: Calls,
    backend_write: Calls,
    backend_read: Calls,
}

/// A job with its faults and outputs, over all its runs.
struct World {
    job: Job,
    source: Fuse,
    broadcast: Fuse,
    event: Fuse,
    timer: Fuse,
    backend_write: Fuse,
    backend_read: Fuse,
    records: Shelf<Rec>,
    sides: Vec<Shelf<Rec>>,
    late: Vec<Shelf<Rec>>,
    dead: Vec<Shelf<String>>,
}

impl World {
    fn new(job: &Job, faults: Faults) -> Self {
        let Faults { source, broadcast, event, timer, sink_write, sink_sync, backend_write, backend_read } = faults;
        let (sink_write, sink_sync) = (Fuse::at(sink_write), Fuse::at(sink_sync));
        let shelf = || Shelf::failing(&sink_write, &sink_sync);
        // What fails in an operator leaves a dead letter, and fails not again: that is no crash.
        let calls = |calls: Calls| Fuse::at(if job.dead { Vec::new() } else { calls });
        let panics = |call: &(u64, How)| call.1 == How::Panic;
        let backend_read = backend_read.into_iter().filter(|call| !(job.dead && panics(call)));
        Self {
            source: Fuse::at(source),
            broadcast: Fuse::at(broadcast),
            event: calls(event),
            timer: calls(timer),
            backend_write: Fuse::at(backend_write),
            backend_read: Fuse::at(backend_read),
            records: shelf(),
            sides: (0..3).map(|_| shelf()).collect(),
            late: (0..3).map(|_| shelf()).collect(),
            dead: (0..3).map(|_| Shelf::failing(&sink_write, &sink_sync)).collect(),
            job: job.clone(),
        }
    }

    fn step(&self, at: usize) -> Step<Fold> {
        let job = &self.job;
        let fails_at = job.dead.then_some(13);
        let fold = Fold { keys: [7, 3, 2][at], fails_at, events: self.event.clone(), timers: self.timer.clone() };
        let store = Keyed::builder().operator(["first", "second", "third"][at]).memory_budget(job.budget);
        let mut step = Step::new(fold).store(store).side("side", self.sides[at].clone());
        if job.late {
            step = step.late_to(self.late[at].clone());
        }
        if job.dead {
            step = step.dead_letters_to(self.dead[at].clone(), |letter| letter.error.to_string());
        }
        if at < 2 && !job.broadcasts.is_empty() {
            let source = ListSource::new(job.broadcasts.clone()).fuse(&self.broadcast);
            step = step.broadcast(source, |(from, _)| *from);
        }
        step
    }

    fn flaky<B: StateBackend>(&self, backend: Arc<B>) -> Arc<Flaky<B>> {
        Flaky::new(backend, &self.backend_write, &self.backend_read)
    }

    fn run<B: StateBackend>(&self, backend: Arc<B>) -> Result<Summary, PipelineError> {
        let job = &self.job;
        let pipeline = Pipeline::new(backend);
        let strategy = WatermarkStrategy::bounded_out_of_orderness(job.behind_ms);
        let mut inputs = job.inputs.iter().map(|items| {
            let source = ListSource::skipping(items.clone()).fuse(&self.source);
            Input::new(source).event_time(|rec: &Rec| rec.time, strategy)
        });
        let mut pipeline = pipeline.input(inputs.next().unwrap());
        for input in inputs {
            pipeline = pipeline.input(input);
        }
        macro_rules! run {
            ($steps:expr) => {{
                let all = $steps.sink(self.records.clone()).commit_every(job.commit_every);
                let all = all.commit_after_ms(None).stop_on(StopSignal::manual());
                if job.drain { all.drain_at_end().run() } else { all.run() }
            }};
        }
        match job.operators {
            1 => run!(pipeline.step(self.step(0))),
            2 => run!(pipeline.step(self.step(0)).step(self.step(1))),
            _ => run!(pipeline.step(self.step(0)).step(self.step(1)).step(self.step(2))),
        }
    }

    fn heal(&self) {
        let Self { source, broadcast, event, timer, backend_write, backend_read, .. } = self;
        [source, broadcast, event, timer, backend_write, backend_read].into_iter().for_each(Fuse::heal);
    }

    fn outputs(&self) -> Outputs {
        let all = |shelves: &[Shelf<Rec>]| shelves.iter().map(Shelf::items).collect();
        Outputs {
            records: self.records.items(),
            sides: all(&self.sides),
            late: all(&self.late),
            dead: self.dead.iter().map(Shelf::items).collect(),
        }
    }
}

#[derive(Debug, PartialEq)]
struct Outputs {
    records: Vec<Rec>,
    sides: Vec<Vec<Rec>>,
    late: Vec<Vec<Rec>>,
    dead: Vec<Vec<String>>,
}

/// Events whose times go on by up to `pace` and back by up to 15.
fn events(length: usize, pace: i64) -> impl Strategy<Value = Vec<Option<Rec>>> {
    let event = prop_oneof![
        1 => Just(None),
        12 => (any::<u8>(), 0..=pace, 0..15_i64, 1..1_000_u64).prop_map(Some),
    ];
    prop::collection::vec(event, 1..length).prop_map(|events| {
        let mut now = 0;
        let rec = |event| match event {
            None => None,
            Some((key, step, back, n)) => {
                now += step;
                Some(Rec { key, time: now - back, n })
            }
        };
        events.into_iter().map(rec).collect()
    })
}

fn job(length: usize, inputs: usize) -> impl Strategy<Value = Job> {
    let inputs = match inputs {
        1 => events(length, 6).prop_map(|events| vec![events]).boxed(),
        // The second is slower, and there is less of it.
        _ => (events(length, 2), events(length / 3, 9)).prop_map(|(a, b)| vec![a, b]).boxed(),
    };
    let broadcasts = prop_oneof![
        Just(Vec::new()),
        prop::collection::vec((-5..300_i64, 1..50_u64), 1..8).prop_map(|mut items| {
            items.sort_unstable();
            items
        })
    ];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let sizes =
        (select(vec![0, 5, 20]), 1..=3_usize, select(vec![1, 2, 7, 50, 1_000]), select(vec![0, 2_000, 1 << 20]));
    (inputs, broadcasts, flags, sizes).prop_map(|(inputs, broadcasts, (late, dead, drain), sizes)| {
        let (behind_ms, operators, commit_every, budget) = sizes;
        // Which of two inputs comes next is known from one commit to the next only.
        let budget = if inputs.len() == 1 { budget } else { 1 << 20 };
        Job { inputs, behind_ms, operators, commit_every, budget, late, dead, broadcasts, drain }
    })
}

fn faults() -> impl Strategy<Value = Faults> {
    let calls = |upto: u64| {
        let how = select(vec![How::Err, How::Panic, How::AfterDoing]);
        prop_oneof![Just(Vec::new()), prop::collection::vec((0..upto, how), 1..5)]
    };
    let of_operator = (calls(300), calls(200));
    let of_sink = (calls(900), calls(300));
    let of_backend = (calls(60), calls(400));
    (calls(300), calls(12), of_operator, of_sink, of_backend).prop_map(
        |(source, broadcast, (event, timer), (sink_write, sink_sync), (backend_write, backend_read))| Faults {
            source,
            broadcast,
            event,
            timer,
            sink_write,
            sink_sync,
            backend_write,
            backend_read,
        },
    )
}

/// Where state lives, on a backend that fails.
trait Site {
    const ON_DISK: bool;
    fn new() -> Self;
    fn run(&self, world: &World) -> Result<Summary, PipelineError>;
}

impl<P: Place> Site for P {
    const ON_DISK: bool = P::Backend::DURABLE;
    fn new() -> Self {
        Place::new()
    }
    fn run(&self, world: &World) -> Result<Summary, PipelineError> {
        world.run(world.flaky(self.open()))
    }
}

/// A TTL around the backend that fails.
struct UnderTtl<P>(P);

impl<P: Place> Site for UnderTtl<P> {
    const ON_DISK: bool = P::Backend::DURABLE;
    fn new() -> Self {
        Self(Place::new())
    }
    fn run(&self, world: &World) -> Result<Summary, PipelineError> {
        world.run(Arc::new(TtlStateBackend::new(world.flaky(self.0.open()), TtlConfig::new(u64::MAX))))
    }
}

fn check<S: Site>(site: &S, job: &Job, faults: Faults) -> usize {
    let once = World::new(job, Faults::default());
    let expected = once.run(Arc::new(InMemoryStateBackend::new())).unwrap();

    if let (1, [items]) = (job.operators, &job.inputs[..]) {
        let model = Model::run(job, items);
        let Outputs { records, sides, late, dead } = once.outputs();
        assert_eq!(
            (records, &sides[0], &late[0], dead[0].len()),
            (model.records, &model.side, &model.late, model.dead)
        );
    }

    let world = World::new(job, faults);
    let (summary, failed) = until_done(|| site.run(&world));
    assert_eq!(world.outputs(), once.outputs());
    assert_eq!(summary.events, expected.events);

    // Once more, when there is nothing left to do.
    world.heal();
    let writes = world.backend_write.calls();
    let again = site.run(&world).unwrap();
    assert_eq!(world.outputs(), once.outputs());
    assert_eq!((again.events, again.events_before, again.commits), (expected.events, expected.events, 0));
    assert_eq!(world.backend_write.calls(), writes);
    failed
}

/// The seed is fixed; `PROPTEST_RNG_SEED` and `PROPTEST_CASES` try others.
fn random<S: Site>(inputs: usize) {
    let asked = |name: &str| std::env::var(name).is_ok();
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if !asked("PROPTEST_CASES") {
        config.cases = if S::ON_DISK { 8 } else { 400 };
    }
    if !asked("PROPTEST_RNG_SEED") {
        config.rng_seed = RngSeed::Fixed(5);
    }
    let cases = config.cases as usize;
    let failures = Cell::new(0);
    let result = TestRunner::new(config).run(&(job(250, inputs), faults()), |(job, faults)| {
        failures.set(failures.get() + check(&S::new(), &job, faults));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(failures.get() > cases, "only {} runs failed", failures.get());
}

#[test]
fn of_one_input_in_memory() {
    random::<Memory>(1);
}

#[test]
fn of_one_input_on_rocksdb() {
    random::<RocksDb>(1);
}

#[test]
fn of_one_input_on_fjall() {
    random::<Fjall>(1);
}

#[test]
fn of_one_input_under_a_ttl() {
    random::<UnderTtl<Memory>>(1);
}

#[test]
fn of_one_input_under_a_ttl_on_rocksdb() {
    random::<UnderTtl<RocksDb>>(1);
}

#[test]
fn of_two_inputs_of_different_speeds_in_memory() {
    random::<Memory>(2);
}

#[test]
fn of_two_inputs_of_different_speeds_on_rocksdb() {
    random::<RocksDb>(2);
}

#[test]
fn of_two_inputs_of_different_speeds_on_fjall() {
    random::<Fjall>(2);
}

/// What all three operators and all outputs have to do.
fn busy() -> Job {
    let rec = |i: u64| Rec { key: (i % 11) as u8, time: (i as i64 * 3) - (i as i64 % 7) * 4, n: i * 17 % 1_000 };
    Job {
        inputs: vec![(0..120).map(|i| (i % 10 != 4).then(|| rec(i))).collect()],
        behind_ms: 5,
        operators: 3,
        commit_every: 10,
        budget: 1 << 20,
        late: true,
        dead: false,
        broadcasts: vec![(0, 3), (90, 5), (91, 6), (200, 9)],
        drain: true,
    }
}

#[test]
fn all_that_the_busy_job_is_to_show_does_happen() {
    let world = World::new(&busy(), Faults::default());
    world.run(Arc::new(InMemoryStateBackend::new())).unwrap();
    let Outputs { records, sides, late, .. } = world.outputs();
    assert!(records.len() > 300 && sides.iter().all(|side| side.len() > 20), "{} {sides:?}", records.len());
    assert!(!late[0].is_empty());
    assert!(world.timer.calls() > 100, "{}", world.timer.calls());
}

/// The job fails at every single call of one kind, in every way, each in a world of its own.
fn at_every_call(calls: impl Fn(&World) -> u64, faults: impl Fn(Calls) -> Faults) {
    let job = busy();
    let once = World::new(&job, Faults::default());
    <Memory as Site>::new().run(&once).unwrap();
    let calls = calls(&once);
    assert!(calls >= 4, "{calls} calls");
    for call in 0..calls {
        for how in [How::Err, How::Panic, How::AfterDoing] {
            let failed = check(&<Memory as Site>::new(), &job, faults(vec![(call, how)]));
            assert_eq!(failed, 1, "call {call} {how:?}");
        }
    }
}

#[test]
fn whichever_poll_fails() {
    at_every_call(|world| world.source.calls(), |source| Faults { source, ..Faults::default() });
}

#[test]
fn whichever_poll_of_the_broadcasts_fails() {
    at_every_call(|world| world.broadcast.calls(), |broadcast| Faults { broadcast, ..Faults::default() });
}

#[test]
fn whichever_event_fails() {
    at_every_call(|world| world.event.calls(), |event| Faults { event, ..Faults::default() });
}

#[test]
fn whichever_timer_fails() {
    at_every_call(|world| world.timer.calls(), |timer| Faults { timer, ..Faults::default() });
}

#[test]
fn whichever_write_to_the_backend_fails() {
    at_every_call(|world| world.backend_write.calls(), |backend_write| Faults { backend_write, ..Faults::default() });
}

#[test]
fn whichever_read_of_the_backend_fails() {
    at_every_call(|world| world.backend_read.calls(), |backend_read| Faults { backend_read, ..Faults::default() });
}

#[test]
fn whichever_write_to_a_sink_fails() {
    let calls = |world: &World| {
        let Outputs { records, sides, late, .. } = world.outputs();
        (records.len() + sides.iter().chain(&late).map(Vec::len).sum::<usize>()) as u64
    };
    at_every_call(calls, |sink_write| Faults { sink_write, ..Faults::default() });
}

#[test]
fn whichever_sync_of_a_sink_fails() {
    // Seven sinks at every commit.
    at_every_call(|world| world.backend_write.calls() * 7, |sink_sync| Faults { sink_sync, ..Faults::default() });
}
