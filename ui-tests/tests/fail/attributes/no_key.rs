use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(durable)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
