//! What is refused before anything is written.

use krishiv_api::{
    BroadcastState, Cause, InMemoryStateBackend, KeyMigration, Keyed, KeyedState, MapState, StateBackend, ValueState,
};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = u32, name = "visits")]
struct Old {
    seen: ValueState<u64>,
    by_status: MapState<u16, u64>,
    rules: BroadcastState<u16, u64>,
}

#[derive(KeyedState)]
#[state(key = String, name = "visits")]
struct New {
    seen: ValueState<u64>,
    by_status: MapState<u16, u64>,
    rules: BroadcastState<u16, u64>,
}

fn visited() -> Arc<InMemoryStateBackend> {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Old>::open(backend.clone()).unwrap();
    for key in 0..30 {
        store
            .with_key(&key, |state| {
                state.seen.set(u64::from(key));
                state.by_status.put(200, 1);
            })
            .unwrap();
    }
    store.broadcast(|state, scope| state.rules.put(scope, 7, 8)).unwrap();
    store.commit("here").unwrap();
    backend
}

fn records(backend: &Arc<InMemoryStateBackend>) -> Vec<(Vec<u8>, Vec<u8>)> {
    backend.scan(b"").map(Result::unwrap).collect()
}

/// What a migration of a state is refused with, which stays as it is.
fn refused<O: KeyedState, N: KeyedState>(migration: KeyMigration<O, N>, parts: &[&str]) -> krishiv_api::StateError {
    let backend = visited();
    let before = records(&backend);
    let error = migration.run(&backend).unwrap_err();
    let said = error.to_string();
    assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    assert_eq!(records(&backend), before);
    error
}

#[test]
fn a_store_that_is_open() {
    let backend = visited();
    let store = Keyed::<Old>::builder().key_groups(3..4).open(backend.clone()).unwrap();
    let error = KeyMigration::<Old, New>::new(|key| key.to_string()).run(&backend).unwrap_err();
    assert!(matches!(error.cause(), Cause::RangeInUse { .. }), "{error}");
    drop(store);
    KeyMigration::<Old, New>::new(|key| key.to_string()).run(&backend).unwrap();
}

#[test]
fn a_store_that_opens_while_it_runs() {
    let backend = visited();
    let opens = backend.clone();
    let mut tried = 0;
    let migration = KeyMigration::<Old, New>::new(|key| key.to_string());
    let told = migration.run_and_tell(&backend, |migrated| {
        if migrated.deleted == 0 {
            assert!(matches!(Keyed::<Old>::open(opens.clone()).err().unwrap().cause(), Cause::RangeInUse { .. }));
            tried += 1;
        }
    });
    told.unwrap();
    assert!(tried > 0);
}

#[test]
fn keys_that_are_neither_old_nor_new() {
    #[derive(KeyedState)]
    #[state(key = u64, name = "visits")]
    struct Other {
        seen: ValueState<u64>,
    }
    let error = refused(KeyMigration::<Other, New>::new(|key| key.to_string()), &["key is u32", "declares u64"]);
    assert!(matches!(error.cause(), Cause::Mismatch { .. }));
}

#[test]
fn keys_that_look_the_same_without_a_name() {
    let same = || KeyMigration::<Old, Old>::new(|key| key + 1);
    refused(same(), &["look the same", "`named`"]);
    same().named("one more").run(&visited()).unwrap();
}

#[test]
fn values_that_the_new_struct_cannot_read() {
    #[derive(KeyedState)]
    #[state(key = String, name = "visits")]
    struct Text {
        seen: ValueState<Vec<u8>>,
    }
    let error = refused(KeyMigration::<Old, Text>::new(|key| key.to_string()), &["migrate(from"]);
    assert_eq!(error.state(), Some("seen"));
    let backend = visited();
    let plan = Keyed::<Text>::builder().plan(&backend).unwrap().to_string();
    let words = error.cause().to_string();
    assert!(plan.contains(&words), "{plan}\n{words}");
}

#[test]
fn map_keys_that_nobody_changes() {
    #[derive(KeyedState)]
    #[state(key = String, name = "visits")]
    struct Named {
        by_status: MapState<String, u64>,
    }
    let unsaid = KeyMigration::<Old, Named>::new(|key| key.to_string());
    assert_eq!(refused(unsaid, &["map key"]).state(), Some("by_status"));
    let of_none = KeyMigration::<Old, New>::new(|key| key.to_string()).map_keys("seen", |key: u16| key.to_string());
    assert_eq!(refused(of_none, &["no map keys"]).state(), Some("seen"));
    let wrong = KeyMigration::<Old, Named>::new(|key| key.to_string()).map_keys("by_status", |key: u8| key.to_string());
    assert_eq!(refused(wrong, &["u16", "u8"]).state(), Some("by_status"));
}

#[test]
fn states_and_functions_that_do_not_fit() {
    let new = || KeyMigration::<Old, New>::new(|key| key.to_string());
    refused(new().merge("sene", u64::max), &["not stored", "`seen`"]);
    refused(new().append("seen"), &["ValueState", "`merge`"]);
    let error = refused(new().merge("seen", |one: String, _| one), &["u64"]);
    assert_eq!(error.state(), Some("seen"));
}

#[test]
fn a_new_struct_that_would_not_find_its_state() {
    #[derive(KeyedState)]
    #[state(key = String, name = "hits")]
    struct Hits {
        seen: ValueState<u64>,
    }
    refused(KeyMigration::<Old, Hits>::new(|key| key.to_string()), &["renamed_from", "visits"]);
}

#[test]
fn a_function_that_fails_names_the_key_and_the_state_stays() {
    let backend = visited();
    let fails =
        || KeyMigration::<Old, New>::try_new(|key| if key == 17 { Err("unlucky") } else { Ok(key.to_string()) });
    let error = fails().run(&backend).unwrap_err();
    assert_eq!((error.operator(), error.key()), (Some("visits"), Some("17")));
    assert!(error.to_string().contains("unlucky"), "{error}");
    let mut store = Keyed::<Old>::open(backend.clone()).unwrap();
    assert_eq!(store.keys().unwrap().len(), 30);
    drop(store);
    let map = KeyMigration::<Old, New>::new(|key| key.to_string()).named("all");
    let error = map.try_map_keys("rules", |key: u16| Err::<u16, _>(format!("not {key}"))).run(&backend).unwrap_err();
    assert_eq!(error.state(), Some("rules"));
    assert!(error.to_string().contains("not 7"), "{error}");
    let panics = KeyMigration::<Old, New>::new(|key| if key == 3 { panic!("of the program") } else { key.to_string() });
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| panics.run(&backend)));
    assert!(caught.is_err());
    KeyMigration::<Old, New>::new(|key| key.to_string()).run(&backend).unwrap();
    assert_eq!(Keyed::<New>::open(backend).unwrap().keys().unwrap().len(), 30);
}
