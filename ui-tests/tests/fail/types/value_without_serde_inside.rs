use krishiv_api::{KeyedState, ValueState};

struct Plane;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    late: ValueState<Vec<Option<Plane>>>,
}

fn main() {}
