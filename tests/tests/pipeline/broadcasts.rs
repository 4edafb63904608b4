//! A broadcast takes effect at its time: for events, and for timers, in every operator.

use crate::world::{Do, ListSource, Rec, Shelf, plain, rec};
use krishiv_api::{
    BoxError, BroadcastContext, BroadcastOperator, EventContext, Keyed, Operator, Timer, WatermarkStrategy,
};
use krishiv_pipeline::{Input, Pipeline, PipelineError, Source, Step, StopSignal, Summary};
use krishiv_tests::{Memory, Place};

const MONOTONOUS: WatermarkStrategy = WatermarkStrategy::monotonous();

fn input<S: Source<Item = Rec>>(source: S, strategy: WatermarkStrategy) -> Input<S, impl Fn(&Rec) -> i64> {
    Input::new(source).event_time(|rec: &Rec| rec.time, strategy)
}

/// Tells the rule in force with each event, and with a timer ten later.
fn tell() -> Do {
    Do {
        event: |state, event, ctx| {
            ctx.register_event_timer(event.time + 10);
            ctx.emit(Rec { n: state.rules.get(&0).unwrap_or(0), ..event });
        },
        timer: |state, timer, ctx| {
            let key = *ctx.current_key();
            ctx.emit(rec(key + 100, timer.time_ms, state.rules.get(&0).unwrap_or(0)));
        },
    }
}

fn ruled(operator: Do, rules: &[(i64, u64)]) -> Step<Do> {
    Step::new(operator).broadcast(ListSource::new(rules.to_vec()), |(from, _)| *from)
}

fn events(times: &[i64]) -> ListSource<Rec> {
    ListSource::new(times.iter().map(|time| rec(0, *time, 0)).collect::<Vec<_>>())
}

#[test]
fn a_timer_sees_the_rules_of_its_time_and_no_later_ones() {
    let run = |rules: &[(i64, u64)], strategy, drain: bool| {
        let sink = Shelf::new();
        let pipeline = Pipeline::new(Memory::new().open()).input(input(events(&[0, 90, 200]), strategy));
        let pipeline = pipeline.step(ruled(tell(), rules)).sink(sink.clone()).stop_on(StopSignal::manual());
        if drain { pipeline.drain_at_end().run() } else { pipeline.run() }.unwrap();
        plain(&sink.items())
    };
    // Timers at 10, 100 and 210. A rule from the time of a timer on holds for it.
    let events_and_timers =
        |rule, of_last| vec![(0, 0, 0), (100, 10, 0), (0, 90, 0), (100, 100, rule), (0, 200, of_last)];
    assert_eq!(run(&[(101, 7)], MONOTONOUS, false), events_and_timers(0, 7));
    assert_eq!(run(&[(100, 7)], MONOTONOUS, false), events_and_timers(7, 7));
    assert_eq!(run(&[(95, 6), (100, 7), (101, 8)], MONOTONOUS, false), events_and_timers(7, 8));
    assert_eq!(run(&[(95, 6), (201, 9)], MONOTONOUS, false), events_and_timers(6, 6));
    // The end of time comes after all of them.
    let drained = [events_and_timers(6, 6), vec![(100, 210, 9)]].concat();
    assert_eq!(run(&[(95, 6), (201, 9), (211, 10)], MONOTONOUS, true), drained);
    // An event sees the rules of its time also where the watermark is behind it.
    let behind = WatermarkStrategy::bounded_out_of_orderness(150);
    assert_eq!(run(&[(95, 6)], behind, false), [(0, 0, 0), (0, 90, 0), (100, 10, 0), (0, 200, 6)]);
}

#[test]
fn so_it_is_at_the_ends_of_time() {
    // What is before that is no time.
    const MIN: i64 = i64::MIN / 2;
    const MAX: i64 = i64::MAX;
    let tell = Do {
        event: |state, event, ctx| {
            ctx.register_event_timer(event.time.saturating_add(10));
            ctx.emit(Rec { n: state.rules.get(&0).unwrap_or(0), ..event });
        },
        ..tell()
    };
    let sink = Shelf::new();
    Pipeline::new(Memory::new().open())
        .input(input(events(&[MIN, MIN + 1, MAX - 20, MAX]), MONOTONOUS))
        .step(ruled(tell, &[(MIN, 1), (MIN + 1, 2), (MAX, 3)]))
        .sink(sink.clone())
        .drain_at_end()
        .stop_on(StopSignal::manual())
        .run()
        .unwrap();
    let first = [(0, MIN, 1), (0, MIN + 1, 2), (100, MIN + 10, 2), (100, MIN + 11, 2)];
    let last = [(0, MAX - 20, 2), (100, MAX - 10, 2), (0, MAX, 3), (100, MAX, 3)];
    assert_eq!(plain(&sink.items()), [first, last].concat());
}

#[test]
fn so_it_is_in_each_of_several_operators() {
    let late = Shelf::new();
    let run = |first: &[(i64, u64)], second: &[(i64, u64)]| {
        let sink = Shelf::new();
        // The first passes events on at their time, and again ten later.
        let again = Do {
            event: |_, event, ctx| {
                ctx.register_event_timer(event.time + 10);
                ctx.emit(event);
            },
            timer: |state, timer, ctx| ctx.emit(rec(1, timer.time_ms, state.rules.get(&0).unwrap_or(0))),
        };
        let named = |step: Step<Do>, name: &str| step.store(Keyed::builder().operator(name));
        Pipeline::new(Memory::new().open())
            .input(input(events(&[0, 90, 200]), MONOTONOUS))
            .step(named(ruled(again, first), "first"))
            .step(named(ruled(tell(), second), "second").late_to(late.clone()))
            .sink(sink.clone())
            .stop_on(StopSignal::manual())
            .run()
            .unwrap();
        plain(&sink.items())
    };
    // What the first puts out at 100 reaches the second before that fires at 100 and at 110.
    let all = |at_20, at_100: u64, at_110, at_200| {
        vec![
            (0, 0, 0),
            (1, 10, 0),
            (100, 10, 0),
            (101, 20, at_20),
            (0, 90, at_20),
            (1, 100, at_100 as i64),
            (100, 100, at_100 as i64),
            (101, 110, at_110),
            (0, 200, at_200),
        ]
    };
    assert_eq!(run(&[], &[(105, 7)]), all(0, 0, 7, 7));
    assert_eq!(run(&[], &[(15, 5), (100, 6), (111, 7)]), all(5, 6, 6, 7));
    // Rules of the first are nothing to the second, but part its timers in time all the same.
    assert_eq!(run(&[(50, 1), (104, 2)], &[(105, 7)]), all(0, 0, 7, 7));
    assert_eq!(late.items(), []);
}

fn untimed(rules: &[(i64, u64)]) -> (Result<Summary, PipelineError>, Vec<(u8, i64, i64)>) {
    let sink = Shelf::new();
    let tell = Do::event(|state, event, ctx| ctx.emit(Rec { n: state.rules.get(&0).unwrap_or(0), ..event }));
    let pipeline = Pipeline::new(Memory::new().open()).input(Input::new(events(&[0, 1])));
    let run = pipeline.step(ruled(tell, rules)).sink(sink.clone()).stop_on(StopSignal::manual()).run();
    (run, plain(&sink.items()))
}

#[test]
fn where_no_input_has_times_a_rule_with_a_time_is_refused_and_one_without_holds_at_once() {
    let (run, items) = untimed(&[(i64::MIN, 5), (i64::MIN, 6)]);
    assert_eq!((run.unwrap().events, items), (2, vec![(0, 0, 6), (0, 1, 6)]));
    for rules in [&[(0, 50)][..], &[(i64::MIN, 5), (1_000, 6)], &[(i64::MAX, 1)]] {
        let (run, items) = untimed(rules);
        let error = run.unwrap_err();
        assert!(matches!(error, PipelineError::Setting { .. }), "{error:?}");
        let time = rules.last().unwrap().0;
        assert_eq!(
            error.to_string(),
            format!(
                "a broadcast to operator `folded` takes effect at time {time}, and no input of the pipeline has times, so that \
                 would never come; give an input its times by `Input::event_time`, or the broadcast `i64::MIN`, which is at once"
            )
        );
        assert_eq!(items, [], "nothing was done without the rule");
    }
}

/// Emits what it is told.
struct Echo;

impl Operator for Echo {
    type State = crate::world::Folded;
    type In = Rec;
    type Out = Rec;

    fn key(&self, event: &Rec) -> u8 {
        event.key
    }

    fn on_event(&mut self, _: &Self::State, _: Rec, _: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        Ok(())
    }

    fn on_timer(&mut self, _: &Self::State, _: Timer, _: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        Ok(())
    }
}

impl BroadcastOperator for Echo {
    type Broadcast = (i64, u64);

    fn on_broadcast(
        &mut self,
        state: &Self::State,
        (time, n): (i64, u64),
        ctx: &mut BroadcastContext<'_, Self>,
    ) -> Result<(), BoxError> {
        state.rules.put(ctx.scope(), 0, n);
        Ok(ctx.emit(rec(0, time, n)))
    }
}

#[test]
fn those_that_the_end_of_time_brings_are_committed_once() {
    let (place, sink) = (Memory::new(), Shelf::new());
    let run = || {
        let rules = ListSource::new([(5, 1), (50, 2), (60, 3)]);
        let pipeline = Pipeline::new(place.open()).input(input(events(&[0, 10]), MONOTONOUS));
        let pipeline = pipeline.step(Step::new(Echo).broadcast(rules, |(from, _)| *from)).sink(sink.clone());
        pipeline.drain_at_end().stop_on(StopSignal::manual()).run().unwrap()
    };
    for commits in [2, 0, 0] {
        assert_eq!(run().commits, commits);
        assert_eq!(plain(&sink.items()), [(0, 5, 1), (0, 50, 2), (0, 60, 3)]);
    }
}
