//! What a restart must not change, case by case.

use crate::world::{Do, Flaky, Fuse, How, ListSource, Rec, Shelf, plain, rec, until_done};
use krishiv_api::{Keyed, WatermarkStrategy};
use krishiv_pipeline::{Input, IterSource, JsonLinesSink, MemorySink, Pipeline, Source, Step, StopSignal};
use krishiv_tests::{Memory, Place};

fn input<S: Source<Item = Rec>>(source: S) -> Input<S, impl Fn(&Rec) -> i64> {
    Input::new(source).event_time(|rec: &Rec| rec.time, WatermarkStrategy::monotonous())
}

/// Lets all through, and fires a timer for what is not of key 9.
fn pass() -> Do {
    Do::event(|_, rec, ctx| ctx.emit(rec))
}

#[test]
fn a_timer_set_in_the_past_waits_for_the_next_advance_also_over_a_restart() {
    // Counts events, and tells how many there were when the timer for the time of the last one fires.
    let count = Do {
        event: |state, rec, ctx| {
            state.sum.update(|sum| *sum.get_or_insert(0) += 1);
            ctx.register_event_timer(rec.time);
        },
        timer: |state, timer, ctx| ctx.emit(rec(0, timer.time_ms, state.sum.take().unwrap_or(0))),
    };
    let run = |polls: Fuse| {
        let (place, sink) = (Memory::new(), Shelf::new());
        until_done(|| {
            Pipeline::new(place.open())
                .input(input(ListSource::new([rec(0, 5, 0), rec(0, 5, 0), rec(0, 6, 0)]).fuse(&polls)))
                .operator(count)
                .sink(sink.clone())
                .commit_every(1)
                .stop_on(StopSignal::manual())
                .run()
        });
        plain(&sink.items())
    };
    assert_eq!(run(Fuse::default()), [(0, 5, 2)]);
    assert_eq!(run(Fuse::at([(1, How::Err)])), [(0, 5, 2)]);
}

#[test]
fn a_broadcast_comes_before_the_timers_due_after_it_that_the_same_event_makes_due_in_every_operator() {
    let tell = Do {
        event: |_, _, ctx| ctx.register_event_timer(60),
        timer: |state, timer, ctx| ctx.emit(rec(0, timer.time_ms, state.rules.get(&0).unwrap_or(0))),
    };
    let rules = |operator| Step::new(operator).broadcast(ListSource::new([(50, 7)]), |(from, _)| *from);
    let events = || input(ListSource::new([rec(0, 10, 0), rec(0, 100, 0)]));

    let alone = Shelf::new();
    let pipeline = Pipeline::new(Memory::new().open()).input(events()).step(rules(tell)).sink(alone.clone());
    pipeline.stop_on(StopSignal::manual()).run().unwrap();
    assert_eq!(plain(&alone.items()), [(0, 60, 7)]);

    let second = Shelf::new();
    Pipeline::new(Memory::new().open())
        .input(events())
        .step(Step::new(pass()).store(Keyed::builder().operator("first")))
        .step(rules(tell).store(Keyed::builder().operator("second")))
        .sink(second.clone())
        .stop_on(StopSignal::manual())
        .run()
        .unwrap();
    assert_eq!(plain(&second.items()), plain(&alone.items()));
}

#[test]
fn an_input_that_had_ended_holds_nobody_back_after_a_restart_either() {
    let run = |polls: Fuse| {
        let (place, sink) = (Memory::new(), Shelf::new());
        until_done(|| {
            let times = |key: u8, times: &[i64]| {
                ListSource::new(times.iter().map(|time| rec(key, *time, 0)).collect::<Vec<_>>())
            };
            Pipeline::new(place.open())
                .input(input(times(0, &[0])))
                .input(input(times(1, &[10, 20, 30])))
                .input(input(times(2, &[10, 20, 30]).fuse(&polls)))
                .operator(Do::watermark())
                .sink(sink.clone())
                .commit_every(1)
                .stop_on(StopSignal::manual())
                .run()
        });
        plain(&sink.items())
    };
    let once = run(Fuse::default());
    assert_eq!(once.last(), Some(&(2, 30, 30)));
    assert_eq!(run(Fuse::at([(1, How::Err)])), once);
}

#[test]
fn a_run_that_fails_before_it_resumes_its_sinks_leaves_them_alone() {
    let (place, sink) = (Memory::new(), MemorySink::new());
    let run = |items: u8| {
        let items = (0..items).map(|key| rec(key, 0, 0)).collect::<Vec<_>>();
        let pipeline = Pipeline::new(place.open()).source(IterSource::new(items)).operator(pass());
        pipeline.sink(sink.clone()).stop_on(StopSignal::manual()).run()
    };
    run(3).unwrap();
    assert_eq!(sink.items().len(), 3);
    let error = run(2).unwrap_err().to_string();
    assert!(error.starts_with("input 0: the source ends after 2 items, and the state has done 3"), "{error}");
    assert_eq!(sink.items().len(), 3);
    run(4).unwrap();
    assert_eq!(sink.items().len(), 4);
}

#[test]
fn an_output_that_is_added_later_survives_a_crash_before_its_first_commit() {
    let folder = tempfile::tempdir().unwrap();
    let (place, sink) = (Memory::new(), Shelf::new());
    let run = |items: u8, side: bool, writes: &Fuse| {
        let split = Do::event(|_, rec, ctx| if rec.key < 5 { ctx.emit(rec) } else { ctx.emit_to("great", rec) });
        let mut step = Step::new(split);
        if side {
            step = step.side("great", JsonLinesSink::open(folder.path().join("great.jsonl")).unwrap());
        }
        Pipeline::new(Flaky::new(place.open(), writes, &Fuse::default()))
            .source(ListSource::new((0..items).map(|key| rec(key, 0, 0)).collect::<Vec<_>>()))
            .step(step)
            .sink(sink.clone())
            .stop_on(StopSignal::manual())
            .run()
    };
    run(5, false, &Fuse::default()).unwrap();
    let writes = Fuse::at([(0, How::Err)]);
    let (summary, failed) = until_done(|| run(8, true, &writes));
    assert_eq!((summary.events, failed), (8, 1));
    let lines = std::fs::read_to_string(folder.path().join("great.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 3);
}

#[test]
fn a_commit_among_timers_leaves_the_turn_with_the_input_that_has_it() {
    let operator = Do {
        event: |_, rec, ctx| {
            ctx.emit(rec);
            if rec.time == 0 && rec.key == 0 {
                ctx.register_event_timer(1 + rec.n as i64);
            }
        },
        timer: |_, timer, ctx| ctx.emit(rec(0, timer.time_ms, 0)),
    };
    let run = |writes: Fuse| {
        let (place, sink) = (Memory::new(), Shelf::failing(&writes, &Fuse::default()));
        until_done(|| {
            let timed = (0..2_048).map(|n| rec(0, 0, n)).chain((0..256).map(|n| rec(0, 1 << 40, n)));
            Pipeline::new(place.open())
                .input(input(ListSource::new(timed)))
                .input(Input::new(ListSource::new((0..4_096).map(|n| rec(1, 0, n)))))
                .step(Step::new(operator).store(Keyed::builder().memory_budget(0)))
                .sink(sink.clone())
                .commit_every(1_000_000)
                .commit_after_ms(None)
                .stop_on(StopSignal::manual())
                .run()
        });
        plain(&sink.items())
    };
    let once = run(Fuse::default());
    // Among the timers: 1,024 of them were committed.
    let crash = once.iter().position(|found| *found == (0, 1_500, 0)).unwrap() as u64;
    let found = run(Fuse::at([(crash, How::Err)]));
    assert_eq!(found.len(), once.len());
    let same = found.iter().zip(&once).take_while(|(found, once)| found == once).count();
    assert_eq!(same, once.len(), "from there on {:?} in place of {:?}", &found[same..][..3], &once[same..][..3]);
}
