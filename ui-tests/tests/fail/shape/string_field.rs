use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    note: String,
    qualified: std::string::String,
    borrowed: &'static str,
    right: ValueState<u32>,
}

fn main() {}
