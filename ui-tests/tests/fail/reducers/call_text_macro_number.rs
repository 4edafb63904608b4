use krishiv_api::{KeyedState, ReducingState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = i32::max())]
    a: ReducingState<i32>,
    #[state(reduce = "i32::max")]
    b: ReducingState<i32>,
    #[state(reduce = max!)]
    c: ReducingState<i32>,
    #[state(reduce = 5)]
    d: ReducingState<i32>,
}

fn main() {}
