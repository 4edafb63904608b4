use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u8, dropped("streak", "older", "gone", "gone"))]
struct Planes {
    streak: ValueState<u8>,
    #[state(renamed_from = "older")]
    a: ValueState<u8>,
    #[state(dropped("b"))]
    b: ValueState<u8>,
}

fn main() {}
