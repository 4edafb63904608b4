//! How many rows fit a budget.

use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, StateError, Volatile};
use std::sync::Arc;

/// What a store counts for a row that `event` has made, found by filling one until its uncommitted rows are half its budget.
pub(super) fn row_weight<S: KeyedState<Key = u64, Needs = Volatile>, R>(
    event: impl Fn(&S) -> R,
) -> Result<usize, StateError> {
    const BUDGET: usize = 16 << 20;
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<S>::builder().memory_budget(BUDGET).open(backend)?;
    let mut rows = 0;
    while !store.needs_commit() {
        store.with_key(&(rows as u64), &event)?;
        rows += 1;
    }
    Ok(BUDGET / 2 / rows.max(1))
}
