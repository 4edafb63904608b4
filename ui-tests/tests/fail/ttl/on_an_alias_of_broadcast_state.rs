//! Spelling does not tell, but the constant does.

use krishiv_api::{BroadcastState, KeyedState};

type Rules = BroadcastState<String, i32>;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttl = "7d", clock = "event")]
    rules: Rules,
}

fn main() {}
