use krishiv_api::{KeyedState, ValueState};

type Late = ValueState<i32>;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(reduce = i32::max)]
    late: Late,
}

fn main() {}
