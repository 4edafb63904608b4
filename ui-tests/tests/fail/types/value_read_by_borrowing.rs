use krishiv_api::{KeyedState, ValueState};

#[derive(serde::Serialize, serde::Deserialize)]
struct Text(&'static str);

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueState<Text>,
}

fn main() {}
