//! Handles made by name: they find the state of that name in the store whose key is being processed.

use krishiv_api::{
    BroadcastState, Cause, Dynamic, ErrorKind, InMemoryStateBackend, Keyed, KeyedState, ListState, MapState,
    ReducingState, StateError, StateKind, ValueState,
};
use krishiv_tests::{Place, on_every_backend};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

fn memory() -> Keyed<Dynamic<String>> {
    Keyed::open(Arc::new(InMemoryStateBackend::new())).unwrap()
}

#[derive(KeyedState)]
#[state(key = String, name = "dynamic")]
struct Declared {
    value: ValueState<i64>,
    list: ListState<String>,
    map: MapState<u8, String>,
    #[state(reduce = i64::max)]
    most: ReducingState<i64>,
    rules: BroadcastState<u8, String>,
    #[state(name = "stored_as_this")]
    named: ValueState<u8>,
}

fn a_handle_by_name_is_the_field_of_that_name<P: Place>(place: P) {
    let mut store = Keyed::<Declared>::open(place.open()).unwrap();
    let (value, list) = (ValueState::<i64>::new("value"), ListState::<String>::new("list"));
    let (map, most) = (MapState::<u8, String>::new("map"), ReducingState::<i64>::new("most"));
    let (rules, named) = (BroadcastState::<u8, String>::new("rules"), ValueState::<u8>::new("stored_as_this"));
    store.broadcast(|_, scope| rules.put(scope, 1, "one".to_owned())).unwrap();
    store
        .with_key("ann", |state| {
            value.set(1);
            list.add("a".to_owned());
            map.put(1, "b".to_owned());
            most.merge(5);
            most.merge(3);
            named.set(9);
            assert_eq!((state.value.get(), state.list.get()), (Some(1), vec!["a".to_owned()]));
            assert_eq!(
                (state.map.get(&1).as_deref(), state.most.get(), state.named.get()),
                (Some("b"), Some(5), Some(9))
            );
            state.value.set(2);
            assert_eq!(value.get(), Some(2));
            assert_eq!(rules.get(&1), state.rules.get(&1));
        })
        .unwrap();
    store.commit("").unwrap();
    drop(store);
    // The same bytes under a program that declares nothing.
    let mut store = Keyed::<Dynamic<String>>::open(place.open()).unwrap();
    store
        .with_key("ann", |_| {
            assert_eq!((value.get(), list.get(), map.get(&1).as_deref()), (Some(2), vec!["a".to_owned()], Some("b")));
            assert_eq!((most.get(), named.get(), rules.get(&1).as_deref()), (Some(5), Some(9), Some("one")));
            value.set(3);
        })
        .unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Declared>::open(place.open()).unwrap();
    assert_eq!(store.with_key("ann", |state| state.value.get()).unwrap(), Some(3));
}
on_every_backend!(a_handle_by_name_is_the_field_of_that_name);

fn states_that_nothing_declares_last<P: Place>(place: P) {
    for round in 0..5_u32 {
        let mut store = Keyed::<Dynamic<u32>>::builder().memory_budget(0).open(place.open()).unwrap();
        for key in 0..10 {
            store
                .with_key(&key, |_| {
                    ValueState::new("value").set(round);
                    ListState::new("list").add(round);
                    MapState::new("map").put(round, key);
                    ReducingState::with_reducer("sum", |a: u32, b| a + b).merge(round);
                    // Not the same states in every round.
                    ValueState::new(format!("of_round_{round}")).set(round);
                })
                .unwrap();
        }
        store.commit("").unwrap();
    }
    let mut store = Keyed::<Dynamic<u32>>::open(place.open()).unwrap();
    assert_eq!(store.undeclared().len(), 9);
    assert!(store.undeclared().iter().any(|state| (state.name(), state.kind()) == ("list", StateKind::List)));
    for key in 0..10 {
        store
            .with_key(&key, |_| {
                assert_eq!(ValueState::<u32>::new("value").get(), Some(4));
                assert_eq!(ListState::<u32>::new("list").get(), [0, 1, 2, 3, 4]);
                assert_eq!(MapState::<u32, u32>::new("map").get(&3), Some(key));
                assert_eq!(ReducingState::<u32>::new("sum").get(), Some(10));
                assert_eq!(ValueState::<u32>::new("of_round_2").get(), Some(2));
                assert_eq!(ValueState::<u32>::new("of_round_7").get(), None);
            })
            .unwrap();
    }
}
on_every_backend!(states_that_nothing_declares_last);

#[test]
fn several_handles_of_one_name_are_one_state() {
    let mut store = memory();
    let (one, two) = (ValueState::<u8>::new("seen"), ValueState::<u8>::new("seen"));
    store
        .with_key("ann", |_| {
            one.set(1);
            assert_eq!(two.get(), Some(1));
            two.update(|seen| *seen = seen.map(|seen| seen + 1));
            assert_eq!((one.get(), ValueState::new(String::from("seen")).get()), (Some(2), Some(2_u8)));
        })
        .unwrap();
    assert_eq!(store.with_key("bob", |_| (one.get(), two.get())).unwrap(), (None, None));
}

#[test]
fn one_handle_serves_many_stores() {
    let seen = ValueState::<u8>::new("seen");
    let (mut one, mut two) = (memory(), memory());
    let mut declared = Keyed::<Declared>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    one.with_key("ann", |_| seen.set(1)).unwrap();
    two.with_key("ann", |_| seen.set(2)).unwrap();
    declared.with_key("ann", |_| seen.set(3)).unwrap();
    assert_eq!(one.with_key("ann", |_| seen.get()).unwrap(), Some(1));
    assert_eq!(two.with_key("ann", |_| seen.get()).unwrap(), Some(2));
    assert_eq!(declared.with_key("ann", |_| seen.get()).unwrap(), Some(3));
}

/// The two halves of an error about types: what was asked for, and what there is.
fn both_sides(error: &StateError, state: &str, asked: &str, held: &str) {
    assert_eq!((error.operator(), error.state()), (Some("dynamic"), Some(state)));
    let message = error.to_string();
    assert!(message.contains(asked) && message.contains(held), "{message}");
}

#[test]
fn the_wrong_type_is_an_error_that_says_both() {
    fn wrong<S: KeyedState<Key = String>>(store: &mut Keyed<S>) {
        let error = store.with_key("ann", |_| ValueState::<u8>::new("value").get()).unwrap_err();
        assert_eq!((error.kind(), error.key()), (ErrorKind::Invalid, Some("\"ann\"")));
        both_sides(&error, "value", "ValueState<u8>", "ValueState<i64>");
        let error = store.with_key("ann", |_| ListState::<i64>::new("value").add(1)).unwrap_err();
        both_sides(&error, "value", "ListState<i64>", "ValueState<i64>");
        let error = store.with_key("ann", |_| MapState::<u8, u8>::new("map").put(1, 1)).unwrap_err();
        both_sides(&error, "map", "MapState<u8, u8>", "MapState<u8, str>");
        let error = store.with_key("ann", |_| ValueState::<i64>::new("most").set(1)).unwrap_err();
        both_sides(&error, "most", "ValueState<i64>", "ReducingState<i64>");
        store
            .with_key("ann", |_| {
                let error = ValueState::<String>::new("value").try_set(String::new()).unwrap_err();
                both_sides(&error, "value", "ValueState<str>", "ValueState<i64>");
                assert_eq!(ValueState::<i64>::new("value").get(), Some(1));
            })
            .unwrap();
    }
    fn fill<S: KeyedState<Key = String>>(store: &mut Keyed<S>) {
        store
            .with_key("ann", |_| {
                ValueState::<i64>::new("value").set(1);
                MapState::<u8, String>::new("map").clear();
                ReducingState::<i64>::new("most").clear();
            })
            .unwrap();
    }
    let mut declared = Keyed::<Declared>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    fill(&mut declared);
    wrong(&mut declared);
    let mut dynamic = memory();
    fill(&mut dynamic);
    wrong(&mut dynamic);
}

#[test]
fn the_wrong_type_for_what_is_stored_is_incompatible() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Dynamic<String>>::open(Arc::clone(&backend)).unwrap();
    store.with_key("ann", |_| ValueState::<i64>::new("value").set(1)).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Dynamic<String>>::open(backend).unwrap();
    let error = store.with_key("ann", |_| ValueState::<bool>::new("value").set(true)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible);
    both_sides(&error, "value", "bool", "i64");
    assert_eq!(store.with_key("ann", |_| ValueState::<i64>::new("value").get()).unwrap(), Some(1));
}

/// Two types that serde cannot tell apart are still two types in one store.
#[test]
fn types_of_one_shape_are_told_apart() {
    let mut store = memory();
    store.with_key("ann", |_| ValueState::<String>::new("name").set("a".to_owned())).unwrap();
    let error = store.with_key("ann", |_| ValueState::<Box<str>>::new("name").get()).unwrap_err();
    let Cause::HandleType { asked, held, .. } = error.cause() else { panic!("{error}") };
    assert_ne!(asked, held, "{error}");
}

fn a_first_use_in_the_middle_of_an_event_sees_what_is_stored<P: Place>(place: P) {
    let fill = |operator: &str| {
        let mut store = Keyed::<Declared>::builder().operator(operator).open(place.open()).unwrap();
        let fill = |state: &Declared| {
            state.value.set(1);
            ValueState::new("late_value").set(2);
            ReducingState::new("late_reducing").merge(3);
            ListState::new("late_list").add(4);
            MapState::new("late_map").put(5, 6);
        };
        store.with_key("ann", fill).unwrap();
        store.with_key("bob", fill).unwrap();
        store.commit("").unwrap();
    };
    type First = fn(&mut Keyed<Declared>);
    // Rows that this store has not read, has read in part, has read in full, and reads in the same event.
    let firsts: [First; 4] = [
        |_| (),
        |store| store.with_key("ann", |state| assert!(state.value.exists())).unwrap(),
        |store| {
            let all = |state: &Declared| assert!(state.value.exists() && state.list.is_empty() && state.map.is_empty());
            store.with_key("ann", all).unwrap();
        },
        |store| store.with_key("bob", |_| assert!(ValueState::<i32>::new("late_value").exists())).unwrap(),
    ];
    for (n, first) in firsts.into_iter().enumerate() {
        fill(&n.to_string());
        let mut store = Keyed::<Declared>::builder().operator(n.to_string()).open(place.open()).unwrap();
        first(&mut store);
        let event = |state: &Declared| {
            assert_eq!(state.value.get(), Some(1));
            assert_eq!(ValueState::<i32>::new("late_value").get(), Some(2));
            assert_eq!(ReducingState::<i32>::new("late_reducing").get(), Some(3));
            assert_eq!(ListState::<i32>::new("late_list").get(), [4]);
            assert_eq!(MapState::<i32, i32>::new("late_map").get(&5), Some(6));
        };
        store.with_key("ann", event).unwrap();
        store.with_key("bob", event).unwrap();
    }
}
on_every_backend!(a_first_use_in_the_middle_of_an_event_sees_what_is_stored);

#[test]
fn a_first_use_in_a_failing_event_is_undone_like_any_other() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Dynamic<String>>::open(Arc::clone(&backend)).unwrap();
    let (value, list) = (ValueState::<u8>::new("value"), ListState::<u8>::new("list"));
    let failed = store.try_with_key("ann", |_| {
        value.set(1);
        list.add(1);
        Err::<(), _>(StateError::backend("no"))
    });
    failed.unwrap_err();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        store.with_key("ann", |_| {
            list.add(2);
            MapState::<u8, u8>::new("map").put(1, 1);
            value.update(|_| std::panic::resume_unwind(Box::new(())))
        })
    }));
    assert!(panicked.is_err());
    let read = |store: &mut Keyed<Dynamic<String>>| {
        store.with_key("ann", |_| (value.get(), list.get(), MapState::<u8, u8>::new("map").length())).unwrap()
    };
    assert_eq!(read(&mut store), (None, vec![], 0));
    store.commit("").unwrap();
    assert_eq!(read(&mut store), (None, vec![], 0));
    assert!(store.keys().unwrap().is_empty());
}

/// Rows come to know handles in different orders, and each cell must find its own.
#[test]
fn states_that_join_one_by_one_keep_their_cells_apart() {
    let mut store = memory();
    let names: Vec<_> = (0..8).map(|n| format!("state-{n}")).collect();
    for key in 0..8_usize {
        let event = |_: &Dynamic<String>| {
            // Each key starts at another state, so that rows meet handles that joined since, and new ones.
            for n in [key, 0, key / 2] {
                ValueState::new(names[n].clone()).set(key * 100 + n);
                ListState::new(format!("list-{n}")).add(key * 100 + n);
            }
        };
        for _ in 0..2 {
            store.with_key(&key.to_string(), event).unwrap();
        }
        store.commit("").unwrap();
    }
    for key in 0..8_usize {
        store
            .with_key(&key.to_string(), |_| {
                for (n, name) in names.iter().enumerate().take(8) {
                    let expected = [key, 0, key / 2].contains(&n).then_some(key * 100 + n);
                    assert_eq!(ValueState::<usize>::new(name.clone()).get(), expected);
                    let list = ListState::<usize>::new(format!("list-{n}")).get();
                    assert!(list.iter().all(|element| Some(*element) == expected));
                }
            })
            .unwrap();
    }
}

#[test]
fn closures_of_one_handle_use_others() {
    let mut store = memory();
    let (a, b) = (ValueState::<u32>::new("a"), ListState::<u32>::new("b"));
    store
        .with_key("ann", |_| {
            a.set(1);
            a.with(|value| b.add(*value.unwrap()));
            b.for_each(|element| {
                // New ones join in the middle of a closure.
                MapState::new("c").put(*element, a.get().unwrap());
                a.set(2);
            });
            a.update(|value| *value = value.map(|value| value + b.length() as u32));
            b.retain(|_| MapState::<u32, u32>::new("c").contains(&1));
            assert_eq!((a.get(), b.get(), MapState::<u32, u32>::new("c").get(&1)), (Some(3), vec![1], Some(1)));
        })
        .unwrap();
}

#[test]
fn a_handle_by_name_reads_itself_where_a_field_may() {
    let mut store = memory();
    let (value, list, map) = (ValueState::<u8>::new("v"), ListState::<u8>::new("l"), MapState::<u8, u8>::new("m"));
    store
        .with_key("ann", |_| {
            value.set(1);
            list.add_all([2, 3]);
            map.put(4, 5);
            let seen = [
                value.with(|_| value.try_get().map(drop)),
                Ok(list.for_each(|_| assert!(list.try_length().is_ok_and(|length| length == 2)))),
                Ok(map.for_each(|key, _| assert!(map.try_get(key).is_ok_and(|value| value == Some(5))))),
            ];
            assert!(seen.iter().all(Result::is_ok), "{seen:?}");
            // What is added may be made of what is there.
            list.add_all((0..2).map(|_| list.length() as u8));
            map.put_all((0..2).map(|n| (n, map.length() as u8)));
            assert_eq!((list.get(), map.length()), (vec![2, 3, 2, 2], 3));
        })
        .unwrap();
}

#[test]
fn a_handle_in_use_by_its_own_closure_says_so_and_works_again() {
    let mut store = memory();
    let list = ListState::<u8>::new("list");
    store.with_key("ann", |_| list.add(1)).unwrap();
    let error = store.with_key("ann", |_| list.for_each(|_| ListState::new("list").add(2_u8))).unwrap_err();
    assert_eq!((error.kind(), error.state(), error.key()), (ErrorKind::Invalid, Some("list"), Some("\"ann\"")));
    assert!(matches!(error.cause(), Cause::Reentrant), "{error}");
    store
        .with_key("ann", |_| {
            list.for_each(|_| assert!(list.try_add(3).is_err()));
            list.add(4);
        })
        .unwrap();
    assert_eq!(store.with_key("ann", |_| list.get()).unwrap(), [1, 4]);
}

#[test]
fn names_are_checked() {
    let mut store = memory();
    let long = "x".repeat(256);
    let names = ["", &long, "with spaces", "a/b", "a\u{200b}", "\u{1f600}", "__krishiv", "__krishiv_timers"];
    for (name, rule) in names.iter().zip(["1 to 255", "1 to 255", "' '", "'/'", "u{200b}", "has '", "own", "own"]) {
        let refused = |error: StateError| {
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(rule), "{name:?}: {error}");
        };
        refused(store.with_key("ann", |_| ValueState::<u8>::new(*name).set(1)).unwrap_err());
        refused(store.broadcast(|_, scope| BroadcastState::<u8, u8>::new(*name).put(scope, 1, 1)).unwrap_err());
        let backend = Arc::new(InMemoryStateBackend::new());
        refused(Keyed::<Dynamic<String>>::builder().operator(*name).open(backend).err().unwrap());
    }
    for name in ["x".repeat(255), "\u{dc}n\u{ef}code-7.1_\u{9045}\u{5ef6}".to_owned()] {
        store.with_key("ann", |_| ValueState::<u8>::new(name.clone()).set(1)).unwrap();
        assert_eq!(store.with_key("ann", |_| ValueState::<u8>::new(name.clone()).get()).unwrap(), Some(1));
    }
}

#[test]
fn a_name_on_another_thread_finds_nothing() {
    let mut store = memory();
    let seen = ValueState::<u8>::new("seen");
    store
        .with_key("ann", |_| {
            std::thread::scope(|threads| {
                let there = threads.spawn(|| ValueState::<u8>::new("seen").try_get().unwrap_err().kind());
                assert_eq!(there.join().unwrap(), ErrorKind::Invalid);
            });
            seen.set(1);
        })
        .unwrap();
}
