use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
enum Aircraft {
    Late(ValueState<u32>),
}

fn main() {}
