//! How far event time has come for each operator, and what is late.

use crate::world::{Do, Line, ListSource, Script, Shelf, plain, rec, then};
use krishiv_api::{Keyed, ManualClock, WatermarkStrategy};
use krishiv_pipeline::{Input, Pipeline, Source, Step, StopSignal};
use krishiv_tests::{Memory, Place};
use std::sync::Arc;

const MONOTONOUS: WatermarkStrategy = WatermarkStrategy::monotonous();

/// One item of each input at a time, each with the watermark that it was processed at, which is -1 before the first.
macro_rules! watermarks {
    ($clock:expr; $first:expr $(, $input:expr)*) => {{
        let sink = Shelf::new();
        Pipeline::new(Memory::new().open())
            .input($first)
            $(.input($input))*
            .operator(Do::watermark())
            .sink(sink.clone())
            .commit_every(1)
            .clock($clock)
            .stop_on(StopSignal::manual())
            .run()
            .unwrap();
        plain(&sink.items())
    }};
    ($first:expr $(, $input:expr)*) => { watermarks!(Arc::new(ManualClock::new(0)); $first $(, $input)*) };
}

fn input<S: Source<Item = crate::world::Rec>>(
    source: S,
    strategy: WatermarkStrategy,
) -> Input<S, impl Fn(&crate::world::Rec) -> i64> {
    Input::new(source).event_time(|rec: &crate::world::Rec| rec.time, strategy)
}

fn times(key: u8, times: &[i64]) -> ListSource<crate::world::Rec> {
    ListSource::new(times.iter().map(|time| rec(key, *time, 0)).collect::<Vec<_>>())
}

#[test]
fn it_is_the_least_of_the_inputs() {
    let found = watermarks!(input(times(0, &[0, 10, 20]), MONOTONOUS), input(times(1, &[5, 6, 7]), MONOTONOUS));
    assert_eq!(found, [(0, 0, -1), (1, 5, 0), (0, 10, 5), (1, 6, 6), (0, 20, 6), (1, 7, 7)]);
}

#[test]
fn an_input_without_times_holds_nobody_back() {
    let found = watermarks!(
        Input::new(times(0, &[1, 2, 3])),
        input(times(1, &[50, 60]), WatermarkStrategy::bounded_out_of_orderness(10))
    );
    assert_eq!(found, [(0, 1, -1), (1, 50, 40), (0, 2, 40), (1, 60, 50), (0, 3, 50)]);
}

#[test]
fn an_input_that_has_ended_holds_nobody_back() {
    let found = watermarks!(input(times(0, &[0]), MONOTONOUS), input(times(1, &[5, 50, 60]), MONOTONOUS));
    assert_eq!(found, [(0, 0, -1), (1, 5, 0), (1, 50, 50), (1, 60, 60)]);
}

#[test]
fn an_idle_input_holds_nobody_back_until_its_next_event() {
    let clock = Arc::new(ManualClock::new(7_000));
    let pass = |ms| {
        let clock = clock.clone();
        then(move || clock.advance(ms))
    };
    let first = [Line::Item(rec(0, 0, 0)), pass(999), pass(1), Line::Item(rec(0, 25, 0)), pass(10), pass(10)];
    let found = watermarks!(
        clock.clone();
        input(Script::new(first), MONOTONOUS.idle_after(1_000)),
        input(times(1, &[10, 20, 30, 40, 50]), MONOTONOUS)
    );
    // Between 20 and 30 a second is over; with 25 it is back, behind what the others have seen by then.
    let expected = [(0, 0, -1), (1, 10, 0), (1, 20, 0), (1, 30, 30), (0, 25, 30), (1, 40, 30), (1, 50, 30)];
    assert_eq!(found, expected);
}

#[test]
fn an_event_exactly_at_the_watermark_is_not_late() {
    let run = |step: fn(Step<Do>, Shelf<_>) -> Step<Do>| {
        let (sink, late) = (Shelf::new(), Shelf::new());
        let summary = Pipeline::new(Memory::new().open())
            .input(input(times(0, &[10, 5, 4, 11, 6, 5]), WatermarkStrategy::bounded_out_of_orderness(5)))
            .step(step(Step::new(Do::watermark()), late.clone()))
            .sink(sink.clone())
            .stop_on(StopSignal::manual())
            .run()
            .unwrap();
        (plain(&sink.items()), plain(&late.items()), summary.dropped_late)
    };
    let punctual = [(0, 10, 5), (0, 5, 5), (0, 11, 6), (0, 6, 6)];
    let late = vec![(0, 4, 0), (0, 5, 0)];
    assert_eq!(run(|step, late| step.late_to(late)), (punctual.to_vec(), late, 0));
    assert_eq!(run(|step, _| step.drop_late()), (punctual.to_vec(), vec![], 2));
    let all = vec![(0, 10, 5), (0, 5, 5), (0, 4, 5), (0, 11, 6), (0, 6, 6), (0, 5, 6)];
    assert_eq!(run(|step, _| step), (all, vec![], 0));
}

#[test]
fn it_passes_to_the_second_operator_when_the_timers_of_the_first_have_fired() {
    let waits = Do {
        event: |_, rec, ctx| ctx.register_event_timer(rec.time + 10),
        timer: |_, timer, ctx| ctx.emit(rec(*ctx.current_key(), timer.time_ms, 0)),
    };
    let (sink, late) = (Shelf::new(), Shelf::new());
    let step = |name: &str, operator| Step::new(operator).store(Keyed::builder().operator(name));
    Pipeline::new(Memory::new().open())
        .input(input(times(0, &[0, 1, 100, 200]), MONOTONOUS))
        .step(step("first", waits))
        .step(step("second", Do::watermark()).late_to(late.clone()))
        .sink(sink.clone())
        .stop_on(StopSignal::manual())
        .run()
        .unwrap();
    assert_eq!(plain(&sink.items()), [(0, 10, 1), (0, 11, 1), (0, 110, 100)]);
    assert_eq!(plain(&late.items()), []);
}

#[test]
fn without_more_events_timers_wait_unless_they_are_drained() {
    let waits = Do {
        event: |_, rec, ctx| ctx.register_event_timer(rec.time + 10),
        timer: |_, timer, ctx| ctx.emit(rec(*ctx.current_key(), timer.time_ms, ctx.watermark().unwrap() as u64)),
    };
    let (place, sink) = (Memory::new(), Shelf::new());
    let run = |times_: &[i64], drain: bool| {
        let pipeline = Pipeline::new(place.open()).input(input(times(0, times_), MONOTONOUS)).operator(waits);
        let pipeline = pipeline.sink(sink.clone()).stop_on(StopSignal::manual());
        if drain { pipeline.drain_at_end().run() } else { pipeline.run() }.unwrap();
        plain(&sink.items())
    };
    assert_eq!(run(&[0], false), []);
    assert_eq!(run(&[0, 10], false), [(0, 10, 10)]);
    assert_eq!(run(&[0, 10], true), [(0, 10, 10), (0, 20, i64::MAX)]);
    assert_eq!(run(&[0, 10], true).len(), 2);
}
