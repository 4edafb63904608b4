use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttl = "0d")]
    days: ValueState<u32>,
    #[state(ttl = "000ms")]
    milliseconds: ValueState<u32>,
}

fn main() {}
