use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueStat<u32>,
    right: ValueState<u32>,
}

fn main() {}
