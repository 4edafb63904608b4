use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state]
    late: ValueState<u32>,
}

fn main() {}
