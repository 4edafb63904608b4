//! Rows of several values that are all written, beside a record a row by hand.

use super::family::Cases;
use super::rows::{ByHand, Fields, Five};
use crate::bench::Bench;
use crate::error::Error;
use crate::input;
use crate::measure::{Pairs, timed};
use crate::raw::{BATCH as STEPS, Raw};
use crate::table::{Row, Target};
use krishiv_api::{InMemoryStateBackend, Keyed, RocksDbStateBackend};
use rocksdb::WriteBatch;
use std::path::Path;
use std::sync::Arc;

pub(super) const CASES: Cases = &[
    ("commit of 1M changed rows of five fields", commit),
    ("commit of 1M changed rows of five fields, in memory against RocksDB", commit_in_memory),
    ("filling 1M rows of five fields", fill),
];

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
