use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64, ttl = "7d", skip, reduce = i32::max)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
