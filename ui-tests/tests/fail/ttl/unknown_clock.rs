use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttl = "7d", clock = "Event")]
    late: ValueState<u32>,
    #[state(ttl = "7d", clock = "wall")]
    log: ListState<u32>,
}

fn main() {}
