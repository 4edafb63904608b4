//! What cannot be kept is refused where it is asked for, and leaves nothing behind.
#![cfg(unix)]

use krishiv_api::{
    BroadcastState, Dynamic, ErrorKind, InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock, MapState,
    StateError, ValueState,
};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;

/// serde stores paths as text, and this one is none.
fn no_text() -> PathBuf {
    OsString::from_vec(vec![0xff]).into()
}

fn memory() -> Keyed<Dynamic<u64>> {
    Keyed::open(Arc::new(InMemoryStateBackend::new())).unwrap()
}

#[test]
fn a_value_that_does_not_encode_fails_its_event_and_not_the_commit() {
    let mut store = memory();
    let seen = ValueState::<u64>::new("seen");
    for set in [
        |path| ValueState::new("value").set(path),
        |path| ListState::new("list").add(path),
        |path| MapState::new("map").put(1_u64, path),
    ] {
        let failed = store.with_key(&1, |_| {
            seen.set(1);
            set(no_text());
        });
        let error = failed.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.state().is_some() && error.key() == Some("1"), "{error}");
        assert_eq!(store.with_key(&1, |_| seen.get()).unwrap(), None);
        store.commit("").unwrap();
    }
}

#[test]
fn a_map_key_that_does_not_encode_is_an_error_whatever_is_known_of_the_map() {
    let mut store = memory();
    let map = MapState::<PathBuf, u64>::new("map");
    for known in [false, true] {
        let failed = store.with_key(&1, |_| {
            if known {
                assert_eq!(map.length(), 0);
            }
            map.update(no_text(), |value| *value = Some(1));
        });
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Invalid);
    }
}

#[test]
fn put_all_sets_all_or_nothing() {
    let mut store = memory();
    let map = MapState::<PathBuf, u64>::new("map");
    let length = store.with_key(&1, |_| {
        map.try_put_all([("text".into(), 1), (no_text(), 2)]).unwrap_err();
        map.length()
    });
    assert_eq!(length.unwrap(), 0);
}

#[test]
fn a_broadcast_that_returns_an_error_is_published_only_by_broadcast() {
    let mut store = memory();
    let rules = BroadcastState::<u64, u64>::new("rules");
    let half = |scope: &mut _| -> Result<(), StateError> {
        rules.put(scope, 1, 1);
        Err(StateError::backend("the other half is missing"))
    };
    store.try_broadcast(|_, scope| half(scope)).unwrap_err();
    assert_eq!(store.with_key(&1, |_| rules.length()).unwrap(), 0);
    store.broadcast(|_, scope| half(scope)).unwrap().unwrap_err();
    assert_eq!(store.with_key(&1, |_| rules.length()).unwrap(), 1);
}

#[derive(KeyedState)]
#[state(key = u64, name = "dynamic")]
struct Expiring {
    #[state(ttl = "10ms")]
    value: ValueState<u64>,
}

#[test]
fn a_name_does_not_switch_off_the_ttl_that_a_field_gave() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let clock = Arc::new(ManualClock::new(0));
    let mut fields = Keyed::<Expiring>::builder().clock(Arc::clone(&clock)).open(Arc::clone(&backend)).unwrap();
    fields.with_key(&1, |state| state.value.set(7)).unwrap();
    fields.commit("").unwrap();
    drop(fields);
    let mut names = Keyed::<Dynamic<u64>>::builder().clock(Arc::clone(&clock)).open(backend).unwrap();
    let value = ValueState::<u64>::new("value");
    assert_eq!(names.with_key(&1, |_| value.get()).unwrap(), Some(7));
    names.commit("").unwrap();
    clock.set(10);
    assert_eq!(names.with_key(&1, |_| value.get()).unwrap(), None);
}

#[test]
fn a_row_counts_its_key_against_the_budget() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Dynamic<String>>::builder().memory_budget(20_000).open(backend).unwrap();
    let seen = ValueState::<u64>::new("seen");
    store.with_key(&"k".repeat(11_000), |_| seen.set(1)).unwrap();
    assert!(store.needs_commit());
}
