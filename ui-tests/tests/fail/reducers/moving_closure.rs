use krishiv_api::{KeyedState, ReducingState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = move |a, b| a + b)]
    worst: ReducingState<i32>,
}

fn main() {}
