//! A name that cannot be is not taken.

use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(name = "late flights")]
    a: ValueState<u32>,
    #[state(name = "late flights")]
    b: ValueState<u32>,
}

fn main() {}
