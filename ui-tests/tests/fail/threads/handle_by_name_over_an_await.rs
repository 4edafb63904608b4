use krishiv_api::ValueState;

/// What a runtime asks of a task that may move between threads.
fn spawn(_: impl Future<Output = ()> + Send + 'static) {}

async fn look_up(_: &str) -> u32 {
    7
}

fn main() {
    spawn(async {
        let late = ValueState::<u32>::new("late");
        let ours = &late;
        ours.set(look_up("N14228").await);
    });
}
