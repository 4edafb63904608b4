use krishiv_api::{KeyedState, ValueState};

struct NotStored;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft<T> {
    late: ValueState<T>,
}

fn open<S: KeyedState>() {}

fn main() {
    open::<Aircraft<u8>>();
    open::<Aircraft<NotStored>>();
}
