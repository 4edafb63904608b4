use krishiv_api::{KeyedState, ReducingState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = |a: i32, b: i32| a + b)]
    worst: ReducingState<i32>,
}

fn main() {}
