use krishiv_api::{KeyedState, ReducingState};

fn other_result(a: i32, b: i32) -> i64 {
    i64::from(a + b)
}

fn nothing(_: i32, _: i32) {}

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = other_result)]
    a: ReducingState<i32>,
    #[state(reduce = nothing)]
    b: ReducingState<i32>,
    #[state(reduce = i64::max)]
    c: ReducingState<i32>,
}

fn main() {}
