//! What a timer finds does not depend on the events in between, on commits, on crashes, or on the end of the input.

use crate::world::{Flaky, Fuse, How, ListSource, Shelf, until_done};
use krishiv_api::{Keyed, ManualClock, StateBackend, Timer, TimerKind, WatermarkStrategy};
use krishiv_pipeline::{Input, Pipeline, PipelineError, Step, StopSignal, Summary};
use krishiv_tests::keeper::{Act, Event, Keeper, Model, Seen, by_key};
use krishiv_tests::{Fjall, Memory, Place, RocksDb};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The key of events that do nothing but to move the watermark.
const NOBODY: u8 = 9;

struct Random(u64);

impl Random {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n.unsigned_abs()) as i64
    }

    fn events(&mut self) -> Vec<Event> {
        let mut time = 0;
        let event = |n| {
            // A timer that is set in the past waits for the watermark to move.
            time += 1 + self.below(29);
            let acts = (0..1 + self.below(4)).map(|_| match self.below(5) {
                0 | 1 => Act::Write(n),
                2 => Act::Look,
                _ => Act::Set(Timer { kind: TimerKind::Event, time_ms: time + self.below(30) - 3 }),
            });
            let acts = acts.collect();
            (self.below(3) as u8, Some(time), acts)
        };
        (0..25).map(event).collect()
    }

    /// The same events with others in between.
    fn with_others(&mut self, events: &[Event]) -> Vec<Event> {
        let mut all = Vec::new();
        let mut last = 0;
        for event in events {
            let time = event.1.unwrap_or(0);
            let mut others: Vec<_> = (0..self.below(3)).map(|_| last + self.below(time - last + 1)).collect();
            others.sort_unstable();
            all.extend(others.into_iter().filter(|other| *other < time).map(|other| (NOBODY, Some(other), vec![])));
            all.push(event.clone());
            last = time;
        }
        all
    }
}

fn expected(events: &[Event]) -> BTreeMap<u8, Vec<String>> {
    let mut model = Model::default();
    for (key, time, acts) in events {
        model.watermark(time.unwrap_or(0));
        model.event(*key, *time, acts);
    }
    model.watermark(i64::MAX);
    model.seen()
}

fn run<B: StateBackend>(
    backend: Arc<B>,
    events: &[Event],
    (budget, every): (usize, u64),
    sink: &Shelf<Seen>,
) -> Result<Summary, PipelineError> {
    let store = Keyed::builder().memory_budget(budget);
    let strategy = WatermarkStrategy::monotonous();
    Pipeline::new(backend)
        .input(Input::new(ListSource::new(events.to_vec())).event_time(|event: &Event| event.1.unwrap_or(0), strategy))
        .step(Step::new(Keeper).store(store))
        .sink(sink.clone())
        .commit_every(every)
        .commit_after_ms(None)
        .drain_at_end()
        .clock(Arc::new(ManualClock::new(0)))
        .stop_on(StopSignal::manual())
        .run()
}

fn one_result<P: Place>(programs: u64) {
    for seed in 0..programs {
        let mut random = Random(seed);
        let events = random.events();
        let expected = expected(&events);
        for others in [false, true] {
            let all = if others { random.with_others(&events) } else { events.clone() };
            let settings = ([0, 1 << 20][random.below(2) as usize], 1 + random.below(12).unsigned_abs());
            let writes = Fuse::at([(1 + random.below(4).unsigned_abs(), How::AfterDoing), (6, How::Err)]);
            let place = P::new();
            let sink = Shelf::new();
            until_done(|| run(Flaky::new(place.open(), &writes, &Fuse::default()), &all, settings, &sink));
            assert_eq!(by_key(&sink.items()), expected, "seed {seed}, others {others}: {events:?}");
        }
    }
}

#[test]
fn a_pipeline_gives_one_result_in_memory() {
    one_result::<Memory>(400);
}

#[test]
fn a_pipeline_gives_one_result_on_rocksdb() {
    one_result::<RocksDb>(6);
}

#[test]
fn a_pipeline_gives_one_result_on_fjall() {
    one_result::<Fjall>(6);
}
