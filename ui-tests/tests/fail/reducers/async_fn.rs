use krishiv_api::{KeyedState, ReducingState};

async fn later(a: i32, b: i32) -> i32 {
    a + b
}

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = later)]
    a: ReducingState<i32>,
}

fn main() {}
