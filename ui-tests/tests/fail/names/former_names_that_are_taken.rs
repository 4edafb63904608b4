// A former name is of one state alone: not of itself, not of one that there is, nor of two; so no names go in a circle.
use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u8, name = "planes", renamed_from = "planes")]
struct Planes {
    #[state(renamed_from = "streak")]
    streak: ValueState<u8>,
    #[state(renamed_from = "b")]
    a: ValueState<u8>,
    #[state(renamed_from = "a")]
    b: ValueState<u8>,
    #[state(renamed_from("old", "older"))]
    c: ListState<u8>,
    #[state(renamed_from("older", "oldest"))]
    d: ListState<u8>,
}

fn main() {}
