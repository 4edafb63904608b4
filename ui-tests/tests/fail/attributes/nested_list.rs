use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttl("7d", clock = "event"))]
    late: ValueState<u32>,
}

fn main() {}
