//! Opening a store with 5,000,000 keys.

use super::Cases;
use super::counter::Counter;
use crate::bench::Bench;
use crate::error::Error;
use crate::measure::timed;
use crate::raw::{self, Raw};
use crate::table::{Row, Target};
use krishiv_api::{Keyed, RocksDbStateBackend};
use std::sync::Arc;

pub(super) const CASES: Cases = &[("open of a store with 5M keys", run)];

fn run(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    // The same folder on both sides: the peer opens what the library has written, without the library.
    let folder = bench.large()?.ours.path();
    // What one side leaves behind must not be recovered by the other.
    RocksDbStateBackend::open(folder)?.compact()?;
    let mut options = raw::options();
    options.create_if_missing(false);
    let pairs = bench.compare(
        1,
        || {
            let mut opened = None;
            let run = timed(|| {
                let store = Keyed::<Counter>::open(Arc::new(RocksDbStateBackend::open(folder)?))?;
                opened = Some(store);
                Ok(0)
            })?;
            let count = opened.map(|mut store| store.with_key(&0, |state| state.count.get())).transpose()?;
            Ok(run.checked(u64::from(count.flatten().is_some())))
        },
        || {
            let mut opened = None;
            let run = timed(|| {
                opened = Some(Raw::open_with(&options, folder)?);
                Ok(0)
            })?;
            let record = opened.and_then(|raw| raw.db.iterator(rocksdb::IteratorMode::Start).next().transpose().ok());
            Ok(run.checked(u64::from(record.flatten().is_some())))
        },
    )?;
    Ok(vec![Row::new(name, Target::Time(1.2), pairs)])
}
