//! A handle that no store knows would be of no use.

use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueState<u32>,
    #[state(skip)]
    log: ListState<u32>,
}

fn main() {}
