use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    pair: (u8, String),
    handles: (ValueState<u32>, ListState<u8>),
    unit: (),
    right: ValueState<u32>,
}

fn main() {}
