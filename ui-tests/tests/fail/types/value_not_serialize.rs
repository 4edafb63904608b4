use krishiv_api::{KeyedState, ValueState};

#[derive(serde::Deserialize)]
struct Read(u8);

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueState<Read>,
}

fn main() {}
