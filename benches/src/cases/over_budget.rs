//! On RocksDB with a tenth of 5,000,000 rows in memory: batches of 256.

use super::counter::{Counter, count, step};
use super::family::Cases;
use super::weight::row_weight;
use crate::bench::Bench;
use crate::error::Error;
use crate::input::Keys;
use crate::measure::timed;
use crate::raw::{self, Raw};
use crate::table::{Row, Target};
use krishiv_api::{Keyed, RocksDbStateBackend};
use rocksdb::WriteBatch;
use std::sync::Arc;

pub(super) const CASES: Cases = &[
    ("RocksDB, a tenth of 5M keys in budget, batches of 256, uniform", |name, bench| {
        run(name, bench, &Keys::uniform(bench.large()?.keys), Target::Throughput(1.0))
    }),
    ("RocksDB, a tenth of 5M keys in budget, batches of 256, Zipf 1.0", |name, bench| {
        run(name, bench, &Keys::zipf(bench.large()?.keys)?, Target::Throughput(2.0))
    }),
];

const BATCH: usize = 256;
const COMMIT_EVERY: usize = 390 * BATCH;

fn run(name: &str, bench: &Bench, input: &Keys, target: Target) -> Result<Vec<Row>, Error> {
    let large = bench.large()?;
    let events = bench.events(2 * COMMIT_EVERY, 20 * COMMIT_EVERY);
    let backend = Arc::new(RocksDbStateBackend::open(large.ours.path())?);
    let budget = row_weight(count)? * usize::try_from(large.keys / 10).unwrap_or(usize::MAX);
    let mut store = Keyed::<Counter>::builder().memory_budget(budget).open(backend)?;
    let raw = Raw::open(large.peer.path())?;

    let mut for_ours = input.clone();
    let mut for_peer = input.clone();
    let mut ours = || {
        let keys = for_ours.draw(events);
        timed(|| {
            let mut sum = 0_u64;
            for (epoch, keys) in keys.chunks(COMMIT_EVERY).enumerate() {
                for batch in keys.chunks(BATCH) {
                    let add = |state: &Counter, _| sum = sum.wrapping_add_signed(count(state));
                    store.for_each_event(batch.iter().copied(), |key| key, add)?;
                }
                store.commit(epoch.to_be_bytes())?;
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
                    sum = sum.wrapping_add(by_hand(&raw, batch)?);
                }
                let mut position = WriteBatch::default();
                position.put(b"position", 0_u64.to_be_bytes());
                raw.commit(position)?;
            }
            Ok(sum)
        })
    };
    // What the budget holds is what it comes to hold in use.
    for _ in 0..large.keys.div_ceil(10).div_ceil(events as u64) {
        ours()?;
        peer()?;
    }
    Ok(vec![Row::new(name, target, bench.compare(events, ours, peer)?)])
}

/// The peer: one `multi_get` of the batch's keys, one `WriteBatch` of what became of them.
fn by_hand(raw: &Raw, batch: &[u64]) -> Result<u64, Error> {
    let mut keys: Vec<u64> = batch.to_vec();
    // RocksDB finds sorted keys faster, and a key that comes twice is read once.
    keys.sort_unstable();
    keys.dedup();
    let names: Vec<[u8; 8]> = keys.iter().map(|key| key.to_be_bytes()).collect();
    let found = raw.multi_get(&names)?;
    let mut counts = Vec::with_capacity(keys.len());
    for (key, bytes) in keys.iter().zip(found) {
        counts.push(bytes?.map(|bytes| raw::number(*key, &bytes)).transpose()?);
    }
    let mut sum = 0_u64;
    for key in batch {
        let place = keys.binary_search(key).ok().and_then(|index| counts.get_mut(index));
        let count = place.ok_or(Error::Record { key: *key })?;
        let counted = step(*count);
        *count = Some(counted);
        sum = sum.wrapping_add_signed(counted);
    }
    let mut changes = WriteBatch::default();
    for (name, count) in names.iter().zip(counts) {
        changes.put(name, count.unwrap_or(0).to_le_bytes());
    }
    raw.write(changes)?;
    Ok(sum)
}
