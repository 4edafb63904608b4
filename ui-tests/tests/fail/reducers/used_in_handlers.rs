//! One message for the reducer, and none for what uses the state.

use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ReducingState, StateError, ValueState};
use std::sync::Arc;

fn one(a: i32) -> i32 {
    a
}

#[derive(KeyedState)]
#[state(key = String)]
struct Aircraft {
    late: ValueState<u32>,
    #[state(reduce = one)]
    worst: ReducingState<i32>,
}

fn count(store: &mut Keyed<Aircraft>) -> Result<(), StateError> {
    for tail in ["N14228", "N24211"] {
        store.with_key(tail, |state| state.late.set(1))?;
        store.try_with_key(tail, |state| state.late.try_set(2))?;
    }
    store.for_each_key(|key, _| println!("{}", key.len()))?;
    store.commit("7")
}

fn main() {
    let mut store = Keyed::<Aircraft>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    count(&mut store).unwrap();
    assert_eq!(Aircraft::DESCRIPTORS.len(), 1);
}
