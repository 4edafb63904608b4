use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64, name = "")]
struct Aircraft {
    #[state(name = "")]
    late: ValueState<u32>,
    #[state(name = "")]
    log: ListState<u32>,
}

fn main() {}
