//! Uses of the struct add no messages.

use krishiv_api::{KeyedState, ValueState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft<'a, T> {
    late: ValueState<&'a T>,
}

fn use_it(aircraft: &Aircraft<'static, u8>) -> usize {
    Aircraft::<'static, u8>::DESCRIPTORS.len() + std::mem::size_of_val(&aircraft.late)
}

fn main() {}
