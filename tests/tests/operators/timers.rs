//! Timers one rule at a time.

use super::script::{Act, Event, Processing, Script, Scripted, at, fired, on, on_place, on_shared, shown};
use krishiv_api::{
    BoxError, Cause, Driver, Dynamic, EventContext, Harness, InMemoryStateBackend, Keyed, ManualClock, MapState,
    Operator, StateBackend, Timer, TtlConfig, TtlStateBackend, ValueState, WriteBatch,
};
use krishiv_tests::row::is_row;
use krishiv_tests::{Memory, Place, RocksDb, on_every_backend};
use std::rc::Rc;
use std::sync::Arc;

fn set(key: &str, timers: impl IntoIterator<Item = Timer>) -> (String, Vec<Act>) {
    on(key, timers.into_iter().map(Act::Set))
}

fn memory() -> Harness<Script> {
    Harness::new(|| Script).unwrap()
}

fn all_fired<'a>(timers: impl IntoIterator<Item = (&'a str, Timer)>) -> Vec<String> {
    timers.into_iter().map(|(key, timer)| fired(key, timer)).collect()
}

#[test]
fn a_timer_of_one_kind_and_time_is_one_timer() {
    let mut harness = memory();
    for _ in 0..3 {
        harness.event(set("a", [at(Event, 5), at(Event, 5), at(Processing, 5), at(Event, 6)])).unwrap();
        harness.commit().unwrap();
    }
    let all = [at(Event, 5), at(Event, 6), at(Processing, 5)];
    assert_eq!(harness.timers().unwrap(), all.map(|timer| ("a".to_owned(), timer)));
    harness.watermark(10).unwrap();
    harness.clock(10).unwrap();
    assert_eq!(harness.emitted(), all_fired(all.map(|timer| ("a", timer))));
}

#[test]
fn timers_fire_by_time_and_then_by_the_encoded_key() {
    let mut harness = memory();
    // Two bytes of length, then text: "b" sorts before "aa".
    for key in ["aa", "b", "", "ab", "a"] {
        harness.event(set(key, [at(Event, 2), at(Event, 1)])).unwrap();
    }
    harness.watermark(2).unwrap();
    let order = ["", "a", "b", "aa", "ab"];
    let expected = [1, 2].into_iter().flat_map(|time| order.map(|key| (key, at(Event, time))));
    assert_eq!(harness.emitted(), all_fired(expected));
}

#[test]
fn a_timer_fires_at_its_time_and_not_before() {
    let mut harness = memory();
    harness.event(set("a", [at(Event, 10), at(Processing, 10)])).unwrap();
    harness.watermark(9).unwrap();
    harness.clock(9).unwrap();
    assert!(harness.emitted().is_empty());
    // Each by its own time.
    harness.watermark(10).unwrap();
    assert_eq!(harness.emitted(), [fired("a", at(Event, 10))]);
    harness.clock(10).unwrap();
    assert_eq!(harness.emitted(), [fired("a", at(Event, 10)), fired("a", at(Processing, 10))]);
    harness.watermark(11).unwrap();
    harness.clock(11).unwrap();
    assert_eq!(harness.emitted().len(), 2);
}

#[test]
fn a_timer_in_the_past_fires_at_the_next_advance_even_one_that_advances_nothing() {
    let mut harness = memory();
    harness.watermark(100).unwrap();
    harness.clock(100).unwrap();
    harness.event(set("a", [at(Event, 1), at(Processing, 1)])).unwrap();
    assert!(harness.emitted().is_empty());
    harness.event(on("b", [])).unwrap();
    harness.commit().unwrap();
    assert!(harness.emitted().is_empty());
    harness.watermark(50).unwrap();
    assert_eq!(harness.emitted(), [fired("a", at(Event, 1))]);
    // The clock can go back: what it has come to is what counts.
    harness.clock(0).unwrap();
    assert_eq!(harness.emitted().len(), 1);
    harness.clock(1).unwrap();
    assert_eq!(harness.emitted().len(), 2);
}

/// What lies in the order of time fires once, even if a row does not know of it, as after somebody has edited the state.
#[test]
fn a_timer_that_its_row_does_not_know_fires_once() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let open = || Driver::builder(Script).open(Arc::clone(&backend)).unwrap();
    let mut driver = open();
    driver.event(set("a", [at(Event, 5), at(Event, 6)]), None).unwrap();
    driver.commit("").unwrap();
    drop(driver);
    let rows: Vec<_> = backend.scan(b"").map(|record| record.unwrap().0).filter(|key| is_row(key)).collect();
    assert_eq!(rows.len(), 1);
    let mut batch = WriteBatch::default();
    batch.delete(&rows[0]);
    backend.write(batch).unwrap();
    let mut driver = open();
    driver.advance(10).unwrap();
    let emitted: Vec<_> = driver.drain().map(|record| record.value).collect();
    assert_eq!(emitted, all_fired([("a", at(Event, 5)), ("a", at(Event, 6))]));
    driver.commit("").unwrap();
    drop(driver);
    assert_eq!(open().timers().unwrap(), []);
}

/// In the order of all that is due then, those that were there before included.
fn what_a_firing_timer_sets_fires_in_the_same_drain<P: Place + 'static>(place: P) {
    for kind in [Event, Processing] {
        let name = format!("{kind}");
        let mut harness = {
            let backend = place.open();
            let store = Keyed::builder().operator(name);
            Harness::builder(|| Script).shared_backend(move || Ok(Arc::clone(&backend))).store(store).open().unwrap()
        };
        let plan = vec![Act::Set(at(kind, 5)), Act::Set(at(kind, -7)), Act::Set(at(kind, 11))];
        harness.event(on("a", [Act::Set(at(kind, 3)), Act::Plan(at(kind, 3), plan)])).unwrap();
        harness.event(set("b", [at(kind, 4), at(kind, 5), at(kind, 6)])).unwrap();
        harness.commit().unwrap();
        let due = [("a", 3), ("a", -7), ("b", 4), ("a", 5), ("b", 5), ("b", 6)];
        match kind {
            Event => harness.watermark(10).unwrap(),
            Processing => harness.clock(10).unwrap(),
        }
        assert_eq!(harness.emitted(), all_fired(due.map(|(key, time)| (key, at(kind, time)))));
        assert_eq!(harness.timers().unwrap(), [("a".to_owned(), at(kind, 11))]);
    }
}
on_every_backend!(what_a_firing_timer_sets_fires_in_the_same_drain);

#[test]
fn a_timer_can_set_itself_again_for_the_same_time() {
    let mut harness = memory();
    let again = |times: Vec<Act>| Act::Plan(at(Event, 3), times);
    let second = again(vec![]);
    let first = again(vec![Act::Set(at(Event, 3)), second]);
    harness.event(on("a", [Act::Set(at(Event, 3)), first])).unwrap();
    harness.watermark(3).unwrap();
    assert_eq!(harness.emitted(), all_fired([("a", at(Event, 3)); 2]));
    assert_eq!(harness.timers().unwrap(), []);
}

#[test]
fn deleting_what_is_not_there_is_nothing() {
    let mut harness = memory();
    harness.event(on("a", [Act::Delete(at(Event, 1)), Act::Delete(at(Processing, 1))])).unwrap();
    harness.event(set("b", [at(Event, 1)])).unwrap();
    // Neither that of another key, nor of another kind or time.
    harness.event(on("a", [Act::Delete(at(Event, 1))])).unwrap();
    harness.event(on("b", [Act::Delete(at(Processing, 1)), Act::Delete(at(Event, 2))])).unwrap();
    assert_eq!(harness.timers().unwrap(), [("b".to_owned(), at(Event, 1))]);
    harness.commit().unwrap();
    harness.crash_and_reopen().unwrap();
    harness.event(on("b", [Act::Delete(at(Event, 1)), Act::Delete(at(Event, 1)), Act::Timers])).unwrap();
    harness.watermark(5).unwrap();
    assert_eq!(harness.emitted(), [""]);
}

#[test]
fn a_firing_timer_can_delete_others_of_its_key_that_are_due_too() {
    let mut harness = memory();
    harness.event(set("a", [at(Event, 1), at(Event, 2), at(Event, 3)])).unwrap();
    harness.event(set("b", [at(Event, 2)])).unwrap();
    // And itself, which is gone already.
    let plan = vec![Act::Delete(at(Event, 2)), Act::Delete(at(Event, 1)), Act::Timers];
    harness.event(on("a", [Act::Plan(at(Event, 1), plan)])).unwrap();
    for _ in 0..2 {
        harness.commit().unwrap();
        harness.crash_and_reopen().unwrap();
        harness.watermark(3).unwrap();
        let left = shown(&[at(Event, 3)]);
        let due = [fired("a", at(Event, 1)), left, fired("b", at(Event, 2)), fired("a", at(Event, 3))];
        assert_eq!(harness.emitted(), due);
    }
}

#[test]
fn the_ends_of_time() {
    let ends = [i64::MIN, i64::MIN + 1, 0, i64::MAX - 1, i64::MAX];
    let mut harness = memory();
    harness.clock(i64::MIN).unwrap();
    let all = ends.map(|time| at(Event, time)).into_iter().chain(ends.map(|time| at(Processing, time)));
    harness.event(set("a", all)).unwrap();
    harness.watermark(i64::MIN).unwrap();
    harness.clock(i64::MIN).unwrap();
    assert!(harness.emitted().is_empty());
    harness.commit().unwrap();
    harness.crash_and_reopen().unwrap();
    harness.watermark(i64::MIN).unwrap();
    harness.clock(i64::MIN).unwrap();
    assert!(harness.emitted().is_empty());

    let mut expected = Vec::new();
    for (index, end) in ends.into_iter().enumerate().skip(1) {
        for kind in [Event, Processing] {
            let from = if index == 1 { 0 } else { index };
            expected.extend(ends[from..=index].iter().map(|time| fired("a", at(kind, *time))));
            match kind {
                Event => harness.watermark(end).unwrap(),
                Processing => harness.clock(end).unwrap(),
            }
            assert_eq!(harness.emitted(), expected, "{end}");
        }
    }
    assert_eq!(harness.timers().unwrap(), []);
}

fn timers_are_committed_with_the_state_and_lost_with_it<P: Place + 'static>(place: P) {
    let mut harness = on_place(place).open().unwrap();
    harness.event(set("a", [at(Event, 1), at(Event, 2)])).unwrap();
    harness.commit().unwrap();
    harness.event(on("a", [Act::Delete(at(Event, 1)), Act::Set(at(Event, 3)), Act::Set(at(Processing, 3))])).unwrap();
    harness.watermark(2).unwrap();
    assert_eq!(harness.emitted(), [fired("a", at(Event, 2))]);
    harness.crash_and_reopen().unwrap();
    assert!(harness.emitted().is_empty());
    assert_eq!(harness.timers().unwrap(), [1, 2].map(|time| ("a".to_owned(), at(Event, time))));
    assert_eq!(harness.state(&"a".to_owned(), |state| state.count.get()).unwrap(), Some(1));
    harness.watermark(2).unwrap();
    harness.clock(9).unwrap();
    assert_eq!(harness.emitted(), all_fired([1, 2].map(|time| ("a", at(Event, time)))));
    harness.commit().unwrap();
    harness.crash_and_reopen().unwrap();
    harness.watermark(i64::MAX).unwrap();
    // Twice nothing.
    assert_eq!(harness.emitted().len(), 2);
    assert_eq!(harness.state(&"a".to_owned(), |state| state.count.get()).unwrap(), Some(3));
}
on_every_backend!(timers_are_committed_with_the_state_and_lost_with_it);

fn a_timer_that_came_due_while_nothing_ran_fires_once<P: Place + 'static>(place: P) {
    let mut harness = on_place(place).open().unwrap();
    harness.clock(1_000).unwrap();
    harness.event(set("a", [at(Processing, 2_000), at(Processing, 3_000), at(Processing, 1 << 40)])).unwrap();
    harness.commit().unwrap();
    harness.crash_and_reopen().unwrap();
    for _ in 0..2 {
        harness.clock(1_000_000).unwrap();
        assert_eq!(harness.emitted(), all_fired([2_000, 3_000].map(|time| ("a", at(Processing, time)))));
    }
    harness.commit().unwrap();
    harness.crash_and_reopen().unwrap();
    harness.clock(1_000_001).unwrap();
    assert_eq!(harness.emitted().len(), 2);
}
on_every_backend!(a_timer_that_came_due_while_nothing_ran_fires_once);

/// The watermark is stored; what it had made due before a crash must not wait for a later one.
#[test]
fn the_stored_watermark_fires_what_was_not_fired_before() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let open = || Driver::builder(Script).open(Arc::clone(&backend)).unwrap();
    let mut driver = open();
    driver.event(set("a", [at(Event, 5)]), None).unwrap();
    driver.set_watermark(5);
    driver.commit("").unwrap();
    drop(driver);
    let mut driver = open();
    assert_eq!(driver.watermark(), Some(5));
    assert!(!driver.fire(Event, 2).unwrap());
    assert_eq!(driver.drain().map(|record| record.value).collect::<Vec<_>>(), [fired("a", at(Event, 5))]);
}

#[test]
fn firing_in_parts_fires_all_once_and_in_order() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let open = || Driver::builder(Script).open(Arc::clone(&backend)).unwrap();
    let mut driver = open();
    driver.event(on("a", [Act::SetMany(at(Event, 0), 10)]), None).unwrap();
    driver.set_watermark(8);
    assert_eq!(driver.drain().count(), 0);
    let mut fired_so_far = Vec::new();
    let mut parts = 0;
    while driver.fire(Event, 4).unwrap() {
        parts += 1;
        fired_so_far.extend(driver.drain().map(|record| record.value));
        assert_eq!(fired_so_far.len(), 4 * parts);
        driver.commit("").unwrap();
        drop(driver);
        driver = open();
    }
    fired_so_far.extend(driver.drain().map(|record| record.value));
    assert_eq!(fired_so_far, all_fired((0..9).map(|time| ("a", at(Event, time)))));
}

fn timers_go_where_their_keys_go<P: Place + 'static>(place: P) {
    let keys: Vec<_> = (0..40).map(|n| format!("k{n}")).collect();
    let mut harness = on_place(place).open().unwrap();
    for (n, key) in (0..).zip(&keys) {
        harness.event(set(key, [at(Event, n), at(Event, 100 + n), at(Processing, n)])).unwrap();
    }
    let mut sorted = Vec::new();
    for (step, instances) in (0..).zip([3, 2, 7, 1]) {
        harness.rescale(instances).unwrap();
        harness.watermark(10 * step + 9).unwrap();
        harness.crash_and_reopen().unwrap();
        harness.watermark(10 * step + 9).unwrap();
        harness.clock(10 * step + 9).unwrap();
        sorted = harness.emitted().to_vec();
        sorted.sort();
        let due = (0..10 * (step + 1)).flat_map(|n| [at(Event, n), at(Processing, n)].map(|timer| (n, timer)));
        let mut expected: Vec<_> = due.map(|(n, timer)| fired(&format!("k{n}"), timer)).collect();
        expected.sort();
        assert_eq!(sorted, expected, "{instances} instances");
    }
    assert_eq!(sorted.len(), 80);
    let left: Vec<_> = (0..40).map(|n| (format!("k{n}"), at(Event, 100 + n))).collect();
    assert_eq!(harness.timers().unwrap(), left);
}
on_every_backend!(timers_go_where_their_keys_go);

/// A wrapper gives its TTL to every state that declares none; timers are no such state.
fn a_ttl_lets_no_timer_expire<P: Place>(place: &P) {
    let clock = Arc::new(ManualClock::new(1_000));
    let open = || {
        let backend = TtlStateBackend::new(place.open(), TtlConfig::new(10)).with_clock(Arc::clone(&clock));
        let store = Keyed::builder().clock(Arc::clone(&clock));
        Driver::builder(Script).store(store).open(Arc::new(backend)).unwrap()
    };
    let mut driver = open();
    driver.event(set("a", [at(Event, 100_000), at(Processing, 90_000), at(Event, 100_001)]), None).unwrap();
    driver.commit("").unwrap();
    drop(driver);

    clock.set(95_000);
    let mut driver = open();
    assert_eq!(driver.store_mut().with_key("a", |state| state.count.get()).unwrap(), None);
    assert_eq!(driver.timers().unwrap().len(), 3);
    driver.tick().unwrap();
    driver.event(on("a", [Act::Timers, Act::Delete(at(Event, 100_001))]), None).unwrap();
    driver.advance(100_000).unwrap();
    let found: Vec<_> = driver.drain().map(|record| record.value).collect();
    let left = shown(&[at(Event, 100_000), at(Event, 100_001)]);
    assert_eq!(found, [fired("a", at(Processing, 90_000)), left, fired("a", at(Event, 100_000))]);
    driver.commit("").unwrap();
    drop(driver);
    let mut driver = open();
    // From the first watermark on, it is the time by which states expire.
    driver.advance(i64::MAX - 1).unwrap();
    assert_eq!(driver.timers().unwrap(), []);
    assert_eq!(driver.store_mut().keys().unwrap(), [""; 0]);
}

#[test]
fn a_ttl_in_memory_lets_no_timer_expire() {
    a_ttl_lets_no_timer_expire(&Memory::new());
}

#[test]
fn a_ttl_on_rocksdb_lets_no_timer_expire() {
    a_ttl_lets_no_timer_expire(&RocksDb::new());
}

fn a_walk_over_keys_does_not_meet_timers<P: Place + 'static>(place: P) {
    let place = Rc::new(place);
    let mut harness = on_shared(&place).open().unwrap();
    let mut keys = Vec::new();
    for n in 0..300 {
        let key = format!("k{n}");
        harness.event(set(&key, [at(Event, n), at(Processing, -n)])).unwrap();
        keys.push(key);
    }
    harness.event(set("", [at(Event, 1)])).unwrap();
    keys.push(String::new());
    keys.sort();
    let look = |harness: Harness<Script>| {
        drop(harness);
        let mut store = Keyed::<Scripted>::open(place.open()).unwrap();
        assert_eq!(store.undeclared(), []);
        let mut found = store.keys().unwrap();
        found.sort();
        assert_eq!(found, keys);
        let mut visited = Vec::new();
        store
            .for_each_key(|key, state| {
                assert_eq!(state.count.get(), Some(1));
                visited.push(key.clone());
                state.count.clear();
            })
            .unwrap();
        visited.sort();
        assert_eq!(visited, keys);
    };
    harness.commit().unwrap();
    look(harness);
}
on_every_backend!(a_walk_over_keys_does_not_meet_timers);

/// Timers are part of what is kept of a key; when they have fired, nothing is left of it.
#[test]
fn a_key_with_nothing_but_a_timer_is_a_key_until_it_fires() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let open = || Driver::builder(Script).open(Arc::clone(&backend)).unwrap();
    let mut driver = open();
    driver.event(set("a", [at(Event, 5)]), None).unwrap();
    driver.store_mut().with_key("a", |state| state.count.clear()).unwrap();
    for committed in [false, true] {
        assert_eq!(driver.store_mut().keys().unwrap(), ["a"], "{committed}");
        driver.commit("").unwrap();
        drop(driver);
        driver = open();
    }
    driver.advance(5).unwrap();
    driver.store_mut().with_key("a", |state| state.count.clear()).unwrap();
    for committed in [false, true] {
        assert_eq!(driver.store_mut().keys().unwrap(), [""; 0], "{committed}");
        driver.commit("").unwrap();
        drop(driver);
        driver = open();
    }
    let rows = backend.scan(&[0, 1]).count();
    assert_eq!(rows, 0, "timers leave nothing behind");
}

#[test]
fn a_state_with_the_name_of_the_timers_is_refused() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut driver = Driver::builder(Script).open(Arc::clone(&backend)).unwrap();
    for with_timers in [false, true] {
        for refused in [
            driver.store_mut().with_key("a", |_| MapState::<Timer, ()>::new("__krishiv_timers").clear()),
            driver.store_mut().with_key("a", |_| ValueState::<u64>::new("__krishiv_timers").set(1)),
        ] {
            let error = refused.unwrap_err();
            assert!(matches!(error.cause(), Cause::Setting { .. }), "{error}");
            assert_eq!((error.state(), error.key()), (Some("__krishiv_timers"), Some("\"a\"")), "{with_timers}");
            let text = error.to_string();
            assert!(text.contains("names that begin with `__krishiv` are the library's own"), "{text}");
        }
        driver.event(set("a", [at(Event, 1)]), None).unwrap();
    }
    assert_eq!(driver.timers().unwrap(), [("a".to_owned(), at(Event, 1))]);
    let operator = Keyed::<Scripted>::builder().operator("__krishiv_timers").open(backend);
    assert!(operator.err().unwrap().to_string().contains("the library's own"));
}

/// A stored timer that cannot be read is damage, and nothing goes on past it.
#[test]
fn a_damaged_timer_is_reported() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let open = || Driver::builder(Script).on_error(krishiv_api::OnError::skip()).open(Arc::clone(&backend)).unwrap();
    let mut driver = open();
    driver.event(set("a", [at(Event, 5)]), None).unwrap();
    driver.commit("").unwrap();
    drop(driver);
    let (key, _) = backend.scan(&[0, 1]).map(|record| record.unwrap()).find(|(key, _)| key[4..8] == [0; 4]).unwrap();
    for (damaged, words) in [(&key[..key.len() - 1], "the key of a stored timer is damaged"), (&key[..15], "cut short")]
    {
        let mut batch = krishiv_api::WriteBatch::default();
        batch.delete(&key);
        batch.put(damaged, b"");
        backend.write(batch).unwrap();
        let mut driver = open();
        for _ in 0..2 {
            let error = driver.advance(5).unwrap_err();
            assert_eq!((error.operator(), error.key()), ("scripted", None));
            let text = error.to_string();
            assert!(text.contains(words) && text.contains("restore"), "{text}");
            assert_eq!(driver.skipped(), 0);
        }
        assert!(driver.timers().unwrap_err().to_string().contains(words));
        drop(driver);
        let mut batch = krishiv_api::WriteBatch::default();
        batch.delete(damaged);
        backend.write(batch).unwrap();
    }
}

/// Of a key without state there is nothing but its timers.
#[test]
fn a_key_that_has_only_a_timer_is_there_until_that_has_fired() {
    struct Wait;
    impl Operator for Wait {
        type State = Dynamic<u64>;
        type In = u64;
        type Out = ();
        fn key(&self, event: &u64) -> u64 {
            *event
        }
        fn on_event(&mut self, _: &Dynamic<u64>, _: u64, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
            Ok(ctx.register_event_timer(5))
        }
    }
    let mut driver = Driver::builder(Wait).open(Arc::new(InMemoryStateBackend::new())).unwrap();
    driver.event(1, None).unwrap();
    assert_eq!(driver.store_mut().keys().unwrap(), [1]);
    driver.commit("1").unwrap();
    assert_eq!(driver.store_mut().keys().unwrap(), [1]);
    driver.advance(5).unwrap();
    assert_eq!(driver.store_mut().keys().unwrap(), [0; 0]);
    driver.commit("2").unwrap();
    assert_eq!(driver.store_mut().keys().unwrap(), [0; 0]);
}
