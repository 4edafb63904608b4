//! A key that a backend has no room for is refused in its event, and what fits is stored.

use krishiv_api::{
    BroadcastState, Cause, ErrorKind, KeyMigration, Keyed, KeyedState, ListState, MapState, StateBackend, StateError,
    ValueState,
};
use krishiv_tests::{Place, on_every_backend};

#[derive(KeyedState)]
#[state(key = String, name = "sites")]
struct Sites {
    seen: ValueState<u32>,
    visits: ListState<u32>,
    pages: MapState<String, u32>,
    rules: BroadcastState<String, u32>,
}

/// Bytes that a key may take where there is an end to it, and two for its length.
fn longest<P: Place>() -> usize {
    if P::Backend::LONGEST_KEY == usize::MAX { 100_000 } else { P::Backend::LONGEST_KEY / 2 - 32 - 3 }
}

fn text(length: usize) -> String {
    "k".repeat(length)
}

fn the_longest_of_all_kinds_are_stored<P: Place>(place: P) {
    let longest = text(longest::<P>());
    let mut sites = Keyed::<Sites>::open(place.open()).unwrap();
    let written = sites.with_key(&longest, |state| {
        state.seen.set(1);
        // Long enough to lie in a record of its own.
        (0..1000).for_each(|number| state.visits.add(number));
        state.pages.put(longest.clone(), 2);
    });
    written.unwrap();
    sites.broadcast(|state, scope| state.rules.put(scope, longest.clone(), 3)).unwrap();
    sites.commit("all").unwrap();
    drop(sites);

    let mut sites = Keyed::<Sites>::open(place.open()).unwrap();
    let read = sites.with_key(&longest, |state| {
        assert_eq!(state.visits.length(), 1000);
        (state.seen.get(), state.pages.get(&longest), state.rules.get(&longest))
    });
    assert_eq!(read.unwrap(), (Some(1), Some(2), Some(3)));
    assert_eq!(sites.keys().unwrap(), [longest]);
}

fn refused(error: &StateError, what: &str, names: (Option<&str>, Option<&str>)) {
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(matches!(error.cause(), Cause::KeyTooLong { .. }), "{error}");
    assert!(error.to_string().contains(what), "{error}");
    assert_eq!((error.operator(), error.state()), (Some("sites"), names.0));
    assert!(error.key().map(|key| &key[..2]) == names.1, "{error}");
}

fn what_is_longer_is_refused_where_it_is_used<P: Place>(place: P) {
    if P::Backend::LONGEST_KEY == usize::MAX {
        return;
    }
    let longer = text(longest::<P>() + 1);
    let mut sites = Keyed::<Sites>::open(place.open()).unwrap();
    sites.with_key("here", |state| state.seen.set(1)).unwrap();

    let error = sites.with_key(&longer, |state| state.seen.set(2)).unwrap_err();
    refused(&error, "the key takes", (None, Some("\"k")));

    let put = sites.with_key("here", |state| {
        state.seen.set(3);
        state.pages.put(longer.clone(), 2);
    });
    refused(&put.unwrap_err(), "the map key takes", (Some("pages"), Some("\"h")));

    let put = sites.broadcast(|state, scope| state.rules.put(scope, longer.clone(), 3));
    refused(&put.unwrap_err(), "the broadcast key takes", (Some("rules"), None));

    // Nothing is left of any of it, and the store goes on.
    sites.commit("all").unwrap();
    drop(sites);
    let mut sites = Keyed::<Sites>::open(place.open()).unwrap();
    let read = sites.with_key("here", |state| (state.seen.get(), state.pages.length(), state.rules.length()));
    assert_eq!(read.unwrap(), (Some(1), 0, 0));
    assert_eq!(sites.keys().unwrap(), ["here"]);
}

#[derive(KeyedState)]
#[state(key = u32, name = "sites")]
struct Numbered {
    seen: ValueState<u32>,
    visits: ListState<u32>,
    pages: MapState<u32, u32>,
    rules: BroadcastState<String, u32>,
}

fn a_migration_to_longer_keys_is_refused_and_leaves_the_old_ones<P: Place>(place: P) {
    if P::Backend::LONGEST_KEY == usize::MAX {
        return;
    }
    let longer = text(longest::<P>() + 1);
    let mut sites = Keyed::<Numbered>::open(place.open()).unwrap();
    let written = sites.with_key(&7, |state| {
        state.seen.set(1);
        state.pages.put(8, 2);
    });
    written.unwrap();
    sites.commit("all").unwrap();
    drop(sites);

    let made = longer.clone();
    let by_key =
        KeyMigration::<Numbered, Sites>::new(move |_| made.clone()).map_keys("pages", |_: u32| "short".to_owned());
    let error = by_key.run(&place.open()).unwrap_err();
    assert!(matches!(error.cause(), Cause::KeyTooLong { .. }), "{error}");
    assert!(error.to_string().contains("the new key takes") && error.key() == Some("7"), "{error}");

    let by_map_key =
        KeyMigration::<Numbered, Sites>::new(|_| "short".to_owned()).map_keys("pages", move |_: u32| longer.clone());
    let error = by_map_key.run(&place.open()).unwrap_err();
    assert!(error.to_string().contains("the new map key takes") && error.state() == Some("pages"), "{error}");

    let mut sites = Keyed::<Numbered>::open(place.open()).unwrap();
    assert_eq!(sites.with_key(&7, |state| (state.seen.get(), state.pages.get(&8))).unwrap(), (Some(1), Some(2)));
}

on_every_backend!(
    the_longest_of_all_kinds_are_stored,
    what_is_longer_is_refused_where_it_is_used,
    a_migration_to_longer_keys_is_refused_and_leaves_the_old_ones
);
