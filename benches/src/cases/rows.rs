//! Rows of several values on RocksDB that are mostly not in memory, beside a record a row by hand.

use super::family::Cases;
use super::weight::row_weight;
use crate::bench::Bench;
use crate::error::Error;
use crate::input::Keys;
use crate::measure::timed;
use crate::raw::{BATCH as STEPS, Raw};
use crate::table::{Row, Target};
use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, RocksDbStateBackend, ValueState, Volatile};
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
];

/// Events of a commit, and of a batch in it.
const COMMIT_EVERY: usize = 390 * BATCH;
const BATCH: usize = 256;

#[derive(KeyedState)]
#[state(key = u64)]
pub(super) struct Five {
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
pub(super) trait Fields: KeyedState<Key = u64, Needs = Volatile> {
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
pub(super) struct ByHand(pub(super) Vec<u8>);

impl ByHand {
    pub(super) fn new(numbers: usize) -> Self {
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

/// Both sides with all rows, a tenth of ours in memory, and the keys that come next.
struct Sides<S: Fields> {
    store: Keyed<S>,
    raw: Raw,
    for_ours: Keys,
    for_peer: Keys,
    /// Events of one run.
    events: usize,
    /// Kept, so that both have a place.
    _folders: [TempDir; 2],
}

impl<S: Fields> Sides<S> {
    fn new(bench: &Bench) -> Result<Self, Error> {
        let keys = bench.shape(S::KEYS);
        let (ours, peer) = (bench.folder()?, bench.folder()?);
        fill_ours::<S>(ours.path(), keys)?;
        let raw = Raw::open(peer.path())?;
        let row = ByHand::new(numbers::<S>()?);
        raw.load((0..keys).map(|key| (key.to_be_bytes(), &row.0)))?;
        let weight = row_weight::<S, _>(|state| state.numbers().for_each(|number| number.set(FIRST)))?;
        let budget = weight * usize::try_from(keys / 10).unwrap_or(usize::MAX);
        let backend = Arc::new(RocksDbStateBackend::open(ours.path())?);
        Ok(Self {
            store: Keyed::builder().memory_budget(budget).open(backend)?,
            raw,
            for_ours: Keys::uniform(keys),
            for_peer: Keys::uniform(keys),
            events: bench.events(2 * COMMIT_EVERY, 10 * COMMIT_EVERY),
            _folders: [ours, peer],
        })
    }
}

fn numbers<S: Fields>() -> Result<usize, Error> {
    let mut store = Keyed::<S>::open(Arc::new(InMemoryStateBackend::new()))?;
    Ok(store.with_key(&0, |state| state.numbers().count())?)
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

fn over_budget<S: Fields>(name: &str, bench: &Bench, (event, by_hand): Events<S>) -> Result<Vec<Row>, Error> {
    let Sides { mut store, raw, mut for_ours, mut for_peer, events, _folders } = Sides::<S>::new(bench)?;
    let mut ours = || {
        let keys = for_ours.draw(events);
        timed(|| {
            let mut sum = 0_u64;
            for keys in keys.chunks(COMMIT_EVERY) {
                for batch in keys.chunks(BATCH) {
                    store.for_each_event(batch, |key| *key, |state, _| sum = sum.wrapping_add(event(state)))?;
                }
                store.commit("on")?;
            }
            Ok(sum)
        })
    };
    let mut peer = || {
        let keys = for_peer.draw(events);
        timed(|| all_by_hand(&raw, &keys, BATCH, by_hand))
    };
    ours()?;
    peer()?;
    Ok(vec![Row::new(name, Target::Throughput(1.0), bench.compare(events, ours, peer)?)])
}

/// Nothing is read before the commit, by ours for want of a look, and by the peer of a thousand rows at a time.
fn set_one_at_a_time(name: &'static str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let Sides { mut store, raw, mut for_ours, mut for_peer, events, _folders } = Sides::<Five>::new(bench)?;
    let ours = || {
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
    };
    let peer = || {
        let keys = for_peer.draw(events);
        timed(|| all_by_hand(&raw, &keys, STEPS, |row| (0, row.add(0))))
    };
    Ok(vec![Row::new(name, Target::Throughput(1.0), bench.compare(events, ours, peer)?)])
}

/// The peer: all `keys` in batches of so many.
fn all_by_hand(raw: &Raw, keys: &[u64], batch: usize, event: fn(&mut ByHand) -> (u64, ())) -> Result<u64, Error> {
    let mut sum = 0_u64;
    for keys in keys.chunks(COMMIT_EVERY) {
        for batch in keys.chunks(batch) {
            sum = sum.wrapping_add(batch_by_hand(raw, batch, event)?);
        }
        let mut position = WriteBatch::default();
        position.put(b"position", b"on");
        raw.commit(position)?;
    }
    Ok(sum)
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
