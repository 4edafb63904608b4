use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64, crate = no_such_crate)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
