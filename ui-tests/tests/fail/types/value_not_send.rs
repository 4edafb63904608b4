use krishiv_api::{KeyedState, ValueState};
use std::rc::Rc;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueState<Rc<u8>>,
}

fn main() {}
