use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    log: Vec<i32>,
    queue: std::collections::VecDeque<(u8, u8)>,
    handles: Vec<ValueState<u32>>,
    lists: Vec<ListState<u8>>,
    right: ValueState<u32>,
}

fn main() {}
