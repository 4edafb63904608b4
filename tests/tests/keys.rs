//! `keys` and `for_each_key` show every key that holds any state, and no other.

use krishiv_api::{
    BroadcastState, ErrorKind, InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock, MapState,
    ReducingState, StateBackend, StateError, ValueState, WriteBatch,
};
use krishiv_tests::row::of_one;
use krishiv_tests::{Place, on_every_backend};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String)]
struct Cart {
    owner: ValueState<String>,
    items: ListState<u32>,
    prices: MapState<u32, u32>,
    #[state(reduce = u32::max)]
    most: ReducingState<u32>,
    rates: BroadcastState<String, u32>,
}

fn sorted<T: Ord>(keys: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut keys: Vec<_> = keys.into_iter().collect();
    keys.sort();
    keys
}

/// Both ways of asking, which must agree, each key once.
fn keys<S: KeyedState<Key = String>>(store: &mut Keyed<S>) -> Vec<String> {
    let keys = sorted(store.keys().unwrap());
    let mut visited = Vec::new();
    store.for_each_key(|key, _| visited.push(key.clone())).unwrap();
    assert_eq!(sorted(visited), keys);
    keys
}

/// One event for each kind of state, and what takes the state away again.
type Step = fn(&Cart);
const FILLS: [(&str, Step, Step); 6] = [
    ("value", |cart| cart.owner.set(String::new()), |cart| cart.owner.clear()),
    ("list", |cart| cart.items.add(0), |cart| cart.items.truncate_front(0)),
    ("cleared list", |cart| cart.items.add(0), |cart| cart.items.clear()),
    ("map", |cart| cart.prices.put(0, 0), |cart| _ = cart.prices.remove(&0)),
    ("reducing", |cart| cart.most.merge(0), |cart| cart.most.clear()),
    ("undeclared", |_| ValueState::new("note").set(()), |_| ValueState::<()>::new("note").clear()),
];

fn a_key_is_there_while_it_holds_any_state<P: Place>(place: P) {
    for budget in [0, 1 << 20] {
        let open = || Keyed::<Cart>::builder().operator(format!("{budget}")).memory_budget(budget).open(place.open());
        let mut store = open().unwrap();
        for committed in [false, true] {
            for (key, fill, _) in FILLS {
                store.with_key(key, fill).unwrap();
                store.with_key("only read", |cart| (cart.owner.get(), cart.items.get(), cart.prices.get(&0))).unwrap();
            }
            let _ = store.try_with_key("failed", |cart| {
                cart.owner.set(String::new());
                Err::<(), _>(StateError::backend("no"))
            });
            let all = sorted(FILLS.map(|(key, ..)| key));
            assert_eq!(keys(&mut store), all);
            if committed {
                store.commit("").unwrap();
                assert_eq!(keys(&mut store), all);
                drop(store);
                store = open().unwrap();
                assert_eq!(keys(&mut store), all);
            }
            // Cleared, one after the other, over what is committed or not.
            let mut left: BTreeSet<_> = all.into_iter().collect();
            for (key, _, clear) in FILLS {
                store.with_key(key, clear).unwrap();
                left.remove(key);
                assert_eq!(keys(&mut store), sorted(left.clone()), "{key} is cleared");
            }
            store.commit("").unwrap();
            assert!(keys(&mut store).is_empty());
        }
    }
}
on_every_backend!(a_key_is_there_while_it_holds_any_state);

fn what_is_half_committed_is_seen_as_one<P: Place>(place: P) {
    let mut store = Keyed::<Cart>::builder().memory_budget(0).open(place.open()).unwrap();
    let keys_of = |range: std::ops::Range<u32>| range.map(|n| format!("{n:03}"));
    keys_of(0..100).for_each(|key| store.with_key(&key, |cart| cart.items.add_all([1, 2])).unwrap());
    store.commit("").unwrap();
    keys_of(50..150).for_each(|key| store.with_key(&key, |cart| cart.prices.put(1, 1)).unwrap());
    keys_of(20..60).for_each(|key| store.with_key(&key, |cart| cart.items.clear()).unwrap());
    keys_of(70..80).for_each(|key| store.with_key(&key, |cart| cart.items.retain(|item| *item == 2)).unwrap());
    assert_eq!(keys(&mut store), keys_of(0..20).chain(keys_of(50..150)).collect::<Vec<_>>());
}
on_every_backend!(what_is_half_committed_is_seen_as_one);

#[test]
fn a_broadcast_state_is_no_keys() {
    let mut store = Keyed::<Cart>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    store.broadcast(|cart, scope| cart.rates.put(scope, "eur".to_owned(), 1)).unwrap();
    assert!(keys(&mut store).is_empty());
    store.commit("").unwrap();
    assert!(keys(&mut store).is_empty());
}

#[derive(KeyedState)]
#[state(key = String)]
struct Session {
    #[state(ttl = "10ms")]
    value: ValueState<u32>,
    #[state(ttl = "10ms", ttl_update = "read_and_write")]
    list: ListState<u32>,
    #[state(ttl = "10ms", clock = "event")]
    map: MapState<u32, u32>,
}

fn what_has_expired_is_not_there<P: Place>(place: P) {
    for committed in [false, true] {
        let clock = Arc::new(ManualClock::new(0));
        let open = || {
            Keyed::<Session>::builder()
                .operator(format!("{committed}"))
                .memory_budget(0)
                .clock(Arc::clone(&clock))
                .open(place.open())
                .unwrap()
        };
        let mut store = open();
        store.set_watermark(0);
        store.with_key("value", |state| state.value.set(1)).unwrap();
        store.with_key("list", |state| state.list.add(1)).unwrap();
        store.with_key("map", |state| state.map.put(1, 1)).unwrap();
        clock.set(5);
        store.with_key("later", |state| state.list.add(1)).unwrap();
        store.with_key("list", |state| state.list.add(2)).unwrap();
        if committed {
            store.commit("").unwrap();
            drop(store);
            store = open();
        }
        clock.set(9);
        assert_eq!(keys(&mut store), ["later", "list", "map", "value"]);
        clock.set(10);
        assert_eq!(keys(&mut store), ["later", "list", "map"]);
        store.set_watermark(10);
        assert_eq!(keys(&mut store), ["later", "list"]);
        // Being listed is not being read: it renews nothing.
        clock.set(15);
        assert!(keys(&mut store).is_empty());
        store.commit("").unwrap();
    }
}
on_every_backend!(what_has_expired_is_not_there);

fn visiting_may_change_and_clear<P: Place>(place: P) {
    let mut store = Keyed::<Cart>::builder().memory_budget(2_000).open(place.open()).unwrap();
    let all: Vec<_> = (0..300).map(|n| format!("{n:03}")).collect();
    for (n, key) in all.iter().enumerate() {
        store.with_key(key, |cart| cart.items.add_all([n as u32, 1_000])).unwrap();
        if n == 200 {
            store.commit("").unwrap();
        }
    }
    let mut visited = Vec::new();
    store
        .for_each_key(|key, cart| {
            visited.push(key.clone());
            let n = cart.items.first().unwrap();
            assert_eq!(n.to_string().parse::<u32>().unwrap(), key.parse::<u32>().unwrap());
            match n % 3 {
                0 => cart.items.clear(),
                1 => cart.owner.set(key.clone()),
                _ => cart.items.add(7),
            }
        })
        .unwrap();
    assert_eq!(sorted(visited), all);
    let check = |store: &mut Keyed<Cart>| {
        let left: Vec<_> = (0..300).filter(|n| n % 3 != 0).map(|n| format!("{n:03}")).collect();
        assert_eq!(keys(store), left);
        store
            .for_each_key(|key, cart| match key.parse::<u32>().unwrap() % 3 {
                1 => assert_eq!((cart.owner.get().as_ref(), cart.items.length()), (Some(key), 2)),
                _ => assert_eq!((cart.owner.get(), cart.items.length()), (None, 3)),
            })
            .unwrap();
    };
    check(&mut store);
    store.commit("").unwrap();
    drop(store);
    check(&mut Keyed::open(place.open()).unwrap());
}
on_every_backend!(visiting_may_change_and_clear);

#[test]
fn a_visit_that_fails_is_undone_and_ends_the_walk() {
    let mut store = Keyed::<Cart>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    for n in 0..10_u32 {
        store.with_key(&n.to_string(), |cart| cart.items.add(n)).unwrap();
    }
    let mut visits = 0;
    let walk = store.for_each_key(|_, cart| {
        cart.items.clear();
        visits += 1;
        if visits == 3 {
            ValueState::<bool>::new("owner").get();
        }
    });
    let error = walk.unwrap_err();
    assert_eq!((error.kind(), error.state(), error.key().is_some()), (ErrorKind::Invalid, Some("owner"), true));
    assert_eq!(visits, 3);
    assert_eq!(keys(&mut store).len(), 8);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        store.for_each_key(|_, cart| {
            cart.items.clear();
            std::panic::resume_unwind(Box::new(()))
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(keys(&mut store).len(), 8);
}

fn an_instance_shows_its_own_keys<P: Place>(place: P) {
    let backend = place.open();
    let open = |range| Keyed::<Cart>::builder().key_groups(range).open(Arc::clone(&backend)).unwrap();
    let mut stores = [open(0..1), open(1..100), open(100..128)];
    let all: Vec<_> = (0..200).map(|n| format!("{n:03}")).collect();
    for (n, key) in all.iter().enumerate() {
        if n == 100 {
            stores.iter_mut().for_each(|store| store.commit("").unwrap());
        }
        assert!(stores.iter_mut().any(|store| store.with_key(key, |cart| cart.items.add(1)).is_ok()));
    }
    let shares = stores.each_mut().map(keys);
    assert!(shares.iter().all(|share| !share.is_empty()));
    assert_eq!(sorted(shares.concat()), all);
}
on_every_backend!(an_instance_shows_its_own_keys);

#[test]
fn operators_share_no_keys() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let open = |name: &str| Keyed::<Cart>::builder().operator(name).open(Arc::clone(&backend)).unwrap();
    let (mut one, mut two) = (open("one"), open("two"));
    one.with_key("ann", |cart| cart.items.add(1)).unwrap();
    two.with_key("bob", |cart| cart.items.add(1)).unwrap();
    one.commit("").unwrap();
    two.commit("").unwrap();
    assert_eq!((keys(&mut one), keys(&mut two)), (vec!["ann".to_owned()], vec!["bob".to_owned()]));
}

fn keys_of_any_type_come_back<P: Place>(place: P) {
    let keys = [
        (-1_i64, Some("é".to_owned()), vec![]),
        (i64::MAX, None, vec![0_u8, 255, 0]),
        (0, Some(String::new()), vec![1; 300]),
    ];
    #[derive(KeyedState)]
    #[state(key = (i64, Option<String>, Vec<u8>))]
    struct Odd {
        value: ValueState<u8>,
    }
    let mut store = Keyed::<Odd>::open(place.open()).unwrap();
    keys.iter().for_each(|key| store.with_key(key, |state| state.value.set(1)).unwrap());
    assert_eq!(sorted(store.keys().unwrap()), sorted(keys.clone()));
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Odd>::open(place.open()).unwrap();
    assert_eq!(sorted(store.keys().unwrap()), sorted(keys));
}
on_every_backend!(keys_of_any_type_come_back);

#[test]
fn the_empty_key_is_a_key() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Cart>::open(Arc::clone(&backend)).unwrap();
    store.with_key("", |cart| cart.items.add(1)).unwrap();
    assert_eq!(keys(&mut store), [""]);
    store.commit("").unwrap();
    drop(store);
    assert_eq!(keys(&mut Keyed::<Cart>::open(backend).unwrap()), [""]);
}

#[test]
fn a_damaged_record_is_an_error_and_no_missing_key() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Session>::open(Arc::clone(&backend)).unwrap();
    store.with_key("ann", |state| state.value.set(1)).unwrap();
    store.commit("").unwrap();
    let (key, _) = backend.scan(b"").map(Result::unwrap).find(|(key, _)| !key.starts_with(&[0, 0])).unwrap();
    // The one value in the row, and then the row itself.
    for (record, state) in [(of_one(0x8001, b"short"), Some("value")), (b"short".to_vec(), None)] {
        let mut batch = WriteBatch::default();
        batch.put(&key, &record);
        backend.write(batch).unwrap();
        let error = store.keys().unwrap_err();
        assert_eq!((error.kind(), error.operator()), (ErrorKind::Corrupt, Some("session")), "{error}");
        assert_eq!((error.state(), error.key()), (state, Some("\"ann\"")), "{error}");
    }
}
