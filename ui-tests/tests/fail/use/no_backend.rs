use krishiv_api::{Keyed, KeyedState, ValueState};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {
    let _store = Keyed::<Aircraft>::open(Arc::new("state"));
}
