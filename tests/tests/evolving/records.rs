//! What lies in the backend, and what happens when it is damaged.

use crate::{LaterPlanes, Planes, flight, later_flight};
use krishiv_api::{ErrorKind, InMemoryStateBackend, Keyed, StateBackend, WriteBatch};
use krishiv_tests::row::{self, InRow};
use std::sync::Arc;

/// The record of the one row that there is, by its key.
fn row_of(backend: &InMemoryStateBackend) -> (Vec<u8>, Vec<u8>) {
    let mut rows = backend.scan(b"").map(Result::unwrap).filter(|(key, _)| row::is_row(key));
    rows.next().expect("a row")
}

/// The first number of the header of each value in the row, by its state.
fn headers(backend: &InMemoryStateBackend) -> Vec<(u16, u8)> {
    row::values(&row_of(backend).1).iter().map(|value| (value.slot, value.record[0])).collect()
}

/// A row with a value of the old type and one that is not written again.
fn mixed() -> Arc<InMemoryStateBackend> {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Planes>::open(Arc::clone(&backend)).unwrap();
    store
        .with_key(&1, |state| {
            state.last.set(flight("UA", 1));
            state.worst.merge(flight("UA", 2));
            state.count.set(1);
        })
        .unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<LaterPlanes>::open(Arc::clone(&backend)).unwrap();
    store.with_key(&1, |state| state.last.set(later_flight("UA", 3, None))).unwrap();
    store.commit("").unwrap();
    backend
}

#[test]
fn a_record_says_which_version_of_its_type_has_written_it() {
    // Version 2 is 3 in a header; what was not written again is as it was.
    assert_eq!(headers(&mixed()), [(1, 3 << 3), (2, 1 << 3), (6, 1 << 3)]);
}

#[test]
fn an_unknown_version_is_damage_of_its_value_alone() {
    let backend = mixed();
    let (key, record) = row_of(&backend);
    let mut values = row::values(&record);
    let InRow { record, .. } = &mut values[0];
    record[0] = 9 << 3;
    let mut batch = WriteBatch::default();
    batch.put(&key, &row::record(&values));
    backend.write(batch).unwrap();
    let mut store = Keyed::<LaterPlanes>::open(Arc::clone(&backend)).unwrap();
    let error = store.with_key(&1, |state| state.last.get()).unwrap_err();
    assert_eq!((error.kind(), error.state(), error.key()), (ErrorKind::Corrupt, Some("last"), Some("1")), "{error}");
    assert!(error.to_string().contains("of version 8 of its type"), "{error}");
    assert_eq!(store.with_key(&1, |state| state.worst.get()).unwrap(), Some(later_flight("UA", 2, None)));
}
