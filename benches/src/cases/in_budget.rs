//! On RocksDB with all rows in memory: read, modify, write, and commit now and then.

use super::counter::{Counter, count_all, step};
use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::input::Keys;
use crate::measure::timed;
use crate::raw::{self, Raw};
use crate::table::{Row, Target};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use krishiv_api::{Keyed, RocksDbStateBackend};
use rocksdb::WriteBatch;
use std::sync::Arc;

pub(super) const CASES: Cases = &[
    ("RocksDB, rows in budget, 100k keys, commit every 1M events", |name, bench| {
        run(name, bench, 100_000, 1_000_000, Target::Throughput(20.0))
    }),
    ("RocksDB, rows in budget, 1M keys, commit every 100k events", |name, bench| {
        run(name, bench, 1_000_000, 100_000, Target::Throughput(3.0))
    }),
];

fn run(name: &str, bench: &Bench, keys: u64, commit_every: usize, target: Target) -> Result<Vec<Row>, Error> {
    let keys = bench.shape(keys);
    let events = bench.events(commit_every.max(500_000), 5_000_000);
    let (ours, peer) = (bench.folder()?, bench.folder()?);

    let backend = Arc::new(RocksDbStateBackend::open(ours.path())?);
    let mut store = Keyed::<Counter>::builder().memory_budget(1 << 30).open(Arc::clone(&backend))?;
    let all: Vec<u64> = (0..keys).collect();
    count_all(&mut store, &all)?;
    store.commit("loaded")?;
    backend.compact()?;

    let mut raw = ByHand { raw: Raw::open(peer.path())?, pending: HashMap::new() };
    let value = step(None).to_le_bytes();
    raw.raw.load(all.iter().map(|key| (key.to_be_bytes(), value)))?;

    let mut for_ours = Keys::uniform(keys);
    let mut for_peer = for_ours.clone();
    let pairs = bench.compare(
        events,
        || {
            let keys = for_ours.draw(events);
            timed(|| {
                let mut sum = 0_u64;
                for (epoch, keys) in keys.chunks(commit_every).enumerate() {
                    sum = sum.wrapping_add(count_all(&mut store, keys)?);
                    store.commit(epoch.to_be_bytes())?;
                }
                Ok(sum)
            })
        },
        || {
            let keys = for_peer.draw(events);
            timed(|| {
                let mut sum = 0_u64;
                for keys in keys.chunks(commit_every) {
                    sum = sum.wrapping_add(raw.count_all(keys)?);
                    raw.commit()?;
                }
                Ok(sum)
            })
        },
    )?;
    Ok(vec![Row::new(name, target, pairs)])
}

/// The peer: get and put through a batch of 1,000, which reads must see too.
struct ByHand {
    raw: Raw,
    pending: HashMap<u64, i64>,
}

impl ByHand {
    fn count_all(&mut self, keys: &[u64]) -> Result<u64, Error> {
        let mut sum = 0_u64;
        for key in keys {
            let counted = match self.pending.entry(*key) {
                Entry::Occupied(mut count) => {
                    let counted = step(Some(*count.get()));
                    count.insert(counted);
                    counted
                }
                Entry::Vacant(place) => {
                    let stored = self.raw.get(&key.to_be_bytes())?;
                    let stored = stored.map(|bytes| raw::number(*key, &bytes)).transpose()?;
                    *place.insert(step(stored))
                }
            };
            sum = sum.wrapping_add_signed(counted);
            if self.pending.len() >= raw::BATCH {
                let batch = self.batch();
                self.raw.write(batch)?;
            }
        }
        Ok(sum)
    }

    fn commit(&mut self) -> Result<(), Error> {
        let mut batch = self.batch();
        // The source position, so that the last write of an epoch is synced even if nothing is pending.
        batch.put(b"position", 0_u64.to_be_bytes());
        self.raw.commit(batch)
    }

    fn batch(&mut self) -> WriteBatch {
        let mut batch = WriteBatch::default();
        for (key, count) in self.pending.drain() {
            batch.put(key.to_be_bytes(), count.to_le_bytes());
        }
        batch
    }
}
