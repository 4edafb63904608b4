use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64, crate = krishiv_api::<u8>)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
