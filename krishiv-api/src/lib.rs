//! Typed, persistent, expiring state per key, for the operators of a stream.
//!
//! Declare a struct of handles; every handle shows the state of the key being processed. Events are atomic,
//! a commit is one durable write together with the position of the source, and after a crash everything is
//! as of the last commit.
//!
//! ```
//! use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ListState, ValueState};
//! use std::sync::Arc;
//!
//! #[derive(KeyedState)]
//! #[state(key = String)]
//! struct Aircraft {
//!     late_streak: ValueState<u32>,
//!     #[state(ttl = "7d", clock = "event")]
//!     recent_delays: ListState<i32>,
//! }
//!
//! let backend = Arc::new(InMemoryStateBackend::new()); // or RocksDbStateBackend::open(folder)?
//! let mut aircraft = Keyed::<Aircraft>::open(backend)?;
//! for (offset, (tail, delay)) in [("N14228", 20), ("N24211", -3), ("N14228", 35)].into_iter().enumerate() {
//!     aircraft.with_key(tail, |state| {
//!         state.recent_delays.add(delay);
//!         let streak = if delay >= 15 { state.late_streak.get_or(0) + 1 } else { 0 };
//!         state.late_streak.set(streak);
//!     })?;
//!     aircraft.commit(offset.to_string())?;
//! }
//! assert_eq!(aircraft.with_key("N14228", |state| state.late_streak.get())?, Some(2));
//! # Ok::<(), krishiv_api::StateError>(())
//! ```
//!
//! An [`Operator`] says what happens to an event, a timer or a broadcast of such state; a [`Harness`] drives one in a test.
//!
//! It is not a stream processor: it has no sources, sinks, or network of its own. A crate on top, `krishiv-pipeline`, has
//! the first two.

mod backend;
mod catalog;
mod codec;
mod derived;
mod descriptor;
mod error;
mod keyed;
mod lock;
mod names;
mod operator;
mod quiet;
mod rekey;
pub mod schema;
mod scope;
mod state;
mod time;
mod value;

#[cfg(feature = "contract")]
pub use backend::contract;
pub use backend::{
    Copied, Durable, Each, InMemoryStateBackend, Op, Record, Retention, Scan, StateBackend, Survival, TtlStateBackend,
    Volatile, WriteBatch, copy, copy_and_tell,
};
#[cfg(feature = "fjall")]
pub use backend::{FjallOptions, FjallStateBackend};
#[cfg(feature = "rocksdb")]
pub use backend::{RocksDbOptions, RocksDbStateBackend};
pub use catalog::untraced::{TypeRole, Untraced};
pub use catalog::{StatePlan, StoredOperator, TypeChange, Verdict, stored_operators};
pub use codec::row::merged;
pub use descriptor::{StateDescriptor, StateKind, TtlDescriptor};
pub use error::{BatchError, Cause, ErrorKind, StateError};
pub use keyed::{Counted, Dynamic, EventResult, Keeps, Keyed, KeyedBuilder, KeyedState, Plan, UndeclaredState};
pub use krishiv_macros::KeyedState;
pub use operator::{
    BoxError, BroadcastContext, BroadcastOperator, Commit, Committed, DeadLetter, Driver, DriverBuilder, Either,
    Emitted, EventContext, Harness, HarnessBuilder, KeyOf, LateEvents, OnError, Operator, OperatorCause, OperatorError,
    OperatorInput, Prepared, Rejected, TwoInputOperator, TwoInputs,
};
pub use rekey::{KeyMigration, Migrated, migrate};
pub use scope::one_thread::OneThreadAtATime;
pub use state::handle::Handle;
pub use state::{
    BroadcastScope, BroadcastState, BroadcastStateDescriptor, ListState, MapState, ReducingState, ValueState,
};
pub use time::{
    Clock, FarAhead, ManualClock, SystemClock, Timer, TimerKind, TooFarAhead, TtlClock, TtlConfig, TtlUpdate,
    WatermarkStrategy, Watermarks, WatermarksPosition,
};
pub use value::{AsKey, StateKey, StateValue};

/// What the derive's code names; no part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::backend::{Durable, Volatile};
    pub use crate::derived::{Skipped, Sound, key, merging, migration, reducing, skipped};
    pub use crate::descriptor::{StateDescriptor, TtlDescriptor};
    pub use crate::error::StateError;
    pub use crate::keyed::{Binder, KeyedState};
    pub use crate::scope::any_handle::Bound;
    pub use crate::state::handle::{Handle, Visitor};
    pub use crate::time::{TtlClock, TtlUpdate};
    pub use crate::value::StateKey;
}
