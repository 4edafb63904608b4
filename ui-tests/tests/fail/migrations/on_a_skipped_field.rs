use krishiv_api::{KeyedState, ValueState};

fn wider(old: u8) -> u64 {
    old.into()
}

#[derive(KeyedState)]
#[state(key = u8)]
struct Planes {
    seen: ValueState<u64>,
    #[state(skip, migrate(from = u8, with = wider), renamed_from = "old")]
    skipped: u64,
}

fn main() {}
