//! Broadcast state: written as a whole or not at all, seen by every parallel instance from its next event on.

use krishiv_api::{
    BroadcastState, Cause, Dynamic, ErrorKind, InMemoryStateBackend, Keyed, KeyedState, StateBackend, StateError,
    ValueState,
};
use krishiv_tests::{Memory, Place, RocksDb, on_every_backend};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::channel;

#[derive(KeyedState)]
#[state(key = u64)]
struct Checks {
    seen: ValueState<u32>,
    rules: BroadcastState<String, u32>,
    names: BroadcastState<u32, String>,
}

type Rules = Vec<(String, u32)>;

fn open<B: StateBackend>(backend: &Arc<B>, range: Range<u16>) -> Keyed<Checks> {
    Keyed::builder().key_groups(range).open(Arc::clone(backend)).unwrap()
}

/// A key that `store` owns.
fn own<S: KeyedState<Key = u64>>(store: &mut Keyed<S>) -> u64 {
    (0..).find(|key| store.with_key(key, |_| ()).is_ok()).unwrap()
}

fn rules(store: &mut Keyed<Checks>) -> Rules {
    let key = own(store);
    let mut rules = store.with_key(&key, |state| state.rules.entries()).unwrap();
    rules.sort();
    rules
}

fn put(store: &mut Keyed<Checks>, key: &str, value: u32) {
    store.broadcast(|state, scope| state.rules.put(scope, key.to_owned(), value)).unwrap();
}

fn owned<const N: usize>(rules: [(&str, u32); N]) -> Rules {
    rules.map(|(key, value)| (key.to_owned(), value)).to_vec()
}

/// All that a broadcast can do, on top of `a = 1` and `b = 2`.
fn disturb(state: &Checks, scope: &mut krishiv_api::BroadcastScope) {
    state.rules.put(scope, "a".to_owned(), 9);
    state.rules.put(scope, "c".to_owned(), 9);
    state.rules.remove(scope, "b");
    state.names.put(scope, 1, "one".to_owned());
    state.rules.clear(scope);
    state.rules.put(scope, "d".to_owned(), 9);
    state.rules.put(scope, "d".to_owned(), 8);
    state.rules.remove(scope, "d");
    BroadcastState::<u8, u8>::new("undeclared").put(scope, 1, 1);
}

fn a_broadcast_is_all_or_nothing<P: Place>(place: P) {
    let backend = place.open();
    let (mut store, mut other) = (open(&backend, 0..64), open(&backend, 64..128));
    put(&mut store, "a", 1);
    put(&mut store, "b", 2);
    let before = owned([("a", 1), ("b", 2)]);
    for commit in [false, true] {
        if commit {
            store.commit("").unwrap();
        }
        let latched = store.broadcast(|state, scope| {
            disturb(state, scope);
            BroadcastState::<String, String>::new("rules").get("a");
        });
        let error = latched.unwrap_err();
        assert_eq!(
            (error.kind(), error.operator(), error.state()),
            (ErrorKind::Invalid, Some("checks"), Some("rules"))
        );
        assert_eq!((rules(&mut store), rules(&mut other)), (before.clone(), before.clone()));

        let panicked = catch_unwind(AssertUnwindSafe(|| {
            store.broadcast(|state, scope| {
                disturb(state, scope);
                std::panic::resume_unwind(Box::new(()))
            })
        }));
        assert!(panicked.is_err());
        assert_eq!((rules(&mut store), rules(&mut other)), (before.clone(), before.clone()));
    }
    let undeclared = BroadcastState::<u8, u8>::new("undeclared");
    for store in [&mut store, &mut other] {
        let key = own(store);
        store.with_key(&key, |state| assert_eq!((state.names.length(), undeclared.length()), (0, 0))).unwrap();
    }
    // What was undone leaves nothing in the way.
    store.broadcast(disturb).unwrap();
    assert_eq!((rules(&mut store), rules(&mut other)), (vec![], vec![]));
    store.commit("").unwrap();
    drop((store, other, backend));
    let mut store = open(&place.open(), 0..128);
    assert_eq!(rules(&mut store), vec![]);
    store
        .with_key(&1, |state| assert_eq!((state.names.get(&1).as_deref(), undeclared.get(&1)), (Some("one"), Some(1))))
        .unwrap();
}
on_every_backend!(a_broadcast_is_all_or_nothing);

fn every_instance_sees_every_update_in_one_order<P: Place>(place: P) {
    let backend = place.open();
    let mut stores = [open(&backend, 0..40), open(&backend, 40..80), open(&backend, 80..128)];
    let mut model = std::collections::BTreeMap::new();
    for n in 0..30_u32 {
        let key = (n % 7).to_string();
        let writer = n as usize % 3;
        stores[writer]
            .broadcast(|state, scope| {
                if n % 5 == 4 {
                    state.rules.remove(scope, &key);
                } else {
                    state.rules.put(scope, key.clone(), n);
                }
            })
            .unwrap();
        if n % 5 == 4 {
            model.remove(&key);
        } else {
            model.insert(key, n);
        }
        let expected: Rules = model.clone().into_iter().collect();
        assert!(stores.iter_mut().all(|store| rules(store) == expected), "after {n}");
    }
}
on_every_backend!(every_instance_sees_every_update_in_one_order);

#[test]
fn an_instance_that_opens_later_sees_what_is_not_committed_yet() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut early = open(&backend, 0..64);
    put(&mut early, "a", 1);
    let mut late = open(&backend, 64..128);
    assert_eq!(rules(&mut late), owned([("a", 1)]));
}

fn it_lasts_with_the_commit_of_any_instance<P: Place>(place: P) {
    let backend = place.open();
    let (mut writer, mut other) = (open(&backend, 0..64), open(&backend, 64..128));
    put(&mut writer, "a", 1);
    other.commit("").unwrap();
    put(&mut writer, "a", 2);
    put(&mut other, "b", 2);
    // The crash of all.
    drop((writer, other, backend));
    let backend = place.open();
    let (mut writer, mut other) = (open(&backend, 0..64), open(&backend, 64..128));
    assert_eq!((rules(&mut writer), rules(&mut other)), (owned([("a", 1)]), owned([("a", 1)])));
    writer.broadcast(|state, scope| state.rules.remove(scope, "a")).unwrap();
    put(&mut other, "c", 3);
    writer.commit("").unwrap();
    drop((writer, other, backend));
    assert_eq!(rules(&mut open(&place.open(), 0..128)), owned([("c", 3)]));
}
on_every_backend!(it_lasts_with_the_commit_of_any_instance);

#[test]
fn one_event_sees_one_version() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let (mut reader, mut writer) = (open(&backend, 0..64), open(&backend, 64..128));
    let later = BroadcastState::<u32, String>::new("later");
    let write = |store: &mut Keyed<Checks>, n: u32| {
        let update = |state: &Checks, scope: &mut krishiv_api::BroadcastScope| {
            state.rules.put(scope, "version".to_owned(), n);
            state.names.put(scope, 0, n.to_string());
            BroadcastState::<u32, String>::new("later").put(scope, 0, n.to_string());
        };
        store.broadcast(update).unwrap();
    };
    write(&mut writer, 1);
    let ((order, orders), (done, dones)) = (channel::<u32>(), channel());
    std::thread::scope(|threads| {
        threads.spawn(move || {
            for n in orders {
                write(&mut writer, n);
                done.send(()).unwrap();
            }
        });
        let publish = |n| {
            order.send(n).unwrap();
            dones.recv().unwrap();
        };
        let key = own(&mut reader);
        for n in 1..50_u32 {
            let event = |state: &Checks| {
                assert_eq!(state.rules.get("version"), Some(n));
                publish(n + 1);
                assert_eq!(state.rules.get("version"), Some(n));
                assert_eq!(state.names.get(&0), Some(n.to_string()));
                // A handle made by name is no way around it, not even at its first use.
                assert_eq!(later.get(&0), Some(n.to_string()));
            };
            reader.with_key(&key, event).unwrap();
        }
        drop(order);
    });
}

#[test]
fn writers_on_many_threads_end_up_with_one_table() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let stores: Vec<_> = (0..4).map(|n| open(&backend, n * 32..(n + 1) * 32)).collect();
    let mut stores: Vec<_> = std::thread::scope(|threads| {
        let run = |(n, mut store): (usize, Keyed<Checks>)| {
            threads.spawn(move || {
                let key = own(&mut store);
                for round in 0..200 {
                    // Two keys that belong together, written by all.
                    store
                        .broadcast(|state, scope| {
                            state.rules.put(scope, "one".to_owned(), n as u32 * 1_000 + round);
                            state.rules.put(scope, format!("own {n}"), round);
                            state.rules.put(scope, "two".to_owned(), n as u32 * 1_000 + round);
                        })
                        .unwrap();
                    let both = store.with_key(&key, |state| (state.rules.get("one"), state.rules.get("two")));
                    let (one, two) = both.unwrap();
                    assert_eq!(one, two);
                    if round % 50 == 0 {
                        store.commit("").unwrap();
                    }
                }
                store
            })
        };
        let threads: Vec<_> = stores.into_iter().enumerate().map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let expected = rules(&mut stores[0]);
    assert!((0..4).all(|n| expected.contains(&(format!("own {n}"), 199))));
    assert!(stores.iter_mut().all(|store| rules(store) == expected));
    stores[2].commit("").unwrap();
    drop(stores);
    assert_eq!(rules(&mut open(&backend, 0..128)), expected);
}

/// More changes than the log of the latest ones remembers.
#[test]
fn an_instance_that_lags_far_behind_catches_up() {
    for changes in [4_095, 4_096, 4_097, 9_000] {
        let backend = Arc::new(InMemoryStateBackend::new());
        let (mut ahead, mut behind) = (open(&backend, 0..64), open(&backend, 64..128));
        put(&mut ahead, "gone", 1);
        assert_eq!(rules(&mut behind), owned([("gone", 1)]));
        ahead.broadcast(|state, scope| state.rules.remove(scope, "gone")).unwrap();
        for n in 0..(changes - 1) / 3 {
            ahead
                .broadcast(|state, scope| {
                    (0..3).for_each(|m| state.rules.put(scope, format!("{}", (n * 3 + m) % 500), n));
                })
                .unwrap();
        }
        let expected = rules(&mut ahead);
        assert_eq!(expected.len(), 500);
        assert_eq!(rules(&mut behind), expected, "after {changes} changes");
    }
}

#[test]
fn one_update_larger_than_the_log_reaches_all() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let (mut writer, mut other) = (open(&backend, 0..64), open(&backend, 64..128));
    writer.broadcast(|state, scope| (0..10_000).for_each(|n| state.rules.put(scope, n.to_string(), n))).unwrap();
    assert_eq!(rules(&mut writer).len(), 10_000);
    assert_eq!(rules(&mut other), rules(&mut writer));
}

fn past_the_limit_nothing_changes<P: Place>(place: P) {
    let backend = place.open();
    let open = |range| Keyed::<Checks>::builder().broadcast_limit(1_000).key_groups(range).open(Arc::clone(&backend));
    let (mut store, mut other) = (open(0..64).unwrap(), open(64..128).unwrap());
    let name = |store: &mut Keyed<Checks>, n: u32, bytes: usize| {
        store.broadcast(|state, scope| state.names.put(scope, n, "x".repeat(bytes)))
    };
    name(&mut store, 1, 900).unwrap();
    let refused = store.broadcast(|state, scope| {
        state.rules.put(scope, "lost too".to_owned(), 1);
        state.names.put(scope, 1, "short".to_owned());
        state.names.put(scope, 2, "x".repeat(1_000));
    });
    let error = refused.unwrap_err();
    assert_eq!((error.kind(), error.operator(), error.state()), (ErrorKind::Limit, Some("checks"), Some("names")));
    assert!(matches!(error.cause(), Cause::BroadcastLimit { limit: 1_000, size } if *size > 1_000));
    let message = error.to_string();
    assert!(["names", "1000", "broadcast_limit"].iter().all(|part| message.contains(part)), "{message}");
    for store in [&mut store, &mut other] {
        let key = own(store);
        store
            .with_key(&key, |state| {
                assert_eq!(state.names.get(&1).unwrap().len(), 900);
                assert_eq!((state.names.length(), state.rules.length()), (1, 0));
            })
            .unwrap();
    }
    // Each descriptor has a limit of its own, and the limit is on what all instances hold together.
    put(&mut store, "rule", 1);
    assert_eq!(name(&mut other, 2, 500).unwrap_err().kind(), ErrorKind::Limit);
    // Making room and using it may be one update.
    store
        .broadcast(|state, scope| {
            state.names.remove(scope, &1);
            state.names.put(scope, 2, "x".repeat(900));
        })
        .unwrap();
    store.commit("").unwrap();
    drop((store, other));
    let mut store = open(0..128).unwrap();
    store.with_key(&1, |state| assert_eq!((state.names.length(), state.rules.get("rule")), (1, Some(1)))).unwrap();
    assert_eq!(name(&mut store, 3, 200).unwrap_err().kind(), ErrorKind::Limit);
}
on_every_backend!(past_the_limit_nothing_changes);

#[test]
fn a_try_put_past_the_limit_fails_alone() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Checks>::builder().broadcast_limit(100).open(backend).unwrap();
    store
        .broadcast(|state, scope| {
            state.names.put(scope, 1, "fits".to_owned());
            let error = state.names.try_put(scope, 2, "x".repeat(100)).unwrap_err();
            assert_eq!((error.kind(), error.state()), (ErrorKind::Limit, Some("names")));
            assert_eq!(state.names.try_put(scope, 1, "x".repeat(100)).unwrap_err().kind(), ErrorKind::Limit);
        })
        .unwrap();
    store.with_key(&1, |state| assert_eq!(state.names.entries(), [(1, "fits".to_owned())])).unwrap();
}

#[test]
fn a_broadcast_belongs_to_its_operator() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let open = |name: &str| Keyed::<Checks>::builder().operator(name).open(Arc::clone(&backend)).unwrap();
    let (mut one, mut two) = (open("one"), open("two"));
    put(&mut one, "a", 1);
    assert_eq!((rules(&mut one), rules(&mut two)), (owned([("a", 1)]), vec![]));
    // The scope of one store is no permission to write in another.
    let crossed =
        one.broadcast(|_, scope_of_one| two.broadcast(|state, _| state.rules.put(scope_of_one, "b".to_owned(), 2)));
    let error = crossed.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.operator(), error.state()), (ErrorKind::Invalid, Some("two"), Some("rules")));
    assert_eq!((rules(&mut one), rules(&mut two)), (owned([("a", 1)]), vec![]));
}

#[test]
fn a_failed_event_leaves_broadcasts_alone() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let (mut store, mut other) = (open(&backend, 0..64), open(&backend, 64..128));
    put(&mut other, "a", 1);
    let key = own(&mut store);
    let failed = store.try_with_key(&key, |state| {
        assert_eq!(state.rules.get("a"), Some(1));
        put(&mut other, "a", 2);
        Err::<(), _>(StateError::backend("no"))
    });
    failed.unwrap_err();
    assert_eq!((rules(&mut store), rules(&mut other)), (owned([("a", 2)]), owned([("a", 2)])));
}

fn it_takes_no_part_in_keys_or_ttls<P: Place>(place: P) {
    let mut store = open(&place.open(), 0..128);
    put(&mut store, "a", 1);
    store.commit("").unwrap();
    assert!(store.keys().unwrap().is_empty());
    store.set_watermark(i64::MAX);
    assert_eq!(rules(&mut store), owned([("a", 1)]));
}
on_every_backend!(it_takes_no_part_in_keys_or_ttls);

#[test]
fn an_uncommitted_update_ends_with_the_last_instance() {
    fn test<P: Place>(place: P) {
        let backend = place.open();
        let mut store = Keyed::<Dynamic<u64>>::open(Arc::clone(&backend)).unwrap();
        let table = BroadcastState::<u8, u8>::new("table");
        store.broadcast(|_, scope| table.put(scope, 1, 1)).unwrap();
        drop(store);
        // The same backend, which is still open.
        let mut store = Keyed::<Dynamic<u64>>::open(backend).unwrap();
        assert_eq!(store.with_key(&0, |_| table.get(&1)).unwrap(), None);
    }
    test(Memory::new());
    test(RocksDb::new());
}
