use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttl = "7d", ttl_update = "read_and_writes")]
    late: ValueState<u32>,
    #[state(ttl = "7d", ttl_update = "always")]
    log: ListState<u32>,
}

fn main() {}
