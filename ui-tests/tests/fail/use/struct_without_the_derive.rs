use krishiv_api::{InMemoryStateBackend, Keyed, ValueState};
use std::sync::Arc;

struct Aircraft {
    late: ValueState<u32>,
}

fn main() {
    let _store = Keyed::<Aircraft>::open(Arc::new(InMemoryStateBackend::new()));
}
