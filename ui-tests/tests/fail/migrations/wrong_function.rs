// The function takes the old type and makes the new one: of each field, one message.
use krishiv_api::{KeyedState, ListState, MapState, ValueState};

fn wider(old: u8) -> u64 {
    old.into()
}

fn checked(old: u8) -> Result<u32, String> {
    Ok(old.into())
}

#[derive(KeyedState)]
#[state(key = u8)]
struct Planes {
    #[state(migrate(from = u16, with = wider))]
    other_old: ValueState<u64>,
    #[state(migrate(from = u8, with = wider))]
    other_new: ListState<u32>,
    #[state(migrate(from = u8, with = checked))]
    other_result: MapState<u8, u64>,
    #[state(migrate(from = u8, with = missing))]
    missing: ValueState<u64>,
}

fn main() {}
