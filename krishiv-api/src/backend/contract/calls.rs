//! Calls that a healthy backend answers.

use crate::backend::{Record, StateBackend, WriteBatch};

pub(super) fn put(backend: &impl StateBackend, key: &[u8], value: &[u8]) {
    let mut batch = WriteBatch::default();
    batch.put(key, value);
    write(backend, batch);
}

pub(super) fn write(backend: &impl StateBackend, batch: WriteBatch) {
    backend.write(batch).expect("write: a healthy backend accepts a batch");
}

pub(super) fn get(backend: &impl StateBackend, key: &[u8]) -> Option<Vec<u8>> {
    let value = backend.get(key).expect("get: a healthy backend answers");
    let mut same = Vec::new();
    backend.read(key, &mut |value| same.push(value.map(<[u8]>::to_vec))).expect("read: a healthy backend answers");
    assert_eq!(same, std::slice::from_ref(&value), "read: the value that `get` gives, once");
    value
}

pub(super) fn scan(backend: &impl StateBackend, prefix: &[u8]) -> Vec<Record> {
    let records: Vec<Record> =
        backend.scan(prefix).map(|record| record.expect("scan: a healthy backend answers")).collect();
    let mut same = Vec::new();
    let each = &mut |key: &[u8], value: &[u8]| {
        same.push((key.to_vec(), value.to_vec()));
        Ok(())
    };
    backend.for_each(prefix, each).expect("for_each: a healthy backend answers");
    assert_eq!(same, records, "for_each: the records that `scan` gives, in the same order");
    records
}
