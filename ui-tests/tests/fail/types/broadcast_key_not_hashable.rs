use krishiv_api::{BroadcastState, KeyedState};

#[derive(serde::Serialize, serde::Deserialize, Clone)]
struct Tail(String);

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    rules: BroadcastState<Tail, u8>,
}

fn main() {}
