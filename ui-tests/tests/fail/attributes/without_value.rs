use krishiv_api::{KeyedState, ListState, ReducingState, ValueState};

#[derive(KeyedState)]
#[state(key, name =, crate)]
struct Aircraft {
    #[state(ttl, clock =)]
    late: ValueState<u32>,
    #[state(reduce, name())]
    log: ReducingState<u32>,
    #[state(ttl("7d"))]
    called: ListState<u32>,
}

fn main() {}
