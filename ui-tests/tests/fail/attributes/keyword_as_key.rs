use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(type = "x", ref = 5)]
    late: ValueState<u32>,
}

fn main() {}
