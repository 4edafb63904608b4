use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u8, dropped, renamed_from())]
struct Planes {
    #[state(renamed_from)]
    a: ValueState<u8>,
    #[state(renamed_from = old)]
    b: ValueState<u8>,
    #[state(renamed_from(old, 5))]
    c: ListState<u8>,
    #[state(renamed_from = "a b")]
    d: ListState<u8>,
    #[state(renamed_from("x" "y"))]
    e: ListState<u8>,
    #[state(renamed = "f_of_old")]
    f: ListState<u8>,
}

fn main() {}
