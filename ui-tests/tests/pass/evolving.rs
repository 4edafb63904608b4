//! Former names, states that are given up, and migrations, in all forms.

use krishiv_api::{BroadcastState, Dynamic, InMemoryStateBackend, Keyed, KeyedState, ListState, MapState, ReducingState, ValueState};
use std::sync::Arc;

fn wider(old: u8) -> u64 {
    old.into()
}

fn parsed(old: String) -> Result<u64, std::num::ParseIntError> {
    old.parse()
}

mod functions {
    pub fn of_pair<T: Into<u64>>((a, b): (T, T)) -> u64 {
        a.into() + b.into()
    }
}

#[derive(KeyedState)]
#[state(key = u8, name = "planes", renamed_from("aircraft", "machines"), dropped = "rules")]
struct Planes {
    #[state(renamed_from = "old", migrate(from = String, with = parsed))]
    value: ValueState<u64>,
    #[state(migrate(from = u8, with = wider), migrate(from = (u32, u32), with = functions::of_pair,))]
    list: ListState<u64>,
    #[state(migrate(from = (u32, u32), with = functions::of_pair::<u32>))]
    map: MapState<u8, u64>,
    #[state(reduce = u64::max, migrate(from = String, with = parsed))]
    reducing: ReducingState<u64>,
    #[state(migrate(from = u8, with = wider), renamed_from("a", "b"))]
    broadcast: BroadcastState<u8, u64>,
}

#[derive(KeyedState)]
#[state(key = u8)]
struct Generic<T: Into<u64> + serde::Serialize + serde::de::DeserializeOwned + Send + Sync + Clone + 'static> {
    #[state(migrate(from = T, with = T::into))]
    value: ValueState<u64>,
    other: ValueState<T>,
}

fn main() {
    assert_eq!((Planes::RENAMED_FROM, Planes::DROPPED), (&["aircraft", "machines"][..], &["rules"][..]));
    assert_eq!(Planes::DESCRIPTORS[0].renamed_from(), ["old"]);
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Dynamic<u8>>::builder().operator("machines").open(backend.clone()).unwrap();
    store.with_key(&1, |_| ValueState::<String>::new("old").set("77".into())).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Planes>::open(backend).unwrap();
    assert_eq!(store.with_key(&1, |state| state.value.get()).unwrap(), Some(77));
    drop(Keyed::<Generic<u32>>::open(Arc::new(InMemoryStateBackend::new())).unwrap());
}
