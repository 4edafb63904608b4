use krishiv_api::{KeyedState, ReducingState};

fn one(a: i32) -> i32 {
    a
}

fn three(a: i32, b: i32, c: i32) -> i32 {
    a + b + c
}

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = one)]
    a: ReducingState<i32>,
    #[state(reduce = three)]
    b: ReducingState<i32>,
}

fn main() {}
