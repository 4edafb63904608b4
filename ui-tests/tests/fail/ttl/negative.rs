use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttl = "-7d")]
    late: ValueState<u32>,
    #[state(ttl = "−7d")]
    typeset: ValueState<u32>,
}

fn main() {}
