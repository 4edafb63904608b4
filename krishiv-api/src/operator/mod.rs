//! Operators: what happens to an event, a timer and a broadcast, with the state of the key at hand.

mod broadcast;
mod commit;
mod context;
mod driver;
mod error;
mod harness;
mod late;
mod on_error;
mod prepared;
mod settings;
mod two_inputs;

use crate::keyed::KeyedState;
use crate::time::Timer;

pub use broadcast::{BroadcastContext, BroadcastOperator};
pub use commit::{Commit, Committed};
pub use context::{Emitted, EventContext};
pub use driver::Driver;
pub use error::{OperatorCause, OperatorError, OperatorInput};
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

/// The key of an operator's state.
///
/// ```
/// # use krishiv_api::*;
/// fn greet<O: Operator>(_: &KeyOf<O>) {}
/// ```
pub type KeyOf<O> = <<O as Operator>::State as KeyedState>::Key;

/// What happens to an event, with the state of its key.
///
/// An event (or timer) is all or nothing: if it returns an error, panics, or a handle fails, then the state it wrote,
/// the timers it set and the records it emitted are gone together. Only what is in `State` is undone and survives a crash;
/// fields of the operator itself are for settings.
///
/// Run it in a [`Harness`] to test it, and in a `Pipeline` or another engine by a [`Driver`].
///
/// ```
/// use krishiv_api::{BoxError, EventContext, Harness, InMemoryStateBackend, KeyedState, Operator, ValueState};
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Visits { seen: ValueState<u64> }
///
/// struct CountVisits;
///
/// impl Operator for CountVisits {
///     type State = Visits;
///     type In = String;
///     type Out = (String, u64);
///
///     fn key(&self, user: &String) -> String { user.clone() }
///
///     fn on_event(&mut self, state: &Visits, user: String, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
///         let seen = state.seen.get_or(0) + 1;
///         state.seen.set(seen);
///         ctx.emit((user, seen));
///         Ok(())
///     }
/// }
///
/// let mut harness = Harness::new(|| CountVisits)?;
/// harness.event("ann".to_owned())?;
/// harness.event("ann".to_owned())?;
/// assert_eq!(harness.emitted(), [("ann".to_owned(), 1), ("ann".to_owned(), 2)]);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub trait Operator: Sized {
    /// The state, one of these for each key.
    type State: KeyedState;

    /// What comes in.
    type In;

    /// What goes out.
    type Out;

    /// The key whose state `event` works on: the same one for equal events, always.
    fn key(&self, event: &Self::In) -> KeyOf<Self>;

    /// Processes one event.
    ///
    /// # Errors
    ///
    /// Whatever the operator cannot process. It is undone, and [`OnError`] decides what then.
    fn on_event(
        &mut self,
        state: &Self::State,
        event: Self::In,
        ctx: &mut EventContext<'_, Self>,
    ) -> Result<(), BoxError>;

    /// Is called when a timer of a key is due; by then it is gone. Does nothing unless implemented.
    ///
    /// # Errors
    ///
    /// As [`on_event`](Self::on_event). The timer is then still there, and fires again at the next advance, unless
    /// [`OnError`] says that it be skipped.
    fn on_timer(
        &mut self,
        state: &Self::State,
        timer: Timer,
        ctx: &mut EventContext<'_, Self>,
    ) -> Result<(), BoxError> {
        let _ = (state, timer, ctx);
        Ok(())
    }
}
