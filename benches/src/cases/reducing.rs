//! In memory: a running maximum per key.

use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::input::Keys;
use crate::measure::timed;
use crate::table::{Row, Target};
use hashbrown::HashMap;
use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ReducingState};
use std::sync::Arc;

pub(super) const CASES: Cases = &[("ReducingState::merge, warm, 10k keys", run)];

const KEYS: u64 = 10_000;

#[derive(KeyedState)]
#[state(key = u64)]
struct Maximum {
    #[state(reduce = i64::max)]
    maximum: ReducingState<i64>,
}

/// What an event adds: a figure that changes from event to event and seldom is the greatest.
fn amount(key: u64, index: usize) -> i64 {
    (key ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)) as i64 >> 20
}

fn run(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let keys = bench.shape(KEYS);
    let events = bench.events(2_000_000, 10_000_000);
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Maximum>::builder().memory_budget(usize::MAX).open(backend)?;
    let mut map: HashMap<u64, i64> = HashMap::new();
    for key in 0..keys {
        store.with_key(&key, |state| state.maximum.merge(i64::MIN))?;
        map.insert(key, i64::MIN);
    }
    let mut for_ours = Keys::uniform(keys);
    let mut for_peer = for_ours.clone();
    let pairs = bench.compare(
        events,
        || {
            let drawn = for_ours.draw(events);
            let run = timed(|| {
                for (index, key) in drawn.iter().enumerate() {
                    store.with_key(key, |state| state.maximum.merge(amount(*key, index)))?;
                }
                Ok(0)
            })?;
            let mut sum = 0_u64;
            for key in 0..keys {
                sum = sum.wrapping_add_signed(store.with_key(&key, |state| state.maximum.get())?.unwrap_or(0));
            }
            Ok(run.checked(sum))
        },
        || {
            let drawn = for_peer.draw(events);
            let run = timed(|| {
                for (index, key) in drawn.iter().enumerate() {
                    let amount = amount(*key, index);
                    map.entry(*key).and_modify(|most| *most = i64::max(*most, amount)).or_insert(amount);
                }
                Ok(0)
            })?;
            Ok(run.checked(map.values().fold(0_u64, |sum, most| sum.wrapping_add_signed(*most))))
        },
    )?;
    Ok(vec![Row::new(name, Target::Time(1.5), pairs)])
}
