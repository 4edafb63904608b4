//! Fields, attributes and parameters under `cfg`: the derive sees what is left of them.

use krishiv_api::{KeyedState, ListState, ValueState};

#[derive(KeyedState)]
#[state(key = String)]
#[cfg_attr(all(), state(name = "conditional"))]
#[cfg_attr(any(), state(durable))]
struct Fields {
    always: ValueState<u8>,
    #[cfg(any())]
    never: NoSuchType,
    #[cfg(all())]
    #[cfg_attr(all(), state(ttl = "1s"))]
    here: ListState<u8>,
}

fn main() {
    assert_eq!(Fields::OPERATOR, "conditional");
    assert!(!Fields::DURABLE);
    assert_eq!(Fields::DESCRIPTORS.len(), 2);
    assert_eq!(Fields::DESCRIPTORS[1].ttl().map(|ttl| ttl.ttl_ms()), Some(1_000));
}
