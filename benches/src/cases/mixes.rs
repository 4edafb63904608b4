//! The memory budget holds for values and keys of any type: what a store holds of a mix against what it may.
//!
//! On a backend that keeps nothing, so that the memory is the store's alone.

use super::family::Cases;
use crate::args::Subject;
use crate::bench::Bench;
use crate::error::Error;
use crate::measure::Pairs;
use crate::resident::{NOT_MEASURED, in_a_child, resident};
use crate::table::{Row, Target};
use krishiv_api::{
    Keyed, KeyedState, ListState, MapState, Scan, StateBackend, StateError, StateKey, ValueState, Volatile, WriteBatch,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::sync::Arc;

pub(super) const CASES: Cases = &[("memory of any mix under a budget of 64 MiB", run)];

const BUDGET: usize = 64 << 20;
const TARGET: Target = Target::Memory(1.5);

/// The mixes, by the names of their rows.
const MIXES: [(Subject, &str); 8] = [
    (Subject::Zeros, "lists of 1,000 zeros"),
    (Subject::Empty, "lists of 100 empty texts"),
    (Subject::Absent, "lists of 50 absent arrays"),
    (Subject::Texts, "short texts"),
    (Subject::Tables, "hash and tree maps of 50"),
    (Subject::Tagged, "tagged enums with JSON inside"),
    (Subject::Entries, "list elements and map entries"),
    (Subject::LongKeys, "keys of 1 MiB"),
];

/// Keeps nothing.
struct Nowhere;

impl StateBackend for Nowhere {
    type Survival = Volatile;
    const EXCLUSIVE: bool = true;

    fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        Ok(None)
    }

    fn scan<'a>(&'a self, _: &[u8]) -> Scan<'a> {
        Box::new(std::iter::empty())
    }

    fn write(&self, _: WriteBatch) -> Result<(), StateError> {
        Ok(())
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Small { number: u8 },
    Large { texts: Vec<String>, json: serde_json::Value },
}

#[derive(KeyedState)]
#[state(key = K)]
struct Mix<K: StateKey> {
    zeros: ValueState<Vec<u64>>,
    texts: ValueState<Vec<String>>,
    absent: ValueState<Vec<Option<[u64; 16]>>>,
    text: ValueState<String>,
    tables: ValueState<(HashMap<u32, u64>, BTreeMap<u64, String>)>,
    tagged: ValueState<Vec<Tagged>>,
    list: ListState<String>,
    map: MapState<String, Vec<u32>>,
    count: ValueState<u32>,
    #[state(skip)]
    key: PhantomData<fn() -> K>,
}

fn run(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    if resident().is_none() {
        return Ok(vec![Row::without_figures(name, TARGET, NOT_MEASURED)]);
    }
    let row = |(subject, mix): &(Subject, &str)| {
        let mut pairs = Pairs::default();
        // The peer is what may be taken.
        pairs.push(in_a_child(bench, *subject)? as f64, BUDGET as f64);
        Ok(Row::new(format!("{name}: {mix}"), TARGET, pairs))
    };
    MIXES.iter().map(row).collect()
}

/// What the child does: fills a store until rows have to go, and tells how far resident memory has grown.
pub(super) fn measure(subject: Subject, bench: &Bench) -> Result<u64, Error> {
    match subject {
        Subject::LongKeys => fill(bench, |n| format!("{n}{}", "k".repeat(1 << 20)), 8, |n, state| state.count.set(n)),
        Subject::Zeros => fill(bench, u64::from, 256, |_, state| state.zeros.set(vec![0; 1_000])),
        Subject::Empty => fill(bench, u64::from, 512, |_, state| state.texts.set(vec![String::new(); 100])),
        Subject::Absent => fill(bench, u64::from, 256, |_, state| state.absent.set(vec![None; 50])),
        Subject::Texts => fill(bench, u64::from, 4_096, |n, state| state.text.set(n.to_string())),
        Subject::Tables => fill(bench, u64::from, 256, |n, state| {
            let hashed = (0..50).map(|m| (m, u64::from(n))).collect();
            let tree = (0..50).map(|m| (m, format!("the text of {m}"))).collect();
            state.tables.set((hashed, tree));
        }),
        Subject::Tagged => fill(bench, u64::from, 512, |n, state| {
            let large = || Tagged::Large {
                texts: vec!["a".to_owned(), String::new()],
                json: serde_json::json!({"number": n, "list": [1, 2, 3], "text": "abc"}),
            };
            state.tagged.set(vec![Tagged::Small { number: 1 }, large(), Tagged::Small { number: 2 }, large()]);
        }),
        Subject::Entries => fill(bench, u64::from, 512, |n, state| {
            // Read, so that they stay.
            if state.list.length() == 0 {
                state.list.add_all((0..20).map(|m| m.to_string()));
            }
            if state.map.length() == 0 {
                state.map.put_all((0..5).map(|m| (format!("the key of {m}"), vec![n; 10])));
            }
        }),
        Subject::Ours | Subject::Peer | Subject::Budget => Ok(0),
    }
}

/// Runs events on new keys, with a commit now and then, until four times the budget has come by or so.
fn fill<K: StateKey>(
    bench: &Bench,
    key: impl Fn(u32) -> K,
    commit_every: u32,
    event: impl Fn(u32, &Mix<K>),
) -> Result<u64, Error> {
    let now = || resident().map(|(now, _)| now).ok_or_else(|| Error::Child(NOT_MEASURED.to_owned()));
    let before = now()?;
    let mut store = Keyed::<Mix<K>>::builder().memory_budget(BUDGET).open(Arc::new(Nowhere))?;
    let mut highest = before;
    let rounds = bench.shape(400);
    for round in 0..rounds {
        for n in 0..commit_every {
            let n = round as u32 * commit_every + n;
            // Seen twice, as rows that are in use are.
            for _ in 0..2 {
                store.with_key(&key(n), |state| event(n, state))?;
            }
        }
        store.commit("")?;
        highest = highest.max(now()?);
    }
    Ok(highest - before)
}
