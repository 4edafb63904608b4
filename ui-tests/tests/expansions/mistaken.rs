use krishiv_api::{KeyedState, ListState, StateError, ValueState};

/// Mistakes of the macro's and of the compiler's, and a field that is right.
#[derive(KeyedState)]
#[state(durable)]
struct Aircraft<T> {
    #[state(ttl = "7")]
    late: ValueState<u32>,
    log: Vec<T>,
    own: Plane,
    right: ListState<T>,
}

struct Plane;

pub fn run() -> Result<usize, StateError> {
    Ok(Aircraft::<u8>::DESCRIPTORS.len())
}

fn main() {}
