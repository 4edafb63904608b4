use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttl_update = "read_and_write")]
    late: ValueState<u32>,
}

fn main() {}
