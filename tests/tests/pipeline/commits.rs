//! When a pipeline commits, that it does so in one write, and that it leaves it when there is nothing to say.

use crate::world::{Fold, ListSource, Rec, Shelf};
use krishiv_api::{
    BoxError, Dynamic, EventContext, Keyed, ManualClock, Op, Operator, StateBackend, StateError, WatermarkStrategy,
    WriteBatch,
};
use krishiv_pipeline::{Input, IterSource, Pipeline, Step, StopSignal, Summary};
use krishiv_tests::{Fjall, Memory, Place, RocksDb, on_every_backend};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

/// Lets through what it is given, and lets time pass meanwhile.
struct Pass {
    clock: Arc<ManualClock>,
    ms: i64,
}

impl Pass {
    fn new() -> Self {
        Self { clock: Arc::new(ManualClock::new(0)), ms: 0 }
    }
}

impl Operator for Pass {
    type State = Dynamic<u64>;
    type In = u64;
    type Out = u64;

    fn key(&self, event: &u64) -> u64 {
        *event
    }

    fn on_event(&mut self, _: &Dynamic<u64>, event: u64, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        ctx.emit(event);
        self.clock.advance(self.ms);
        Ok(())
    }
}

/// What `on_commit` was told of.
#[derive(Clone, Default)]
struct Commits(Rc<RefCell<Vec<Summary>>>);

impl Commits {
    fn note(&self) -> impl FnMut(&Summary) + 'static {
        let commits = self.0.clone();
        move |summary| commits.borrow_mut().push(summary.clone())
    }

    fn events(&self) -> Vec<u64> {
        self.0.borrow().iter().map(|summary| summary.events).collect()
    }
}

fn a_commit_comes_after_exactly_so_many_events<P: Place>(place: P) {
    let shelf = Shelf::new();
    let run = |length: u64, every: u64| {
        let commits = Commits::default();
        let summary = Pipeline::new(place.open())
            .source(IterSource::new(0..length))
            .operator(Pass::new())
            .sink(shelf.clone())
            .commit_every(every)
            .commit_after_ms(None)
            .stop_on(StopSignal::manual())
            .on_commit(commits.note())
            .run()
            .unwrap();
        assert_eq!(summary.commits, commits.0.borrow().len() as u64);
        assert_eq!(commits.0.borrow().last().cloned().unwrap_or_default().commits, summary.commits);
        (summary, commits.events())
    };
    // The first one says whose the outputs are.
    let (summary, events) = run(20, 7);
    assert_eq!(events, [0, 7, 14, 20]);
    assert_eq!((summary.events, summary.events_before, summary.stopped), (20, 0, false));
    // Nothing new: nothing to write.
    let (summary, events) = run(20, 7);
    assert_eq!((summary.events, summary.events_before, events), (20, 20, vec![]));
    // It has grown.
    let (summary, events) = run(23, 1);
    assert_eq!((summary.events, summary.events_before, events), (23, 20, vec![21, 22, 23]));
    // More than are taken from a source at a time; and none is as good as one.
    assert_eq!(run(1_623, 400).1, [423, 823, 1_223, 1_623]);
    assert_eq!(run(1_626, 0).1, [1_624, 1_625, 1_626]);
    assert_eq!(run(1_627, u64::MAX).1, [1_627]);
}

fn items_that_are_skipped_count<P: Place>(place: P) {
    let (commits, shelf) = (Commits::default(), Shelf::new());
    let run = |items: Vec<Option<u64>>| {
        Pipeline::new(place.open())
            .source(ListSource::skipping(items))
            .operator(Pass::new())
            .sink(shelf.clone())
            .commit_every(4)
            .commit_after_ms(None)
            .stop_on(StopSignal::manual())
            .on_commit(commits.note())
            .run()
            .unwrap()
    };
    let none = vec![None; 9];
    assert_eq!(run(none.clone()).events, 0);
    assert_eq!(commits.events(), [0, 0, 0, 0]);
    // The next run begins behind them, so there is nothing to commit.
    assert_eq!((run(none.clone()).commits, commits.0.borrow().len()), (0, 4));
    let more = [none, vec![Some(1), None, None, None, Some(2)]].concat();
    assert_eq!(run(more).commits, 2);
    assert_eq!(commits.events()[4..], [1, 2]);
}

fn a_commit_comes_when_the_clock_says_so<P: Place>(place: P) {
    let (clock, shelf) = (Arc::new(ManualClock::new(5_000)), Shelf::new());
    let commits = Commits::default();
    let run = |length: u64, ms: i64, after: Option<u64>| {
        let before = commits.0.borrow().len();
        Pipeline::new(place.open())
            .source(IterSource::new(0..length))
            .operator(Pass { clock: clock.clone(), ms })
            .sink(shelf.clone())
            .commit_after_ms(after)
            .clock(clock.clone())
            .stop_on(StopSignal::manual())
            .on_commit(commits.note())
            .run()
            .unwrap();
        commits.events()[before..].to_vec()
    };
    // The clock is looked at when what was taken from a source at a time is through: every 256.
    assert_eq!(run(1_024, 1, Some(256)), [0, 256, 512, 768, 1_024]);
    assert_eq!(run(2_048, 1, Some(257)), [1_536, 2_048]);
    assert_eq!(run(3_072, 1_000, None), [3_072]);
    assert_eq!(run(4_096, 0, Some(1)), [4_096]);
    assert_eq!(run(4_608, 0, Some(0)), [4_352, 4_608]);
    assert_eq!(run(4_609, -1, Some(0)), [4_609]);
}

on_every_backend!(
    a_commit_comes_after_exactly_so_many_events,
    items_that_are_skipped_count,
    a_commit_comes_when_the_clock_says_so,
);

/// Notes the keys of every write.
struct Noting<B> {
    inner: Arc<B>,
    writes: Arc<Mutex<Vec<BTreeSet<Vec<u8>>>>>,
}

impl<B: StateBackend> StateBackend for Noting<B> {
    type Survival = B::Survival;
    const MERGES: bool = B::MERGES;
    const LONGEST_KEY: usize = B::LONGEST_KEY;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.inner.get(key)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> krishiv_api::Scan<'a> {
        self.inner.scan(prefix)
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        self.writes.lock().unwrap().push(batch.iter().map(Op::key).map(<[u8]>::to_vec).collect());
        self.inner.write(batch)
    }
}

fn all_operators_commit_in_one_write<P: Place>(place: &P) {
    let writes = Arc::new(Mutex::new(Vec::new()));
    let (records, sides) = (Shelf::new(), Shelf::new());
    let run = || {
        let step = |name: &str| Step::new(Fold::new(3)).store(Keyed::builder().operator(name));
        let recs = (0..40).map(|i| Rec { key: i as u8, time: i, n: i as u64 });
        Pipeline::new(Arc::new(Noting { inner: place.open(), writes: writes.clone() }))
            .input(Input::new(ListSource::new(recs)).event_time(|rec| rec.time, WatermarkStrategy::monotonous()))
            .step(step("a").side("side", sides.clone()))
            .step(step("b").side("side", Shelf::new()))
            .step(step("c").side("side", Shelf::new()))
            .sink(records.clone())
            .commit_every(10)
            .commit_after_ms(None)
            .drain_at_end()
            .stop_on(StopSignal::manual())
            .run()
    };
    // 0, 10, .. 40, and the timers that fired at the end.
    assert_eq!(run().unwrap().commits, 6);
    let written = std::mem::take(&mut *writes.lock().unwrap());
    assert_eq!(written.len(), 6);
    // A key of the backend begins with the id of its operator, and 0 is the catalog with the positions.
    let operators: Vec<BTreeSet<u8>> = written.iter().map(|keys| keys.iter().map(|key| key[1]).collect()).collect();
    assert!(operators[1..].iter().all(|ids| ids.len() == 4 && ids.contains(&0)), "{operators:?}");
    let catalog = |keys: &BTreeSet<Vec<u8>>| keys.iter().filter(|key| key[1] == 0).count();
    assert!(written[2..].iter().all(|keys| catalog(keys) == 3), "{written:?}");
}

#[test]
fn all_operators_of_a_chain_commit_in_one_write_with_the_position() {
    all_operators_commit_in_one_write(&Memory::new());
    all_operators_commit_in_one_write(&RocksDb::new());
    all_operators_commit_in_one_write(&Fjall::new());
}
