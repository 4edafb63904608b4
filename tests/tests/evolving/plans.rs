//! What is said before a store opens.

use crate::{LaterPlanes, Planes, flight};
use krishiv_api::{
    ErrorKind, InMemoryStateBackend, Keyed, KeyedState, ListState, MapState, StateBackend, ValueState, Verdict,
};
use krishiv_tests::{Place, on_every_backend};
use std::sync::Arc;

fn stored() -> Arc<InMemoryStateBackend> {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Planes>::open(Arc::clone(&backend)).unwrap();
    store.with_key(&1, |state| state.last.set(flight("UA", 1))).unwrap();
    store.commit("").unwrap();
    backend
}

fn dump(backend: &InMemoryStateBackend) -> Vec<(Vec<u8>, Vec<u8>)> {
    backend.scan(b"").map(Result::unwrap).collect()
}

#[test]
fn a_plan_says_what_becomes_of_each_state_and_writes_nothing() {
    let backend = stored();
    let before = dump(&backend);
    let plan = Keyed::<LaterPlanes>::builder().plan(&backend).unwrap();
    assert!(plan.opens());
    assert_eq!(plan.operator(), "planes");
    assert!(matches!(plan.states()[0].verdict(), Verdict::Readable { changes } if changes.len() >= 2), "{plan}");
    assert_eq!(plan.states()[5].verdict(), &Verdict::Same);
    let same = Keyed::<Planes>::builder().plan(&backend).unwrap();
    assert!(same.states().iter().all(|state| *state.verdict() == Verdict::Same), "{same}");
    assert_eq!(dump(&backend), before);
    drop(Keyed::<LaterPlanes>::open(Arc::clone(&backend)).unwrap());
    assert_eq!(dump(&backend), before, "nor does opening");
}

#[derive(KeyedState)]
#[state(key = u32, name = "planes")]
#[allow(dead_code)]
struct Misfits {
    last: ValueState<Vec<u8>>,
    all: MapState<u8, u32>,
    by_gate: MapState<String, crate::Flight>,
    new: ListState<u8>,
    count: ValueState<u16>,
}

#[test]
fn a_store_is_refused_with_the_text_of_its_plan() {
    let backend = stored();
    let plan = Keyed::<Misfits>::builder().plan(&backend).unwrap();
    let verdicts: Vec<_> = plan.states().iter().map(|state| (state.state(), state.verdict().to_string())).collect();
    let expected = [
        ("last", "needs a migration"),
        ("all", "impossible"),
        ("by_gate", "impossible"),
        ("new", "new"),
        ("count", "readable"),
        ("rules", "not declared, stays"),
        ("worst", "not declared, stays"),
    ];
    let expected = expected.map(|(state, verdict)| (state, verdict.to_owned()));
    assert_eq!(verdicts, expected, "{plan}");
    let error = Keyed::<Misfits>::open(Arc::clone(&backend)).err().unwrap();
    assert_eq!((error.kind(), error.state()), (ErrorKind::Incompatible, Some("last")));
    assert!(plan.to_string().contains(&error.cause().to_string()), "{plan}\n{error}");
}

#[test]
fn another_key_is_said_by_the_plan() {
    #[derive(KeyedState)]
    #[state(key = String, name = "planes")]
    struct ByName {
        count: ValueState<u32>,
    }
    let backend = stored();
    let plan = Keyed::<ByName>::builder().plan(&backend).unwrap();
    assert!(!plan.opens() && plan.to_string().contains("the stored key is u32"), "{plan}");
    let error = Keyed::<ByName>::open(backend).err().unwrap();
    assert!(plan.to_string().contains(&error.cause().to_string()), "{plan}\n{error}");
}

fn what_cannot_be_read_is_counted_wherever_it_lies<P: Place>(place: P) {
    use krishiv_api::{BroadcastState, ReducingState};

    #[derive(KeyedState)]
    #[state(key = u32, name = "numbers")]
    struct Wide {
        one: ValueState<u64>,
        worst: ReducingState<Vec<u64>>,
        all: ListState<u64>,
        by_gate: MapState<u8, u64>,
        rules: BroadcastState<u8, u64>,
        #[state(ttl = "7d")]
        timed: ValueState<u64>,
    }

    #[derive(KeyedState)]
    #[state(key = u32, name = "numbers")]
    struct Narrow {
        one: ValueState<u8>,
        worst: ReducingState<Vec<u8>>,
        all: ListState<u8>,
        by_gate: MapState<u8, u8>,
        rules: BroadcastState<u8, u8>,
        #[state(ttl = "7d")]
        timed: ValueState<u8>,
        new: ValueState<u8>,
    }

    let backend = place.open();
    let mut store = Keyed::<Wide>::open(Arc::clone(&backend)).unwrap();
    for key in 0..20 {
        store
            .with_key(&key, |state| {
                let number = if key % 10 == 7 { 1_000 } else { u64::from(key) };
                state.one.set(number);
                // Some lie apart from their row.
                state.worst.merge(vec![number; if key % 2 == 1 { 900 } else { 1 }]);
                state.all.add_all([1, number]);
                state.by_gate.put(key as u8, number);
                state.timed.set(number);
            })
            .unwrap();
    }
    store.broadcast(|state, scope| (0..3).for_each(|key| state.rules.put(scope, key, u64::from(key) * 200))).unwrap();
    store.commit("").unwrap();
    drop(store);
    let plan = Keyed::<Narrow>::builder().plan(&backend).unwrap();
    let mut told = Vec::new();
    let counted = plan.count(|records| told.push(records)).unwrap();
    let found: Vec<_> = counted.iter().map(|state| (state.state(), state.values(), state.unreadable())).collect();
    let keyed = |name| (name, 20, 2);
    let expected = ["one", "worst", "all", "by_gate"].map(keyed);
    assert_eq!(found[..4], expected, "{plan}");
    assert_eq!(found[4..], [("rules", 3, 1), keyed("timed")]);
    assert!(told.last().is_some_and(|records| *records >= 60), "{told:?}");
    let error = counted[2].first().unwrap();
    assert_eq!((error.state(), error.key().is_some()), (Some("all"), true), "{error}");
    // By the program that has written them, all of them read.
    let plan = Keyed::<Wide>::builder().plan(&backend).unwrap();
    assert!(plan.count(|_| ()).unwrap().iter().all(|state| state.unreadable() == 0));
}

on_every_backend!(what_cannot_be_read_is_counted_wherever_it_lies);
