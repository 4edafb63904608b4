use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = "u64", name = planes, crate = "krishiv_api")]
struct Aircraft {
    #[state(ttl = 7d, clock = event)]
    late: ValueState<u32>,
    #[state(name = b"log")]
    log: ListState<u32>,
    #[state(name = 7 + 1)]
    other: ListState<u32>,
}

fn main() {}
