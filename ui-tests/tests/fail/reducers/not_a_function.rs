use krishiv_api::{KeyedState, ReducingState};

const LIMIT: i32 = 7;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = LIMIT)]
    a: ReducingState<i32>,
}

fn main() {}
