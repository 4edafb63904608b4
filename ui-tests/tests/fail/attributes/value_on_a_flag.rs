use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64, durable = true)]
struct Aircraft {
    late: ValueState<u32>,
    #[state(skip = "yes")]
    log: String,
    #[state(skip(always))]
    other: String,
}

fn main() {}
