use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
union Aircraft {
    late: std::mem::ManuallyDrop<ValueState<u32>>,
}

fn main() {}
