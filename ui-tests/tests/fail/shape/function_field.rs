use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    merge: fn(u8, u8) -> u8,
    right: ValueState<u32>,
}

fn main() {}
