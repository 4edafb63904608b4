//! Timers that are overdue when a run ends or crashes: those that were firing go on, the others wait for the watermark.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "a test")]

use krishiv_api::{BoxError, Dynamic, EventContext, InMemoryStateBackend, Keyed, Operator, Timer, WatermarkStrategy};
use krishiv_pipeline::{Input, IterSource, MemorySink, Pipeline, Step};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// A key, the time of the event, and the timer that it sets, or deletes where negative.
type Event = (u64, i64, i64);

/// Emits every timer that fires.
struct Alarm {
    /// Timers that fire before one fails.
    good: Rc<Cell<usize>>,
}

impl Operator for Alarm {
    type State = Dynamic<u64>;
    type In = Event;
    type Out = (u64, i64);

    fn key(&self, (key, ..): &Event) -> u64 {
        *key
    }

    fn on_event(
        &mut self,
        _: &Dynamic<u64>,
        (_, _, timer): Event,
        ctx: &mut EventContext<'_, Self>,
    ) -> Result<(), BoxError> {
        if timer >= 0 {
            ctx.register_event_timer(timer)
        } else {
            ctx.delete_event_timer(-timer)
        }
        Ok(())
    }

    fn on_timer(&mut self, _: &Dynamic<u64>, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        self.good.set(self.good.get().checked_sub(1).ok_or("not this one")?);
        let key = *ctx.current_key();
        ctx.emit((key, timer.time_ms));
        Ok(())
    }
}

struct World {
    backend: Arc<InMemoryStateBackend>,
    sink: MemorySink<(u64, i64)>,
    good: Rc<Cell<usize>>,
}

impl World {
    fn new() -> Self {
        let good = Rc::new(Cell::new(usize::MAX));
        Self { backend: Arc::new(InMemoryStateBackend::new()), sink: MemorySink::new(), good }
    }

    fn run(&self, events: &[Event], budget: usize) -> Result<(), String> {
        let source = IterSource::new(events.to_vec());
        let alarm = Step::new(Alarm { good: Rc::clone(&self.good) }).store(Keyed::builder().memory_budget(budget));
        Pipeline::new(Arc::clone(&self.backend))
            .input(Input::new(source).event_time(|(_, time, _)| *time, WatermarkStrategy::monotonous()))
            .step(alarm)
            .sink(self.sink.clone())
            .commit_after_ms(None)
            .run()
            .map(drop)
            .map_err(|error| error.to_string())
    }
}

#[test]
fn a_timer_set_in_the_past_waits_for_the_watermark_also_over_a_restart() {
    let events = [
        (1, 1_000, 5_000),
        (2, 500, 600), // overdue from the start
        (3, 500, 700), // too, and deleted before the watermark moves
        (3, 900, -700),
        (2, 900, 2_000), // sets another, and keeps the first
        (4, 1_500, 800), // fires the overdue ones, and sets one more
        (4, 1_400, 3_000),
    ];
    let undisturbed = World::new();
    undisturbed.run(&events, 1 << 20).unwrap();
    assert_eq!(undisturbed.sink.items(), [(2, 600)]);
    for stop in 0..=events.len() {
        let world = World::new();
        for part in [&events[..stop], &events[..stop], &events] {
            world.run(part, 1 << 20).unwrap();
        }
        assert_eq!(world.sink.items(), [(2, 600)], "stopped after {stop} events");
    }
}

#[test]
fn timers_that_were_firing_go_on_where_the_last_commit_came_between() {
    const TIMERS: usize = 5_000;
    let mut events: Vec<Event> = (0..TIMERS).map(|key| (key as u64, 0, 10)).collect();
    events.push((0, 10, 99));
    let undisturbed = World::new();
    undisturbed.run(&events, 1).unwrap();
    let want = undisturbed.sink.items();
    assert_eq!(want.len(), TIMERS);

    let world = World::new();
    world.good.set(TIMERS - 500);
    // With so little memory it commits while they fire.
    let error = world.run(&events, 1).unwrap_err();
    assert!(error.contains("not this one"), "{error}");
    let committed = world.sink.items().len();
    assert!(0 < committed && committed < TIMERS - 500, "no commit came between: {committed}");

    world.good.set(usize::MAX);
    world.run(&events, 1).unwrap();
    assert!(world.sink.items() == want, "the timers that fired differ");
}
