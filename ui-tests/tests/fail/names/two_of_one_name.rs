use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(name = "delay")]
    a: ValueState<u32>,
    #[state(name = "delay")]
    b: ListState<u32>,
    #[state(name = "delay")]
    c: ListState<u32>,
}

fn main() {}
