//! Opening a store with 5,000,000 keys.

use super::counter::Counter;
use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::measure::{Sample, timed};
use crate::raw::{self, Raw};
use crate::table::{Row, Target};
use krishiv_api::{Keyed, RocksDbStateBackend};
use rocksdb::{IteratorMode, Options};
use std::path::Path;
use std::sync::Arc;

pub(super) const CASES: Cases = &[("open of a store with 5M keys", run)];

/// Openings in one run.
const OPENS: usize = 10;

fn run(name: &str, bench: &Bench) -> Result<Vec<Row>, Error> {
    // The same folder on both sides: the peer opens what the library has written, without the library.
    let folder = bench.large()?.ours.path();
    // What one side leaves behind must not be recovered by the other.
    RocksDbStateBackend::open(folder)?.compact()?;
    let mut options = raw::options()?;
    options.create_if_missing(false);
    let pairs = bench.compare(OPENS, || repeat(|| open(folder)), || repeat(|| open_by_hand(&options, folder)))?;
    Ok(vec![Row::new(name, Target::Time(1.2), pairs)])
}

/// One run: a single opening is too short for a disk that others use too.
fn repeat(mut open: impl FnMut() -> Result<Sample, Error>) -> Result<Sample, Error> {
    (0..OPENS).try_fold(Sample::default(), |run, _| Ok(run.and(open()?)))
}

fn open(folder: &Path) -> Result<Sample, Error> {
    let mut opened = None;
    let run = timed(|| {
        opened = Some(Keyed::<Counter>::open(Arc::new(RocksDbStateBackend::open(folder)?))?);
        Ok(0)
    })?;
    let count = opened.map(|mut store| store.with_key(&0, |state| state.count.get())).transpose()?;
    Ok(run.checked(u64::from(count.flatten().is_some())))
}

fn open_by_hand(options: &Options, folder: &Path) -> Result<Sample, Error> {
    let mut opened = None;
    let run = timed(|| {
        opened = Some(Raw::open_with(options, folder)?);
        Ok(0)
    })?;
    let record = opened.and_then(|raw| raw.db.iterator(IteratorMode::Start).next().transpose().ok());
    Ok(run.checked(u64::from(record.flatten().is_some())))
}
