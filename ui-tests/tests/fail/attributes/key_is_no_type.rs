use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = 5)]
struct Aircraft {
    late: ValueState<u32>,
}

#[derive(KeyedState)]
#[state(key = &'static str)]
struct Borrowed {
    late: ValueState<u32>,
}

#[derive(KeyedState)]
#[state(key = (u8, &'static str))]
struct BorrowedInPart {
    late: ValueState<u32>,
}

fn main() {}
