//! Maps on RocksDB: put, get and iterate, with nothing in memory and with all of it.

use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::input::{self, Keys};
use crate::measure::{Sample, timed};
use crate::raw::{self, Raw};
use crate::table::{Row, Target};
use krishiv_api::{Keyed, KeyedState, MapState, RocksDbStateBackend};
use rocksdb::{ReadOptions, WriteBatch};
use std::path::Path;
use std::sync::Arc;

pub(super) const CASES: Cases = &[
    ("map of 10 entries", |name, bench| run(name, bench, 2_000, 10)),
    ("map of 1,000 entries", |name, bench| run(name, bench, 20, 1_000)),
];

/// How often a warm entry is used where a cold one is used once.
const VISITS: usize = 10;

const COLD: Target = Target::Time(1.2);
const WARM: Target = Target::Throughput(5.0);

#[derive(KeyedState)]
#[state(key = u64)]
struct Visits {
    pages: MapState<u64, i64>,
}

/// A key and a map key.
type Place = (u64, u64);

fn run(name: &str, bench: &Bench, keys: u64, entries: u64) -> Result<Vec<Row>, Error> {
    let (keys, entries) = (bench.shape(keys), bench.shape(entries));
    let (ours, peer) = (bench.folder()?, bench.folder()?);
    let all = || (0..keys).flat_map(|key| (0..entries).map(move |entry| (key, entry)));
    {
        let backend = Arc::new(RocksDbStateBackend::open(ours.path())?);
        let mut store = Keyed::<Visits>::open(Arc::clone(&backend))?;
        for (key, entry) in all() {
            store.with_key(&key, |state| state.pages.put(entry, value((key, entry))))?;
        }
        store.commit("loaded")?;
        backend.compact()?;
        Raw::open(peer.path())?.load(all().map(|place| (record(place), value(place).to_le_bytes())))?;
    }
    let place = |index: u64| (index / entries, index % entries);
    let each_once: Vec<Place> = input::permutation(keys * entries).into_iter().map(place).collect();
    let again_and_again: Vec<Place> =
        Keys::uniform(keys * entries).draw(VISITS * each_once.len()).into_iter().map(place).collect();
    let each_key_once: Vec<u64> = input::permutation(keys);
    let keys_again_and_again = Keys::uniform(keys).draw(VISITS * each_key_once.len());

    let mut rows = Vec::new();
    let mut row = |what: &str, target, units, ours: &dyn Fn() -> Sampled, peer: &dyn Fn() -> Sampled| {
        let pairs = bench.compare(units, ours, peer)?;
        rows.push(Row::new(format!("{name}: {what}"), target, pairs));
        Ok::<_, Error>(())
    };
    let (cold, warm) = (|| Side::cold(ours.path()), || Side::warm(ours.path(), keys));
    let (cold_peer, warm_peer) = (|| Raw::open(peer.path()), || warm_by_hand(peer.path(), keys));

    row("get, cold", COLD, each_once.len(), &|| cold()?.get(&each_once), &|| get_by_hand(&cold_peer()?, &each_once))?;
    row("get, warm", WARM, again_and_again.len(), &|| warm()?.get(&again_and_again), &|| {
        get_by_hand(&warm_peer()?, &again_and_again)
    })?;
    row("iterate, cold", COLD, each_key_once.len(), &|| cold()?.iterate(&each_key_once), &|| {
        iterate_by_hand(&cold_peer()?, &each_key_once)
    })?;
    row("iterate, warm", WARM, keys_again_and_again.len(), &|| warm()?.iterate(&keys_again_and_again), &|| {
        iterate_by_hand(&warm_peer()?, &keys_again_and_again)
    })?;
    row("put, cold", COLD, each_once.len(), &|| cold()?.put(&each_once), &|| put_by_hand(&cold_peer()?, &each_once))?;
    row("put, warm", WARM, again_and_again.len(), &|| warm()?.put(&again_and_again), &|| {
        put_by_hand(&warm_peer()?, &again_and_again)
    })?;
    Ok(rows)
}

type Sampled = Result<Sample, Error>;

fn value((key, entry): Place) -> i64 {
    (key * 7 + entry).cast_signed()
}

fn record((key, entry): Place) -> [u8; 16] {
    let mut bytes = [0; 16];
    let (head, tail) = bytes.split_at_mut(8);
    head.copy_from_slice(&key.to_be_bytes());
    tail.copy_from_slice(&entry.to_be_bytes());
    bytes
}

fn sum_of(sum: u64, entry: u64, value: i64) -> u64 {
    sum.wrapping_add((entry + 1).wrapping_mul(value.cast_unsigned() + 1))
}

/// Ours.
struct Side(Keyed<Visits>);

impl Side {
    /// With nothing in memory.
    fn cold(folder: &Path) -> Result<Self, Error> {
        Ok(Self(Keyed::open(Arc::new(RocksDbStateBackend::open(folder)?))?))
    }

    /// With all of it in memory.
    fn warm(folder: &Path, keys: u64) -> Result<Self, Error> {
        let mut side = Self::cold(folder)?;
        side.iterate(&(0..keys).collect::<Vec<_>>())?;
        Ok(side)
    }

    fn get(mut self, places: &[Place]) -> Sampled {
        timed(|| {
            let mut sum = 0;
            for (key, entry) in places {
                let value = self.0.with_key(key, |state| state.pages.get(entry))?;
                sum = sum_of(sum, *entry, value.unwrap_or(0));
            }
            Ok(sum)
        })
    }

    fn iterate(&mut self, keys: &[u64]) -> Sampled {
        timed(|| {
            let mut sum = 0;
            for key in keys {
                self.0.with_key(key, |state| {
                    state.pages.for_each(|entry, value| sum = sum_of(sum, *entry, *value));
                })?;
            }
            Ok(sum)
        })
    }

    fn put(mut self, places: &[Place]) -> Sampled {
        let run = timed(|| {
            for place in places {
                self.0.with_key(&place.0, |state| state.pages.put(place.1, value(*place)))?;
            }
            self.0.commit("put")?;
            Ok(0)
        })?;
        Ok(run.checked(self.get(places)?.checksum()))
    }
}

/// The peer with all of it in its block cache.
fn warm_by_hand(folder: &Path, keys: u64) -> Result<Raw, Error> {
    let raw = Raw::open(folder)?;
    iterate_by_hand(&raw, &(0..keys).collect::<Vec<_>>())?;
    Ok(raw)
}

fn get_by_hand(raw: &Raw, places: &[Place]) -> Sampled {
    timed(|| {
        let mut sum = 0;
        for place in places {
            let bytes = raw.get(&record(*place))?.ok_or(Error::Record { key: place.0 })?;
            sum = sum_of(sum, place.1, raw::number(place.0, &bytes)?);
        }
        Ok(sum)
    })
}

fn iterate_by_hand(raw: &Raw, keys: &[u64]) -> Sampled {
    timed(|| {
        let mut sum = 0;
        for key in keys {
            let mut options = ReadOptions::default();
            options.set_iterate_upper_bound((key + 1).to_be_bytes());
            let mut scan = raw.db.raw_iterator_opt(options);
            scan.seek(key.to_be_bytes());
            while let Some((name, bytes)) = scan.item() {
                let entry = name.last_chunk().ok_or(Error::Record { key: *key })?;
                sum = sum_of(sum, u64::from_be_bytes(*entry), raw::number(*key, bytes)?);
                scan.next();
            }
            scan.status()?;
        }
        Ok(sum)
    })
}

fn put_by_hand(raw: &Raw, places: &[Place]) -> Sampled {
    let run = timed(|| {
        let mut batch = WriteBatch::default();
        for place in places {
            batch.put(record(*place), value(*place).to_le_bytes());
            if batch.len() >= raw::BATCH {
                raw.write(std::mem::take(&mut batch))?;
            }
        }
        batch.put(b"position", 0_u64.to_be_bytes());
        raw.commit(batch)?;
        Ok(0)
    })?;
    Ok(run.checked(get_by_hand(raw, places)?.checksum()))
}
