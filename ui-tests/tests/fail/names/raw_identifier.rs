use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    r#type: ValueState<u32>,
    #[state(name = "type")]
    kind: ListState<u32>,
}

fn main() {}
