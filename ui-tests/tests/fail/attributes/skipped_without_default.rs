use krishiv_api::{KeyedState, ValueState};

struct NoDefault;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueState<u32>,
    #[state(skip)]
    note: NoDefault,
}

fn main() {}
