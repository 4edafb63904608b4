//! All of them in one compile, and nothing about the uses of the struct.

use krishiv_api::{KeyedState, ListState, ReducingState, ValueState};

#[derive(KeyedState)]
#[state(nmae = "planes", durable = true)]
struct Aircraft<'a> {
    #[state(ttl = "7", clock = "evnt")]
    late: ValueState<u32>,
    #[state(reduce = |a, b| a + b)]
    worst: ReducingState<i32>,
    #[state(name = "late")]
    delays: ListState<i32>,
    tail: &'a str,
}

fn use_it(aircraft: &Aircraft<'static>) {
    let _ = &aircraft.delays;
}

fn main() {}
