use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {
    let mut store = Keyed::<Aircraft>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    let _ = store.for_each_event([14228_u64], |key| key, |state, _| state.late.set(1));
}
