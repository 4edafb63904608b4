use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttl = "1.5h")]
    fraction: ValueState<u32>,
    #[state(ttl = "7 d")]
    with_a_space: ValueState<u32>,
    #[state(ttl = "1h30m")]
    compound: ValueState<u32>,
    #[state(ttl = "1_000ms")]
    grouped: ValueState<u32>,
}

fn main() {}
