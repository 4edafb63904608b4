//! What becomes of an event that failed, after it has been undone.

use crate::operator::OperatorError;
use crate::time::Timer;
use std::fmt;

/// What to do when an event, a timer or a broadcast fails; by then it has left no trace.
///
/// It decides about failures of the operator: an `Err`, a panic, a value that cannot be stored. When the storage fails or is
/// damaged, or an event came to the wrong instance, everything stops whatever is set here: skipping would lose all
/// that follows.
///
/// ```
/// # use krishiv_api::*;
/// struct Picky;
///
/// impl Operator for Picky {
///     type State = Dynamic<u64>;
///     type In = u64;
///     type Out = u64;
///     fn key(&self, event: &u64) -> u64 { *event }
///     fn on_event(&mut self, _: &Dynamic<u64>, event: u64, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
///         if event == 13 { return Err("not that one".into()); }
///         ctx.emit(event);
///         Ok(())
///     }
/// }
///
/// let mut harness = Harness::builder(|| Picky).on_error(OnError::skip()).open()?;
/// for event in 12..15 {
///     harness.event(event)?;
/// }
/// assert_eq!(harness.emitted(), [12, 14]);
/// assert_eq!(harness.skipped(), 1);
/// # Ok::<(), BoxError>(())
/// ```
pub struct OnError<In>(pub(super) Policy<In>);

pub(super) enum Policy<In> {
    Stop,
    Skip,
    DeadLetter {
        /// Makes the copy that outlives the event.
        copy: fn(&In) -> In,
    },
    Report,
}

impl<In> OnError<In> {
    /// The failure is returned, and nothing goes on; the default.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example() {
    /// let policy: OnError<u64> = OnError::stop();
    /// # }
    /// ```
    pub const fn stop() -> Self {
        Self(Policy::Stop)
    }

    /// The event is left out and counted.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example() {
    /// let policy: OnError<u64> = OnError::skip();
    /// # }
    /// ```
    pub const fn skip() -> Self {
        Self(Policy::Skip)
    }

    /// The event is left out and becomes a [`DeadLetter`]. Costs a copy of every event.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example() {
    /// let policy: OnError<u64> = OnError::dead_letter();
    /// # }
    /// ```
    pub const fn dead_letter() -> Self
    where
        In: Clone,
    {
        Self(Policy::DeadLetter { copy: In::clone })
    }

    /// The event is left out and becomes a [`DeadLetter`] that tells only [that there was one](Rejected::Unkept): for engines that
    /// know where it comes from. Costs nothing until it happens.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example() {
    /// let policy: OnError<u64> = OnError::report();
    /// # }
    /// ```
    pub const fn report() -> Self {
        Self(Policy::Report)
    }
}

impl<In> Default for OnError<In> {
    fn default() -> Self {
        Self::stop()
    }
}

impl<In> Clone for OnError<In> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<In> Copy for OnError<In> {}

impl<In> Clone for Policy<In> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<In> Copy for Policy<In> {}

impl<In> fmt::Debug for OnError<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Policy::Stop => "stop",
            Policy::Skip => "skip",
            Policy::DeadLetter { .. } => "dead letter",
            Policy::Report => "report",
        })
    }
}

/// Something that failed, and why.
///
/// ```
/// # use krishiv_api::*;
/// # fn example(letter: &DeadLetter<u64>) {
/// match &letter.rejected {
///     Rejected::Event(event, _) => eprintln!("{event} failed: {}", letter.error),
///     other => eprintln!("{other:?} failed: {}", letter.error),
/// }
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct DeadLetter<In> {
    /// What failed.
    pub rejected: Rejected<In>,
    /// Why, with operator and key.
    pub error: OperatorError,
}

/// What a [`DeadLetter`] is about.
///
/// ```
/// # use krishiv_api::*;
/// # fn example() {
/// let rejected = Rejected::Event(7, Some(1_000));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejected<In> {
    /// An event, with its time.
    Event(In, Option<i64>),
    /// An event that was not kept, with its time.
    Unkept(Option<i64>),
    /// A timer; the error names its key.
    Timer(Timer),
    /// A broadcast.
    Broadcast,
}
