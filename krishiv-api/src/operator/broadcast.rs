//! Operators that also take in broadcasts: rules, thresholds, anything that all keys share.

use crate::operator::{BoxError, Emitted, Operator};
use crate::scope::shared::Shared;
use crate::state::BroadcastScope;

/// An operator with a second input whose items change what all keys share.
///
/// ```
/// use krishiv_api::{BoxError, BroadcastContext, BroadcastOperator, BroadcastState, EventContext, Harness, KeyedState, Operator};
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Flights { limits: BroadcastState<String, i32> }
///
/// struct Late;
///
/// impl Operator for Late {
///     type State = Flights;
///     type In = (String, i32);
///     type Out = String;
///     fn key(&self, (tail, _): &(String, i32)) -> String { tail.clone() }
///
///     fn on_event(&mut self, state: &Flights, (tail, delay): (String, i32), ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
///         if state.limits.get("*").is_some_and(|limit| delay >= limit) {
///             ctx.emit(tail);
///         }
///         Ok(())
///     }
/// }
///
/// impl BroadcastOperator for Late {
///     type Broadcast = i32;
///     fn on_broadcast(&mut self, state: &Flights, limit: i32, ctx: &mut BroadcastContext<'_, Self>) -> Result<(), BoxError> {
///         state.limits.put(ctx.scope(), "*".to_owned(), limit);
///         Ok(())
///     }
/// }
///
/// let mut harness = Harness::new(|| Late)?;
/// harness.broadcast(15)?;
/// harness.event(("N14228".to_owned(), 20))?;
/// assert_eq!(harness.emitted(), ["N14228"]);
/// # Ok::<(), BoxError>(())
/// ```
pub trait BroadcastOperator: Operator {
    /// What is broadcast.
    type Broadcast;

    /// Takes in one item; all keys and all parallel instances see what it changes.
    ///
    /// # Errors
    ///
    /// Whatever the operator cannot process. It is undone, and [`OnError`](crate::OnError) decides what then.
    fn on_broadcast(
        &mut self,
        state: &Self::State,
        item: Self::Broadcast,
        ctx: &mut BroadcastContext<'_, Self>,
    ) -> Result<(), BoxError>;
}

/// What an operator is handed with a broadcast, beside the state; there is no key, so there are no timers.
///
/// See [`BroadcastOperator`] for an example.
pub struct BroadcastContext<'a, O: Operator> {
    pub(super) scope: &'a mut BroadcastScope,
    pub(super) shared: &'a Shared,
    pub(super) out: &'a mut Vec<Emitted<O::Out>>,
}

impl<O: Operator> BroadcastContext<'_, O> {
    /// What a [`BroadcastState`](crate::BroadcastState) wants to see before it lets itself be written.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(state: &BroadcastState<String, i32>, ctx: &mut BroadcastContext<'_, O>) {
    /// state.put(ctx.scope(), "EV".to_owned(), 30);
    /// # }
    /// ```
    pub fn scope(&mut self) -> &mut BroadcastScope {
        self.scope
    }

    /// Sends a record on.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(state: &BroadcastState<String, i32>, ctx: &mut BroadcastContext<'_, O>) {
    /// ctx.emit("a new limit".to_owned());
    /// # }
    /// ```
    pub fn emit(&mut self, record: O::Out) {
        self.out.push(Emitted { side: None, event_time: None, value: record });
    }

    /// Sends a record to the side output called `side`.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(state: &BroadcastState<String, i32>, ctx: &mut BroadcastContext<'_, O>) {
    /// ctx.emit_to("audit", "a new limit".to_owned());
    /// # }
    /// ```
    pub fn emit_to(&mut self, side: &'static str, record: O::Out) {
        self.out.push(Emitted { side: Some(side), event_time: None, value: record });
    }

    /// How far event time has come, in milliseconds since 1970-01-01T00:00 UTC; `None` before the first watermark.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(state: &BroadcastState<String, i32>, ctx: &mut BroadcastContext<'_, O>) {
    /// let from = ctx.watermark().unwrap_or(0);
    /// # }
    /// ```
    pub fn watermark(&self) -> Option<i64> {
        self.shared.time.watermark()
    }

    /// The time by the clock, in milliseconds since 1970-01-01T00:00 UTC.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(state: &BroadcastState<String, i32>, ctx: &mut BroadcastContext<'_, O>) {
    /// let from = ctx.processing_time();
    /// # }
    /// ```
    pub fn processing_time(&self) -> i64 {
        self.shared.processing_time()
    }
}
