use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64, key = u32)]
struct Aircraft {
    #[state(ttl = "7d", ttl = "8d")]
    late: ValueState<u32>,
    #[state(skip, skip)]
    log: Vec<u32>,
}

fn main() {}
