use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(key = u64, durable, crate = krishiv_api)]
    late: ValueState<u32>,
}

fn main() {}
