use krishiv_api::{KeyedState, ReducingState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = greatest)]
    a: ReducingState<i32>,
}

fn main() {}
