use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttl = "213503982335d")]
    days: ValueState<u32>,
    #[state(ttl = "99999999999999999999ms")]
    milliseconds: ValueState<u32>,
}

fn main() {}
