use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64, name = "__krishiv_catalog")]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
