use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: Option<ValueState<u32>>,
    log: Option<ListState<Vec<u8>>>,
    right: ValueState<u32>,
}

fn main() {}
