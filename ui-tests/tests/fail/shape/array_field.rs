use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    bytes: [u8; 4],
    handles: [ValueState<u32>; 4],
    right: ValueState<u32>,
}

fn main() {}
