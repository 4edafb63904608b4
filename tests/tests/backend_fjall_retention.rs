//! fjall drops expired records while it rewrites its files, by the rules of the stores.

use krishiv_api::{FjallOptions, FjallStateBackend, Retention, StateBackend, WriteBatch};
use std::sync::{Arc, Mutex};
use tempfile::tempdir;

/// Records that end in `x` have expired.
#[derive(Default)]
struct Marked {
    asked: Mutex<Vec<Vec<u8>>>,
}

impl Retention for Marked {
    fn is_expired(&self, key: &[u8], value: &[u8]) -> bool {
        self.asked.lock().unwrap().push(key.to_vec());
        value.ends_with(b"x")
    }
}

fn put(backend: &FjallStateBackend, records: &[(&[u8], &[u8])]) {
    let mut batch = WriteBatch::default();
    records.iter().for_each(|(key, value)| batch.put(key, value));
    backend.write(batch).unwrap();
}

fn keys(backend: &FjallStateBackend) -> Vec<Vec<u8>> {
    backend.scan(b"").map(|record| record.unwrap().0).collect()
}

#[test]
fn a_compaction_drops_what_has_expired_and_nothing_else() {
    let dir = tempdir().unwrap();
    let backend = FjallStateBackend::open(dir.path()).unwrap();
    let rule = Arc::new(Marked::default());
    backend.add_retention(rule.clone());
    put(&backend, &[(b"", b"x"), (b"\0", b"stays"), (b"\0\0", b"x"), (b"a", b"x"), (b"b", b"stays"), (b"c", b"old")]);
    backend.compact().unwrap();
    // Over a value in a file.
    put(&backend, &[(b"c", b"newer x"), (b"d", b"x")]);
    backend.compact().unwrap();
    assert_eq!(keys(&backend), [b"\0".to_vec(), b"b".to_vec()]);
    // The rule sees keys as they were written, and none of the backend's own.
    let asked = rule.asked.lock().unwrap().clone();
    let written: [&[u8]; 7] = [b"", b"\0", b"\0\0", b"a", b"b", b"c", b"d"];
    assert!(asked.iter().all(|key| written.contains(&key.as_slice())), "{asked:?}");
    drop(backend);
    assert_eq!(keys(&FjallStateBackend::open(dir.path()).unwrap()), [b"\0".to_vec(), b"b".to_vec()]);
}

#[test]
fn it_drops_them_in_the_background_too() {
    let dir = tempdir().unwrap();
    let backend = FjallOptions::new().sync(false).memtable_bytes(16 << 10).open(dir.path()).unwrap();
    let rule = Arc::new(Marked::default());
    backend.add_retention(rule.clone());
    for number in 0..20_000_u32 {
        put(&backend, &[(&(number % 5_000).to_be_bytes(), b"a value that has expired x")]);
        if number % 100 == 0 && backend.scan(b"").count() < (number as usize).min(5_000) / 2 {
            return;
        }
    }
    panic!("{} records are left", backend.scan(b"").count());
}

/// A rule of the user that is wrong.
struct Panics;

impl Retention for Panics {
    fn is_expired(&self, _: &[u8], _: &[u8]) -> bool {
        panic!("a rule that panics")
    }
}

#[test]
fn a_rule_that_panics_drops_nothing_and_stops_nothing() {
    let dir = tempdir().unwrap();
    let backend = FjallStateBackend::open(dir.path()).unwrap();
    backend.add_retention(Arc::new(Panics));
    put(&backend, &[(b"a", b"x"), (b"b", b"x")]);
    backend.compact().unwrap();
    put(&backend, &[(b"c", b"x")]);
    backend.compact().unwrap();
    assert_eq!(keys(&backend).len(), 3);
}
