//! Values of several versions of a type, side by side.

use crate::{Flight, LaterPlanes, Planes, flight, later, later_flight};
use krishiv_api::{ErrorKind, Keyed, ListState, StateBackend, ValueState};
use krishiv_api::{KeyedState, ManualClock, MapState};
use krishiv_tests::{Place, on_every_backend};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// So long that a value with it lies apart from its row.
fn long(letter: &str) -> String {
    letter.repeat(900)
}

fn write_old<B: StateBackend>(backend: &Arc<B>, keys: std::ops::Range<u32>) {
    let mut store = Keyed::<Planes>::builder().open_volatile(backend);
    store
        .broadcast(|state, scope| {
            state.rules.put(scope, 1, flight("rule", 1));
            state.rules.put(scope, 2, flight("rule", 2));
        })
        .unwrap();
    for key in keys {
        store
            .with_key(&key, |state| {
                state.last.set(flight("UA", key as i32));
                state.worst.merge(flight(&long("w"), 7));
                state.all.add_all([flight("a", 1), flight("b", 2), flight("c", 3)]);
                state.by_gate.put(1, flight("one", 1));
                state.by_gate.put(2, flight("two", 2));
                state.count.set(key);
            })
            .unwrap();
    }
    store.commit("old").unwrap();
}

/// Opens on a backend that a test knows to be one that a crash may empty, as all states here allow.
trait OpenVolatile<S: KeyedState> {
    fn open_volatile<B: StateBackend>(self, backend: &Arc<B>) -> Keyed<S>;
}

impl<S: KeyedState<Needs = krishiv_api::Volatile>> OpenVolatile<S> for krishiv_api::KeyedBuilder<S> {
    fn open_volatile<B: StateBackend>(self, backend: &Arc<B>) -> Keyed<S> {
        self.open(Arc::clone(backend)).unwrap()
    }
}

fn reads_as_later(state: &LaterPlanes, key: u32) {
    assert_eq!(state.last.get(), Some(later_flight("UA", key.into(), None)));
    assert_eq!(state.worst.get(), Some(later_flight(&long("w"), 7, None)));
    let all = [("a", 1), ("b", 2), ("c", 3)].map(|(carrier, delay)| later_flight(carrier, delay, None));
    assert_eq!(state.all.get(), all);
    assert_eq!(state.by_gate.get(&1), Some(later_flight("one", 1, None)));
    assert_eq!(state.by_gate.length(), 2);
    assert_eq!(state.rules.get(&2), Some(later_flight("rule", 2, None)));
    assert_eq!(state.count.get(), Some(key));
}

fn old_values_are_read_mixed_with_new_ones_and_written_in_the_new_form<P: Place>(place: P) {
    let budgets = [1, 256 << 20];
    for (round, budget) in budgets.into_iter().enumerate() {
        let backend = place.open();
        let keys = round as u32 * 100..round as u32 * 100 + 20;
        write_old(&backend, keys.clone());
        drop(backend);
        let backend = place.open();
        let open = || Keyed::<LaterPlanes>::builder().memory_budget(budget).open_volatile(&backend);
        let mut store = open();
        for key in keys.clone() {
            store.with_key(&key, |state| reads_as_later(state, key)).unwrap();
        }
        // Every other key is written, in part.
        for key in keys.clone().step_by(2) {
            store
                .with_key(&key, |state| {
                    state.last.update(|last| last.as_mut().unwrap().gate = Some("C4".into()));
                    state.worst.merge(later_flight("later", 1 << 40, Some("D")));
                    state.all.add(later_flight("d", 4, Some("D")));
                    state.by_gate.put(2, later_flight("two", -2, Some("B")));
                })
                .unwrap();
        }
        store.broadcast(|state, scope| state.rules.put(scope, 3, later_flight("rule", 3, Some("E")))).unwrap();
        store.commit("new").unwrap();
        drop(store);
        let mut store = open();
        for key in keys {
            let read = |state: &LaterPlanes| {
                if key % 2 == 1 {
                    return reads_as_later(state, key);
                }
                assert_eq!(state.last.get(), Some(later_flight("UA", key.into(), Some("C4"))));
                assert_eq!(state.worst.get(), Some(later_flight("later", 1 << 40, Some("D"))));
                let all = state.all.get();
                assert_eq!((all.len(), &all[0]), (4, &later_flight("a", 1, None)));
                assert_eq!(all[3], later_flight("d", 4, Some("D")));
                assert_eq!(state.by_gate.get(&1), Some(later_flight("one", 1, None)));
                assert_eq!(state.by_gate.get(&2), Some(later_flight("two", -2, Some("B"))));
                assert_eq!(state.rules.get(&1), Some(later_flight("rule", 1, None)));
                assert_eq!(state.rules.get(&3), Some(later_flight("rule", 3, Some("E"))));
                assert_eq!(state.count.get(), Some(key));
            };
            store.with_key(&key, read).unwrap();
        }
    }
}

fn an_older_program_goes_on_with_what_a_newer_one_has_written<P: Place>(place: P) {
    let backend = place.open();
    write_old(&backend, 0..4);
    let mut store = Keyed::<LaterPlanes>::builder().open_volatile(&backend);
    store
        .with_key(&1, |state| {
            state.last.set(later_flight("later", 5, Some("C")));
            state.all.add(later_flight("d", 4, Some("D")));
        })
        .unwrap();
    store.with_key(&2, |state| state.last.set(later_flight("too much", 1 << 40, None))).unwrap();
    store.commit("new").unwrap();
    drop(store);

    let mut store = Keyed::<Planes>::builder().open_volatile(&backend);
    store.with_key(&0, |state| assert_eq!(state.last.get(), Some(flight("UA", 0)))).unwrap();
    store
        .with_key(&1, |state| {
            assert_eq!(state.last.get(), Some(flight("later", 5)));
            assert_eq!(state.all.get().last(), Some(&flight("d", 4)));
            state.all.add(flight("e", 5));
        })
        .unwrap();
    // What does not fit the narrower number is an error of its key, and stays as it is.
    let error = store.with_key(&2, |state| state.last.get()).unwrap_err();
    assert_eq!(
        (error.state(), error.key(), error.kind()),
        (Some("last"), Some("2"), ErrorKind::Incompatible),
        "{error}"
    );
    store.with_key(&2, |state| state.count.set(22)).unwrap();
    store.commit("back").unwrap();
    drop(store);

    // And the newer one again.
    let mut store = Keyed::<LaterPlanes>::builder().open_volatile(&backend);
    let read = |state: &LaterPlanes| (state.last.get(), state.count.get());
    let found = store.with_key(&2, read).unwrap();
    assert_eq!(found, (Some(later_flight("too much", 1 << 40, None)), Some(22)));
    let all = store.with_key(&1, |state| state.all.get()).unwrap();
    assert_eq!(all[3..], [later_flight("d", 4, Some("D")), later_flight("e", 5, None)]);
}

fn stores_of_two_versions_share_an_operator<P: Place>(place: P) {
    let backend = place.open();
    let mut old = Keyed::<Planes>::builder().key_groups(0..64).open_volatile(&backend);
    let mut new = Keyed::<LaterPlanes>::builder().key_groups(64..128).open_volatile(&backend);
    old.broadcast(|state, scope| state.rules.put(scope, 1, flight("old", 1))).unwrap();
    new.broadcast(|state, scope| state.rules.put(scope, 2, later_flight("new", 2, Some("G")))).unwrap();
    let of = |store: &dyn Fn(u32) -> u16, range: std::ops::Range<u16>| (0..).find(|key| range.contains(&store(*key)));
    let old_key = of(&|key| old.key_group(&key).unwrap(), 0..64).unwrap();
    let new_key = of(&|key| new.key_group(&key).unwrap(), 64..128).unwrap();
    let seen = old.with_key(&old_key, |state| state.rules.entries()).unwrap();
    assert_eq!(seen, [(1, flight("old", 1)), (2, flight("new", 2))]);
    let seen = new.with_key(&new_key, |state| state.rules.entries()).unwrap();
    assert_eq!(seen, [(1, later_flight("old", 1, None)), (2, later_flight("new", 2, Some("G")))]);
    old.with_key(&old_key, |state| state.last.set(flight("UA", 1))).unwrap();
    new.with_key(&new_key, |state| state.last.set(later_flight("UA", 2, Some("H")))).unwrap();
    old.commit("a").unwrap();
    new.commit("b").unwrap();
    drop((old, new));
    let mut all = Keyed::<LaterPlanes>::builder().open_volatile(&backend);
    assert_eq!(all.with_key(&old_key, |state| state.last.get()).unwrap(), Some(later_flight("UA", 1, None)));
    assert_eq!(all.with_key(&new_key, |state| state.last.get()).unwrap(), Some(later_flight("UA", 2, Some("H"))));
}

/// A number, where older values are, and a text, which only bytes that describe themselves can tell from one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u32),
    Text(String),
}

#[derive(KeyedState)]
#[state(key = u8, name = "ids")]
struct Numbers {
    one: ValueState<u32>,
    #[state(ttl = "10s", ttl_update = "read_and_write")]
    renewed: ValueState<u32>,
    #[state(ttl = "10s", ttl_update = "read_and_write")]
    list: ListState<u32>,
    shrinks: ListState<u32>,
    #[state(ttl = "10s", ttl_update = "read_and_write")]
    map: MapState<u8, u32>,
}

#[derive(KeyedState)]
#[state(key = u8, name = "ids")]
struct Ids {
    one: ValueState<Id>,
    #[state(ttl = "10s", ttl_update = "read_and_write")]
    renewed: ValueState<Id>,
    #[state(ttl = "10s", ttl_update = "read_and_write")]
    list: ListState<Id>,
    shrinks: ListState<Id>,
    #[state(ttl = "10s", ttl_update = "read_and_write")]
    map: MapState<u8, Id>,
}

fn what_is_written_again_without_being_set_is_written_by_a_codec_that_holds_it<P: Place>(place: P) {
    let clock = Arc::new(ManualClock::new(0));
    let backend = place.open();
    let mut store = Keyed::<Numbers>::builder().clock(Arc::clone(&clock)).open_volatile(&backend);
    store
        .with_key(&1, |state| {
            state.one.set(1);
            state.renewed.set(2);
            state.list.add_all([3, 4, 5]);
            state.shrinks.add_all([6, 7, 8]);
            state.map.put(1, 9);
        })
        .unwrap();
    store.commit("").unwrap();
    drop(store);
    let number = Id::Number;
    for round in 0..3 {
        clock.advance(5_000);
        let mut store = Keyed::<Ids>::builder().clock(Arc::clone(&clock)).open_volatile(&backend);
        store
            .with_key(&1, |state| {
                assert_eq!(state.one.get(), Some(number(1)));
                assert_eq!(state.renewed.get(), Some(number(2)));
                assert_eq!(state.list.get()[..3], [3, 4, 5].map(number));
                assert_eq!(state.map.get(&1), Some(number(9)));
                if round == 0 {
                    state.shrinks.retain(|id| *id != number(7));
                    state.list.add(Id::Text("new".into()));
                }
                assert_eq!(state.shrinks.get(), [6, 8].map(number));
            })
            .unwrap();
        store.commit("").unwrap();
    }
}

fn a_handle_by_name_reads_values_of_another_version<P: Place>(place: P) {
    let backend = place.open();
    write_old(&backend, 0..1);
    let mut store = Keyed::<krishiv_api::Dynamic<u32>>::builder().operator("planes").open_volatile(&backend);
    let last = ValueState::<later::Flight>::new("last");
    assert_eq!(store.with_key(&0, |_| last.get()).unwrap(), Some(later_flight("UA", 0, None)));
    let wrong = ListState::<Flight>::new("last");
    assert!(store.with_key(&0, |_| wrong.get()).is_err());
}

on_every_backend!(
    old_values_are_read_mixed_with_new_ones_and_written_in_the_new_form,
    an_older_program_goes_on_with_what_a_newer_one_has_written,
    stores_of_two_versions_share_an_operator,
    what_is_written_again_without_being_set_is_written_by_a_codec_that_holds_it,
    a_handle_by_name_reads_values_of_another_version,
);
