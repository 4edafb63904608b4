use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {
    let mut store = Keyed::<Aircraft>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    let _ = store.with_key("N14228", |state| {
        std::thread::scope(|scope| {
            scope.spawn(|| state.late.set(1));
        });
    });
}
