use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state]
#[state = "planes"]
struct Aircraft {
    #[state]
    late: ValueState<u32>,
    #[state = "7d"]
    log: ListState<u32>,
}

fn main() {}
