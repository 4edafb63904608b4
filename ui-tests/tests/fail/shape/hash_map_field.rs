use krishiv_api::{KeyedState, ValueState};
use std::collections::HashMap;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    by_name: HashMap<String, u32>,
    ordered: std::collections::BTreeMap<(u8, u8), Vec<String>>,
    handles: HashMap<String, ValueState<u32>>,
    right: ValueState<u32>,
}

fn main() {}
