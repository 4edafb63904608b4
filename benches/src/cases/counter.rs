//! The smallest read-modify-write: a counter per key.

use crate::error::Error;
use krishiv_api::{Keyed, KeyedState, ValueState};

/// Ours.
#[derive(KeyedState)]
#[state(key = u64)]
pub(crate) struct Counter {
    pub(crate) count: ValueState<i64>,
}

/// What an event makes of the count.
#[inline]
pub(crate) fn step(count: Option<i64>) -> i64 {
    count.unwrap_or(0) + 1
}

/// Counts `key` in ours; returns the new count.
#[inline]
pub(crate) fn count(state: &Counter) -> i64 {
    let count = step(state.count.get());
    state.count.set(count);
    count
}

/// Counts all `keys`, one event each.
pub(crate) fn count_all(store: &mut Keyed<Counter>, keys: &[u64]) -> Result<u64, Error> {
    let mut sum = 0_u64;
    for key in keys {
        sum = sum.wrapping_add_signed(store.with_key(key, count)?);
    }
    Ok(sum)
}
