use krishiv_api::{KeyedState, ReducingState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce)]
    a: ReducingState<i32>,
    #[state(reduce = )]
    b: ReducingState<i32>,
}

fn main() {}
