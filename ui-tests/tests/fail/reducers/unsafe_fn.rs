use krishiv_api::{KeyedState, ReducingState};

unsafe fn unchecked(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = unchecked)]
    a: ReducingState<i32>,
}

fn main() {}
