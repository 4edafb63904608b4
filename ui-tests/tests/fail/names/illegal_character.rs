use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(name = "worst delay")]
    a: ValueState<u32>,
    #[state(name = "flights/late")]
    b: ValueState<u32>,
    #[state(name = "late\u{200b}")]
    c: ValueState<u32>,
    #[state(name = "???")]
    d: ValueState<u32>,
}

fn main() {}
