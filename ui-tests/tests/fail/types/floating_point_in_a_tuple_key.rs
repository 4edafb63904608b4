use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = (String, (u8, f32)))]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
