use krishiv_api::{KeyedState, ReducingState};

static LIMIT: i32 = 7;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = |a, b| (a + b).min(LIMIT))]
    a: ReducingState<i32>,
    #[state(reduce = move |a, b| a + b)]
    b: ReducingState<i32>,
}

fn main() {}
