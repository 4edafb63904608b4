use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(skip)]
    a: String,
    #[state(skip)]
    late: Option<ValueState<u32>>,
}

fn main() {}
