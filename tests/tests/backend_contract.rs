//! Every backend keeps the promises of `StateBackend`.

use krishiv_api::{
    FjallOptions, FjallStateBackend, InMemoryStateBackend, ManualClock, Op, Record, RocksDbOptions,
    RocksDbStateBackend, Scan, StateBackend, StateError, TtlConfig, TtlStateBackend, Volatile, WriteBatch, contract,
};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tempfile::{TempDir, tempdir};

/// Makes backends in folders of their own, which last as long as the test.
#[derive(Default)]
struct Folders {
    dirs: RefCell<Vec<TempDir>>,
}

impl Folders {
    fn rocksdb(&self) -> RocksDbStateBackend {
        let dir = tempdir().unwrap();
        // Unsynced: the suite is about what is visible, and what is synced has tests of its own.
        let backend = RocksDbOptions::new().sync(false).open(dir.path()).unwrap();
        self.dirs.borrow_mut().push(dir);
        backend
    }

    fn fjall(&self) -> FjallStateBackend {
        let dir = tempdir().unwrap();
        let backend = FjallOptions::new().sync(false).open(dir.path()).unwrap();
        self.dirs.borrow_mut().push(dir);
        backend
    }
}

fn wrapped<B: StateBackend>(inner: B) -> TtlStateBackend<B> {
    TtlStateBackend::new(Arc::new(inner), TtlConfig::new(1_000)).with_clock(Arc::new(ManualClock::new(0)))
}

#[test]
fn in_memory() {
    contract::check(InMemoryStateBackend::new);
}

#[test]
fn rocksdb() {
    let folders = Folders::default();
    contract::check(|| folders.rocksdb());
}

#[test]
fn rocksdb_keeps_what_was_written() {
    let dir = tempdir().unwrap();
    contract::check_durable(dir.path(), |path| RocksDbStateBackend::open(path).unwrap());
}

#[test]
fn fjall() {
    let folders = Folders::default();
    contract::check(|| folders.fjall());
}

#[test]
fn fjall_with_files_all_the_time() {
    let folders = Folders::default();
    contract::check(|| {
        let dir = tempdir().unwrap();
        let backend = FjallOptions::new().sync(false).memtable_bytes(4 << 10).open(dir.path()).unwrap();
        folders.dirs.borrow_mut().push(dir);
        backend
    });
}

#[test]
fn fjall_keeps_what_was_written() {
    let dir = tempdir().unwrap();
    contract::check_durable(dir.path(), |path| FjallStateBackend::open(path).unwrap());
}

#[test]
fn fjall_keeps_what_was_written_in_many_files() {
    let dir = tempdir().unwrap();
    contract::check_durable(dir.path(), |path| FjallOptions::new().memtable_bytes(1 << 10).open(path).unwrap());
}

#[test]
fn ttl_over_memory_by_the_clock() {
    contract::check(|| wrapped(InMemoryStateBackend::new()));
}

#[test]
fn ttl_over_memory_by_the_watermark() {
    contract::check(|| {
        let ttl = wrapped(InMemoryStateBackend::new());
        ttl.set_watermark(-5);
        ttl
    });
}

#[test]
fn ttl_over_rocksdb() {
    let folders = Folders::default();
    contract::check(|| wrapped(folders.rocksdb()));
}

#[test]
fn ttl_over_fjall() {
    let folders = Folders::default();
    contract::check(|| wrapped(folders.fjall()));
}

#[test]
fn ttl_over_rocksdb_keeps_what_was_written() {
    let dir = tempdir().unwrap();
    contract::check_durable(dir.path(), |path| {
        let ttl = wrapped(RocksDbStateBackend::open(path).unwrap());
        ttl.set_watermark(7);
        ttl
    });
}

#[test]
fn the_others_take_keys_of_the_library_too() {
    fn check(backend: &impl StateBackend) {
        let mut batch = WriteBatch::default();
        batch.put(b"\0\0", b"1");
        batch.put(b"\0\0o", b"2");
        backend.write(batch).unwrap();
        assert_eq!(backend.scan(b"\0\0").count(), 2);
    }
    check(&InMemoryStateBackend::new());
    check(&Folders::default().rocksdb());
    check(&Folders::default().fjall());
}

/// A backend that is wrong in one way.
struct Wrong {
    inner: InMemoryStateBackend,
    how: &'static str,
}

impl StateBackend for Wrong {
    type Survival = Volatile;
    const MERGES: bool = true;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let value = self.inner.get(key)?;
        Ok(if self.how == "empty is absent" { value.filter(|value| !value.is_empty()) } else { value })
    }

    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let mut keys = keys.to_vec();
        if self.how == "sorted multi_get" {
            keys.sort_unstable();
        }
        self.inner.multi_get(&keys)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        match self.how {
            "reversed scan" => {
                let mut records: Vec<Result<Record, _>> = self.inner.scan(prefix).collect();
                records.reverse();
                Box::new(records.into_iter())
            }
            "scan to the end" => {
                let prefix = prefix.to_vec();
                Box::new(self.inner.scan(b"").skip_while(move |record| record.as_ref().unwrap().0 < prefix))
            }
            "short scan" => Box::new(self.inner.scan(prefix).take(4999)),
            _ => self.inner.scan(prefix),
        }
    }

    fn scan_from<'a>(&'a self, prefix: &[u8], from: &[u8]) -> Scan<'a> {
        let records = self.inner.scan_from(prefix, from);
        if self.how == "behind the start" { Box::new(records.skip(1)) } else { records }
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        let mut ops: Vec<_> = batch.iter().collect();
        if self.how == "deletes last" {
            ops.sort_by_key(|op| matches!(op, Op::Delete(_)));
        }
        let mut wrong = WriteBatch::default();
        if self.how == "short keys" {
            ops.retain(|op| op.key().len() < 1 << 20);
        }
        for op in ops {
            match op {
                Op::Merge(key, changes) if self.how == "changes replace" => wrong.put(key, changes),
                op => wrong.push(op),
            }
        }
        self.inner.write(wrong)
    }
}

#[test]
fn the_suite_finds_what_is_wrong() {
    for (how, finding) in [
        ("empty is absent", "put: an empty value is there"),
        ("sorted multi_get", "multi_get: one answer a key, in the order of the keys"),
        ("reversed scan", "scan: the order of keys"),
        ("scan to the end", "scan: all keys with the prefix"),
        ("short scan", "scan: finds every record"),
        ("behind the start", "scan_from: the records that `scan` gives, from the key on"),
        ("short keys", "get: a key as long as `LONGEST_KEY` says is found"),
        ("deletes last", "write: a put after a delete"),
        ("changes replace", "merge: what is changed takes the place of what is stored"),
    ] {
        let suite = || contract::check(|| Wrong { inner: InMemoryStateBackend::new(), how });
        let panic = catch_unwind(AssertUnwindSafe(suite)).expect_err(how);
        let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        assert!(said.unwrap().contains(finding), "{how}: {said:?}");
    }
}
