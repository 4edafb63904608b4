use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState};
use std::sync::{Arc, Mutex};

#[derive(KeyedState)]
#[state(key = String)]
struct Aircraft {
    late: ValueState<u32>,
}

/// What a runtime asks of a task that may move between threads.
fn spawn(_: impl Future<Output = ()> + Send + 'static) {}

async fn look_up(_: &str) -> u32 {
    7
}

fn main() {
    let store = Arc::new(Mutex::new(Keyed::<Aircraft>::open(Arc::new(InMemoryStateBackend::new())).unwrap()));
    spawn(async move {
        let mut store = store.lock().unwrap();
        let late = look_up("N14228").await;
        let _ = store.with_key("N14228", |state| state.late.set(late));
    });
}
