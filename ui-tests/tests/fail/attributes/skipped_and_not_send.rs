use krishiv_api::{KeyedState, ValueState};
use std::rc::Rc;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueState<u32>,
    #[state(skip)]
    note: Rc<u8>,
}

fn main() {}
