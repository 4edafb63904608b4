use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = f64)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
