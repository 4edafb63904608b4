use krishiv_api::{BroadcastState, KeyedState, MapState};

#[derive(serde::Serialize, serde::Deserialize, Clone)]
struct Tail(String);

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    by_delay: MapState<f32, u8>,
    by_tail: MapState<Tail, u8>,
    rules: BroadcastState<f32, u8>,
}

fn main() {}
