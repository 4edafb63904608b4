//! A guess is given where there is one, and a misspelled key counts as given.

use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(kye = u64, operator = "planes", serde = "x", time = Map<u8, u8>)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
