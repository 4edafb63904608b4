use krishiv_api::{Keyed, KeyedState, StateBackend, StateError, ValueState};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String, durable)]
struct Aircraft {
    late: ValueState<u32>,
}

fn open<B: StateBackend>(backend: Arc<B>) -> Result<Keyed<Aircraft>, StateError> {
    Keyed::open(backend)
}

fn main() {}
