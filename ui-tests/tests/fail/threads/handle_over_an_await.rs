use krishiv_api::{KeyedState, ValueState};

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

async fn on_event(aircraft: &Aircraft) {
    let late = look_up("N14228").await;
    aircraft.late.set(late);
}

fn task(aircraft: &'static Aircraft) {
    spawn(on_event(aircraft));
}

fn main() {}
