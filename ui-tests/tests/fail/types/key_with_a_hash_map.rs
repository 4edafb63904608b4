use krishiv_api::{KeyedState, ValueState};
use std::collections::HashMap;

#[derive(KeyedState)]
#[state(key = HashMap<String, u8>)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
