use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String, durable)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {
    let _store = Keyed::<Aircraft>::open(Arc::new(InMemoryStateBackend::new()));
}
