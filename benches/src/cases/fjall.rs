//! The library on fjall beside the library on RocksDB: the same program on both.

use super::counter::{Counter, count, count_all};
use super::family::Cases;
use super::weight::row_weight;
use crate::bench::Bench;
use crate::error::Error;
use crate::input::{self, Keys};
use crate::measure::{Sample, timed};
use crate::table::{Row, Target};
use krishiv_api::{FjallStateBackend, Keyed, KeyedState, ListState, MapState, RocksDbStateBackend, Volatile};
use std::path::Path;
use std::sync::Arc;

pub(super) const CASES: Cases = &[
    ("fjall beside RocksDB: 500k new rows, commit every 10k events", fill),
    ("fjall beside RocksDB: rows in budget, 100k keys, commit every 100k events", in_budget),
    ("fjall beside RocksDB: a tenth of 500k keys in budget, 256 at a time, uniform", |name, bench| {
        over_budget(name, bench, &Keys::uniform(bench.shape(ROWS)))
    }),
    ("fjall beside RocksDB: a tenth of 500k keys in budget, 256 at a time, Zipf 1.0", |name, bench| {
        over_budget(name, bench, &Keys::zipf(bench.shape(ROWS))?)
    }),
    ("fjall beside RocksDB: commit of 1 changed row among 500k", |name, bench| commits(name, bench, 1)),
    ("fjall beside RocksDB: commit of 1,000 changed rows among 500k", |name, bench| commits(name, bench, 1_000)),
    ("fjall beside RocksDB: cold `get` of 10k lists of 100, grown by 10 commits", cold_lists),
    ("fjall beside RocksDB: cold look-up in 10k maps of 100", cold_maps),
    ("fjall beside RocksDB: open of a store with 500k keys", open),
];

const ROWS: u64 = 500_000;
const BATCH: usize = 256;

/// What is asked of fjall where rows are read and written.
const TARGET: Target = Target::Throughput(0.6);

/// How a store comes to be on one of the two.
type Open<S = Counter> = fn(&Path, usize) -> Result<Keyed<S>, Error>;

fn on_fjall<S: KeyedState<Needs = Volatile>>(folder: &Path, budget: usize) -> Result<Keyed<S>, Error> {
    Ok(Keyed::builder().memory_budget(budget).open(Arc::new(FjallStateBackend::open(folder)?))?)
}

fn on_rocksdb<S: KeyedState<Needs = Volatile>>(folder: &Path, budget: usize) -> Result<Keyed<S>, Error> {
    Ok(Keyed::builder().memory_budget(budget).open(Arc::new(RocksDbStateBackend::open(folder)?))?)
}

/// What lies in records of its own.
#[derive(KeyedState)]
#[state(key = u64)]
struct Collections {
    list: ListState<u64>,
    map: MapState<u64, u64>,
}

/// So much that nothing is evicted.
const ALL: usize = 1 << 30;

/// Counts each of `rows` once, in an order of its own, and compacts.
fn filled(folder: &Path, open: Open, rows: u64) -> Result<Sample, Error> {
    let keys = input::permutation(rows);
    let mut store = open(folder, row_weight(count)? * 50_000)?;
    timed(|| {
        let mut sum = 0_u64;
        for keys in keys.chunks(10_000) {
            sum = sum.wrapping_add(count_all(&mut store, keys)?);
            store.commit("filled")?;
        }
        Ok(sum)
    })
}

fn fill(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let rows = bench.shape(ROWS);
    let side = |open: Open| filled(bench.folder()?.path(), open, rows);
    let events = usize::try_from(rows).unwrap_or(usize::MAX);
    Ok(vec![Row::new(name, TARGET, bench.compare(events, || side(on_fjall), || side(on_rocksdb))?)])
}

fn in_budget(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let events = bench.events(100_000, 1_000_000);
    let folders = (bench.folder()?, bench.folder()?);
    let side = |folder: &Path, open: Open| -> Result<_, Error> {
        let mut store = open(folder, ALL)?;
        let mut keys = Keys::uniform(bench.shape(100_000));
        Ok(move || {
            let keys = keys.draw(events);
            timed(|| {
                let sum = count_all(&mut store, &keys)?;
                store.commit("counted")?;
                Ok(sum)
            })
        })
    };
    let (ours, peer) = (side(folders.0.path(), on_fjall)?, side(folders.1.path(), on_rocksdb)?);
    Ok(vec![Row::new(name, TARGET, bench.compare(events, ours, peer)?)])
}

fn over_budget(name: &str, bench: &Bench, input: &Keys) -> Result<Vec<Row>, Error> {
    let rows = bench.shape(ROWS);
    let events = bench.events(100_000, 500_000);
    let folders = (bench.folder()?, bench.folder()?);
    FjallStateBackend::open(filled_in(folders.0.path(), on_fjall, rows)?)?.compact()?;
    RocksDbStateBackend::open(filled_in(folders.1.path(), on_rocksdb, rows)?)?.compact()?;
    let budget = row_weight(count)? * usize::try_from(rows / 10).unwrap_or(usize::MAX);
    let side = |folder: &Path, open: Open| -> Result<_, Error> {
        let mut store = open(folder, budget)?;
        let mut keys = input.clone();
        Ok(move || {
            let keys = keys.draw(events);
            timed(|| {
                let mut sum = 0_u64;
                for keys in keys.chunks(390 * BATCH) {
                    for batch in keys.chunks(BATCH) {
                        let add = |state: &Counter, _| sum = sum.wrapping_add_signed(count(state));
                        store.for_each_event(batch.iter().copied(), |key| key, add)?;
                    }
                    store.commit("counted")?;
                }
                Ok(sum)
            })
        })
    };
    let (ours, peer) = (side(folders.0.path(), on_fjall)?, side(folders.1.path(), on_rocksdb)?);
    Ok(vec![Row::new(name, TARGET, bench.compare(events, ours, peer)?)])
}

fn filled_in(folder: &Path, open: Open, rows: u64) -> Result<&Path, Error> {
    filled(folder, open, rows).map(|_| folder)
}

fn commits(name: &str, bench: &Bench, changed: usize) -> Result<Vec<Row>, Error> {
    let rounds = bench.events(20, 200);
    let rows = bench.shape(ROWS);
    let folders = (bench.folder()?, bench.folder()?);
    let side = |folder: &Path, open: Open| -> Result<_, Error> {
        filled(folder, open, rows)?;
        let mut store = open(folder, ALL)?;
        let mut keys = Keys::uniform(rows);
        Ok(move || {
            let mut run = Sample::default();
            for _ in 0..rounds.min(20_000) {
                let sum = count_all(&mut store, &keys.draw(changed))?;
                run = run.and(timed(|| Ok(store.commit("changed").map(|()| sum)?))?);
            }
            Ok(run)
        })
    };
    let (ours, peer) = (side(folders.0.path(), on_fjall)?, side(folders.1.path(), on_rocksdb)?);
    Ok(vec![Row::new(name, TARGET, bench.compare(rounds, ours, peer)?)])
}

/// What a stop leaves: what was written last is in the journal.
fn open(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let folders = (bench.folder()?, bench.folder()?);
    let side = |folder: &Path, open: Open| -> Result<_, Error> {
        filled(folder, open, bench.shape(ROWS))?;
        let folder = folder.to_owned();
        Ok(move || {
            let mut store = None;
            let run = timed(|| {
                store = Some(open(&folder, ALL)?);
                Ok(0)
            })?;
            let count = store.map(|mut store| store.with_key(&0, |state| state.count.get())).transpose()?;
            Ok(run.checked(u64::from(count.flatten().is_some())))
        })
    };
    let (ours, peer) = (side(folders.0.path(), on_fjall)?, side(folders.1.path(), on_rocksdb)?);
    Ok(vec![Row::new(name, Target::Price, bench.compare(1, ours, peer)?)])
}

/// Lists or maps of 100, a tenth of each with each commit, then compacted.
fn collected(folders: [&Path; 2], keys: u64, add: fn(&Collections, u64)) -> Result<(), Error> {
    let fill = |mut store: Keyed<Collections>| -> Result<(), Error> {
        for part in 0..10 {
            for key in 0..keys {
                store.with_key(&key, |state| (part * 10..part * 10 + 10).for_each(|number| add(state, number)))?;
            }
            store.commit("filled")?;
        }
        Ok(())
    };
    fill(on_fjall(folders[0], ALL)?)?;
    fill(on_rocksdb(folders[1], ALL)?)?;
    FjallStateBackend::open(folders[0])?.compact()?;
    Ok(RocksDbStateBackend::open(folders[1])?.compact()?)
}

/// Reads each key once, in stores that have just been opened.
fn cold(
    name: &str,
    bench: &Bench,
    add: fn(&Collections, u64),
    read: fn(&Collections, u64) -> u64,
) -> Result<Vec<Row>, Error> {
    let keys = bench.shape(10_000);
    let folders = (bench.folder()?, bench.folder()?);
    collected([folders.0.path(), folders.1.path()], keys, add)?;
    let keys = input::permutation(keys);
    let side = |folder: &Path, open: Open<Collections>| {
        let mut store = open(folder, ALL)?;
        timed(|| {
            let mut sum = 0_u64;
            for key in &keys {
                sum = sum.wrapping_add(store.with_key(key, |state| read(state, *key))?);
            }
            Ok(sum)
        })
    };
    let (ours, peer) = (|| side(folders.0.path(), on_fjall), || side(folders.1.path(), on_rocksdb));
    Ok(vec![Row::new(name, TARGET, bench.compare(keys.len(), ours, peer)?)])
}

fn cold_lists(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    cold(name, bench, |state, number| state.list.add(number), |state, _| state.list.get().into_iter().sum())
}

fn cold_maps(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let put = |state: &Collections, number| state.map.put(number, number);
    cold(name, bench, put, |state, key| state.map.get(&(key % 100)).unwrap_or(0))
}
