use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64, key = u32)]
#[state(durable, durable)]
struct Aircraft {
    #[state(ttl = "7d", ttl = "8d")]
    late: ValueState<u32>,
    #[state(name = "a")]
    #[state(name = "b", skip, skip)]
    log: ListState<u32>,
}

fn main() {}
