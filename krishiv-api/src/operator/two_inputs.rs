//! Operators with two kinds of events on one keyed state: joins, enrichment, matching.

use crate::keyed::KeyedState;
use crate::operator::{BoxError, EventContext, Operator};
use crate::time::Timer;

/// One of two things.
///
/// ```
/// use krishiv_api::Either;
/// let event: Either<&str, u32> = Either::Right(7);
/// assert_eq!(event, Either::Right(7));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Either<L, R> {
    /// Of the first input.
    Left(L),
    /// Of the second input.
    Right(R),
}

/// What happens to events of two inputs that share one keyed state; [`TwoInputs`] makes an [`Operator`] of it.
///
/// ```
/// use krishiv_api::{BoxError, Either, EventContext, Harness, KeyedState, TwoInputOperator, TwoInputs, ValueState};
///
/// #[derive(KeyedState)]
/// #[state(key = u64)]
/// struct Order { total: ValueState<u64>, paid: ValueState<u64> }
///
/// struct Match;
///
/// impl TwoInputOperator for Match {
///     type State = Order;
///     type Left = (u64, u64);
///     type Right = (u64, u64);
///     type Out = u64;
///
///     fn left_key(&self, (order, _): &(u64, u64)) -> u64 { *order }
///     fn right_key(&self, (order, _): &(u64, u64)) -> u64 { *order }
///
///     fn on_left(&mut self, state: &Order, (order, total): (u64, u64), ctx: &mut EventContext<'_, TwoInputs<Self>>) -> Result<(), BoxError> {
///         state.total.set(total);
///         if state.paid.get() == Some(total) { ctx.emit(order) }
///         Ok(())
///     }
///
///     fn on_right(&mut self, state: &Order, (order, paid): (u64, u64), ctx: &mut EventContext<'_, TwoInputs<Self>>) -> Result<(), BoxError> {
///         state.paid.set(paid);
///         if state.total.get() == Some(paid) { ctx.emit(order) }
///         Ok(())
///     }
/// }
///
/// let mut harness = Harness::new(|| TwoInputs(Match))?;
/// harness.event(Either::Right((7, 300)))?;
/// harness.event(Either::Left((7, 300)))?;
/// assert_eq!(harness.emitted(), [7]);
/// # Ok::<(), BoxError>(())
/// ```
pub trait TwoInputOperator: Sized {
    /// The state, one of these for each key of either input.
    type State: KeyedState;

    /// What comes in by the first input.
    type Left;

    /// What comes in by the second input.
    type Right;

    /// What goes out.
    type Out;

    /// The key whose state an event of the first input works on.
    fn left_key(&self, event: &Self::Left) -> <Self::State as KeyedState>::Key;

    /// The key whose state an event of the second input works on.
    fn right_key(&self, event: &Self::Right) -> <Self::State as KeyedState>::Key;

    /// Processes one event of the first input.
    ///
    /// # Errors
    ///
    /// As [`Operator::on_event`].
    fn on_left(
        &mut self,
        state: &Self::State,
        event: Self::Left,
        ctx: &mut EventContext<'_, TwoInputs<Self>>,
    ) -> Result<(), BoxError>;

    /// Processes one event of the second input.
    ///
    /// # Errors
    ///
    /// As [`Operator::on_event`].
    fn on_right(
        &mut self,
        state: &Self::State,
        event: Self::Right,
        ctx: &mut EventContext<'_, TwoInputs<Self>>,
    ) -> Result<(), BoxError>;

    /// Is called when a timer of a key is due, whichever input set it. Does nothing unless implemented.
    ///
    /// # Errors
    ///
    /// As [`Operator::on_timer`].
    fn on_timer(
        &mut self,
        state: &Self::State,
        timer: Timer,
        ctx: &mut EventContext<'_, TwoInputs<Self>>,
    ) -> Result<(), BoxError> {
        let _ = (state, timer, ctx);
        Ok(())
    }
}

/// The [`Operator`] of a [`TwoInputOperator`]: its events are of either input.
#[derive(Clone, Copy, Debug, Default)]
pub struct TwoInputs<O>(
    /// What happens to the events.
    pub O,
);

impl<O: TwoInputOperator> Operator for TwoInputs<O> {
    type State = O::State;
    type In = Either<O::Left, O::Right>;
    type Out = O::Out;

    fn key(&self, event: &Self::In) -> <O::State as KeyedState>::Key {
        match event {
            Either::Left(event) => self.0.left_key(event),
            Either::Right(event) => self.0.right_key(event),
        }
    }

    fn on_event(
        &mut self,
        state: &O::State,
        event: Self::In,
        ctx: &mut EventContext<'_, Self>,
    ) -> Result<(), BoxError> {
        match event {
            Either::Left(event) => self.0.on_left(state, event, ctx),
            Either::Right(event) => self.0.on_right(state, event, ctx),
        }
    }

    fn on_timer(&mut self, state: &O::State, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        self.0.on_timer(state, timer, ctx)
    }
}
