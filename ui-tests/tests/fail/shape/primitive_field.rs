use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    number: u64,
    flag: bool,
    ratio: std::primitive::f64,
    right: ValueState<u32>,
}

fn main() {}
