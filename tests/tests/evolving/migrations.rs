//! Functions of the program that make today's values of older ones.

use krishiv_api::{
    BroadcastState, Cause, ErrorKind, Keyed, KeyedState, ListState, MapState, ReducingState, ValueState,
};
use krishiv_tests::{Place, on_every_backend};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Minutes(i32);

/// As text, like `1h05`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Spelled {
    text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Seconds {
    seconds: i64,
}

fn of_minutes(Minutes(minutes): Minutes) -> Seconds {
    Seconds { seconds: i64::from(minutes) * 60 }
}

fn of_spelled(Spelled { text }: Spelled) -> Result<Seconds, String> {
    let (hours, minutes) = text.split_once('h').ok_or_else(|| format!("`{text}` has no hours"))?;
    let number = |text: &str| text.parse::<i64>().map_err(|error| error.to_string());
    Ok(Seconds { seconds: number(hours)? * 3_600 + number(minutes)? * 60 })
}

macro_rules! program {
    ($name:ident, $value:ty $(, $attr:meta)*) => {
        #[derive(KeyedState)]
        #[state(key = u32, name = "delays")]
        struct $name {
            $(#[$attr])*
            one: ValueState<$value>,
            $(#[$attr])*
            worst: ReducingState<$value>,
            $(#[$attr])*
            all: ListState<$value>,
            $(#[$attr])*
            by_gate: MapState<u8, $value>,
            $(#[$attr])*
            rules: BroadcastState<u8, $value>,
            count: ValueState<u32>,
        }
    };
}

program!(First, Minutes);
program!(Second, Spelled, state(migrate(from = Minutes, with = spelled)));
program!(Third, Seconds, state(migrate(from = Minutes, with = of_minutes), migrate(from = Spelled, with = of_spelled)));
program!(WithoutMigration, Seconds);

fn spelled(Minutes(minutes): Minutes) -> Spelled {
    Spelled { text: format!("{}h{:02}", minutes / 60, minutes % 60) }
}

macro_rules! write {
    ($store:expr, $keys:expr, $of:expr) => {{
        let mut store = $store;
        for key in $keys {
            store
                .with_key(&key, |state| {
                    state.one.set($of(key as i32));
                    state.worst.merge($of(1));
                    state.all.add_all([$of(2), $of(3)]);
                    state.by_gate.put(1, $of(4));
                    state.count.set(key);
                })
                .unwrap();
        }
        store.broadcast(|state, scope| state.rules.put(scope, 1, $of(61))).unwrap();
        store.commit("").unwrap();
    }};
}

fn reads(state: &Third, key: u32) {
    let minutes = |minutes: i64| Seconds { seconds: minutes * 60 };
    assert_eq!(state.one.get(), Some(minutes(key.into())));
    assert_eq!((state.worst.get(), state.by_gate.get(&1)), (Some(minutes(1)), Some(minutes(4))));
    assert_eq!(state.all.get(), [2, 3].map(minutes));
    assert_eq!(state.rules.get(&1), Some(minutes(61)));
    assert_eq!(state.count.get(), Some(key));
}

fn values_of_two_older_types_become_those_of_today<P: Place>(place: P) {
    let backend = place.open();
    write!(Keyed::<First>::open(Arc::clone(&backend)).unwrap(), 0..10, Minutes);
    write!(Keyed::<Second>::open(Arc::clone(&backend)).unwrap(), 10..20, |minutes| spelled(Minutes(minutes)));
    let plan = Keyed::<Third>::builder().plan(&backend).unwrap();
    assert!(plan.opens() && plan.to_string().contains("made of struct Spelled"), "{plan}");
    let plan = Keyed::<WithoutMigration>::builder().plan(&backend).unwrap();
    let error = Keyed::<WithoutMigration>::open(Arc::clone(&backend)).err().unwrap();
    assert!(!plan.opens() && plan.to_string().contains(&error.cause().to_string()), "{plan}");
    for budget in [1, 1 << 20, 1] {
        let mut store = Keyed::<Third>::builder().memory_budget(budget).open(Arc::clone(&backend)).unwrap();
        for key in 0..20 {
            store.with_key(&key, |state| reads(state, key)).unwrap();
        }
        // A third is written again each time.
        for key in (budget as u32 % 3..20).step_by(3) {
            store.with_key(&key, |state| state.count.set(key)).unwrap();
        }
        store.commit("").unwrap();
    }
}

fn a_migration_that_fails_on_one_key_undoes_its_event_alone<P: Place>(place: P) {
    let backend = place.open();
    let good = |minutes| spelled(Minutes(minutes));
    write!(Keyed::<Second>::open(Arc::clone(&backend)).unwrap(), 0..5, good);
    let mut store = Keyed::<Second>::open(Arc::clone(&backend)).unwrap();
    store.with_key(&3, |state| state.one.set(Spelled { text: "soon".into() })).unwrap();
    store.with_key(&4, |state| state.all.add(Spelled { text: "later".into() })).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Third>::builder().memory_budget(1).open(Arc::clone(&backend)).unwrap();
    for _ in 0..2 {
        for key in 0..3 {
            store.with_key(&key, |state| reads(state, key)).unwrap();
        }
        let error = store
            .with_key(&3, |state| {
                state.count.set(99);
                state.one.get()
            })
            .unwrap_err();
        assert!(matches!(error.cause(), Cause::Migration { .. }), "{error}");
        assert_eq!((error.operator(), error.state(), error.key()), (Some("delays"), Some("one"), Some("3")));
        assert_eq!(error.kind(), ErrorKind::Incompatible);
        assert!(error.to_string().contains("`soon` has no hours"), "{error}");
        let error = store.with_key(&4, |state| state.all.get()).unwrap_err();
        assert_eq!((error.state(), error.key()), (Some("all"), Some("4")), "{error}");
        // The rest of the row can be written, and what could not be read stays.
        assert_eq!(store.with_key(&3, |state| state.count.get()).unwrap(), Some(3));
        store.with_key(&3, |state| state.count.set(3)).unwrap();
        store.with_key(&4, |state| state.one.set(Seconds { seconds: 1 })).unwrap();
        store.commit("").unwrap();
    }
    drop(store);
    let mut old = Keyed::<Second>::builder();
    old = old.memory_budget(1);
    // The program of before reads its own values; of those of the later type it would need a function.
    assert!(old.open(Arc::clone(&backend)).is_err());
    let mut store = Keyed::<Third>::open(backend).unwrap();
    store.with_key(&3, |state| state.one.set(Seconds { seconds: 5 })).unwrap();
    assert_eq!(store.with_key(&3, |state| state.one.get()).unwrap(), Some(Seconds { seconds: 5 }));
}

on_every_backend!(
    values_of_two_older_types_become_those_of_today,
    a_migration_that_fails_on_one_key_undoes_its_event_alone,
);
