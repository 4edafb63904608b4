use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttl = "7days")]
    days: ValueState<u32>,
    #[state(ttl = "7D")]
    capital: ValueState<u32>,
    #[state(ttl = "2w")]
    weeks: ValueState<u32>,
}

fn main() {}
