use krishiv_api::{KeyedState, ReducingState};

fn borrowed(a: &i32, b: &i32) -> i32 {
    a + b
}

fn into_the_first(a: &mut i32, b: i32) {
    *a += b;
}

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = borrowed)]
    a: ReducingState<i32>,
    #[state(reduce = into_the_first)]
    b: ReducingState<i32>,
}

fn main() {}
