use krishiv_api::{KeyedState, ValueState};

#[derive(serde::Serialize)]
struct Written(u8);

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueState<Written>,
}

fn main() {}
