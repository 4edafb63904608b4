//! Killed anywhere, it leaves the old state to the old program or the new one to the new program; run again, it comes to its end.

use crate::crash::{Death, Mortal};
use crate::program::{World, long, name, new, old};
use krishiv_api::{Driver, InMemoryStateBackend, KeyMigration, Migrated, StateBackend, StateError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Makes the old state: `keys` of them, of which each hundredth has much.
pub fn fill<B: StateBackend>(backend: &Arc<B>, keys: u32) {
    let mut driver = old::open(backend.clone()).unwrap();
    for rule in ["EV", "UA"] {
        driver.broadcast((rule.to_owned(), 30)).unwrap();
    }
    driver.advance(1_000).unwrap();
    for round in 0..2 {
        for key in 0..keys {
            visit(&mut driver, key, round);
        }
        driver.commit(format!("round {round}")).unwrap();
    }
}

fn visit(driver: &mut Driver<old::Count>, key: u32, round: u32) {
    let act: old::Act = Box::new(move |state, ctx| {
        state.seen.set(u64::from(key) * 10 + u64::from(round));
        state.total.merge(u64::from(key));
        state.delays.add_all([key as i32, -1]);
        ctx.register_event_timer(i64::from(2_000 + key % 7));
        if key.is_multiple_of(3) {
            state.recent.set(key);
            state.by_status.put(200 + (key % 5) as u16, u64::from(key));
            state.by_status.put(404, u64::from(round));
        }
        if key.is_multiple_of(50) {
            state.page.set(long(key));
            (0..60).for_each(|time| ctx.register_event_timer(5_000 + time));
            ctx.register_processing_timer(9);
        }
    });
    driver.event((key, act), None).unwrap();
}

pub fn migration() -> KeyMigration<old::Visits, new::Visits> {
    KeyMigration::new(name).map_keys("by_status", |status: u16| status.to_string())
}

fn old_world<B: StateBackend>(backend: &Arc<B>) -> Result<World, StateError> {
    Ok(old::look(&mut old::open(backend.clone())?, |key| name(*key)))
}

fn new_world<B: StateBackend>(backend: &Arc<B>) -> Result<World, StateError> {
    Ok(new::look(&mut new::open(backend.clone())?, String::clone))
}

/// The ids under which anything but the catalog is stored, and those that the catalog says are left over.
fn ids<B: StateBackend>(backend: &Arc<B>) -> (BTreeSet<[u8; 2]>, usize) {
    let keys = backend.scan(b"").map(|record| record.unwrap().0);
    let ids = keys.map(|key| [key[0], key[1]]).filter(|id| *id != [0, 0]).collect();
    (ids, backend.scan(b"\0\0x").count())
}

/// Exactly one of the two programs finds the state, and all of it.
fn assert_whole<B: StateBackend>(backend: &Arc<B>, expected: &World) -> bool {
    match (old_world(backend), new_world(backend)) {
        (Ok(world), Err(_)) => {
            assert_eq!(&world, expected, "the old program");
            false
        }
        (Err(_), Ok(world)) => {
            assert_eq!(&world, expected, "the new program");
            true
        }
        (old, new) => panic!("old {:?}, new {:?}", old.err(), new.err()),
    }
}

fn finish<B: StateBackend>(backend: &Arc<B>, expected: &World) {
    migration().run(backend).unwrap();
    assert!(assert_whole(backend, expected));
    let (ids, leftover) = ids(backend);
    assert_eq!((ids.len(), leftover), (1, 0), "{ids:?}");
    assert_eq!(migration().run(backend).unwrap(), Migrated::default(), "it is done");
}

fn memory_with(records: &BTreeMap<Vec<u8>, Vec<u8>>) -> Arc<InMemoryStateBackend> {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut batch = krishiv_api::WriteBatch::default();
    records.iter().for_each(|(key, value)| batch.put(key, value));
    backend.write(batch).unwrap();
    backend
}

/// The records of an old state, and what is seen of it.
fn prepared(keys: u32) -> (BTreeMap<Vec<u8>, Vec<u8>>, World) {
    let backend = Arc::new(InMemoryStateBackend::new());
    fill(&backend, keys);
    let expected = old_world(&backend).unwrap();
    assert_eq!(expected.rows.len(), keys as usize);
    assert_eq!((expected.rules.len(), expected.watermark), (2, Some(1_000)));
    (backend.scan(b"").map(Result::unwrap).collect(), expected)
}

fn killed_at(records: &BTreeMap<Vec<u8>, Vec<u8>>, expected: &World, death: Death) -> bool {
    let inner = memory_with(records);
    let failed = migration().run(&Mortal::new(&inner, death));
    assert!(failed.is_err(), "{death:?}");
    let is_new = assert_whole(&Mortal::new(&inner, Death::Never), expected);
    finish(&Mortal::new(&inner, Death::Never), expected);
    is_new
}

#[test]
fn killed_at_each_write_it_leaves_all_of_the_state_to_one_of_the_programs() {
    // More than one write for copying, and for deleting.
    let (records, expected) = prepared(2_500);
    let whole = Mortal::new(&memory_with(&records), Death::Never);
    migration().run(&whole).unwrap();
    assert!(whole.writes() > 6, "{}", whole.writes());
    let mut outcomes = BTreeSet::new();
    for write in 1..=whole.writes() {
        outcomes.insert(killed_at(&records, &expected, Death::Before(write)));
        // Only of the last write there is nothing left to be done.
        outcomes.insert(killed_at(&records, &expected, Death::Behind(write)));
    }
    assert_eq!(outcomes.len(), 2);
}

#[test]
fn killed_at_any_call_it_leaves_all_of_the_state_to_one_of_the_programs() {
    let (records, expected) = prepared(120);
    let whole = Mortal::new(&memory_with(&records), Death::Never);
    migration().run(&whole).unwrap();
    let calls = whole.calls();
    let mut random = 1_u64;
    let mut outcomes = BTreeSet::new();
    let some = (0..60).map(|_| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        1 + (random >> 33) % calls
    });
    let last = calls.saturating_sub(300)..=calls;
    for call in some.chain(last.step_by(7)).chain([1, 2, 3, calls]) {
        outcomes.insert(killed_at(&records, &expected, Death::Call(call)));
    }
    assert_eq!(outcomes.len(), 2);
}

#[test]
fn the_old_program_goes_on_after_a_kill_and_the_rest_of_the_migration_goes_with_its_commits() {
    let (records, _) = prepared(2_500);
    let inner = memory_with(&records);
    assert!(migration().run(&Mortal::new(&inner, Death::Before(3))).is_err());
    assert_eq!(ids(&inner).0.len(), 2, "a part of the copy");
    let backend = Mortal::new(&inner, Death::Never);
    let mut driver = old::open(backend.clone()).unwrap();
    for commit in 0..8 {
        visit(&mut driver, 2_500 + commit, 0);
        visit(&mut driver, 7, 9);
        driver.commit(format!("later {commit}")).unwrap();
    }
    drop(driver);
    assert_eq!((ids(&inner).0.len(), ids(&inner).1), (1, 0), "what was left over is gone");
    let expected = old_world(&backend).unwrap();
    assert_eq!(expected.rows[&name(7)].seen, Some(79));
    finish(&backend, &expected);
}

#[test]
fn an_operator_that_is_made_meanwhile_gets_another_id() {
    let (records, expected) = prepared(120);
    let inner = memory_with(&records);
    assert!(migration().run(&Mortal::new(&inner, Death::Before(3))).is_err());
    let backend = Mortal::new(&inner, Death::Never);
    let mut other = krishiv_api::Keyed::<krishiv_api::Dynamic<u8>>::open(backend.clone()).unwrap();
    other.with_key(&1, |_| krishiv_api::ValueState::<u8>::new("seen").set(5)).unwrap();
    other.commit("").unwrap();
    migration().run(&backend).unwrap();
    assert!(assert_whole(&backend, &expected));
    other.with_key(&2, |_| krishiv_api::ValueState::<u8>::new("seen").set(6)).unwrap();
    other.commit("").unwrap();
    assert_eq!(other.keys().unwrap().len(), 2);
    assert_eq!((ids(&inner).0.len(), ids(&inner).1), (2, 0));
}
