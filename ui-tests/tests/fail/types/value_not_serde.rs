//! A message for each field, in their order.

use krishiv_api::{BroadcastState, KeyedState, ListState, MapState, ReducingState, ValueState};

struct Plane;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueState<Plane>,
    log: ListState<Plane>,
    by_name: MapState<String, Plane>,
    worst: ReducingState<Plane>,
    rules: BroadcastState<u8, Plane>,
}

fn main() {}
