//! Rust takes the sign in the middle into an identifier, and it is no letter.

use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    मार्ग: ValueState<u32>,
}

fn main() {}
