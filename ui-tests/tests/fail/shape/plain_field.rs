//! One message for each, at its type.

use krishiv_api::{KeyedState, ValueState};
use std::collections::HashMap;

struct Plane;
type Alias = u64;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    number: u64,
    alias: Alias,
    own: Plane,
    log: Vec<i32>,
    by_name: HashMap<String, u32>,
    maybe: Option<ValueState<u32>>,
    boxed: Box<ValueState<u32>>,
    right: ValueState<u32>,
}

fn main() {}
