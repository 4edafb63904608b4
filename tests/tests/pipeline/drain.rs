//! Very many timers that come due at once: they are committed on the way, and a crash in the midst of them loses and repeats nothing.

use crate::world::{Fuse, How, ListSource, Shelf, until_done};
use krishiv_api::{
    BoxError, EventContext, Keyed, KeyedState, ManualClock, Operator, Timer, ValueState, WatermarkStrategy,
};
use krishiv_pipeline::{Input, Pipeline, Step, StopSignal, Summary};
use krishiv_tests::{Fjall, Memory, Place, RocksDb};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

const TIMERS: u64 = 200_000;

/// The time of the event that makes all timers due.
const LATER: i64 = 1 << 40;

#[derive(KeyedState)]
#[state(key = u64)]
struct Waiting {
    since: ValueState<i64>,
}

/// Puts out what came in once it is due.
struct Wait {
    ms: i64,
    timers: Fuse,
}

impl Operator for Wait {
    type State = Waiting;
    type In = u64;
    type Out = u64;

    fn key(&self, event: &u64) -> u64 {
        *event
    }

    fn on_event(&mut self, state: &Waiting, _: u64, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let since = ctx.event_time().unwrap_or(0);
        state.since.set(since);
        Ok(ctx.register_event_timer(since + self.ms))
    }

    fn on_timer(&mut self, state: &Waiting, _: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        self.timers.check()?;
        state.since.take().ok_or("it fired before")?;
        Ok(ctx.emit(*ctx.current_key()))
    }
}

struct Run {
    summary: Summary,
    /// Events and commits at each commit.
    commits: Vec<Summary>,
}

/// Events that set a timer each, and one that makes all of them due.
fn run<P: Place>(
    place: &P,
    budget: usize,
    timers: &Fuse,
    sink: &Shelf<u64>,
) -> Result<Run, krishiv_pipeline::PipelineError> {
    let commits = Rc::new(RefCell::new(Vec::new()));
    let noted = commits.clone();
    // Times go on, far more slowly than what the timers wait for.
    let events = (0..TIMERS).map(|event| (event, event as i64)).chain([(TIMERS, LATER)]);
    let input =
        Input::new(ListSource::new(events)).event_time(|(_, time): &(u64, i64)| *time, WatermarkStrategy::monotonous());
    let step = |name: &str, ms| {
        Step::new(Wait { ms, timers: timers.clone() }).store(Keyed::builder().operator(name).memory_budget(budget))
    };
    let summary = Pipeline::new(place.open())
        .input(input)
        .step(Step::new(Strip))
        .step(step("first", 1_000_000))
        .step(step("second", 1_000_000))
        .sink(sink.clone())
        .commit_every(40_000)
        .commit_after_ms(None)
        .stop_on(StopSignal::manual())
        .on_commit(move |summary| noted.borrow_mut().push(summary.clone()))
        .run()?;
    Ok(Run { summary, commits: commits.take() })
}

/// Takes the times off again.
struct Strip;

impl Operator for Strip {
    type State = krishiv_api::Dynamic<u8>;
    type In = (u64, i64);
    type Out = u64;

    fn key(&self, _: &(u64, i64)) -> u8 {
        0
    }

    fn on_event(
        &mut self,
        _: &krishiv_api::Dynamic<u8>,
        (event, _): (u64, i64),
        ctx: &mut EventContext<'_, Self>,
    ) -> Result<(), BoxError> {
        Ok(ctx.emit(event))
    }
}

const BUDGET: usize = 2 << 20;

fn many_timers_are_committed_on_the_way<P: Place>(place: P) {
    let (sink, timers) = (Shelf::new(), Fuse::default());
    let Run { summary, commits } = run(&place, BUDGET, &timers, &sink).unwrap();
    assert!(sink.items().into_iter().eq(0..TIMERS));
    assert_eq!(timers.calls(), 2 * TIMERS);
    assert_eq!(summary.events, TIMERS + 1);
    // While they fire, the event that made them due has not happened yet.
    let on_the_way = commits.iter().filter(|summary| summary.events == TIMERS).count();
    assert!(on_the_way > 20, "{on_the_way}");
    assert_eq!(commits.iter().filter(|summary| summary.events > TIMERS).count(), 1);

    let again = run(&place, BUDGET, &timers, &sink).unwrap();
    assert_eq!((again.summary.commits, sink.items().len() as u64), (0, TIMERS));
}

fn a_crash_among_many_timers_loses_and_repeats_none<P: Place>(place: P) {
    // The first, early, late, and where those of the second operator fire; in good order and not.
    let calls = [0, 1_024, 70_001, 150_000, 230_000, 290_000, 340_000, 420_000];
    let timers = Fuse::at(calls.into_iter().zip([How::Err, How::Panic].into_iter().cycle()));
    // The panic of an operator is an error, but that of a sink is a crash.
    let writes = Fuse::at([(30_000, How::Panic), (100_000, How::Err), (230_000, How::Panic)]);
    let sink = Shelf::failing(&writes, &Fuse::at([(20, How::Panic)]));
    let mut done = 0;
    let (Run { summary, .. }, failed) = until_done(|| {
        let result = run(&place, BUDGET, &timers, &sink);
        let calls = timers.calls();
        // It does not begin at the first timer again.
        assert!(result.is_err() || calls - done < 2 * TIMERS);
        done = calls;
        result
    });
    assert!(sink.items().into_iter().eq(0..TIMERS), "{} of them", sink.items().len());
    assert_eq!(summary.events, TIMERS + 1);
    assert!(failed >= 10, "{failed}");
    // What was done twice is what no commit had.
    assert!(timers.calls() < 3 * TIMERS, "{}", timers.calls());
}

#[test]
fn many_timers_are_committed_on_the_way_in_memory() {
    many_timers_are_committed_on_the_way(Memory::new());
}

#[test]
fn a_crash_among_many_timers_loses_and_repeats_none_in_memory() {
    a_crash_among_many_timers_loses_and_repeats_none(Memory::new());
}

#[test]
fn a_crash_among_many_timers_loses_and_repeats_none_on_rocksdb() {
    a_crash_among_many_timers_loses_and_repeats_none(RocksDb::new());
}

#[test]
fn a_crash_among_many_timers_loses_and_repeats_none_on_fjall() {
    a_crash_among_many_timers_loses_and_repeats_none(Fjall::new());
}

/// Waits by the clock.
struct WaitByTheClock;

impl Operator for WaitByTheClock {
    type State = Waiting;
    type In = u64;
    type Out = u64;

    fn key(&self, event: &u64) -> u64 {
        *event
    }

    fn on_event(&mut self, _: &Waiting, _: u64, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        Ok(ctx.register_processing_timer(ctx.processing_time() + 100))
    }

    fn on_timer(&mut self, _: &Waiting, _: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        Ok(ctx.emit(*ctx.current_key()))
    }
}

fn after_a_long_downtime(budget: usize) -> (Summary, u64) {
    const EVENTS: u64 = 20_000;
    let (place, sink) = (Memory::new(), Shelf::new());
    let clock = Arc::new(ManualClock::new(0));
    let run = |events: u64| {
        let step = Step::new(WaitByTheClock).store(Keyed::builder().memory_budget(budget));
        let pipeline = Pipeline::new(place.open()).source(ListSource::new(0..events)).step(step).sink(sink.clone());
        pipeline.clock(clock.clone()).commit_after_ms(None).stop_on(StopSignal::manual()).run().unwrap()
    };
    run(EVENTS);
    assert!(sink.items().is_empty());
    clock.set(1 << 40);
    // The last event's own timer is not due.
    let summary = run(EVENTS + 1);
    let mut fired = sink.items();
    fired.sort_unstable();
    assert!(fired.into_iter().eq(0..EVENTS));
    (summary, EVENTS)
}

#[test]
fn timers_that_came_due_during_a_downtime_fire_once() {
    let (summary, events) = after_a_long_downtime(1 << 30);
    assert_eq!((summary.events, summary.commits), (events + 1, 1));
}

#[test]
fn very_many_processing_timers_are_committed_on_the_way_too() {
    let (summary, _) = after_a_long_downtime(64 << 10);
    assert!(summary.commits > 5, "{}", summary.commits);
}
