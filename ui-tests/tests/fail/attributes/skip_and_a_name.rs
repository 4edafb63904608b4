use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueState<u32>,
    #[state(skip)]
    #[state(name = "x")]
    note: String,
}

fn main() {}
