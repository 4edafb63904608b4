//! Lists on RocksDB: appending, and reading a hundred elements that are not in memory.

use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::input;
use crate::measure::{Pairs, Sample, timed};
use crate::raw::{self, Raw};
use crate::table::{Row, Target};
use krishiv_api::{Keyed, KeyedState, ListState, RocksDbStateBackend};
use rocksdb::{MergeOperands, WriteBatch};
use std::path::Path;
use std::sync::Arc;

pub(super) const CASES: Cases = &[
    ("list add, 10k lists growing to 100", |name, bench| {
        let (pairs, _) = grow(bench, 10_000, 100)?;
        Ok(vec![Row::new(name, Target::Throughput(1.0), pairs)])
    }),
    ("list add, 100 lists growing to 10k", |name, bench| {
        let (pairs, ends) = grow(bench, 100, 10_000)?;
        let flat = "list add, elements 9,000 to 10k of a list against its first 1,000";
        Ok(vec![Row::new(name, Target::Throughput(1.0), pairs), Row::new(flat, Target::Time(1.2), ends)])
    }),
    ("list get of 100, cold", cold_get),
];

/// Commits on the way of lists as they grow.
const COMMITS: usize = 10;

#[derive(KeyedState)]
#[state(key = u64)]
struct Series {
    values: ListState<i64>,
}

/// The element that is the `index`-th of the list of `key`.
fn element(key: u64, index: u64) -> i64 {
    (key.wrapping_mul(31).wrapping_add(index) % 2_000).cast_signed() - 1_000
}

/// Goes over a whole list, where order counts.
fn fold(sum: u64, value: i64) -> u64 {
    sum.rotate_left(5).wrapping_add_signed(value)
}

/// Grows `lists` lists to `length`, an element of each in turn.
///
/// Returns the time of an append in pairs, and ours at the end against ours at the beginning.
fn grow(bench: &Bench, lists: u64, length: u64) -> Result<(Pairs, Pairs), Error> {
    let (lists, length) = (bench.shape(lists), bench.shape(length));
    let appends: Vec<(u64, i64)> = (0..length)
        .flat_map(|index| input::permutation(lists).into_iter().map(move |key| (key, element(key, index))))
        .collect();
    let epoch = appends.len().div_ceil(COMMITS);
    let mut ends = Pairs::default();
    let pairs = bench.compare(
        appends.len(),
        || {
            let folder = bench.folder()?;
            let mut store = Keyed::<Series>::open(Arc::new(RocksDbStateBackend::open(folder.path())?))?;
            let mut epochs = Vec::with_capacity(COMMITS);
            for appends in appends.chunks(epoch) {
                epochs.push(timed(|| {
                    for (key, value) in appends {
                        store.with_key(key, |state| state.values.add(*value))?;
                    }
                    store.commit("")?;
                    Ok(0)
                })?);
            }
            if let (Some(first), Some(last)) = (epochs.first(), epochs.last()) {
                let per_append = |epoch: &Sample| epoch.seconds() * COMMITS as f64 / appends.len() as f64;
                ends.push(per_append(last), per_append(first));
            }
            let mut sum = 0;
            for key in 0..lists {
                store.with_key(&key, |state| state.values.for_each(|value| sum = fold(sum, *value)))?;
            }
            Ok(epochs.into_iter().fold(Sample::default(), Sample::and).checked(sum))
        },
        || {
            let folder = bench.folder()?;
            let raw = Raw::open_with(&appending()?, folder.path())?;
            let run = timed(|| {
                for appends in appends.chunks(epoch) {
                    append_by_hand(&raw, appends)?;
                }
                Ok(0)
            })?;
            let mut sum = 0;
            for key in 0..lists {
                let bytes = raw.get(&key.to_be_bytes())?.ok_or(Error::Record { key })?;
                let mut rest: &[u8] = &bytes;
                while !rest.is_empty() {
                    let (value, after) = postcard::take_from_bytes(rest)?;
                    (sum, rest) = (fold(sum, value), after);
                }
            }
            Ok(run.checked(sum))
        },
    )?;
    Ok((pairs, ends))
}

/// The peer: each append is a merge, in batches of 1,000; the last of them is synced.
fn append_by_hand(raw: &Raw, appends: &[(u64, i64)]) -> Result<(), Error> {
    let mut batch = WriteBatch::default();
    let mut buffer = [0; 10];
    for (key, value) in appends {
        batch.merge(key.to_be_bytes(), postcard::to_slice(value, &mut buffer)?);
        if batch.len() >= raw::BATCH {
            raw.write(std::mem::take(&mut batch))?;
        }
    }
    batch.put(b"position", 0_u64.to_be_bytes());
    raw.commit(batch)
}

/// The options of the peer whose merge appends bytes.
fn appending() -> Result<rocksdb::Options, Error> {
    let mut options = raw::options()?;
    options.set_merge_operator_associative("append", |_, old: Option<&[u8]>, added: &MergeOperands| {
        let old = old.unwrap_or_default();
        let mut all = Vec::with_capacity(old.len() + added.iter().map(<[u8]>::len).sum::<usize>());
        all.extend_from_slice(old);
        added.iter().for_each(|bytes| all.extend_from_slice(bytes));
        Some(all)
    });
    Ok(options)
}

/// Reads every list once in databases that have just been opened.
fn cold_get(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let (lists, length) = (bench.shape(10_000), 100_usize);
    let (ours, peer) = (bench.folder()?, bench.folder()?);
    let list = |key| (0..length).map(move |index| element(key, index as u64));
    {
        let backend = Arc::new(RocksDbStateBackend::open(ours.path())?);
        let mut store = Keyed::<Series>::open(Arc::clone(&backend))?;
        // Lists grow from commit to commit, and not all at once.
        for part in 0..COMMITS {
            let elements = |key| list(key).skip(part * length / COMMITS).take(length / COMMITS);
            for key in 0..lists {
                store.with_key(&key, |state| state.values.add_all(elements(key)))?;
            }
            store.commit("loaded")?;
        }
        backend.compact()?;
        let blobs: Result<Vec<_>, _> =
            (0..lists).map(|key| postcard::to_stdvec(&list(key).collect::<Vec<_>>())).collect();
        Raw::open(peer.path())?.load((0..lists).map(u64::to_be_bytes).zip(blobs?))?;
    }
    let keys = input::permutation(lists);
    let pairs = bench.compare(keys.len(), || read(ours.path(), &keys), || read_by_hand(peer.path(), &keys))?;
    Ok(vec![Row::new(name, Target::Time(2.0), pairs)])
}

fn read(folder: &Path, keys: &[u64]) -> Result<Sample, Error> {
    let mut store = Keyed::<Series>::open(Arc::new(RocksDbStateBackend::open(folder)?))?;
    timed(|| {
        let mut sum = 0;
        for key in keys {
            let values = store.with_key(key, |state| state.values.get())?;
            sum = values.into_iter().fold(sum, fold);
        }
        Ok(sum)
    })
}

fn read_by_hand(folder: &Path, keys: &[u64]) -> Result<Sample, Error> {
    let raw = Raw::open(folder)?;
    timed(|| {
        let mut sum = 0;
        for key in keys {
            let bytes = raw.get(&key.to_be_bytes())?.ok_or(Error::Record { key: *key })?;
            let values: Vec<i64> = postcard::from_bytes(&bytes)?;
            sum = values.into_iter().fold(sum, fold);
        }
        Ok(sum)
    })
}
