//! Every lint that a careful project denies, at the derive.

#![deny(warnings, missing_docs, unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(single_use_lifetimes, unused_results, trivial_casts, variant_size_differences)]
#![deny(rust_2018_idioms, unreachable_pub, non_ascii_idents, unused_lifetimes, let_underscore_drop, unit_bindings)]
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

fn main() {
    assert_eq!(Aircraft::OPERATOR, "aircraft");
}
