//! The memory budget holds, with rows of very different sizes.

use super::family::Cases;
use crate::args::Subject;
use crate::bench::Bench;
use crate::error::Error;
use crate::input;
use crate::measure::Pairs;
use crate::resident::{NOT_MEASURED, in_a_child, resident};
use crate::table::{Row, Target};
use krishiv_api::{Keyed, KeyedState, ListState, RocksDbStateBackend, ValueState};
use std::sync::Arc;

pub(super) const CASES: Cases = &[("peak memory under a budget of 64 MiB, a list of 1M among 1M keys", run)];

const KEYS: u64 = 1_000_000;
const ELEMENTS: u64 = 1_000_000;

/// The key with the long list.
const LONG: u64 = 0;

const BUDGET: usize = 64 << 20;

/// What RocksDB takes beside it: its block cache, and two memtables of 16 MiB, one being filled and one being flushed.
const ROCKSDB: usize = (32 + 2 * 16) << 20;

/// Events between two commits.
const COMMIT_EVERY: usize = 10_000;

#[derive(KeyedState)]
#[state(key = u64)]
struct Uneven {
    count: ValueState<i64>,
    series: ListState<i64>,
}

fn run(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let target = Target::Memory(1.0);
    if resident().is_none() {
        return Ok(vec![Row::without_figures(name, target, NOT_MEASURED)]);
    }
    let peak = in_a_child(bench, Subject::Budget)?;
    let mut pairs = Pairs::default();
    // The peer is what may be taken: the budget and RocksDB's own memory.
    pairs.push(peak as f64, (BUDGET + ROCKSDB) as f64);
    Ok(vec![Row::new(name, target, pairs)])
}

/// What the child does: writes all keys and the list, reads them all again, and tells how far resident memory grew.
pub(super) fn measure(bench: &Bench) -> Result<u64, Error> {
    let (keys, elements) = (bench.shape(KEYS), bench.shape(ELEMENTS));
    let order = input::permutation(keys);
    let folder = bench.folder()?;
    let (before, _) = resident().ok_or_else(|| Error::Child(NOT_MEASURED.to_owned()))?;

    let backend = Arc::new(RocksDbStateBackend::open(folder.path())?);
    let mut store = Keyed::<Uneven>::builder().memory_budget(BUDGET).open(backend)?;
    let mut added = 0;
    for (epoch, keys) in order.chunks(COMMIT_EVERY).enumerate() {
        for key in keys {
            store.with_key(key, |state| state.count.set(1))?;
        }
        // The list grows along with the keys.
        let part = elements.div_ceil(order.len().div_ceil(COMMIT_EVERY) as u64);
        let until = (added + part).min(elements);
        store.with_key(&LONG, |state| state.series.add_all((added..until).map(u64::cast_signed)))?;
        added = until;
        store.commit(epoch.to_be_bytes())?;
    }
    let length = store.with_key(&LONG, |state| state.series.length())?;
    let mut sum = 0;
    for key in &order {
        sum += store.with_key(key, |state| state.count.get())?.unwrap_or(0);
    }
    if length as u64 != elements || sum.unsigned_abs() != keys {
        return Err(Error::Differs { ours: length as u64 + sum.unsigned_abs(), peer: elements + keys });
    }
    let (_, peak) = resident().ok_or_else(|| Error::Child(NOT_MEASURED.to_owned()))?;
    Ok(peak.saturating_sub(before))
}
