use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
