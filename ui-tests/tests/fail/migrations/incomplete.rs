use krishiv_api::{KeyedState, ValueState};

fn wider(old: u8) -> u64 {
    old.into()
}

#[derive(KeyedState)]
#[state(key = u8)]
struct Planes {
    #[state(migrate)]
    a: ValueState<u64>,
    #[state(migrate = wider)]
    b: ValueState<u64>,
    #[state(migrate())]
    c: ValueState<u64>,
    #[state(migrate(from = u8))]
    d: ValueState<u64>,
    #[state(migrate(with = wider))]
    e: ValueState<u64>,
    #[state(migrate(from = u8, by = wider))]
    f: ValueState<u64>,
    #[state(migrate(from = "u8", with = "wider"))]
    g: ValueState<u64>,
    #[state(migrate(from = u8, with = |old| old.into()))]
    h: ValueState<u64>,
    #[state(migrate(from = u8, from = u16, with = wider))]
    i: ValueState<u64>,
    #[state(migrate(from = u8 with = wider))]
    j: ValueState<u64>,
}

fn main() {}
