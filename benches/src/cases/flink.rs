//! Twelve operations beside Flink's own state backends, which `benches/flink` runs in a process of theirs.

use super::family::Cases;
use crate::bench::{Bench, Size};
use crate::error::Error;
use crate::input::permutation;
use crate::measure::{Pairs, timed};
use crate::table::{Row, Target};
use krishiv_api::{
    InMemoryStateBackend, Keyed, KeyedState, ListState, MapState, ReducingState, RocksDbStateBackend, StateBackend,
    ValueState,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::env;
use std::process::Command;
use std::sync::Arc;

pub(super) const CASES: Cases = &[
    ("beside Flink's heap, one event at a time", |name, bench| {
        run(name, bench, ("heap", Target::Throughput(1.5)), |_| Ok(Arc::new(InMemoryStateBackend::new())))
    }),
    ("beside Flink's RocksDB, one event at a time", |name, bench| {
        let folder = bench.folder()?;
        let open = |store: &str| Ok(Arc::new(RocksDbStateBackend::open(folder.path().join(store))?));
        run(name, bench, ("rocks-tuned", Target::Throughput(5.0)), open)
    }),
];

/// The folder that `benches/flink/run.sh` works in; without one the cases are not measured.
const FOLDER: &str = "KRISHIV_FLINK";

/// Memory for rows, in bytes: Flink has a heap of 8 GB.
const BUDGET: usize = 4 << 30;

const KEYS: u64 = 500_000;
/// Keys that have a list of 100 and a map of 10.
const LARGE: usize = 50_000;
const COMMIT: usize = 200_000;
const EVENTS: usize = 1_000_000;

/// What one run of Flink measures, and its keys.
const GROUPS: [(&str, usize); 7] = [
    ("value", 500_000),
    ("ttl", 500_000),
    ("list", 500_000),
    ("list100", 50_000),
    ("map", 500_000),
    ("reduce", 500_000),
    ("str", 500_000),
];

#[derive(KeyedState)]
#[state(key = u64)]
struct Longs {
    value: ValueState<i64>,
    #[state(ttl = "1h")]
    brief: ValueState<i64>,
    list: ListState<i64>,
    hundred: ListState<i64>,
    map: MapState<i64, f64>,
    #[state(reduce = i64::wrapping_add)]
    sum: ReducingState<i64>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Account {
    id: i64,
    ts: i64,
    amount: f64,
    count: i32,
    flag: bool,
    name: String,
    city: String,
}

#[derive(KeyedState)]
#[state(key = String)]
struct Accounts {
    account: ValueState<Account>,
}

/// One operation: its name at Flink, how many of the keys it is on, and what it does with the state of a key.
type Operation<S> = (&'static str, usize, fn(&S, i64) -> i64);

const ALL: usize = KEYS as usize;

const LONGS: [Operation<Longs>; 10] = [
    ("value get", ALL, |state, _| state.value.get().unwrap_or(0)),
    ("value update", ALL, |state, event| {
        state.value.set(event);
        event
    }),
    ("value rmw", ALL, |state, event| {
        state.value.set(state.value.get_or(0) + 1);
        event
    }),
    ("ttl-value rmw", ALL, |state, event| {
        state.brief.set(state.brief.get_or(0) + 1);
        event
    }),
    ("reducing add", ALL, |state, event| {
        state.sum.merge(event);
        event
    }),
    ("list add", ALL, |state, event| {
        state.list.add(event);
        event
    }),
    ("list get+iterate 100", LARGE, |state, _| sum_of_list(&state.hundred)),
    ("map get", LARGE, |state, event| state.map.get(&(event % 10)).map_or(0, |value| value as i64)),
    ("map put (overwrite)", LARGE, |state, event| {
        state.map.put(event % 10, event as f64);
        event
    }),
    ("map iterate 10", LARGE, |state, _| sum_of_map(&state.map)),
];

const ACCOUNTS: [Operation<Accounts>; 2] = [
    ("str/pojo100 get", ALL, |state, _| {
        state.account.with(|account| account.map_or(0, |account| account.count.into()))
    }),
    ("str/pojo100 rmw", ALL, |state, event| {
        let change = |account: &mut Option<Account>| {
            if let Some(account) = account {
                account.count += 1;
                account.ts = event;
            }
        };
        state.account.update(change);
        event
    }),
];

fn sum_of_list(list: &ListState<i64>) -> i64 {
    let mut sum = 0;
    list.for_each(|element| sum += element);
    sum
}

fn sum_of_map(map: &MapState<i64, f64>) -> i64 {
    let mut sum = 0.0;
    map.for_each(|key, value| sum += *key as f64 + value);
    sum as i64
}

fn run<B: StateBackend>(
    name: &str,
    bench: &Bench,
    (flink, target): (&str, Target),
    open: impl Fn(&str) -> Result<Arc<B>, Error>,
) -> Result<Vec<Row>, Error> {
    let Some(folder) = env::var_os(FOLDER).filter(|_| bench.size != Size::Tiny) else {
        return Ok(vec![Row::without_figures(name, target, "not measured: see benches/flink")]);
    };
    let mut theirs = HashMap::new();
    for (group, keys) in GROUPS {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/flink/run.sh");
        let output = Command::new(script).arg(&folder).args([flink, group, &keys.to_string()]).output();
        let output = output.map_err(Error::io("starting Flink"))?;
        if !output.status.success() {
            return Err(Error::Child(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let fields: Vec<_> = line.split('\t').collect();
            if let ["RESULT", _, operation, _, median, ..] = fields[..]
                && let Ok(median) = median.parse::<f64>()
            {
                theirs.insert(operation.to_owned(), median.recip());
            }
        }
    }
    let row = |operation: &str, ours: Vec<f64>| {
        let peer = vec![theirs.get(operation).copied().unwrap_or(f64::NAN); ours.len()];
        Row::new(format!("{name}: {operation}"), target, Pairs { ours, peer })
    };
    let mut rows = Vec::new();
    for (operation, ours) in longs(open("longs")?)?.into_iter().chain(accounts(open("accounts")?)?) {
        rows.push(row(operation, ours));
    }
    Ok(rows)
}

/// Seconds of each operation, some runs of each.
type Measured = Vec<(&'static str, Vec<f64>)>;

fn longs<B: StateBackend>(backend: Arc<B>) -> Result<Measured, Error> {
    let mut store = Keyed::<Longs>::builder().memory_budget(BUDGET).open(backend)?;
    let keys = permutation(KEYS);
    for (index, key) in keys.iter().enumerate() {
        store.with_key(key, |state| {
            let value = *key as i64;
            state.value.set(value);
            state.brief.set(value);
            state.sum.merge(value);
            state.list.add(value);
            if index < LARGE {
                state.hundred.add_all(0..100);
                (0..10).for_each(|entry| state.map.put(entry, entry as f64));
            }
        })?;
        commit_now_and_then(&mut store, index + 1)?;
    }
    measure(store, &keys, &LONGS)
}

fn accounts<B: StateBackend>(backend: Arc<B>) -> Result<Measured, Error> {
    let mut store = Keyed::<Accounts>::builder().memory_budget(BUDGET).open(backend)?;
    let keys: Vec<String> = permutation(KEYS).into_iter().map(|key| format!("user-{key:016}")).collect();
    for (id, key) in (0_i64..).zip(&keys) {
        let (name, city) = (format!("name-{id:025}"), format!("city-{id:025}"));
        let account = Account { id, ts: id, amount: 1.5, count: 0, flag: true, name, city };
        store.with_key(key.as_str(), |state| state.account.set(account))?;
        commit_now_and_then(&mut store, id as usize + 1)?;
    }
    measure(store, &keys, &ACCOUNTS)
}

/// Commits, if so many `events` are some full times as many as one commit is for.
fn commit_now_and_then<S: KeyedState>(store: &mut Keyed<S>, events: usize) -> Result<(), Error> {
    if events.is_multiple_of(COMMIT) {
        store.commit("")?;
    }
    Ok(())
}

/// Measures operations on the first of `keys`, some runs each after one that warms up.
fn measure<S: KeyedState>(mut store: Keyed<S>, keys: &[S::Key], all: &[Operation<S>]) -> Result<Measured, Error> {
    let mut measured = Vec::new();
    for (name, keys_of_it, operation) in all {
        let keys = keys.get(..*keys_of_it).unwrap_or_default();
        let mut runs = Vec::new();
        for _ in 0..4 {
            store.commit("")?;
            let run = timed(|| {
                let mut sum = 0_i64;
                for (event, key) in (1..).zip(keys.iter().cycle()).take(EVENTS) {
                    sum = sum.wrapping_add(store.with_key(key, |state| operation(state, event))?);
                    commit_now_and_then(&mut store, event as usize)?;
                }
                Ok(sum.cast_unsigned())
            })?;
            runs.push(run.seconds() / EVENTS as f64);
        }
        runs.remove(0);
        measured.push((*name, runs));
    }
    Ok(measured)
}
