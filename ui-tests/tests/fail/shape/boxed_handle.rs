use krishiv_api::{KeyedState, MapState, ValueState};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: Box<ValueState<u32>>,
    shared: Arc<MapState<String, u32>>,
    cell: std::cell::RefCell<u32>,
    right: ValueState<u32>,
}

fn main() {}
