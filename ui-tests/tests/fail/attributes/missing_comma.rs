use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64 durable name = "planes")]
struct Aircraft {
    #[state(ttl = "7d" clock = "event")]
    late: ValueState<u32>,
    #[state(, ttl = "1h",, clock = "event")]
    log: ListState<u32>,
}

fn main() {}
