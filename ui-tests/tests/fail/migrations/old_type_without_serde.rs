use krishiv_api::{KeyedState, ValueState};

struct Old(u8);

fn wider(old: Old) -> u64 {
    old.0.into()
}

#[derive(KeyedState)]
#[state(key = u8)]
struct Planes {
    #[state(migrate(from = Old, with = wider))]
    seen: ValueState<u64>,
}

fn main() {}
