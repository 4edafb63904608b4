use krishiv_api::{KeyedState, ListState, MapState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueState<u32, u32>,
    by_name: MapState<u32>,
    log: ListState,
}

fn main() {}
