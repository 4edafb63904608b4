use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64, name = "late flights")]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
