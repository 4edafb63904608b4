use krishiv_api::{KeyedState, ListState};

#[derive(KeyedState)]
#[state(key = u64, durable)]
#[state(durable)]
struct Aircraft {
    #[state(name = "a")]
    #[state(name = "b")]
    log: ListState<u32>,
}

fn main() {}
