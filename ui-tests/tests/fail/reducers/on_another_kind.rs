use krishiv_api::{BroadcastState, KeyedState, ListState, MapState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = i32::max)]
    late: ValueState<i32>,
    #[state(reduce = i32::max)]
    log: ListState<i32>,
    #[state(reduce = i32::max)]
    by_name: MapState<String, i32>,
    #[state(reduce = i32::max)]
    rules: BroadcastState<String, i32>,
}

fn main() {}
