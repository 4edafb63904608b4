//! Memory per live key: two `i64` values, `u64` keys, nothing committed.

use super::family::Cases;
use super::memory::{Map, by_hand, ours, store};
use crate::args::Subject;
use crate::bench::Bench;
use crate::error::Error;
use crate::input;
use crate::measure::Pairs;
use crate::resident::{NOT_MEASURED, in_a_child, resident};
use crate::table::{Row, Target};
use std::hint::black_box;

pub(super) const CASES: Cases = &[("memory per live key, two i64 values, 1M keys", run)];

const KEYS: u64 = 1_000_000;
const RUNS: usize = 3;
const TARGET: Target = Target::Memory(2.0);

fn run(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    if resident().is_none() {
        return Ok(vec![Row::without_figures(name, TARGET, NOT_MEASURED)]);
    }
    let keys = bench.shape(KEYS) as f64;
    let mut pairs = Pairs::default();
    for _ in 0..RUNS {
        let ours = in_a_child(bench, Subject::Ours)?;
        let peer = in_a_child(bench, Subject::Peer)?;
        pairs.push(ours as f64 / keys, peer as f64 / keys);
    }
    Ok(vec![Row::new(name, TARGET, pairs)])
}

/// What the child does: builds one side, and tells how much resident memory has grown.
pub(super) fn measure(subject: Subject, bench: &Bench) -> Result<u64, Error> {
    let keys = input::permutation(bench.shape(KEYS));
    let now = || resident().map(|(now, _)| now).ok_or_else(|| Error::Child(NOT_MEASURED.to_owned()));
    let before = now()?;
    let after = if matches!(subject, Subject::Ours) {
        let mut store = store()?;
        black_box(ours(&mut store, &keys)?);
        let after = now()?;
        drop(store);
        after
    } else {
        let mut map = Map::default();
        black_box(by_hand(&mut map, &keys));
        let after = now()?;
        drop(map);
        after
    };
    Ok(after.saturating_sub(before))
}
