//! Lists at rest: the elements of one commit are one record, and stay in order and whole whatever becomes of them.

mod damage;
mod model;
mod records;

use krishiv_api::{InMemoryStateBackend, StateBackend, WriteBatch};
use std::sync::Arc;

/// The records of the only operator, which has one list.
fn records(backend: &InMemoryStateBackend) -> Vec<(Vec<u8>, Vec<u8>)> {
    backend.scan(&1_u16.to_be_bytes()).map(Result::unwrap).collect()
}

/// What a program would find after a crash now, for a store of its own.
fn copy(backend: &InMemoryStateBackend) -> Arc<InMemoryStateBackend> {
    let mut batch = WriteBatch::default();
    for record in backend.scan(b"") {
        let (key, value) = record.unwrap();
        batch.put(&key, &value);
    }
    let copy = InMemoryStateBackend::new();
    copy.write(batch).unwrap();
    Arc::new(copy)
}
