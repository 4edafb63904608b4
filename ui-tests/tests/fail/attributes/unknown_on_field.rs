use krishiv_api::{KeyedState, ListState, ReducingState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttll = "7d", clock = "event")]
    late: ValueState<u32>,
    #[state(rename = "a", default, TTL = "7d")]
    log: ListState<u32>,
    #[state(reducer = i32::max)]
    worst: ReducingState<i32>,
}

fn main() {}
