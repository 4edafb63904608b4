use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64, durable = true)]
struct Aircraft {
    late: ValueState<u32>,
    #[state(skip = "yes")]
    log: ListState<u32>,
    #[state(skip(always))]
    other: ListState<u32>,
}

fn main() {}
