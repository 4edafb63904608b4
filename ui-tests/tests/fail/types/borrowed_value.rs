use krishiv_api::{KeyedState, MapState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueState<&'static str>,
    by_name: MapState<(u8, &'static str), u32>,
}

fn main() {}
