//! Whatever it was to say, the key that is missing is no second mistake.

use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
