//! Every call of the five handles, on every backend, over rows that are fresh, uncommitted, committed and reread.

use krishiv_api::{
    BroadcastState, BroadcastStateDescriptor, Dynamic, InMemoryStateBackend, Keyed, KeyedState, ListState, MapState,
    ReducingState, Scan, StateBackend, StateError, ValueState, Volatile, WriteBatch,
};
use krishiv_tests::{Place, on_every_backend};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[derive(KeyedState)]
#[state(key = String)]
struct All {
    value: ValueState<i64>,
    list: ListState<i64>,
    map: MapState<String, i64>,
    #[state(reduce = i64::max)]
    most: ReducingState<i64>,
    broadcast: BroadcastState<String, i64>,
}

/// Runs the steps of a scenario one after the other, each an event, with nothing between them, then with what
/// the closure does between them.
fn stepwise<P: Place>(place: &P, steps: &[&dyn Fn(&All)]) {
    type Between<P> = fn(Keyed<All>, &P, &str) -> Keyed<All>;
    fn open<P: Place>(place: &P, operator: &str, budget: usize) -> Keyed<All> {
        Keyed::builder().operator(operator).memory_budget(budget).open(place.open()).unwrap()
    }
    let ways: [(&str, usize, Between<P>); 4] = [
        ("uncommitted", 1 << 20, |store, _, _| store),
        ("committed", 1 << 20, |mut store, _, _| {
            store.commit("").unwrap();
            store
        }),
        ("evicted", 0, |mut store, _, _| {
            store.commit("").unwrap();
            store.with_key("another", |_| ()).unwrap();
            store
        }),
        ("reopened", 1 << 20, |mut store, place, operator| {
            store.commit("").unwrap();
            drop(store);
            open(place, operator, 1 << 20)
        }),
    ];
    for (operator, budget, between) in ways {
        let mut store = open(place, operator, budget);
        for (n, step) in steps.iter().enumerate() {
            let event = store.with_key("ann", |state| step(state));
            event.unwrap_or_else(|error| panic!("step {n}, {operator}: {error}"));
            store = between(store, place, operator);
        }
    }
}

fn value_state<P: Place>(place: P) {
    stepwise(
        &place,
        &[
            &|state| {
                let value = &state.value;
                assert_eq!((value.get(), value.get_json(), value.exists(), value.get_or(7)), (None, None, false, 7));
                assert_eq!(value.with(|value| value.copied()), None);
            },
            // A default is not absence.
            &|state| state.value.set(0),
            &|state| {
                let value = &state.value;
                assert_eq!(
                    (value.get(), value.get_json(), value.exists(), value.get_or(7)),
                    (Some(0), Some(0), true, 0)
                );
                assert_eq!(value.with(|value| value.copied()), Some(0));
            },
            &|state| {
                let before = state.value.update(|value| value.replace(5));
                assert_eq!((before, state.value.get()), (Some(0), Some(5)));
            },
            &|state| assert_eq!((state.value.take(), state.value.get(), state.value.take()), (Some(5), None, None)),
            &|state| assert!(!state.value.exists()),
            &|state| state.value.set_json(-3),
            &|state| assert_eq!((state.value.get(), state.value.get_json()), (Some(-3), Some(-3))),
            &|state| state.value.update(|value| *value = None),
            &|state| assert_eq!(state.value.get(), None),
            &|state| state.value.set(9),
            &|state| {
                state.value.clear();
                assert_eq!(state.value.get(), None);
            },
            &|state| assert_eq!(state.value.get(), None),
        ],
    );
}
on_every_backend!(value_state);

fn value_state_by_its_twins<P: Place>(place: P) {
    stepwise(
        &place,
        &[
            &|state| {
                let value = &state.value;
                assert_eq!((value.try_get().unwrap(), value.try_get_json().unwrap()), (None, None));
                assert_eq!((value.try_exists().unwrap(), value.try_get_or(7).unwrap()), (false, 7));
                value.try_set(0).unwrap();
            },
            &|state| {
                let value = &state.value;
                assert_eq!((value.try_get().unwrap(), value.try_get_json().unwrap()), (Some(0), Some(0)));
                assert_eq!((value.try_exists().unwrap(), value.try_get_or(7).unwrap()), (true, 0));
                assert_eq!(value.try_with(|value| value.copied()).unwrap(), Some(0));
                assert_eq!(value.try_update(|value| value.replace(5)).unwrap(), Some(0));
            },
            &|state| assert_eq!(state.value.try_take().unwrap(), Some(5)),
            &|state| state.value.try_set_json(6).unwrap(),
            &|state| {
                assert_eq!(state.value.try_get().unwrap(), Some(6));
                state.value.try_clear().unwrap();
            },
            &|state| assert_eq!(state.value.try_get().unwrap(), None),
        ],
    );
}
on_every_backend!(value_state_by_its_twins);

fn list_state<P: Place>(place: P) {
    stepwise(
        &place,
        &[
            &|state| {
                let list = &state.list;
                assert_eq!((list.get(), list.get_json(), list.length(), list.is_empty()), (vec![], vec![], 0, true));
                assert_eq!((list.first(), list.last()), (None, None));
                list.for_each(|_| unreachable!());
            },
            &|state| state.list.add(1),
            &|state| state.list.add_json(2),
            &|state| state.list.add_all([3, 4, 5]),
            &|state| {
                let list = &state.list;
                assert_eq!((list.get(), list.get_json()), (vec![1, 2, 3, 4, 5], vec![1, 2, 3, 4, 5]));
                assert_eq!((list.length(), list.is_empty(), list.first(), list.last()), (5, false, Some(1), Some(5)));
                let mut seen = Vec::new();
                list.for_each(|element| seen.push(*element));
                assert_eq!(seen, [1, 2, 3, 4, 5]);
            },
            &|state| state.list.truncate_front(9),
            &|state| state.list.truncate_front(4),
            &|state| assert_eq!(state.list.get(), [2, 3, 4, 5]),
            &|state| state.list.retain(|element| element % 2 == 1),
            &|state| state.list.add(6),
            &|state| assert_eq!(state.list.get(), [3, 5, 6]),
            &|state| state.list.replace([9, 8, 7]),
            &|state| state.list.add(6),
            &|state| assert_eq!(state.list.get(), [9, 8, 7, 6]),
            &|state| state.list.truncate_front(0),
            &|state| assert!(state.list.is_empty()),
            &|state| state.list.add(1),
            &|state| {
                state.list.clear();
                state.list.add(2);
            },
            &|state| assert_eq!(state.list.get(), [2]),
            &|state| state.list.replace([]),
            &|state| assert_eq!((state.list.get(), state.list.first()), (vec![], None)),
        ],
    );
}
on_every_backend!(list_state);

fn list_state_by_its_twins<P: Place>(place: P) {
    stepwise(
        &place,
        &[
            &|state| {
                let list = &state.list;
                assert_eq!((list.try_get().unwrap(), list.try_length().unwrap()), (vec![], 0));
                assert!(list.try_is_empty().unwrap() && list.try_first().unwrap().is_none());
                list.try_add(1).unwrap();
            },
            &|state| state.list.try_add_json(2).unwrap(),
            &|state| state.list.try_add_all([3, 4]).unwrap(),
            &|state| {
                let list = &state.list;
                assert_eq!(
                    (list.try_get().unwrap(), list.try_get_json().unwrap()),
                    (vec![1, 2, 3, 4], vec![1, 2, 3, 4])
                );
                assert_eq!((list.try_first().unwrap(), list.try_last().unwrap()), (Some(1), Some(4)));
                let mut sum = 0;
                list.try_for_each(|element| sum += element).unwrap();
                assert_eq!(sum, 10);
            },
            &|state| state.list.try_truncate_front(3).unwrap(),
            &|state| state.list.try_retain(|element| *element != 3).unwrap(),
            &|state| assert_eq!(state.list.try_get().unwrap(), [2, 4]),
            &|state| state.list.try_replace([5]).unwrap(),
            &|state| assert_eq!(state.list.try_get().unwrap(), [5]),
            &|state| state.list.try_clear().unwrap(),
            &|state| assert!(state.list.try_is_empty().unwrap()),
        ],
    );
}
on_every_backend!(list_state_by_its_twins);

fn sorted<T: Ord>(items: Vec<T>) -> Vec<T> {
    let mut items = items;
    items.sort();
    items
}

fn entries(state: &All) -> Vec<(String, i64)> {
    sorted(state.map.entries())
}

fn owned<const N: usize>(entries: [(&str, i64); N]) -> [(String, i64); N] {
    entries.map(|(key, value)| (key.to_owned(), value))
}

fn map_state<P: Place>(place: P) {
    stepwise(
        &place,
        &[
            &|state| {
                let map = &state.map;
                assert_eq!(
                    (map.get("a"), map.get_json("a"), map.contains("a"), map.remove("a")),
                    (None, None, false, None)
                );
                assert_eq!((map.length(), map.is_empty(), map.entries()), (0, true, vec![]));
            },
            // A default is not absence.
            &|state| state.map.put("a".to_owned(), 0),
            &|state| assert_eq!((state.map.get("a"), state.map.contains("a")), (Some(0), true)),
            &|state| state.map.put_json("b".to_owned(), 2),
            &|state| state.map.put_all(owned([("c", 3), ("d", 4), ("c", 5)])),
            &|state| assert_eq!((state.map.get("b"), state.map.get_json("c")), (Some(2), Some(5))),
            &|state| {
                let map = &state.map;
                assert_eq!(entries(state), owned([("a", 0), ("b", 2), ("c", 5), ("d", 4)]));
                assert_eq!(sorted(map.keys()), ["a", "b", "c", "d"]);
                assert_eq!(sorted(map.values()), [0, 2, 4, 5]);
                assert_eq!((map.length(), map.is_empty()), (4, false));
                let mut sum = 0;
                map.for_each(|_, value| sum += value);
                assert_eq!(sum, 11);
            },
            &|state| {
                assert_eq!((state.map.remove("b"), state.map.get("b"), state.map.remove("b")), (Some(2), None, None))
            },
            &|state| assert_eq!(state.map.update("a".to_owned(), |value| value.replace(1)), Some(0)),
            &|state| assert_eq!(state.map.update("e".to_owned(), |value| value.replace(6)), None),
            &|state| state.map.update("d".to_owned(), |value| *value = None),
            &|state| assert_eq!(state.map.update("nothing".to_owned(), |value| *value), None),
            // Backend and uncommitted writes are one map.
            &|state| {
                state.map.put("f".to_owned(), 7);
                state.map.put("a".to_owned(), 8);
                assert_eq!(entries(state), owned([("a", 8), ("c", 5), ("e", 6), ("f", 7)]));
                state.map.remove("c");
                assert_eq!(entries(state), owned([("a", 8), ("e", 6), ("f", 7)]));
            },
            &|state| state.map.retain(|_, value| *value > 6),
            &|state| assert_eq!(entries(state), owned([("a", 8), ("f", 7)])),
            &|state| {
                state.map.clear();
                state.map.put("g".to_owned(), 9);
                assert_eq!((state.map.get("a"), entries(state)), (None, owned([("g", 9)]).to_vec()));
            },
            &|state| assert_eq!((state.map.get("a"), entries(state)), (None, owned([("g", 9)]).to_vec())),
            &|state| state.map.clear(),
            &|state| assert!(state.map.is_empty()),
        ],
    );
}
on_every_backend!(map_state);

fn map_state_by_its_twins<P: Place>(place: P) {
    stepwise(
        &place,
        &[
            &|state| {
                let map = &state.map;
                assert_eq!((map.try_get("a").unwrap(), map.try_contains("a").unwrap()), (None, false));
                assert!(map.try_is_empty().unwrap());
                map.try_put("a".to_owned(), 1).unwrap();
            },
            &|state| state.map.try_put_json("b".to_owned(), 2).unwrap(),
            &|state| state.map.try_put_all(owned([("c", 3), ("d", 4)])).unwrap(),
            &|state| {
                let map = &state.map;
                assert_eq!((map.try_get_json("a").unwrap(), map.try_get("b").unwrap()), (Some(1), Some(2)));
                assert_eq!(sorted(map.try_keys().unwrap()), ["a", "b", "c", "d"]);
                assert_eq!(sorted(map.try_values().unwrap()), [1, 2, 3, 4]);
                assert_eq!((map.try_entries().unwrap().len(), map.try_length().unwrap()), (4, 4));
                let mut sum = 0;
                map.try_for_each(|_, value| sum += value).unwrap();
                assert_eq!(sum, 10);
            },
            &|state| assert_eq!(state.map.try_remove("a").unwrap(), Some(1)),
            &|state| assert_eq!(state.map.try_update("b".to_owned(), |value| value.replace(5)).unwrap(), Some(2)),
            &|state| state.map.try_retain(|_, value| *value != 3).unwrap(),
            &|state| assert_eq!(entries(state), owned([("b", 5), ("d", 4)])),
            &|state| state.map.try_clear().unwrap(),
            &|state| assert!(state.map.try_is_empty().unwrap()),
        ],
    );
}
on_every_backend!(map_state_by_its_twins);

fn reducing_state<P: Place>(place: P) {
    let last = ReducingState::<i64>::new("last");
    let sum = ReducingState::<i64>::with_reducer("sum", |a, b| a + b);
    stepwise(
        &place,
        &[
            &|state| assert_eq!((state.most.get(), state.most.try_get().unwrap()), (None, None)),
            &|state| state.most.merge(i64::MIN),
            &|state| assert_eq!(state.most.get(), Some(i64::MIN)),
            &|state| {
                for n in [5, 3] {
                    state.most.merge(n);
                    last.merge(n);
                    sum.merge(n);
                }
                state.most.try_merge(4).unwrap();
            },
            &|state| {
                assert_eq!((state.most.get(), last.get(), sum.get()), (Some(5), Some(3), Some(8)));
                // A bare handle finds the reducer of the declared field.
                ReducingState::<i64>::new("most").merge(1);
                assert_eq!(state.most.try_get().unwrap(), Some(5));
            },
            &|state| {
                state.most.clear();
                last.try_clear().unwrap();
                sum.clear();
            },
            &|state| assert_eq!((state.most.get(), last.get(), sum.get()), (None, None, None)),
            &|state| {
                state.most.merge(-1);
                sum.merge(-1);
            },
            &|state| assert_eq!((state.most.get(), sum.get()), (Some(-1), Some(-1))),
        ],
    );
}
on_every_backend!(reducing_state);

fn broadcast_state<P: Place>(place: P) {
    let mut store = Keyed::<All>::open(place.open()).unwrap();
    let descriptor = BroadcastStateDescriptor::<String, i64>::new("broadcast");
    assert_eq!(descriptor.name(), "broadcast");
    store
        .broadcast(|state, scope| {
            state.broadcast.put(scope, "a".to_owned(), 0);
            state.broadcast.try_put(scope, "b".to_owned(), 2).unwrap();
            descriptor.state().put(scope, "c".to_owned(), 3);
            state.broadcast.put(scope, "a".to_owned(), 1);
            // The writer sees what it wrote.
            assert_eq!((state.broadcast.get("a"), state.broadcast.length()), (Some(1), 3));
        })
        .unwrap();
    let look = |store: &mut Keyed<All>| {
        let look = |state: &All| {
            let table = &state.broadcast;
            assert_eq!(table.get("a"), table.try_get("a").unwrap());
            assert_eq!(table.contains("b"), table.try_contains("b").unwrap());
            assert_eq!(table.length(), table.try_length().unwrap());
            assert_eq!(sorted(table.entries()), sorted(table.try_entries().unwrap()));
            (table.get("a"), table.contains("b"), table.length(), sorted(table.entries()))
        };
        store.with_key("ann", look).unwrap()
    };
    let three = (Some(1), true, 3, owned([("a", 1), ("b", 2), ("c", 3)]).to_vec());
    assert_eq!(look(&mut store), three);
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<All>::open(place.open()).unwrap();
    assert_eq!(look(&mut store), three);
    store
        .broadcast(|state, scope| {
            state.broadcast.remove(scope, "b");
            state.broadcast.try_remove(scope, "nothing").unwrap();
        })
        .unwrap();
    assert_eq!(look(&mut store), (Some(1), false, 2, owned([("a", 1), ("c", 3)]).to_vec()));
    store.broadcast(|state, scope| state.broadcast.clear(scope)).unwrap();
    assert_eq!(look(&mut store), (None, false, 0, vec![]));
    store.broadcast(|state, scope| state.broadcast.put(scope, "b".to_owned(), 9)).unwrap();
    store.broadcast(|state, scope| state.broadcast.try_clear(scope).unwrap()).unwrap();
    store.broadcast(|state, scope| state.broadcast.put(scope, "c".to_owned(), 8)).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<All>::open(place.open()).unwrap();
    assert_eq!(look(&mut store), (None, false, 1, owned([("c", 8)]).to_vec()));
}
on_every_backend!(broadcast_state);

/// What needs no binary form in every detail: what JSON wrote, the others read, and the other way round.
fn json_and_binary_read_each_other<P: Place>(place: P) {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Point,
        Circle { radius: f64 },
        Named(String, Option<Box<Shape>>),
    }
    #[derive(KeyedState)]
    #[state(key = u64)]
    struct Shapes {
        value: ValueState<Shape>,
        list: ListState<Shape>,
        map: MapState<(u8, String), Shape>,
    }
    let shapes = [
        Shape::Point,
        Shape::Circle { radius: f64::INFINITY },
        Shape::Circle { radius: 0.1 + 0.2 },
        Shape::Named("deep".to_owned(), Some(Box::new(Shape::Named(String::new(), None)))),
    ];
    let mut store = Keyed::<Shapes>::open(place.open()).unwrap();
    for (n, shape) in shapes.iter().enumerate() {
        let key = (n as u8, "k".to_owned());
        store
            .with_key(&(n as u64), |state| {
                if n % 2 == 0 {
                    state.value.set_json(shape.clone())
                } else {
                    state.value.set(shape.clone())
                };
                shapes.iter().for_each(|shape| {
                    state.list.add_json(shape.clone());
                    state.list.add(shape.clone());
                });
                state.map.put_json(key.clone(), shape.clone());
                state.map.put((99, String::new()), shape.clone());
            })
            .unwrap();
    }
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Shapes>::open(place.open()).unwrap();
    for (n, shape) in shapes.iter().enumerate() {
        store
            .with_key(&(n as u64), |state| {
                assert_eq!(state.value.get().as_ref(), Some(shape));
                assert_eq!(state.value.get_json().as_ref(), Some(shape));
                let twice: Vec<_> = shapes.iter().flat_map(|shape| [shape.clone(), shape.clone()]).collect();
                assert_eq!(state.list.get(), twice);
                assert_eq!(state.list.get_json(), twice);
                let key = (n as u8, "k".to_owned());
                assert_eq!(
                    (state.map.get(&key).as_ref(), state.map.get_json(&key).as_ref()),
                    (Some(shape), Some(shape))
                );
            })
            .unwrap();
    }
}
on_every_backend!(json_and_binary_read_each_other);

fn the_order_of_a_list_is_exact<P: Place>(place: P) {
    let mut model = Vec::new();
    let mut random = 7_u64;
    for session in 0..15 {
        let budget = if session % 2 == 0 { 0 } else { 1 << 20 };
        let mut store = Keyed::<All>::builder().memory_budget(budget).open(place.open()).unwrap();
        for event in 0..20 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let n = session * 100 + event;
            store
                .with_key("ann", |state| match (random >> 33) % 8 {
                    0 => {
                        state.list.truncate_front(12);
                        model.drain(..model.len().saturating_sub(12));
                    }
                    1 => {
                        state.list.retain(|element| element % 3 != 0);
                        model.retain(|element| element % 3 != 0);
                    }
                    2 => {
                        state.list.replace(model.iter().rev().copied());
                        model.reverse();
                    }
                    3 => {
                        state.list.add_all([n, n + 1, n]);
                        model.extend([n, n + 1, n]);
                    }
                    _ => {
                        state.list.add(n);
                        model.push(n);
                    }
                })
                .unwrap();
            // Other keys take positions too.
            store.with_key("bob", |state| state.list.add(n)).unwrap();
            if (random >> 40).is_multiple_of(3) {
                store.commit("").unwrap();
            }
        }
        store.commit("").unwrap();
        assert_eq!(store.with_key("ann", |state| state.list.get()).unwrap(), model);
    }
    let mut store = Keyed::<All>::open(place.open()).unwrap();
    assert_eq!(store.with_key("ann", |state| state.list.get()).unwrap(), model);
    assert_eq!(store.with_key("bob", |state| state.list.length()).unwrap(), 300);
}
on_every_backend!(the_order_of_a_list_is_exact);

fn calls_that_change_nothing_leave_nothing_to_commit<P: Place>(place: P) {
    let mut store = Keyed::<All>::builder().memory_budget(0).open(place.open()).unwrap();
    let idle = |state: &All| {
        state.list.add_all([]);
        state.list.retain(|_| true);
        state.list.truncate_front(100);
        state.map.put_all([]);
        state.map.retain(|_, _| true);
        state.map.remove("nothing");
        state.map.update("nothing".to_owned(), |_| ());
        let _ = (state.value.get(), state.value.exists(), state.value.get_or(3), state.most.get());
        let _ = (state.list.get(), state.list.first(), state.list.length(), state.map.entries(), state.map.get("kept"));
        state.list.for_each(|_| ());
        state.map.for_each(|_, _| ());
    };
    store.with_key("ann", idle).unwrap();
    assert!(!store.needs_commit(), "on an empty row");
    store
        .with_key("ann", |state| {
            state.value.set(1);
            state.list.add(1);
            state.map.put("kept".to_owned(), 1);
            state.most.merge(1);
        })
        .unwrap();
    assert!(store.needs_commit());
    store.commit("").unwrap();
    store.with_key("ann", idle).unwrap();
    assert!(!store.needs_commit(), "on a full row");
}
on_every_backend!(calls_that_change_nothing_leave_nothing_to_commit);

#[test]
fn taking_and_clearing_what_is_known_to_be_absent_changes_nothing() {
    let mut store = Keyed::<All>::builder().memory_budget(0).open(Arc::new(InMemoryStateBackend::new())).unwrap();
    let idle = |state: &All| {
        assert_eq!((state.value.take(), state.list.length(), state.map.length()), (None, 0, 0));
        state.value.update(|_| ());
        state.value.clear();
        state.list.clear();
        state.list.replace([]);
        state.map.clear();
    };
    store.with_key("ann", idle).unwrap();
    assert!(!store.needs_commit());
}

// What is read from the backend.

/// A backend that counts.
#[derive(Default)]
struct Counting {
    inner: InMemoryStateBackend,
    gets: AtomicUsize,
    multi_gets: AtomicUsize,
    scans: AtomicUsize,
}

/// 1 for what is read of rows, 0 of the catalog: every commit looks who owns it.
fn counts(key: &[u8]) -> usize {
    usize::from(!key.starts_with(&[0, 0]))
}

impl StateBackend for Counting {
    type Survival = Volatile;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.gets.fetch_add(counts(key), Relaxed);
        self.inner.get(key)
    }

    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        self.multi_gets.fetch_add(1, Relaxed);
        self.inner.multi_get(keys)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.scans.fetch_add(counts(prefix), Relaxed);
        self.inner.scan(prefix)
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        self.inner.write(batch)
    }
}

/// How often an event asked for one record, for several, and for all under a prefix.
type Reads = (usize, usize, usize);

impl Counting {
    fn reads(&self) -> Reads {
        let take = |counter: &AtomicUsize| counter.swap(0, Relaxed);
        (take(&self.gets), take(&self.multi_gets), take(&self.scans))
    }
}

/// What each of the events reads, of a row that is in the backend only.
#[track_caller]
fn reads_of<S: KeyedState<Key = String, Needs = Volatile>, const N: usize>(fill: fn(&S), events: [(fn(&S), Reads); N]) {
    let backend = Arc::new(Counting::default());
    for (n, (event, expected)) in events.into_iter().enumerate() {
        let key = n.to_string();
        let open = || Keyed::<S>::open(Arc::clone(&backend)).unwrap();
        let mut store = open();
        store.with_key(&key, fill).unwrap();
        store.commit("").unwrap();
        drop(store);
        let mut store = open();
        backend.reads();
        store.with_key(&key, event).unwrap();
        assert_eq!(backend.reads(), expected, "event {n}");
        // Once is enough.
        let kept = backend.reads();
        store.with_key(&key, |_| ()).unwrap();
        assert_eq!((backend.reads(), kept), ((0, 0, 0), (0, 0, 0)));
    }
}

fn fill(state: &All) {
    state.value.set(1);
    state.most.merge(1);
    state.list.add_all(0..1_000);
    state.map.put_all((0..1_000).map(|n| (n.to_string(), n)));
}

/// What a map that was known whole had is removed by its keys; of one that was not, the commit has to ask.
#[test]
fn a_map_that_was_read_is_cleared_without_a_scan() {
    #[derive(KeyedState)]
    #[state(key = u8)]
    struct Page {
        visits: MapState<u32, u32>,
    }
    let backend = Arc::new(Counting::default());
    let stored = |key: u8| {
        let mut store = Keyed::<Page>::open(Arc::clone(&backend)).unwrap();
        store.with_key(&key, |page| page.visits.entries()).unwrap()
    };
    let mut store = Keyed::<Page>::open(Arc::clone(&backend)).unwrap();
    for key in [1, 2] {
        store.with_key(&key, |page| page.visits.put_all((0..20).map(|entry| (entry, 1)))).unwrap();
    }
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Page>::open(Arc::clone(&backend)).unwrap();
    assert_eq!(store.with_key(&1, |page| page.visits.length()).unwrap(), 20);
    backend.reads();
    // Some come again, cleared twice in one commit, in an event that fails, and after one that was written.
    for round in 0..3 {
        let event = |page: &Page| {
            page.visits.clear();
            page.visits.put(round, 2);
            page.visits.put(100 + round, 3);
        };
        store.with_key(&1, event).unwrap();
        let failed = store.try_with_key(&1, |page| {
            event(page);
            page.visits.clear();
            Err::<(), _>(StateError::backend("no"))
        });
        failed.unwrap_err();
        if round == 1 {
            store.with_key(&1, |page| page.visits.put(7, 7)).unwrap();
            store.with_key(&1, event).unwrap();
        }
        store.commit("").unwrap();
        assert_eq!(backend.reads(), (0, 0, 0));
        let left = backend.inner.scan(&[0, 1]).count();
        assert_eq!(left, 22, "twenty of the other key, and two");
    }
    store.with_key(&2, |page| page.visits.clear()).unwrap();
    store.commit("").unwrap();
    assert_eq!(backend.reads(), (0, 0, 1));
    drop(store);
    assert_eq!(stored(1), [(2, 2), (102, 3)]);
    assert_eq!(stored(2), []);
}

#[test]
fn all_values_come_in_one_read() {
    #[derive(KeyedState)]
    #[state(key = String)]
    struct Plain {
        a: ValueState<i64>,
        b: ValueState<String>,
        c: ReducingState<i64>,
        #[state(ttl = "1h")]
        d: ValueState<u8>,
    }
    let fill = |state: &Plain| {
        state.a.set(1);
        state.b.set("b".to_owned());
        state.d.set(4);
    };
    let all = |state: &Plain| {
        assert_eq!(
            (state.b.get().as_deref(), state.a.get(), state.c.get(), state.d.get()),
            (Some("b"), Some(1), None, Some(4))
        );
    };
    let one = |state: &Plain| assert_eq!(state.c.get(), None);
    reads_of::<Plain, 3>(fill, [(all, (1, 0, 0)), (one, (1, 0, 0)), (|_| (), (0, 0, 0))]);

    let backend = Arc::new(Counting::default());
    let mut store = Keyed::<Plain>::open(Arc::clone(&backend)).unwrap();
    backend.reads();
    store.with_key("ann", |state| state.a.get()).unwrap();
    assert_eq!(backend.reads(), (1, 0, 0));
    // Those that came along are kept for the events that ask for them.
    store.with_key("ann", all_absent).unwrap();
    assert_eq!(backend.reads(), (0, 0, 0));

    fn all_absent(state: &Plain) {
        assert_eq!((state.b.get(), state.c.get(), state.d.get()), (None, None, None));
    }
}

#[test]
fn writing_reads_nothing() {
    reads_of::<All, 7>(
        fill,
        [
            (|state| state.value.set(2), (0, 0, 0)),
            (|state| state.value.clear(), (0, 0, 0)),
            (|state| state.list.add(1), (0, 0, 0)),
            (|state| state.list.add_all([1, 2]), (0, 0, 0)),
            (|state| state.list.clear(), (0, 0, 0)),
            (|state| state.map.put("5".to_owned(), 1), (0, 0, 0)),
            (|state| state.map.clear(), (0, 0, 0)),
        ],
    );
}

#[test]
fn adding_to_a_list_reads_nothing_in_commits_either() {
    let backend = Arc::new(Counting::default());
    let mut store = Keyed::<All>::open(Arc::clone(&backend)).unwrap();
    backend.reads();
    for round in 0..50 {
        store.with_key("ann", |state| state.list.add_all(0..round)).unwrap();
        store.commit("").unwrap();
    }
    assert_eq!(backend.reads(), (0, 0, 0));
    assert_eq!(store.with_key("ann", |state| state.list.length()).unwrap(), (0..50).sum::<i64>() as usize);
}

#[test]
fn a_map_reads_what_is_asked_for() {
    reads_of::<All, 6>(
        fill,
        [
            (|state| assert_eq!(state.map.get("5"), Some(5)), (1, 0, 0)),
            (
                |state| {
                    // Twice the same, and one that is not there.
                    assert_eq!(
                        (state.map.get("7"), state.map.contains("7"), state.map.get("x")),
                        (Some(7), true, None)
                    );
                    assert_eq!((state.map.contains("x"), state.map.remove("x")), (false, None));
                },
                (2, 0, 0),
            ),
            (|state| assert_eq!(state.map.remove("3"), Some(3)), (1, 0, 0)),
            (|state| state.map.update("4".to_owned(), |value| *value = None), (1, 0, 0)),
            (
                |state| {
                    state.map.put("5".to_owned(), 6);
                    assert_eq!(
                        (state.map.get("5"), state.map.remove("5"), state.map.get("5")),
                        (Some(6), Some(6), None)
                    );
                },
                (0, 0, 0),
            ),
            (
                |state| {
                    state.map.remove("8");
                    state.map.put("new".to_owned(), 1);
                    assert_eq!((state.map.length(), state.map.get("9")), (1_000, Some(9)));
                },
                (1, 0, 1),
            ),
        ],
    );
}

#[test]
fn a_list_is_read_once_and_alone() {
    reads_of::<All, 2>(
        fill,
        [
            (|state| assert_eq!((state.list.length(), state.list.last()), (1_000, Some(999))), (0, 0, 1)),
            (
                |state| {
                    state.list.add(1_000);
                    state.list.truncate_front(10);
                    assert_eq!(state.list.first(), Some(991));
                },
                (0, 0, 1),
            ),
        ],
    );
}

#[test]
fn a_broadcast_state_is_read_from_memory() {
    let backend = Arc::new(Counting::default());
    let mut store = Keyed::<All>::open(Arc::clone(&backend)).unwrap();
    backend.reads();
    store.broadcast(|state, scope| state.broadcast.put(scope, "a".to_owned(), 1)).unwrap();
    store.with_key("ann", |state| assert_eq!(state.broadcast.get("a"), Some(1))).unwrap();
    assert_eq!(backend.reads(), (0, 0, 0));
}

#[test]
fn reading_a_row_that_is_in_memory_reads_nothing() {
    let backend = Arc::new(Counting::default());
    let mut store = Keyed::<All>::open(Arc::clone(&backend)).unwrap();
    let read = |state: &All| (state.value.get(), state.list.length(), state.map.length(), state.most.get());
    store.with_key("ann", fill).unwrap();
    store.with_key("ann", read).unwrap();
    store.commit("").unwrap();
    backend.reads();
    assert_eq!(store.with_key("ann", read).unwrap(), (Some(1), 1_000, 1_000, Some(1)));
    assert_eq!(backend.reads(), (0, 0, 0));
}

#[test]
fn options_of_options_keep_what_they_are() {
    let state = ValueState::<Option<Option<u8>>>::new("nested");
    for value in [None, Some(None), Some(Some(0))] {
        for json in [false, true] {
            let backend = Arc::new(InMemoryStateBackend::new());
            let mut store = Keyed::<Dynamic<u8>>::open(Arc::clone(&backend)).unwrap();
            store.with_key(&0, |_| if json { state.set_json(value) } else { state.set(value) }).unwrap();
            store.commit("").unwrap();
            drop(store);
            let mut store = Keyed::<Dynamic<u8>>::open(backend).unwrap();
            assert_eq!(store.with_key(&0, |_| (state.exists(), state.get())).unwrap(), (true, Some(value)));
        }
    }
}
