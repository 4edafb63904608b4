//! Two stores on two threads against one store on one, all on one RocksDB.

use super::counter::{Counter, count, count_all};
use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::input::Keys;
use crate::measure::timed;
use crate::table::{Row, Target};
use krishiv_api::{Cause, Keyed, RocksDbStateBackend};
use std::sync::Arc;
use std::thread;

pub(super) const CASES: Cases = &[("two stores on two threads, one RocksDB, 100k keys, commit every 1M events", run)];

const KEYS: u64 = 100_000;
const COMMIT_EVERY: usize = 1_000_000;

fn run(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let keys = bench.shape(KEYS);
    let events = bench.events(2 * COMMIT_EVERY, 10 * COMMIT_EVERY);
    let (ours, peer) = (bench.folder()?, bench.folder()?);

    let backend = Arc::new(RocksDbStateBackend::open(ours.path())?);
    let open = |groups| Keyed::<Counter>::builder().key_groups(groups).open(Arc::clone(&backend));
    let (mut left, mut right) = (open(0..64)?, open(64..128)?);
    let mut single = Keyed::<Counter>::open(Arc::new(RocksDbStateBackend::open(peer.path())?))?;
    let (mut left_keys, mut right_keys) = (Vec::new(), Vec::new());
    for key in 0..keys {
        single.with_key(&key, count)?;
        match left.with_key(&key, count) {
            Ok(_) => left_keys.push(key),
            Err(error) if matches!(error.cause(), Cause::ForeignKey { .. }) => {
                right.with_key(&key, count)?;
                right_keys.push(key);
            }
            Err(error) => return Err(error.into()),
        }
    }

    let mut draw = Draw { left_keys, right_keys, input: Keys::uniform(keys) };
    let mut draw_again = draw.clone();
    let pairs = bench.compare(
        events,
        || {
            let (of_left, of_right) = draw.both(events / 2);
            timed(|| {
                thread::scope(|scope| {
                    let other = scope.spawn(|| work(&mut right, &of_right));
                    let sum = work(&mut left, &of_left)?;
                    Ok(sum.wrapping_add(other.join().map_err(|_| Error::Thread)??))
                })
            })
        },
        || {
            let (of_left, of_right) = draw_again.both(events / 2);
            // In turn, as they would come: one half after the other would need only half the cache.
            let all: Vec<u64> = of_left.into_iter().zip(of_right).flat_map(|(left, right)| [left, right]).collect();
            timed(|| work(&mut single, &all))
        },
    )?;
    Ok(vec![Row::new(name, Target::Throughput(1.8), pairs)])
}

fn work(store: &mut Keyed<Counter>, keys: &[u64]) -> Result<u64, Error> {
    let mut sum = 0_u64;
    for (epoch, keys) in keys.chunks(COMMIT_EVERY).enumerate() {
        sum = sum.wrapping_add(count_all(store, keys)?);
        store.commit(epoch.to_be_bytes())?;
    }
    Ok(sum)
}

/// The events of either half of the keys.
#[derive(Clone)]
struct Draw {
    left_keys: Vec<u64>,
    right_keys: Vec<u64>,
    input: Keys,
}

impl Draw {
    fn both(&mut self, events: usize) -> (Vec<u64>, Vec<u64>) {
        let Self { left_keys, right_keys, input } = self;
        let mut of = |keys: &[u64]| -> Vec<u64> {
            let drawn = input.draw(events).into_iter();
            drawn.filter_map(|draw| keys.get(draw as usize % keys.len().max(1)).copied()).collect()
        };
        (of(left_keys), of(right_keys))
    }
}
