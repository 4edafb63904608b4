use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(ttl = "7")]
    no_unit: ValueState<u32>,
    #[state(ttl = "0d")]
    zero: ValueState<u32>,
    #[state(ttl = "-7d")]
    negative: ValueState<u32>,
    #[state(ttl = "1.5h")]
    fraction: ValueState<u32>,
    #[state(ttl = "7 d")]
    with_a_space: ValueState<u32>,
    #[state(ttl = "7days")]
    long_unit: ValueState<u32>,
    #[state(ttl = "2w")]
    weeks: ValueState<u32>,
    #[state(ttl = "1h30m")]
    compound: ValueState<u32>,
    #[state(ttl = "")]
    empty: ValueState<u32>,
    #[state(ttl = "for a week")]
    words: ValueState<u32>,
    #[state(ttl = "213503982335d")]
    overflow: ValueState<u32>,
    #[state(ttl = "99999999999999999999ms")]
    huge: ValueState<u32>,
}

fn main() {}
