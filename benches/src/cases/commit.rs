//! Commit of 1,000 changed rows.

use super::counter::Counter;
use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::input;
use crate::measure::{Pairs, Sample, timed};
use crate::raw::Raw;
use crate::table::{Row, Target};
use krishiv_api::{
    InMemoryStateBackend, Keyed, Op, RocksDbStateBackend, Scan, StateBackend, StateError, Volatile, WriteBatch,
};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) const CASES: Cases = &[("commit of 1,000 changed rows among 1M live", |name, bench| {
    let many = run(bench, 1_000_000)?;
    let few = run(bench, 10_000)?;
    let flat = many.against(&few);
    Ok(vec![
        Row::new(name, Target::Time(1.5), many),
        Row::new("commit of 1,000 changed rows among 10k live", Target::Time(1.5), few),
        Row::new("commit of 1,000 changed rows among 1M live against 10k live", Target::Time(1.2), flat),
    ])
})];

const CHANGED: usize = 1_000;

/// Commits in one run.
const ROUNDS: usize = 20;

/// Takes down what a store writes, so that the peer can write the very same bytes.
#[derive(Default)]
struct Scribe {
    memory: InMemoryStateBackend,
    written: Mutex<Vec<WriteBatch>>,
}

impl Scribe {
    fn take(&self) -> Vec<WriteBatch> {
        std::mem::take(&mut self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl StateBackend for Scribe {
    type Survival = Volatile;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.memory.get(key)
    }
    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.memory.scan(prefix)
    }
    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).push(batch.clone());
        self.memory.write(batch)
    }
}

/// A store, and which of its rows it changes next.
struct Side {
    store: Keyed<Counter>,
    order: Vec<u64>,
    round: usize,
}

impl Side {
    /// All `rows` are in memory and committed.
    fn new<B: StateBackend>(backend: Arc<B>, rows: u64) -> Result<Self, Error> {
        let mut store = Keyed::<Counter>::builder().memory_budget(1 << 30).open(backend)?;
        for key in 0..rows {
            store.with_key(&key, |state| state.count.set(0))?;
        }
        store.commit("loaded")?;
        Ok(Self { store, order: input::permutation(rows), round: 0 })
    }

    fn change(&mut self) -> Result<(), Error> {
        let count = i64::try_from(self.round).unwrap_or(i64::MAX);
        for key in self.order.iter().cycle().skip(self.round * CHANGED % self.order.len()).take(CHANGED) {
            self.store.with_key(key, |state| state.count.set(count))?;
        }
        self.round += 1;
        Ok(())
    }
}

/// The time of one commit in pairs, among so many live rows.
fn run(bench: &Bench, rows: u64) -> Result<Pairs, Error> {
    let rows = bench.shape(rows);
    let (ours, peer) = (bench.folder()?, bench.folder()?);
    let backend = Arc::new(RocksDbStateBackend::open(ours.path())?);
    let scribe = Arc::new(Scribe::default());
    let mut side = Side::new(Arc::clone(&backend), rows)?;
    let mut shadow = Side::new(Arc::clone(&scribe), rows)?;
    let raw = Raw::open(peer.path())?;
    scribe.take().iter().try_for_each(|batch| raw.commit(same(batch)))?;
    backend.compact()?;
    raw.compact()?;

    let pairs = bench.compare(
        ROUNDS,
        || {
            let mut run = Sample::default();
            for _ in 0..ROUNDS {
                side.change()?;
                run = run.and(timed(|| Ok(side.store.commit("changed").map(|()| 1)?))?);
            }
            Ok(run)
        },
        || {
            let mut run = Sample::default();
            for _ in 0..ROUNDS {
                shadow.change()?;
                shadow.store.commit("changed")?;
                let batches = scribe.take();
                run = run.and(timed(|| {
                    batches.iter().try_for_each(|batch| raw.commit(same(batch)))?;
                    Ok(batches.len() as u64)
                })?);
            }
            Ok(run)
        },
    )?;
    let (ours, peer) = (contents(&backend)?, contents_by_hand(&raw)?);
    if ours == peer { Ok(pairs) } else { Err(Error::Differs { ours, peer }) }
}

/// The peer's batch of the same bytes.
fn same(batch: &WriteBatch) -> rocksdb::WriteBatch {
    let mut same = rocksdb::WriteBatch::default();
    for op in batch.iter() {
        match op {
            Op::Put(key, value) => same.put(key, value),
            Op::Delete(key) => same.delete(key),
            Op::Merge(key, changes) => same.merge(key, changes),
        }
    }
    same
}

/// A checksum of all records.
fn contents(backend: &RocksDbStateBackend) -> Result<u64, Error> {
    let mut sum = 0;
    for record in backend.scan(b"") {
        let (key, value) = record?;
        sum = fold(sum, &key, &value);
    }
    Ok(sum)
}

fn contents_by_hand(raw: &Raw) -> Result<u64, Error> {
    let mut sum = 0;
    for record in raw.db.iterator(rocksdb::IteratorMode::Start) {
        let (key, value) = record?;
        sum = fold(sum, &key, &value);
    }
    Ok(sum)
}

fn fold(sum: u64, key: &[u8], value: &[u8]) -> u64 {
    key.iter().chain(value).fold(sum, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))
}
