use krishiv_api::{KeyedState, MapState};

#[derive(serde::Serialize, serde::Deserialize, Clone)]
struct Tail(String);

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    by_tail: MapState<Tail, u8>,
}

fn main() {}
