use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(name = "__krishiv_timers")]
    timers: ValueState<u32>,
    #[state(name = "__krishiv")]
    own: ValueState<u32>,
    __krishiv_late: ValueState<u32>,
}

fn main() {}
