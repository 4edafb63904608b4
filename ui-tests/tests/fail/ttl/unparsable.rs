use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttl = "for a week")]
    words: ValueState<u32>,
    #[state(ttl = "")]
    empty: ValueState<u32>,
    #[state(ttl = "7y")]
    unknown_unit: ValueState<u32>,
    #[state(ttl = "P7D")]
    spelled: ValueState<u32>,
}

fn main() {}
