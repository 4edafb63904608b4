use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64, "planes")]
struct Aircraft {
    #[state("7d")]
    late: ValueState<u32>,
    #[state(::ttl)]
    log: ListState<u32>,
}

fn main() {}
