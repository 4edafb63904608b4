//! Rows of several values on RocksDB, beside a record a row by hand.

use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::input::{self, Keys};
use crate::measure::{Pairs, timed};
use crate::raw::{BATCH as STEPS, Raw};
use crate::table::{Row, Target};
use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, RocksDbStateBackend, ValueState};
use rocksdb::WriteBatch;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

pub(super) const CASES: Cases = &[
    ("RocksDB, five fields, a tenth of 1M keys in budget: read all, change one", |name, bench| {
        over_budget::<Five>(name, bench, (read_all_change_one, |row| (row.sum(), row.add(1))))
    }),
    ("RocksDB, five fields, a tenth of 1M keys in budget: change all", |name, bench| {
        over_budget::<Five>(name, bench, (change_all, |row| (row.sum(), row.add(5))))
    }),
    ("RocksDB, five fields, a tenth of 1M keys in budget: set one unread", |name, bench| {
        over_budget::<Five>(name, bench, (set_one, |row| (0, row.add(0))))
    }),
    ("RocksDB, five fields, a tenth of 1M keys in budget: set one unread, one at a time", set_one_at_a_time),
    ("RocksDB, nine fields and 1 KiB, a tenth of 200k keys in budget: read nine, change one", |name, bench| {
        over_budget::<Wide>(name, bench, (read_nine_change_one, |row| (row.sum(), row.add(1))))
    }),
    ("commit of 1M changed rows of five fields", commit),
    ("commit of 1M changed rows of five fields, in memory against RocksDB", commit_in_memory),
    ("filling 1M rows of five fields", fill),
];

/// Events of a commit, and of a batch in it.
const COMMIT_EVERY: usize = 390 * BATCH;
const BATCH: usize = 256;

#[derive(KeyedState)]
#[state(key = u64)]
struct Five {
    a: ValueState<u32>,
    b: ValueState<u32>,
    c: ValueState<u32>,
    d: ValueState<u32>,
    e: ValueState<u32>,
}

#[derive(KeyedState)]
#[state(key = u64)]
struct Wide {
    a: ValueState<u32>,
    b: ValueState<u32>,
    c: ValueState<u32>,
    d: ValueState<u32>,
    text: ValueState<String>,
    e: ValueState<u32>,
    f: ValueState<u32>,
    g: ValueState<u32>,
    h: ValueState<u32>,
    i: ValueState<u32>,
}

/// What the two structs have in common.
trait Fields: KeyedState<Key = u64> {
    /// Keys of a full run.
    const KEYS: u64;

    fn numbers(&self) -> impl Iterator<Item = &ValueState<u32>>;

    /// Sets all of a row that is new.
    fn begin(&self);
}

impl Fields for Five {
    const KEYS: u64 = 1_000_000;

    fn numbers(&self) -> impl Iterator<Item = &ValueState<u32>> {
        [&self.a, &self.b, &self.c, &self.d, &self.e].into_iter()
    }
    fn begin(&self) {
        self.numbers().for_each(|number| number.set(FIRST));
    }
}

impl Fields for Wide {
    const KEYS: u64 = 200_000;

    fn numbers(&self) -> impl Iterator<Item = &ValueState<u32>> {
        let Self { a, b, c, d, e, f, g, h, i, .. } = self;
        [a, b, c, d, e, f, g, h, i].into_iter()
    }
    fn begin(&self) {
        self.numbers().for_each(|number| number.set(FIRST));
        self.text.set("x".repeat(1_024));
    }
}

/// What every number begins with.
const FIRST: u32 = 1_000;

fn sum<S: Fields>(state: &S) -> u64 {
    state.numbers().map(|number| u64::from(number.get_or(0))).sum()
}

fn read_all_change_one(state: &Five) -> u64 {
    let sum = sum(state);
    state.a.set(state.a.get_or(0) + 1);
    sum
}

fn change_all(state: &Five) -> u64 {
    let sum = sum(state);
    state.numbers().for_each(|number| number.set(number.get_or(0) + 1));
    sum
}

fn set_one(state: &Five) -> u64 {
    state.a.set(FIRST);
    0
}

fn read_nine_change_one(state: &Wide) -> u64 {
    let sum = sum(state);
    state.a.set(state.a.get_or(0) + 1);
    sum
}

/// The numbers of a row by hand, one behind the other.
struct ByHand(Vec<u8>);

impl ByHand {
    fn new(numbers: usize) -> Self {
        Self(FIRST.to_le_bytes().repeat(numbers))
    }

    fn sum(&self) -> u64 {
        self.0.as_chunks().0.iter().map(|number| u64::from(u32::from_le_bytes(*number))).sum()
    }

    /// Adds one to the first `changed` numbers.
    fn add(&mut self, changed: usize) {
        for number in self.0.as_chunks_mut().0.iter_mut().take(changed) {
            *number = (u32::from_le_bytes(*number) + 1).to_le_bytes();
        }
    }
}

/// An event of ours, and of the peer on a row that it has read.
type Events<S> = (fn(&S) -> u64, fn(&mut ByHand) -> (u64, ()));

/// Two folders with all rows.
struct Folders {
    ours: TempDir,
    peer: TempDir,
}

fn numbers<S: Fields>() -> Result<usize, Error> {
    let mut store = Keyed::<S>::open(Arc::new(InMemoryStateBackend::new()))?;
    Ok(store.with_key(&0, |state| state.numbers().count())?)
}

fn filled<S: Fields>(bench: &Bench, keys: u64) -> Result<Folders, Error> {
    let folders = Folders { ours: bench.folder()?, peer: bench.folder()? };
    fill_ours::<S>(folders.ours.path(), keys)?;
    let row = ByHand::new(numbers::<S>()?);
    Raw::open(folders.peer.path())?.load((0..keys).map(|key| (key.to_be_bytes(), &row.0)))?;
    Ok(folders)
}

fn fill_ours<S: Fields>(folder: &Path, keys: u64) -> Result<(), Error> {
    let backend = Arc::new(RocksDbStateBackend::open(folder)?);
    let mut store = Keyed::<S>::builder().memory_budget(256 << 20).open(Arc::clone(&backend))?;
    for key in 0..keys {
        store.with_key(&key, S::begin)?;
        if (key + 1) % 100_000 == 0 {
            store.commit("filling")?;
        }
    }
    store.commit("full")?;
    Ok(backend.compact()?)
}

/// What a store counts for a row, found by filling one until its uncommitted rows are half its budget.
fn row_weight<S: Fields>() -> Result<usize, Error> {
    const BUDGET: usize = 16 << 20;
    let mut store = Keyed::<S>::builder().memory_budget(BUDGET).open(Arc::new(InMemoryStateBackend::new()))?;
    let mut rows = 0;
    while !store.needs_commit() {
        store.with_key(&(rows as u64), |state| state.numbers().for_each(|number| number.set(FIRST)))?;
        rows += 1;
    }
    Ok(BUDGET / 2 / rows.max(1))
}

fn over_budget<S: Fields>(name: &str, bench: &Bench, (ours, by_hand): Events<S>) -> Result<Vec<Row>, Error> {
    let keys = bench.shape(S::KEYS);
    let folders = filled::<S>(bench, keys)?;
    let events = bench.events(2 * COMMIT_EVERY, 10 * COMMIT_EVERY);
    let backend = Arc::new(RocksDbStateBackend::open(folders.ours.path())?);
    let budget = row_weight::<S>()? * usize::try_from(keys / 10).unwrap_or(usize::MAX);
    let mut store = Keyed::<S>::builder().memory_budget(budget).open(backend)?;
    let raw = Raw::open(folders.peer.path())?;
    let (mut for_ours, mut for_peer) = (Keys::uniform(keys), Keys::uniform(keys));
    let mut ours = || {
        let keys = for_ours.draw(events);
        timed(|| {
            let mut sum = 0_u64;
            for keys in keys.chunks(COMMIT_EVERY) {
                for batch in keys.chunks(BATCH) {
                    store.for_each_event(batch, |key| *key, |state, _| sum = sum.wrapping_add(ours(state)))?;
                }
                store.commit("on")?;
            }
            Ok(sum)
        })
    };
    let mut peer = || {
        let keys = for_peer.draw(events);
        timed(|| {
            let mut sum = 0_u64;
            for keys in keys.chunks(COMMIT_EVERY) {
                for batch in keys.chunks(BATCH) {
                    sum = sum.wrapping_add(batch_by_hand(&raw, batch, by_hand)?);
                }
                let mut position = WriteBatch::default();
                position.put(b"position", b"on");
                raw.commit(position)?;
            }
            Ok(sum)
        })
    };
    ours()?;
    peer()?;
    Ok(vec![Row::new(name, Target::Throughput(1.0), bench.compare(events, ours, peer)?)])
}

/// Nothing is read before the commit, by ours for want of a look, and by the peer of a thousand rows at a time.
fn set_one_at_a_time(name: &'static str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let keys = bench.shape(Five::KEYS);
    let folders = filled::<Five>(bench, keys)?;
    let events = bench.events(2 * COMMIT_EVERY, 10 * COMMIT_EVERY);
    let backend = Arc::new(RocksDbStateBackend::open(folders.ours.path())?);
    let budget = row_weight::<Five>()? * usize::try_from(keys / 10).unwrap_or(usize::MAX);
    let mut store = Keyed::<Five>::builder().memory_budget(budget).open(backend)?;
    let raw = Raw::open(folders.peer.path())?;
    let (mut for_ours, mut for_peer) = (Keys::uniform(keys), Keys::uniform(keys));
    let pairs = bench.compare(
        events,
        || {
            let keys = for_ours.draw(events);
            timed(|| {
                for keys in keys.chunks(COMMIT_EVERY) {
                    for key in keys {
                        store.with_key(key, set_one)?;
                    }
                    store.commit("on")?;
                }
                Ok(0)
            })
        },
        || {
            let keys = for_peer.draw(events);
            timed(|| {
                for keys in keys.chunks(COMMIT_EVERY) {
                    keys.chunks(STEPS)
                        .try_for_each(|keys| batch_by_hand(&raw, keys, |row| (0, row.add(0))).map(drop))?;
                    raw.commit(WriteBatch::default())?;
                }
                Ok(0)
            })
        },
    )?;
    Ok(vec![Row::new(name, Target::Throughput(1.0), pairs)])
}

/// One `multi_get` of the batch's rows, one `WriteBatch` of what became of them.
fn batch_by_hand(raw: &Raw, batch: &[u64], event: fn(&mut ByHand) -> (u64, ())) -> Result<u64, Error> {
    let mut keys: Vec<u64> = batch.to_vec();
    keys.sort_unstable();
    keys.dedup();
    let names: Vec<[u8; 8]> = keys.iter().map(|key| key.to_be_bytes()).collect();
    let mut rows = Vec::with_capacity(keys.len());
    for (key, found) in keys.iter().zip(raw.multi_get(&names)?) {
        rows.push(ByHand(found?.ok_or(Error::Record { key: *key })?.to_vec()));
    }
    let mut sum = 0_u64;
    for key in batch {
        let row = keys.binary_search(key).ok().and_then(|index| rows.get_mut(index));
        sum = sum.wrapping_add(event(row.ok_or(Error::Record { key: *key })?).0);
    }
    let mut changes = WriteBatch::default();
    names.iter().zip(&rows).for_each(|(name, row)| changes.put(name, &row.0));
    raw.write(changes)?;
    Ok(sum)
}

/// All rows are in memory, and changed: the time of the commit alone.
fn commit(name: &'static str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let rows = bench.shape(1_000_000);
    let (ours, peer) = (bench.folder()?, bench.folder()?);
    let backend = Arc::new(RocksDbStateBackend::open(ours.path())?);
    let mut store = Keyed::<Five>::builder().memory_budget(4 << 30).open(backend)?;
    let raw = Raw::open(peer.path())?;
    let row = ByHand::new(5);
    let pairs = bench.compare(
        usize::try_from(rows).unwrap_or(usize::MAX),
        || {
            for key in 0..rows {
                store.with_key(&key, Five::begin)?;
            }
            timed(|| Ok(store.commit("changed").map(|()| rows)?))
        },
        || {
            timed(|| {
                let mut batch = WriteBatch::default();
                (0..rows).for_each(|key| batch.put(key.to_be_bytes(), &row.0));
                raw.commit(batch)?;
                Ok(rows)
            })
        },
    )?;
    Ok(vec![Row::new(name, Target::Time(2.0), pairs)])
}

/// The same in memory, beside the same on RocksDB.
fn commit_in_memory(name: &'static str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let rows = bench.shape(1_000_000);
    let folder = bench.folder()?;
    let builder = || Keyed::<Five>::builder().memory_budget(4 << 30);
    let mut ours = builder().open(Arc::new(InMemoryStateBackend::new()))?;
    let mut peer = builder().open(Arc::new(RocksDbStateBackend::open(folder.path())?))?;
    let commit = |store: &mut Keyed<Five>| {
        for key in 0..rows {
            store.with_key(&key, Five::begin)?;
        }
        timed(|| Ok(store.commit("changed").map(|()| rows)?))
    };
    let units = usize::try_from(rows).unwrap_or(usize::MAX);
    let pairs = bench.compare(units, || commit(&mut ours), || commit(&mut peer))?;
    Ok(vec![Row::new(name, Target::Time(1.0), pairs)])
}

/// Rows that come for the first time in random order, committed every 100,000, and what they take on disk in the end.
fn fill(name: &'static str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let order = input::permutation(bench.shape(1_000_000));
    let (mut ours, mut peers, row) = (Vec::new(), Vec::new(), ByHand::new(5));
    let pairs = bench.compare(
        order.len(),
        || {
            let folder = bench.folder()?;
            let backend = Arc::new(RocksDbStateBackend::open(folder.path())?);
            let mut store = Keyed::<Five>::open(Arc::clone(&backend))?;
            let time = timed(|| {
                for keys in order.chunks(100_000) {
                    for key in keys {
                        store.with_key(key, Five::begin)?;
                    }
                    store.commit("filling")?;
                }
                Ok(1)
            })?;
            backend.compact()?;
            ours.push(size_of_tables(folder.path())?);
            Ok(time)
        },
        || {
            let folder = bench.folder()?;
            let raw = Raw::open(folder.path())?;
            let time = timed(|| {
                for keys in order.chunks(100_000) {
                    for keys in keys.chunks(STEPS) {
                        let mut batch = WriteBatch::default();
                        keys.iter().for_each(|key| batch.put(key.to_be_bytes(), &row.0));
                        raw.write(batch)?;
                    }
                    raw.commit(WriteBatch::default())?;
                }
                Ok(1)
            })?;
            raw.compact()?;
            peers.push(size_of_tables(folder.path())?);
            Ok(time)
        },
    )?;
    ours.iter_mut().chain(&mut peers).for_each(|size| *size /= order.len() as f64);
    let sizes = Pairs { ours, peer: peers };
    Ok(vec![Row::new(name, Target::Time(2.0), pairs), Row::new("the same rows on disk", Target::Memory(2.0), sizes)])
}

/// Bytes of the table files of a folder.
fn size_of_tables(folder: &Path) -> Result<f64, Error> {
    let reading = || Error::io("reading the folder of a database");
    let mut size = 0;
    for entry in std::fs::read_dir(folder).map_err(reading())? {
        let entry = entry.map_err(reading())?;
        if entry.path().extension().is_some_and(|extension| extension == "sst") {
            size += entry.metadata().map_err(reading())?.len();
        }
    }
    Ok(size as f64)
}
