//! Timers registered and fired, against a heap of times and keys.

use super::family::Cases;
use crate::bench::{Bench, Size};
use crate::error::Error;
use crate::input::permutation;
use crate::measure::timed;
use crate::table::{Row, Target};
use krishiv_api::{
    BoxError, Driver, Dynamic, EventContext, FjallStateBackend, InMemoryStateBackend, Keyed, Operator,
    RocksDbStateBackend, StateBackend, Timer,
};
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::sync::Arc;

pub(super) const CASES: Cases = &[
    ("timers registered and fired", |name, bench| {
        run(name, bench, |_| Ok(Arc::new(InMemoryStateBackend::new())), None)
    }),
    ("timers registered, committed, reopened and fired, RocksDB, budget of 64 MiB", |name, bench| {
        let folder = bench.folder()?;
        run(
            name,
            bench,
            |run| Ok(Arc::new(RocksDbStateBackend::open(folder.path().join(run.to_string()))?)),
            Some(64 << 20),
        )
    }),
    ("timers registered, committed, reopened and fired, fjall, budget of 64 MiB", |name, bench| {
        let folder = bench.folder()?;
        run(
            name,
            bench,
            |run| Ok(Arc::new(FjallStateBackend::open(folder.path().join(run.to_string()))?)),
            Some(64 << 20),
        )
    }),
];

/// Timers of each key.
const OF_KEY: u64 = 10;

/// Sets a timer for each event, and adds up what fires and when.
struct Wake {
    sum: Rc<Cell<u64>>,
}

/// What is left of a timer that fired: its place in the order decides about the sum too.
fn mix(sum: u64, time: i64, key: u64) -> u64 {
    (sum ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add_signed(time)
}

impl Operator for Wake {
    type State = Dynamic<u64>;
    type In = (u64, i64);
    type Out = ();

    fn key(&self, (key, _): &(u64, i64)) -> u64 {
        *key
    }

    fn on_event(
        &mut self,
        _: &Dynamic<u64>,
        (_, time): (u64, i64),
        ctx: &mut EventContext<'_, Self>,
    ) -> Result<(), BoxError> {
        ctx.register_event_timer(time);
        Ok(())
    }

    fn on_timer(&mut self, _: &Dynamic<u64>, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        self.sum.set(mix(self.sum.get(), timer.time_ms, *ctx.current_key()));
        Ok(())
    }
}

fn run<B: StateBackend>(
    name: &str,
    bench: &Bench,
    open: impl Fn(usize) -> Result<Arc<B>, Error>,
    budget: Option<usize>,
) -> Result<Vec<Row>, Error> {
    let timers = if bench.size == Size::Full { 10_000_000 } else { bench.shape(1_000_000) };
    let keys = (timers / OF_KEY).max(1);
    // Each time once, in no order: all ties would be decided by how keys are encoded.
    let events: Vec<(u64, i64)> = permutation(timers).into_iter().map(|time| (time % keys, time as i64)).collect();
    let mut runs = 0;
    let pairs = bench.compare(
        events.len(),
        || {
            runs += 1;
            let backend = open(runs)?;
            let sum = Rc::new(Cell::new(0));
            let driver = || {
                let store = Keyed::builder().memory_budget(budget.unwrap_or(usize::MAX));
                Driver::builder(Wake { sum: Rc::clone(&sum) }).store(store).open(Arc::clone(&backend))
            };
            timed(|| {
                let mut running = driver()?;
                for event in &events {
                    running.event(*event, None)?;
                    if running.store().needs_commit() {
                        running.commit("registering")?;
                    }
                }
                if budget.is_some() {
                    running.commit("registered")?;
                    drop(running);
                    running = driver()?;
                }
                running.set_watermark(i64::MAX);
                while running.fire(krishiv_api::TimerKind::Event, 1_024)? {
                    if running.store().needs_commit() {
                        running.commit("firing")?;
                    }
                }
                Ok(sum.get())
            })
        },
        || {
            timed(|| {
                let mut heap = BinaryHeap::new();
                for (key, time) in &events {
                    heap.push(Reverse((*time, *key)));
                }
                let mut sum = 0;
                while let Some(Reverse((time, key))) = heap.pop() {
                    sum = mix(sum, time, key);
                }
                Ok(sum)
            })
        },
    )?;
    let name = format!("{}M {name}", timers / 1_000_000);
    Ok(vec![Row::new(name, Target::Price, pairs)])
}
