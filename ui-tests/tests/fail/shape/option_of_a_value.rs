use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: Option<u32>,
    right: ValueState<u32>,
}

fn main() {}
