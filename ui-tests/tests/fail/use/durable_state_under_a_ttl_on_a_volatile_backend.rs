use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, TtlConfig, TtlStateBackend, ValueState};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String, durable)]
struct Aircraft {
    late: ValueState<u32>,
}

fn main() {
    let backend = TtlStateBackend::new(Arc::new(InMemoryStateBackend::new()), TtlConfig::new(60_000));
    let _store = Keyed::<Aircraft>::open(Arc::new(backend));
}
