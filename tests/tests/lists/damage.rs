//! Damaged records of lists: an error that says where, and neither a panic nor a huge allocation.

use crate::{copy, records};
use krishiv_api::{
    ErrorKind, InMemoryStateBackend, Keyed, KeyedState, ListState, StateBackend, StateError, ValueState, Volatile,
    WriteBatch,
};
use krishiv_tests::row;
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String)]
struct Log {
    lines: ListState<String>,
}

#[derive(KeyedState)]
#[state(key = String, name = "log")]
struct Marks {
    lines: ListState<()>,
}

#[derive(KeyedState)]
#[state(key = String, name = "log")]
struct Last {
    lines: ValueState<String>,
}

/// Reads the list of `ann` after its only record was given this value.
fn read(value: &[u8]) -> Result<Vec<String>, StateError> {
    let backend = damaged(value, |state: &Log| state.lines.add_all(["ab".to_owned(), "c".to_owned()]));
    let mut store = Keyed::<Log>::open(backend).unwrap();
    store.with_key("ann", |state| state.lines.get())
}

fn damaged<S: KeyedState<Key = String, Needs = Volatile>>(
    value: &[u8],
    write: impl FnOnce(&S),
) -> Arc<InMemoryStateBackend> {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<S>::open(Arc::clone(&backend)).unwrap();
    store.with_key("ann", write).unwrap();
    store.commit("").unwrap();
    let mut batch = WriteBatch::default();
    for (key, _) in records(&backend) {
        let value = if row::is_row(&key) { row::of_one(1, value) } else { value.to_vec() };
        batch.put(&key, &value);
    }
    backend.write(batch).unwrap();
    backend
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, StateError>, why: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.operator()), (ErrorKind::Corrupt, Some("log")));
    assert_eq!((error.state(), error.key()), (Some("lines"), Some("\"ann\"")));
    assert!(error.to_string().contains(why), "{error}");
}

const RUN: u8 = 0x0a;

#[test]
fn a_run_is_read_to_its_last_byte_and_no_further() {
    let whole = [RUN, 2, 2, b'a', b'b', 1, b'c'];
    assert_eq!(read(&whole).unwrap(), ["ab", "c"]);
    assert_eq!(read(b"\x0b[\"ab\", \"c\"]").unwrap(), ["ab", "c"]);
    for length in 2..whole.len() {
        refused(read(&whole[..length]), "end too early");
    }
    refused(read(&whole[..1]), "end too early");
    refused(read(&[&whole[..], b"x"].concat()), "left over");
    refused(read(&[RUN, 1, 2, b'a', b'b', 1, b'c']), "left over");
    refused(read(&[RUN, 3, 2, b'a', b'b', 1, b'c']), "end too early");
    refused(read(&[RUN, 0]), "a run has 1 to 65535 elements, and this one 0");
    refused(read(b"\x0b[]"), "a run has 1 to 65535 elements, and this one 0");
    for json in ["[\"ab\"", "[\"ab\"]]", "[\"ab\" \"c\"]", "[\"ab\",]", "\"ab\"", "{}", "[1]", ""] {
        refused(read(&[b"\x0b", json.as_bytes()].concat()), "");
    }
}

#[test]
fn a_number_of_elements_that_lies_costs_nothing() {
    for number in [&[0xff, 0xff, 0x7f][..], &[0xff; 9], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]] {
        refused(read(&[&[RUN], number, &[0; 100]].concat()), "");
    }
    // 65,536 elements that take no bytes are what a value may have, but a run may not.
    let backend = damaged(&[RUN, 0x80, 0x80, 0x04], |state: &Marks| state.lines.add_all([(), ()]));
    let mut store = Keyed::<Marks>::open(backend).unwrap();
    refused(store.with_key("ann", |state| state.lines.length()), "and this one 65536");
}

#[test]
fn a_run_where_one_value_belongs_is_refused() {
    let backend = damaged(&[RUN, 1, 1, b'c'], |state: &Last| state.lines.set("c".into()));
    let mut store = Keyed::<Last>::open(backend).unwrap();
    refused(store.with_key("ann", |state| state.lines.get()), "one value belongs there");
}

/// Damage is for whoever asks: appending reads nothing, and what the list has stays as it is.
#[test]
fn a_list_with_a_damaged_run_is_not_readable_until_it_is_replaced() {
    let backend = damaged(&[RUN, 9], |state: &Log| state.lines.add_all(["ab".to_owned(), "c".to_owned()]));
    let mut store = Keyed::<Log>::open(Arc::clone(&backend)).unwrap();
    store.with_key("ann", |state| state.lines.add("d".into())).unwrap();
    store.commit("").unwrap();
    refused(store.with_key("ann", |state| state.lines.get()), "end too early");
    assert_eq!(records(&backend).len(), 2);
    store.with_key("ann", |state| state.lines.replace(["e".to_owned()])).unwrap();
    store.commit("").unwrap();
    assert_eq!(Keyed::<Log>::open(copy(&backend)).unwrap().with_key("ann", |state| state.lines.get()).unwrap(), ["e"]);
}
