//! In memory: keys that are strings, and a value of 100 bytes that is changed where it lies.

use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::input::Keys;
use crate::measure::timed;
use crate::table::{Row, Target};
use hashbrown::HashMap;
use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub(super) const CASES: Cases = &[("in memory, 100-byte struct updated in place, 100k String keys", run)];

const KEYS: u64 = 100_000;

/// A value of exactly 100 bytes.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Account {
    events: u32,
    by_hour: [u32; 24],
}

const _: () = assert!(size_of::<Account>() == 100);

impl Account {
    #[inline]
    fn change(&mut self) -> u64 {
        self.events = self.events.wrapping_add(1);
        let events = self.events;
        if let Some(hour) = self.by_hour.get_mut(events as usize % 24) {
            *hour = hour.wrapping_add(events);
        }
        self.by_hour.iter().map(|hour| u64::from(*hour)).sum()
    }
}

#[derive(KeyedState)]
#[state(key = String)]
struct Accounts {
    account: ValueState<Account>,
}

fn run(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let names: Vec<String> = (0..bench.shape(KEYS)).map(|key| format!("{key:016}")).collect();
    let events = bench.events(1_000_000, 5_000_000);
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Accounts>::builder().memory_budget(usize::MAX).open(backend)?;
    let mut map: HashMap<String, Account> = HashMap::new();
    for name in &names {
        store.with_key(name.as_str(), |state| state.account.set(Account::default()))?;
        map.insert(name.clone(), Account::default());
    }
    let mut for_ours = Keys::uniform(names.len() as u64);
    let mut for_peer = for_ours.clone();
    let named = |keys: Vec<u64>| -> Vec<&str> {
        keys.into_iter().filter_map(|key| names.get(key as usize)).map(String::as_str).collect()
    };
    let pairs = bench.compare(
        events,
        || {
            let keys = named(for_ours.draw(events));
            timed(|| {
                let mut sum = 0_u64;
                for key in keys {
                    let changed = store
                        .with_key(key, |state| state.account.update(|account| account.as_mut().map(Account::change)))?;
                    sum = sum.wrapping_add(changed.unwrap_or(0));
                }
                Ok(sum)
            })
        },
        || {
            let keys = named(for_peer.draw(events));
            timed(|| {
                let mut sum = 0_u64;
                for key in keys {
                    sum = sum.wrapping_add(map.get_mut(key).map(Account::change).unwrap_or(0));
                }
                Ok(sum)
            })
        },
    )?;
    Ok(vec![Row::new(name, Target::Time(1.5), pairs)])
}
