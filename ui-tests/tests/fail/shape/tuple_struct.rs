use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft(ValueState<u32>, ValueState<u32>);

fn main() {}
