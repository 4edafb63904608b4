//! In memory: an operator of one get and one set in a pipeline, against the same events on its store.

use super::counter::{Counter, count};
use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::input::Keys;
use crate::measure::timed;
use crate::table::{Row, Target};
use krishiv_api::{BoxError, EventContext, InMemoryStateBackend, Keyed, KeyedBuilder, Operator};
use krishiv_pipeline::{IterSource, MemorySink, Pipeline, Step, StopSignal};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

pub(super) const CASES: Cases = &[
    ("an operator in a pipeline against its store, 10k keys", |name, bench| run(name, bench, 10_000)),
    ("an operator in a pipeline against its store, 1M keys", |name, bench| run(name, bench, 1_000_000)),
];

const COMMIT_EVERY: usize = 1_000_000;

/// Counts, and adds up all counts.
struct Counting {
    sum: Rc<Cell<u64>>,
}

impl Operator for Counting {
    type State = Counter;
    type In = u64;
    type Out = ();

    fn key(&self, key: &u64) -> u64 {
        *key
    }

    fn on_event(&mut self, state: &Counter, _: u64, _: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        self.sum.set(self.sum.get().wrapping_add_signed(count(state)));
        Ok(())
    }
}

fn settings() -> KeyedBuilder<Counter> {
    Keyed::builder().memory_budget(usize::MAX)
}

fn run(name: &str, bench: &Bench, keys: u64) -> Result<Vec<Row>, Error> {
    let keys = bench.shape(keys);
    let events = bench.events(4_000_000, 10_000_000);
    let mut for_ours = Keys::uniform(keys);
    let mut for_peer = for_ours.clone();
    // Both begin with nothing in each run, and both commit.
    let pairs = bench.compare(
        events,
        || {
            let keys = for_ours.draw(events);
            let sum = Rc::new(Cell::new(0));
            let pipeline = Pipeline::new(Arc::new(InMemoryStateBackend::new()))
                .source(IterSource::new(keys))
                .step(Step::new(Counting { sum: Rc::clone(&sum) }).store(settings()))
                .sink(MemorySink::new())
                .commit_every(COMMIT_EVERY as u64)
                .commit_after_ms(None)
                .stop_on(StopSignal::manual());
            timed(|| {
                pipeline.run()?;
                Ok(sum.get())
            })
        },
        || {
            let keys = for_peer.draw(events);
            timed(|| {
                let mut store = settings().open(Arc::new(InMemoryStateBackend::new()))?;
                let mut sum = 0_u64;
                for (epoch, keys) in keys.chunks(COMMIT_EVERY).enumerate() {
                    for key in keys {
                        sum = sum.wrapping_add_signed(store.with_key(key, count)?);
                    }
                    store.commit(epoch.to_be_bytes())?;
                }
                Ok(sum)
            })
        },
    )?;
    Ok(vec![Row::new(name, Target::Time(1.3), pairs)])
}
