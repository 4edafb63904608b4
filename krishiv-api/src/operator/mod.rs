//! Operators: what happens to an event, a timer and a broadcast, with the state of the key at hand.

mod attempt;
mod broadcast;
mod commit;
mod driver;
mod error;
mod event;
mod failed;
mod harness;
mod late;
mod on_error;
mod prepared;
mod settings;
mod time;
mod two_inputs;

pub use broadcast::{BroadcastContext, BroadcastOperator};
pub use commit::{Commit, Committed};
pub use driver::Driver;
pub use error::{OperatorCause, OperatorError, OperatorInput};
pub use event::{Emitted, EventContext, KeyOf, Operator};
pub use harness::{Harness, HarnessBuilder};
pub use late::LateEvents;
pub use on_error::{DeadLetter, OnError, Rejected};
pub use prepared::Prepared;
pub use settings::DriverBuilder;
pub use two_inputs::{Either, TwoInputOperator, TwoInputs};

/// Any error that an operator, a source or a sink may fail with; `?` turns every error into one.
///
/// ```
/// # use krishiv_api::*;
/// let error: BoxError = "no such account".into();
/// assert_eq!(error.to_string(), "no such account");
/// ```
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
