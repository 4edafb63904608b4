use krishiv_api::{BroadcastState, KeyedState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttl = "7d")]
    rules: BroadcastState<String, i32>,
}

fn main() {}
