use krishiv_api::{BroadcastState, KeyedState, ListState, MapState, ReducingState, ValueState};

struct Plane;

#[derive(serde::Serialize)]
struct OnlyWritten;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueState<Plane>,
    log: ListState<OnlyWritten>,
    by_name: MapState<String, Plane>,
    worst: ReducingState<Plane>,
    rules: BroadcastState<u8, Plane>,
    right: ValueState<u32>,
}

fn main() {}
