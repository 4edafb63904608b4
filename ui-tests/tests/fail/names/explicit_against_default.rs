use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(name = "log")]
    late: ValueState<u32>,
    log: ListState<u32>,
}

fn main() {}
