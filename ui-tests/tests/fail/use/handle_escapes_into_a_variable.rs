use krishiv_api::{BroadcastState, InMemoryStateBackend, Keyed, KeyedState, ValueState};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String)]
struct Aircraft {
    late: ValueState<u32>,
    rules: BroadcastState<String, i32>,
}

fn main() {
    let mut store = Keyed::<Aircraft>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    let mut escaped = None;
    let _ = store.with_key("N14228", |state| escaped = Some(&state.late));
    escaped.unwrap().set(1);
}
