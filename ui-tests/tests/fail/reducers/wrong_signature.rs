use krishiv_api::{KeyedState, ReducingState};

fn one(a: i32) -> i32 {
    a
}

fn three(a: i32, b: i32, c: i32) -> i32 {
    a + b + c
}

fn borrowed(a: &i32, b: &i32) -> i32 {
    a + b
}

fn other_result(a: i32, b: i32) -> i64 {
    i64::from(a + b)
}

async fn later(a: i32, b: i32) -> i32 {
    a + b
}

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = one)]
    a: ReducingState<i32>,
    #[state(reduce = three)]
    b: ReducingState<i32>,
    #[state(reduce = borrowed)]
    c: ReducingState<i32>,
    #[state(reduce = other_result)]
    d: ReducingState<i32>,
    #[state(reduce = later)]
    e: ReducingState<i32>,
    #[state(reduce = i64::max)]
    f: ReducingState<i32>,
}

fn main() {}
