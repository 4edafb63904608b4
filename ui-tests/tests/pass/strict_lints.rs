//! Every lint that a careful project denies, at the derive: a program, and a module that clippy reads.

#![deny(warnings, missing_docs, unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(single_use_lifetimes, unused_results, trivial_casts, variant_size_differences)]
#![deny(rust_2018_idioms, unreachable_pub, unused_lifetimes, let_underscore_drop, unit_bindings)]
#![forbid(unsafe_code)]
// So that every name of the runtime is in scope, and could be used unqualified.
#![allow(clippy::wildcard_imports)]

use krishiv_api::*;

/// Documented.
#[derive(KeyedState)]
#[state(key = String)]
pub struct Aircraft {
    /// Documented.
    pub late_streak: ValueState<u32>,
    /// Documented.
    #[state(ttl = "7d", clock = "event")]
    pub recent_delays: ListState<i32>,
    /// Documented.
    pub destinations: MapState<String, u32>,
    /// Documented.
    #[state(reduce = i32::max)]
    pub worst_delay: ReducingState<i32>,
    /// Documented.
    pub rules: BroadcastState<String, i32>,
    /// Documented.
    #[state(skip)]
    pub note: String,
}

/// Documented.
#[deprecated]
#[derive(KeyedState)]
#[state(key = u8)]
pub struct Old<T> {
    /// Documented.
    #[deprecated]
    pub value: ValueState<T>,
}

/// Documented.
///
/// # Panics
///
/// If it does not work.
pub fn main() {
    let backend = std::sync::Arc::new(InMemoryStateBackend::new());
    let seen = Keyed::<Aircraft>::open(backend).and_then(|mut store| {
        store.with_key("N14228", |state| {
            state.late_streak.set(1);
            state.worst_delay.merge(2);
            (state.late_streak.get(), state.worst_delay.get(), state.note.len())
        })
    });
    assert!(matches!(seen, Ok((Some(1), Some(2), 0))), "{seen:?}");
    assert_eq!(Aircraft::OPERATOR, "aircraft");
}
