use krishiv_api::{KeyedState, ReducingState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = i32::greatest)]
    worst: ReducingState<i32>,
}

fn main() {}
