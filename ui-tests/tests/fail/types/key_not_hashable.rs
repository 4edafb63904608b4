use krishiv_api::{KeyedState, ValueState};

#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Eq)]
struct Tail(String);

#[derive(KeyedState)]
#[state(key = Tail)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
