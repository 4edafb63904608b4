use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    text: &'static str,
    handle: &'static ValueState<u32>,
    array: [u8; 4],
    tuple: (u8, u8),
    function: fn(u8) -> u8,
}

fn main() {}
