use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {
    let store = Arc::new(Keyed::<Aircraft>::open(Arc::new(InMemoryStateBackend::new())).unwrap());
    std::thread::spawn(move || store.watermark());
}
