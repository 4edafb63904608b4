use krishiv_api::{KeyedState, ValueState};

#[derive(Clone, PartialEq, Eq, Hash)]
struct Tail(String);

#[derive(KeyedState)]
#[state(key = Tail)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {}
