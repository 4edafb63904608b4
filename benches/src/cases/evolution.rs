//! Values that an older type of the program has written, against those of today's.

use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::input;
use crate::measure::timed;
use crate::table::{Row, Target};
use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ListState, ValueState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub(super) const CASES: Cases = &[
    ("values of an older type with one field less, cold, against today's", values),
    ("lists of 100 of an older type with one field less, cold, against today's", lists),
];

/// What a read of an older value may take of one of today's.
const TARGET: Target = Target::Time(2.0);

#[derive(Clone, Serialize, Deserialize)]
struct Before {
    id: u64,
    name: String,
    latitude: f64,
    longitude: f64,
    active: bool,
    visits: u32,
}

#[derive(Clone, Serialize, Deserialize)]
struct Today {
    id: u64,
    name: String,
    #[serde(default)]
    score: i64,
    latitude: f64,
    longitude: f64,
    active: bool,
    visits: u32,
}

/// A site as either type has it.
trait Site: Sized {
    fn of(number: u64) -> Self;
}

impl Site for Before {
    fn of(number: u64) -> Self {
        let Today { id, name, latitude, longitude, active, visits, .. } = Today::of(number);
        Self { id, name, latitude, longitude, active, visits }
    }
}

impl Site for Today {
    fn of(number: u64) -> Self {
        let visits = u32::try_from(number % 1_000).unwrap_or_default();
        let (latitude, longitude) = (f64::from(visits), -f64::from(visits));
        Self { id: number, name: format!("site {number}"), score: 0, latitude, longitude, active: visits > 500, visits }
    }
}

#[derive(KeyedState)]
#[state(key = u64, name = "sites")]
struct SitesBefore {
    site: ValueState<Before>,
    sites: ListState<Before>,
}

#[derive(KeyedState)]
#[state(key = u64, name = "sites")]
struct Sites {
    site: ValueState<Today>,
    sites: ListState<Today>,
}

/// Writes what each key has.
type Write<S> = fn(&S, u64);

fn filled<S: KeyedState<Key = u64, Needs = krishiv_api::Volatile>>(
    keys: u64,
    write: Write<S>,
) -> Result<Arc<InMemoryStateBackend>, Error> {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<S>::open(Arc::clone(&backend))?;
    for key in 0..keys {
        store.with_key(&key, |state| write(state, key))?;
    }
    store.commit("filled")?;
    Ok(backend)
}

fn compare(
    name: &str,
    bench: &Bench,
    keys: u64,
    (before, today): (Write<SitesBefore>, Write<Sites>),
    read: fn(&Sites) -> u64,
) -> Result<Vec<Row>, Error> {
    let keys = bench.shape(keys);
    let (before, today) = (filled(keys, before)?, filled(keys, today)?);
    let order = input::permutation(keys);
    let side = |backend: &Arc<InMemoryStateBackend>| {
        // Nothing of the time before stays in memory.
        let mut store = Keyed::<Sites>::open(Arc::clone(backend))?;
        timed(|| {
            let mut sum = 0_u64;
            for key in &order {
                sum = sum.wrapping_add(store.with_key(key, read)?);
            }
            Ok(sum)
        })
    };
    Ok(vec![Row::new(name, TARGET, bench.compare(order.len(), || side(&before), || side(&today))?)])
}

fn checksum(site: &Today) -> u64 {
    site.id.wrapping_add(site.name.len() as u64).wrapping_add(u64::from(site.visits)).wrapping_add_signed(site.score)
}

fn values(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let fill: (Write<SitesBefore>, Write<Sites>) =
        (|state, key| state.site.set(Before::of(key)), |state, key| state.site.set(Today::of(key)));
    compare(name, bench, 100_000, fill, |state| state.site.with(|site| site.map_or(0, checksum)))
}

fn lists(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let fill: (Write<SitesBefore>, Write<Sites>) = (
        |state, key| state.sites.add_all((0..100).map(|number| Before::of(key + number))),
        |state, key| state.sites.add_all((0..100).map(|number| Today::of(key + number))),
    );
    compare(name, bench, 2_000, fill, |state| {
        let mut sum = 0_u64;
        state.sites.for_each(|site| sum = sum.wrapping_add(checksum(site)));
        sum
    })
}
