//! A copy has every record of its source, on any other backend, or is not taken for one.

use krishiv_api::{
    Copied, ErrorKind, FjallStateBackend, InMemoryStateBackend, Keyed, KeyedState, ListState, MapState,
    RocksDbStateBackend, Scan, StateBackend, StateError, ValueState, Volatile, WriteBatch, copy, copy_and_tell,
};
use krishiv_tests::{Fjall, Memory, Place, RocksDb};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::tempdir;

#[derive(KeyedState)]
#[state(key = String)]
struct Plane {
    streak: ValueState<u32>,
    delays: ListState<i32>,
    by_carrier: MapState<String, u64>,
}

fn fill<B: StateBackend>(backend: &Arc<B>) {
    let mut planes = Keyed::<Plane>::open(Arc::clone(backend)).unwrap();
    for number in 0..500_u32 {
        let key = format!("N{number}");
        let changed = planes.with_key(key.as_str(), |plane| {
            plane.streak.set(number);
            plane.delays.add(-5);
            plane.by_carrier.put("UA".to_owned(), 7);
        });
        changed.unwrap();
    }
    planes.commit("the source is here").unwrap();
}

fn check<B: StateBackend>(backend: &Arc<B>) {
    let mut planes = Keyed::<Plane>::open(Arc::clone(backend)).unwrap();
    assert_eq!(planes.position(), Some(&b"the source is here"[..]));
    for number in 0..500_u32 {
        let key = format!("N{number}");
        let read =
            planes.with_key(key.as_str(), |plane| (plane.streak.get(), plane.delays.get(), plane.by_carrier.get("UA")));
        assert_eq!(read.unwrap(), (Some(number), vec![-5], Some(7)));
    }
}

fn from_one_to_the_other<From: Place, To: Place>() {
    let (from, to) = (From::new(), To::new());
    let source = from.open();
    fill(&source);
    let target = to.open();
    let copied = copy(&*source, &*target).unwrap();
    assert_eq!(copied.records, source.scan(b"").count() as u64);
    assert!(source.scan(b"").map(Result::unwrap).eq(target.scan(b"").map(Result::unwrap)));
    drop(target);
    check(&to.open());
}

#[test]
fn any_backend_is_copied_to_any_other() {
    from_one_to_the_other::<Memory, Fjall>();
    from_one_to_the_other::<Fjall, Memory>();
    from_one_to_the_other::<Fjall, RocksDb>();
    from_one_to_the_other::<RocksDb, Fjall>();
    from_one_to_the_other::<RocksDb, RocksDb>();
}

#[test]
fn it_is_told_how_far_a_long_copy_is() {
    let (from, to) = (InMemoryStateBackend::new(), InMemoryStateBackend::new());
    let mut batch = WriteBatch::default();
    for number in 0..100_u32 {
        batch.put(&number.to_be_bytes(), &[7; 100_000]);
    }
    from.write(batch).unwrap();
    let mut told: Vec<Copied> = Vec::new();
    let copied = copy_and_tell(&from, &to, |copied| told.push(copied)).unwrap();
    assert!(told.len() > 2 && told.is_sorted_by_key(|copied| copied.records), "{told:?}");
    assert_eq!(told.last(), Some(&copied));
    assert_eq!((copied.records, copied.bytes), (100, 100 * 100_004));
}

#[test]
fn a_target_that_holds_something_is_left_as_it_is() {
    let (from, to) = (Arc::new(InMemoryStateBackend::new()), Arc::new(InMemoryStateBackend::new()));
    fill(&from);
    fill(&to);
    let before = to.scan(b"").count();
    let error = copy(&*from, &*to).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("is not empty"), "{error}");
    assert_eq!(to.scan(b"").count(), before);
    check(&to);
}

/// A target that takes a number of writes, and a source to which a store commits meanwhile.
struct Failing {
    inner: InMemoryStateBackend,
    writes: AtomicU64,
    scans: AtomicU64,
}

impl Failing {
    fn new(writes: u64, scans: u64) -> Self {
        Self { inner: InMemoryStateBackend::new(), writes: writes.into(), scans: scans.into() }
    }
}

impl StateBackend for Failing {
    type Survival = Volatile;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.inner.get(key)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        if prefix.is_empty() && self.scans.fetch_sub(1, Ordering::Relaxed) == 1 {
            let mut batch = WriteBatch::default();
            batch.put(b"\0\x01meanwhile", b"");
            self.inner.write(batch).unwrap();
        }
        self.inner.scan(prefix)
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        if self.writes.fetch_sub(1, Ordering::Relaxed) == 0 {
            return Err(StateError::backend("the disk is full"));
        }
        self.inner.write(batch)
    }
}

/// What has not come to its end is neither opened nor copied, and says so.
fn is_refused(target: Failing) {
    let target = Arc::new(target);
    let error = Keyed::<Plane>::open(Arc::clone(&target)).err().unwrap().to_string();
    assert!(error.contains("copy that did not come to its end; empty it"), "{error}");
    let error = copy(&*target, &InMemoryStateBackend::new()).unwrap_err().to_string();
    assert!(error.contains("did not come to its end"), "{error}");
    let error = copy(&InMemoryStateBackend::new(), &*target).unwrap_err().to_string();
    assert!(error.contains("did not come to its end"), "{error}");
}

#[test]
fn a_part_of_a_copy_is_taken_for_none() {
    let from = Arc::new(InMemoryStateBackend::new());
    fill(&from);
    let mut batch = WriteBatch::default();
    for number in 0..100_u32 {
        batch.put(&[b"\x01raw".as_slice(), &number.to_be_bytes()].concat(), &[7; 100_000]);
    }
    from.write(batch).unwrap();
    for writes in 1..4 {
        let target = Failing::new(writes, 0);
        assert_eq!(copy(&*from, &target).unwrap_err().kind(), ErrorKind::Backend);
        is_refused(target);
    }
}

#[test]
fn a_commit_to_the_source_meanwhile_is_found() {
    let from = Failing::new(1_000, 2);
    let to = Failing::new(1_000, 0);
    let error = copy(&from, &to).unwrap_err().to_string();
    assert!(error.contains("differ at `\\x00\\x01meanwhile`"), "{error}");
    is_refused(to);
}

#[test]
fn a_folder_of_the_other_backend_says_whose_it_is() {
    let (rocksdb, fjall) = (tempdir().unwrap(), tempdir().unwrap());
    RocksDbStateBackend::open(rocksdb.path()).unwrap();
    FjallStateBackend::open(fjall.path()).unwrap();
    let errors = [
        (RocksDbStateBackend::open(fjall.path()).unwrap_err(), "open it by `FjallStateBackend` (feature `fjall`)"),
        (FjallStateBackend::open(rocksdb.path()).unwrap_err(), "open it by `RocksDbStateBackend` (feature `rocksdb`)"),
    ];
    for (error, what) in errors {
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(what), "{error}");
    }
    RocksDbStateBackend::open(rocksdb.path()).unwrap();
    FjallStateBackend::open(fjall.path()).unwrap();
}
