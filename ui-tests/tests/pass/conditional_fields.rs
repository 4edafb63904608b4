//! Fields, attributes and parameters under `cfg`: the derive sees what is left of them.

use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ListState, ValueState};
use std::sync::Arc;

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
    let mut store = Keyed::<Fields>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    let seen = store.with_key("a", |state| {
        state.always.set(1);
        state.here.add(2);
        (state.always.get(), state.here.get())
    });
    assert_eq!(seen.unwrap(), (Some(1), vec![2]));
}
