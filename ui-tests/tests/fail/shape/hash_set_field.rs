use krishiv_api::{KeyedState, ValueState};
use std::collections::HashSet;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    seen: HashSet<String>,
    right: ValueState<u32>,
}

fn main() {}
