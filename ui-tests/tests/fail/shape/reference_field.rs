use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    handle: &'static ValueState<u32>,
    number: &'static u64,
    slice: &'static [u8],
    pointer: *const u8,
    right: ValueState<u32>,
}

fn main() {}
