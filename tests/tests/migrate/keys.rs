//! What a migration takes along, and what it finds.

use crate::kills::{fill, migration};
use crate::program::{name, new, old};
use krishiv_api::{
    BoxError, Driver, Dynamic, EventContext, InMemoryStateBackend, KeyMigration, Keyed, KeyedState, MapState, Operator,
    StateBackend, Timer, TimerKind, TtlConfig, TtlStateBackend, ValueState, migrate,
};
use krishiv_tests::{Place, on_every_backend};
use std::sync::Arc;

fn everything_has_its_new_key<P: Place>(place: P) {
    let backend = place.open();
    fill(&backend, 300);
    let expected = old::look(&mut old::open(backend.clone()).unwrap(), |key| name(*key));
    let mut told = Vec::new();
    let migrated = migration().run_and_tell(&backend, |migrated| told.push(migrated)).unwrap();
    assert_eq!(migrated.keys, 300);
    assert!(migrated.records > 900 && migrated.deleted == migrated.records, "{migrated:?}");
    assert_eq!(told.last(), Some(&migrated));
    drop(backend);
    let mut driver = new::open(place.open()).unwrap();
    assert_eq!(new::look(&mut driver, String::clone), expected);

    // Timers fire for the new keys, in the order of time.
    driver.advance(10_000).unwrap();
    let fired: Vec<_> = driver.drain().map(|record| record.value).collect();
    assert!(fired.is_sorted_by_key(|(_, timer, _)| timer.time_ms));
    let expected_timers = expected.rows.values().flat_map(|row| &row.timers);
    assert_eq!(fired.len(), expected_timers.filter(|timer| timer.kind == TimerKind::Event).count());
    for (key, timer, seen) in fired {
        let row = &expected.rows[&key];
        assert!(row.timers.contains(&timer) && row.seen == seen, "{key} {timer:?}");
    }
    driver.commit("all fired").unwrap();
    drop(driver);
    let mut driver = new::open(place.open()).unwrap();
    let left = driver.timers().unwrap();
    assert!(left.iter().all(|(_, timer)| timer.kind == TimerKind::Processing) && left.len() == 6, "{left:?}");
}

fn positions_of_parallel_instances_stay<P: Place>(place: P) {
    let backend = place.open();
    for (range, position) in [(0..40, "left"), (40..128, "right")] {
        let mut store = Keyed::<old::Visits>::builder().key_groups(range).open(backend.clone()).unwrap();
        store.set_watermark(position.len() as i64);
        for key in 0..200_u32 {
            if store.key_groups().contains(&store.key_group(&key).unwrap()) {
                store.with_key(&key, |state| state.seen.set(u64::from(key))).unwrap();
            }
        }
        store.commit(position).unwrap();
    }
    migration().run(&backend).unwrap();
    let store = Keyed::<new::Visits>::builder().key_groups(40..128).open(backend.clone()).unwrap();
    assert_eq!((store.position(), store.watermark()), (Some(&b"right"[..]), Some(5)));
    let mut positions = store.positions();
    positions.sort_by_key(|(range, _)| range.start);
    assert_eq!(positions, [(0..40, b"left".to_vec()), (40..128, b"right".to_vec())]);
    drop(store);
    let mut store = Keyed::<new::Visits>::open(backend).unwrap();
    for key in 0..200_u32 {
        let seen = store.with_key(name(key).as_str(), |state| state.seen.get()).unwrap();
        assert_eq!(seen, Some(u128::from(key)));
    }
}

fn keys_without_bytes_become_keys_and_back<P: Place>(place: P) {
    // A key of no bytes shares its place with the timers of its group.
    let backend = place.open();
    let map = MapState::<u8, u8>::new("by_digit");
    let mut store = Keyed::<Dynamic<()>>::open(backend.clone()).unwrap();
    store.with_key(&(), |_| map.put(1, 2)).unwrap();
    store.commit("").unwrap();
    drop(store);
    KeyMigration::<Dynamic<()>, Dynamic<String>>::new(|()| "k".repeat(300)).run(&backend).unwrap();
    let mut store = Keyed::<Dynamic<String>>::open(backend.clone()).unwrap();
    assert_eq!(store.with_key("k".repeat(300).as_str(), |_| map.get(&1)).unwrap(), Some(2));
    drop(store);
    KeyMigration::<Dynamic<String>, Dynamic<()>>::new(|_| ()).run(&backend).unwrap();
    let mut store = Keyed::<Dynamic<()>>::open(backend).unwrap();
    assert_eq!(store.keys().unwrap(), [()]);
    assert_eq!(store.with_key(&(), |_| map.get(&1)).unwrap(), Some(2));
}

macro_rules! timed {
    ($name:ident, $operator:ident, $key:ty) => {
        #[derive(KeyedState)]
        #[state(key = $key, name = "timed")]
        struct $name {
            seen: ValueState<u8>,
        }

        struct $operator;

        impl Operator for $operator {
            type State = $name;
            type In = $key;
            type Out = i64;
            fn key(&self, key: &$key) -> $key {
                key.clone()
            }
            fn on_event(&mut self, _: &$name, _: $key, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
                Ok((0..40).for_each(|time| ctx.register_event_timer(time)))
            }
            fn on_timer(&mut self, _: &$name, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
                Ok(ctx.emit(timer.time_ms))
            }
        }
    };
}
timed!(TimedByName, OfName, String);
timed!(TimedOnce, Once, ());

fn timers_of_a_key_without_bytes_are_no_part_of_its_row<P: Place>(place: P) {
    let backend = place.open();
    let mut driver = Driver::builder(OfName).open(backend.clone()).unwrap();
    driver.event("ann".to_owned(), None).unwrap();
    driver.commit("").unwrap();
    drop(driver);
    migrate::<TimedByName, TimedOnce>(&backend, |_| ()).unwrap();
    migrate::<TimedOnce, TimedByName>(&backend, |()| "bob".to_owned()).unwrap();
    migrate::<TimedByName, TimedOnce>(&backend, |_| ()).unwrap();
    let mut driver = Driver::builder(Once).open(backend).unwrap();
    assert_eq!(driver.store_mut().keys().unwrap(), [()]);
    driver.advance(100).unwrap();
    assert!(driver.drain().map(|record| record.value).eq(0..40));
    driver.commit("").unwrap();
    assert_eq!(driver.store_mut().keys().unwrap(), []);
}

fn one_migration_can_follow_another<P: Place>(place: P) {
    let backend = place.open();
    let seen = ValueState::<u8>::new("seen");
    let mut store = Keyed::<Dynamic<u64>>::open(backend.clone()).unwrap();
    (0..50).for_each(|key| store.with_key(&key, |_| seen.set(key as u8)).unwrap());
    store.commit("").unwrap();
    drop(store);
    for turn in 0..5 {
        let more = KeyMigration::<Dynamic<u64>, Dynamic<u64>>::new(move |id| id + 1_000);
        more.named(format!("turn {}", turn / 2)).run(&backend).unwrap();
    }
    let mut store = Keyed::<Dynamic<u64>>::open(backend).unwrap();
    assert_eq!(store.keys().unwrap().len(), 50);
    assert_eq!(store.with_key(&3_007, |_| seen.get()).unwrap(), Some(7));
}

#[derive(KeyedState)]
#[state(key = String, name = "alarms", renamed_from = "timed")]
struct Alarms {
    #[state(renamed_from = "seen")]
    heard: ValueState<u8>,
}

fn a_migration_and_new_names_go_together<P: Place>(place: P) {
    let backend = place.open();
    let mut store = Keyed::<TimedOnce>::open(backend.clone()).unwrap();
    store.with_key(&(), |state| state.seen.set(7)).unwrap();
    store.commit("").unwrap();
    drop(store);
    let migration = || KeyMigration::<TimedOnce, Alarms>::new(|()| "all".to_owned());
    assert_eq!(migration().merge("heard", u8::max).run(&backend).unwrap().keys, 1);
    assert_eq!(migration().run(&backend).unwrap().keys, 0, "it is done");
    let mut store = Keyed::<Alarms>::open(backend.clone()).unwrap();
    assert_eq!(store.with_key("all", |state| state.heard.get()).unwrap(), Some(7));
    store.commit("").unwrap();
    drop(store);
    assert_eq!(migration().run(&backend).unwrap().keys, 0, "it is done, and has another name");
    assert!(Keyed::<TimedOnce>::open(backend).is_err());
}

on_every_backend!(
    everything_has_its_new_key,
    positions_of_parallel_instances_stay,
    keys_without_bytes_become_keys_and_back,
    timers_of_a_key_without_bytes_are_no_part_of_its_row,
    one_migration_can_follow_another,
    a_migration_and_new_names_go_together,
);

#[test]
fn under_a_ttl_raw_readers_see_nothing_of_a_part() {
    let inner = Arc::new(InMemoryStateBackend::new());
    let ttl = Arc::new(TtlStateBackend::new(inner.clone(), TtlConfig::new(u64::MAX)));
    fill(&ttl, 20);
    let mut seen = 0;
    migration().run_and_tell(&ttl, |_| seen += ttl.scan(b"").count()).unwrap();
    assert_eq!(seen, 0);
}
