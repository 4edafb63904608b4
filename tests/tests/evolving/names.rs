//! States and operators that have another name now, or are given up.

use krishiv_api::{
    BroadcastState, Cause, Dynamic, InMemoryStateBackend, Keyed, KeyedState, ListState, MapState, StateBackend,
    StateError, ValueState,
};
use krishiv_tests::{Place, on_every_backend};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = u8, name = "planes")]
struct Before {
    streak: ValueState<u32>,
    delays: ListState<i32>,
    rules: BroadcastState<u8, u8>,
    other: ValueState<String>,
}

#[derive(KeyedState)]
#[state(key = u8, name = "aircraft", renamed_from("machines", "planes"))]
struct After {
    #[state(renamed_from = "streak")]
    late_streak: ValueState<u32>,
    #[state(renamed_from("late", "delays"))]
    recent_delays: ListState<i32>,
    #[state(renamed_from = "rules")]
    limits: BroadcastState<u8, u8>,
    other: ValueState<String>,
}

fn fill(backend: &Arc<impl StateBackend>) {
    let mut store = Keyed::<Before>::open(Arc::clone(backend)).unwrap();
    store
        .with_key(&1, |state| {
            state.streak.set(7);
            state.delays.add_all([1, 2]);
            state.other.set("x".repeat(900));
        })
        .unwrap();
    store.broadcast(|state, scope| state.rules.put(scope, 1, 2)).unwrap();
    store.commit("line 7").unwrap();
}

fn what_is_renamed_goes_on_and_a_rollback_finds_the_states_again<P: Place>(place: P) {
    let backend = place.open();
    fill(&backend);
    for round in 0..2 {
        let plan = Keyed::<After>::builder().plan(&backend).unwrap();
        let former: Vec<_> = plan.states().iter().map(|state| state.renamed_from()).collect();
        let expected = if round == 0 { [Some("streak"), Some("delays"), Some("rules"), None] } else { [None; 4] };
        assert_eq!(former, expected, "{plan}");
        let mut store = Keyed::<After>::open(Arc::clone(&backend)).unwrap();
        assert_eq!((store.position(), store.undeclared()), (Some(&b"line 7"[..]), &[][..]));
        store
            .with_key(&1, |state| {
                assert_eq!((state.late_streak.get(), state.limits.get(&1)), (Some(7), Some(2)));
                assert_eq!(state.recent_delays.get(), [1, 2]);
                state.late_streak.set(7);
            })
            .unwrap();
        store.commit("line 7").unwrap();
    }
    let stored = Keyed::<After>::open(Arc::clone(&backend)).unwrap().stored_operators().unwrap();
    let names: Vec<_> = stored.iter().map(|operator| operator.name()).collect();
    assert_eq!(names, ["aircraft"]);
    // The program of before would begin anew under the old name of the operator: it has to say that it is the same.
    let error = Keyed::<Before>::open(Arc::clone(&backend)).err().unwrap();
    assert!(error.to_string().contains("renamed to `aircraft`"), "{error}");
    let back = || Keyed::<Before>::builder().renamed_from("aircraft");
    let mut store = back().open(Arc::clone(&backend)).unwrap();
    store.with_key(&1, |state| assert_eq!((state.streak.get(), state.delays.get()), (Some(7), vec![1, 2]))).unwrap();
    store.commit("back").unwrap();
    drop(store);
    // And forth.
    let mut store = Keyed::<After>::open(Arc::clone(&backend)).unwrap();
    store.with_key(&1, |state| assert_eq!(state.late_streak.get(), Some(7))).unwrap();
}

#[derive(KeyedState)]
#[state(key = u8, name = "planes", dropped("delays", "rules", "other"))]
struct Without {
    streak: ValueState<u32>,
}

fn what_is_dropped_is_gone_at_once_and_its_records_by_and_by<P: Place>(place: P) {
    let backend = place.open();
    fill(&backend);
    let plan = Keyed::<Without>::builder().plan(&backend).unwrap();
    assert_eq!(plan.states().len(), 4, "{plan}");
    let text = plan.to_string();
    assert!(text.contains("state `other`: dropped, will be deleted\n    ValueState<str>\n"), "{text}");
    // Opening alone gives nothing up.
    drop(Keyed::<Without>::open(Arc::clone(&backend)).unwrap());
    assert_eq!(Keyed::<Before>::open(Arc::clone(&backend)).unwrap().undeclared(), []);
    let mut store = Keyed::<Without>::open(Arc::clone(&backend)).unwrap();
    assert_eq!(store.undeclared(), []);
    store.with_key(&1, |state| state.streak.update(|streak| *streak = streak.map(|streak| streak + 1))).unwrap();
    store.commit("given up").unwrap();
    store.sweep().unwrap();
    drop(store);
    let of_groups = |(key, _): &(Vec<u8>, Vec<u8>)| !key.starts_with(&[0, 0]) && key[2..4] != [0xff, 0xff];
    let left = backend.scan(b"").map(Result::unwrap).filter(of_groups).count();
    // A wrapper shows nothing of what lies behind it.
    assert!(left <= 1, "more than the row of one value: {left}");
    // The names are free: the old program begins anew with them, and finds none of what was there.
    let mut store = Keyed::<Before>::open(Arc::clone(&backend)).unwrap();
    store
        .with_key(&1, |state| {
            assert_eq!((state.streak.get(), state.other.get(), state.rules.get(&1)), (Some(8), None, None));
            assert_eq!(state.delays.get(), [0; 0]);
            state.delays.add(3);
        })
        .unwrap();
    store.commit("anew").unwrap();
    drop(store);
    let mut store = Keyed::<Before>::open(Arc::clone(&backend)).unwrap();
    assert_eq!(store.with_key(&1, |state| state.delays.get()).unwrap(), [3]);
}

fn a_key_that_has_only_what_is_dropped_is_no_key_any_more<P: Place>(place: P) {
    let backend = place.open();
    fill(&backend);
    let mut store = Keyed::<Before>::open(Arc::clone(&backend)).unwrap();
    store.with_key(&2, |state| state.other.set("x".into())).unwrap();
    store.with_key(&3, |state| state.delays.add(1)).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Without>::open(Arc::clone(&backend)).unwrap();
    assert_eq!(store.keys().unwrap(), [1]);
    store.commit("").unwrap();
    assert_eq!(store.keys().unwrap(), [1]);
}

on_every_backend!(
    what_is_renamed_goes_on_and_a_rollback_finds_the_states_again,
    what_is_dropped_is_gone_at_once_and_its_records_by_and_by,
    a_key_that_has_only_what_is_dropped_is_no_key_any_more,
);

#[derive(KeyedState)]
#[state(key = u8, name = "planes")]
struct Both {
    #[state(renamed_from = "streak")]
    late_streak: ValueState<u32>,
}

#[test]
fn a_name_that_clashes_with_a_live_state_or_operator_is_refused() {
    let backend = Arc::new(InMemoryStateBackend::new());
    fill(&backend);
    let mut store = Keyed::<Dynamic<u8>>::builder().operator("planes").open(Arc::clone(&backend)).unwrap();
    store.with_key(&1, |_| ValueState::<u32>::new("late_streak").set(1)).unwrap();
    store.commit("").unwrap();
    drop(store);
    let error = Keyed::<Both>::open(Arc::clone(&backend)).err().unwrap();
    assert_eq!(error.state(), Some("late_streak"));
    assert!(error.to_string().contains("both `late_streak` and `streak`"), "{error}");
    let plan = Keyed::<Both>::builder().plan(&backend).unwrap();
    assert!(!plan.opens() && plan.to_string().contains(&error.cause().to_string()), "{plan}");

    let mut other = Keyed::<Dynamic<u8>>::builder().operator("aircraft").open(Arc::clone(&backend)).unwrap();
    other.commit("").unwrap();
    drop(other);
    let error = Keyed::<After>::open(Arc::clone(&backend)).err().unwrap();
    assert!(matches!(error.cause(), Cause::Setting { .. }), "{error}");
    assert!(error.to_string().contains("`aircraft`") && error.to_string().contains("`planes`"), "{error}");
}

#[test]
fn an_operator_that_is_open_keeps_its_name_and_its_states() -> Result<(), StateError> {
    let backend = Arc::new(InMemoryStateBackend::new());
    fill(&backend);
    let half = |range| Keyed::<Before>::builder().key_groups(range).open(Arc::clone(&backend));
    let open = half(0..64)?;
    let error = Keyed::<After>::builder().key_groups(64..128).open(Arc::clone(&backend)).err().unwrap();
    assert!(error.to_string().contains("open as `planes`"), "{error}");
    let error = Keyed::<Without>::builder().key_groups(64..128).open(Arc::clone(&backend)).err().unwrap();
    assert!(error.to_string().contains("close that one first"), "{error}");
    half(64..128)?;
    drop(open);
    let renamed = Keyed::<After>::builder().key_groups(64..128).open(Arc::clone(&backend))?;
    assert!(half(0..64).is_err());
    drop(renamed);
    half(0..64).map(drop)
}

#[test]
fn a_map_under_a_former_name_of_another_kind_is_refused() {
    #[derive(KeyedState)]
    #[state(key = u8, name = "planes")]
    struct Map {
        #[state(renamed_from = "streak")]
        streaks: MapState<u8, u32>,
    }
    let backend = Arc::new(InMemoryStateBackend::new());
    fill(&backend);
    let error = Keyed::<Map>::open(backend).err().unwrap();
    assert!(matches!(error.cause(), Cause::Mismatch { what: "kind", .. }), "{error}");
}
