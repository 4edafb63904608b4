use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String)]
struct Aircraft {
    late: ValueState<u32>,
}

async fn look_up(_: &str) -> u32 {
    7
}

async fn on_event(store: &mut Keyed<Aircraft>) {
    let _ = store.with_key("N14228", |state| state.late.set(look_up("N14228").await));
}

fn main() {
    let mut store = Keyed::<Aircraft>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    drop(on_event(&mut store));
}
