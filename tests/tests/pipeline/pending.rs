//! While sources have nothing, timers fire, commits come, and the wish to stop is heard.

use crate::world::{Do, Line, Script, Shelf, plain, rec, then};
use krishiv_api::ManualClock;
use krishiv_pipeline::{Pipeline, StopSignal, Summary};
use krishiv_tests::{Place, on_every_backend};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// A pipeline on a source that a test moves on.
struct Slow<P> {
    place: P,
    clock: Arc<ManualClock>,
    sink: Shelf<crate::world::Rec>,
    commits: Rc<RefCell<Vec<Summary>>>,
    stop: StopSignal,
}

impl<P: Place> Slow<P> {
    fn new(place: P) -> Self {
        let (clock, sink) = (Arc::new(ManualClock::new(0)), Shelf::new());
        Self { place, clock, sink, commits: Rc::default(), stop: StopSignal::manual() }
    }

    /// Sets a processing timer 100 milliseconds ahead at every event.
    fn run(&self, source: Script) -> Summary {
        let operator = Do {
            event: |_, _, ctx| ctx.register_processing_timer(ctx.processing_time() + 100),
            timer: |_, timer, ctx| ctx.emit(rec(*ctx.current_key(), timer.time_ms, ctx.processing_time() as u64)),
        };
        let commits = self.commits.clone();
        Pipeline::new(self.place.open())
            .source(source)
            .operator(operator)
            .sink(self.sink.clone())
            .commit_after_ms(500)
            .clock(self.clock.clone())
            .stop_on(self.stop.clone())
            .on_commit(move |summary| commits.borrow_mut().push(summary.clone()))
            .run()
            .unwrap()
    }

    /// Sets the clock, when so many records are out and so many commits are made.
    fn clock(&self, ms: i64, records: usize, commits: usize) -> Line {
        let (clock, sink, noted) = (self.clock.clone(), self.sink.clone(), self.commits.clone());
        then(move || {
            let found = (sink.items().len(), noted.borrow().len());
            assert_eq!(found, (records, commits), "before the clock shows {ms}");
            clock.set(ms);
        })
    }
}

fn timers_fire_and_commits_come_while_nothing_else_does<P: Place>(place: P) {
    let slow = Slow::new(place);
    let lines = [
        Line::Item(rec(1, 0, 0)),
        // What is there is processed when there is no more of it.
        then(|| {}),
        slow.clock(99, 0, 1),
        slow.clock(100, 0, 1),
        slow.clock(499, 1, 1),
        slow.clock(500, 1, 1),
        // Nothing more has happened, so nothing more is committed.
        slow.clock(90_000, 1, 2),
        slow.clock(90_001, 1, 2),
        Line::Item(rec(2, 0, 0)),
        then(|| {}),
        // The last commit is long ago.
        slow.clock(90_101, 1, 3),
        slow.clock(90_500, 2, 3),
        slow.clock(90_501, 2, 3),
        slow.clock(90_502, 2, 4),
    ];
    let summary = slow.run(Script::new(lines));
    assert_eq!(plain(&slow.sink.items()), [(1, 100, 100), (2, 90_101, 90_101)]);
    assert_eq!((summary.events, summary.commits), (2, 4));
}

fn the_wish_to_stop_is_heard_and_what_was_done_is_committed<P: Place>(place: P) {
    let slow = Slow::new(place);
    let stop = slow.stop.clone();
    let ask = then(move || stop.set());
    let lines = [Line::Item(rec(1, 0, 0)), ask, then(|| panic!("it was to stop"))];
    let summary = slow.run(Script::new(lines.clone()));
    assert!(summary.stopped);
    assert_eq!((summary.events, summary.commits), (1, 2));

    // It stood still for long: the timer fires once.
    slow.clock.set(50_000);
    let again = Slow { stop: StopSignal::manual(), ..slow };
    let lines = [lines[0].clone(), lines[1].clone(), then(|| {}), then(|| {})];
    let summary = again.run(Script::new(lines));
    assert_eq!((summary.stopped, summary.events, summary.events_before), (false, 1, 1));
    assert_eq!(plain(&again.sink.items()), [(1, 100, 50_000)]);
}

fn a_wish_from_before_the_start_is_heard_before_the_first_event<P: Place>(place: P) {
    let slow = Slow::new(place);
    slow.stop.set();
    let summary = slow.run(Script::new([then(|| panic!("it was to stop"))]));
    assert_eq!((summary.stopped, summary.events, summary.commits), (true, 0, 1));
}

on_every_backend!(
    timers_fire_and_commits_come_while_nothing_else_does,
    the_wish_to_stop_is_heard_and_what_was_done_is_committed,
    a_wish_from_before_the_start_is_heard_before_the_first_event,
);

#[test]
fn a_source_is_to_wait_only_when_none_has_anything() {
    let sources = [
        Script::new([then(|| {}), then(|| {}), then(|| {}), Line::Item(rec(0, 0, 0)), then(|| {})]),
        Script::new([Line::Item(rec(1, 0, 0)), then(|| {}), then(|| {}), then(|| {}), then(|| {})]),
    ];
    let waits = [sources[0].waits.clone(), sources[1].waits.clone()];
    let [first, second] = sources.map(krishiv_pipeline::Input::new);
    Pipeline::new(krishiv_tests::Memory::new().open())
        .input(first)
        .input(second)
        .operator(Do::watermark())
        .sink(Shelf::new())
        .commit_every(1)
        .clock(Arc::new(ManualClock::new(0)))
        .stop_on(StopSignal::manual())
        .run()
        .unwrap();
    let waits = waits.map(|waits| waits.borrow().iter().map(|wait| *wait > Duration::ZERO).collect::<Vec<_>>());
    // Turn by turn: pending, an item; pending, pending; both may wait; an item, and one that need not wait; and so on.
    assert_eq!(waits[0][..5], [false, false, true, true, false]);
    assert_eq!(waits[1][..4], [false, false, true, false]);
}
