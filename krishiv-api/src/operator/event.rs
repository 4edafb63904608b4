//! An operator, and what it can do besides changing state: emit, tell the time, and set timers.

use crate::keyed::KeyedState;
use crate::keyed::timers::Asked;
use crate::operator::BoxError;
use crate::scope::shared::Shared;
use crate::time::{Timer, TimerKind};

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
/// Run it in a [`Harness`](crate::Harness) to test it, and in a `Pipeline` or another engine by a [`Driver`](crate::Driver).
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
    /// Whatever the operator cannot process. It is undone, and [`OnError`](crate::OnError) decides what then.
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
    /// [`OnError`](crate::OnError) says that it be skipped.
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

/// A record that an operator has emitted.
///
/// ```
/// use krishiv_api::Emitted;
/// let record = Emitted { side: None, event_time: Some(7), value: "late again" };
/// assert_eq!(record.side, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted<T> {
    /// The side output that it goes to; `None` is the main one.
    pub side: Option<&'static str>,
    /// Time of the event or timer that it comes from, in milliseconds since 1970-01-01T00:00 UTC.
    pub event_time: Option<i64>,
    /// The record.
    pub value: T,
}

/// What an operator is handed with an event or a timer, beside the state.
///
/// ```
/// # use krishiv_api::*;
/// # #[derive(KeyedState)]
/// # #[state(key = String)]
/// # struct Visits { seen: ValueState<u64> }
/// struct Greet;
///
/// impl Operator for Greet {
///     type State = Visits;
///     type In = String;
///     type Out = String;
///     fn key(&self, user: &String) -> String { user.clone() }
///
///     fn on_event(&mut self, state: &Visits, _: String, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
///         if state.seen.get().is_none() {
///             ctx.emit(format!("welcome, {}", ctx.current_key()));
///             ctx.register_event_timer(ctx.event_time().unwrap_or(0) + 60_000);
///         }
///         state.seen.update(|seen| *seen.get_or_insert(0) += 1);
///         Ok(())
///     }
///
///     fn on_timer(&mut self, _: &Visits, _: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
///         ctx.emit(format!("still there, {}?", ctx.current_key()));
///         Ok(())
///     }
/// }
///
/// let mut harness = Harness::new(|| Greet)?;
/// harness.event_at("ann".to_owned(), 0)?;
/// harness.watermark(60_000)?;
/// assert_eq!(harness.emitted(), ["welcome, ann", "still there, ann?"]);
/// # Ok::<(), BoxError>(())
/// ```
pub struct EventContext<'a, O: Operator> {
    pub(super) key: &'a KeyOf<O>,
    pub(super) event_time: Option<i64>,
    pub(super) is_timer: bool,
    pub(super) shared: &'a Shared,
    pub(super) asked: &'a mut Asked,
    pub(super) out: &'a mut Vec<Emitted<O::Out>>,
}

impl<O: Operator> EventContext<'_, O> {
    /// Sends a record on; it leaves with the commit that makes the event's state durable.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(ctx: &mut EventContext<'_, O>) {
    /// ctx.emit("late again".to_owned());
    /// # }
    /// ```
    pub fn emit(&mut self, record: O::Out) {
        let event_time = self.event_time;
        self.out.push(Emitted { side: None, event_time, value: record });
    }

    /// Sends a record to the side output called `side`: late events, rejects, audit trails.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(ctx: &mut EventContext<'_, O>) {
    /// ctx.emit_to("audit", "late again".to_owned());
    /// # }
    /// ```
    pub fn emit_to(&mut self, side: &'static str, record: O::Out) {
        let event_time = self.event_time;
        self.out.push(Emitted { side: Some(side), event_time, value: record });
    }

    /// The key being processed.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(ctx: &mut EventContext<'_, O>) {
    /// let key: &KeyOf<O> = ctx.current_key();
    /// # }
    /// ```
    pub fn current_key(&self) -> &KeyOf<O> {
        self.key
    }

    /// Time of the event, or for which the event timer was set, in milliseconds since 1970-01-01T00:00 UTC; `None` for an event
    /// without a time, and for a processing timer.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(ctx: &mut EventContext<'_, O>) {
    /// let departed = ctx.event_time().unwrap_or(0);
    /// # }
    /// ```
    pub fn event_time(&self) -> Option<i64> {
        self.event_time
    }

    /// How far event time has come, in milliseconds since 1970-01-01T00:00 UTC; `None` before the first watermark.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(ctx: &mut EventContext<'_, O>) {
    /// let closed = ctx.watermark().is_some_and(|watermark| watermark >= 1_000);
    /// # }
    /// ```
    pub fn watermark(&self) -> Option<i64> {
        self.shared.time.watermark()
    }

    /// Whether the event is late: before the watermark, which said that no more such events would come. A timer never is.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(ctx: &mut EventContext<'_, O>) {
    /// if ctx.is_late() {
    ///     ctx.emit_to("late", "too late".to_owned());
    /// }
    /// # }
    /// ```
    pub fn is_late(&self) -> bool {
        !self.is_timer && is_late(self.event_time, self.watermark())
    }

    /// The time by the clock, in milliseconds since 1970-01-01T00:00 UTC; the same throughout an event.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(ctx: &mut EventContext<'_, O>) {
    /// let age_ms = ctx.event_time().map(|time| ctx.processing_time() - time);
    /// # }
    /// ```
    pub fn processing_time(&self) -> i64 {
        self.shared.processing_time()
    }

    /// Has `on_timer` called for this key when the watermark is at `time_ms` or later.
    ///
    /// The same time again is the same timer. One in the past fires at the next advance of the watermark, and one set by a
    /// firing timer in the same advance. Inside an event of another store, this and all that is about timers makes the event
    /// fail.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(ctx: &mut EventContext<'_, O>) {
    /// let now = ctx.event_time().unwrap_or(0);
    /// ctx.register_event_timer(now + 30 * 60 * 1000);
    /// # }
    /// ```
    pub fn register_event_timer(&mut self, time_ms: i64) {
        self.asked.timer(self.shared, Timer { kind: TimerKind::Event, time_ms }, true);
    }

    /// Has `on_timer` called for this key when the clock shows `time_ms` or later; once, also when it stood still for long.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(ctx: &mut EventContext<'_, O>) {
    /// ctx.register_processing_timer(ctx.processing_time() + 1_000);
    /// # }
    /// ```
    pub fn register_processing_timer(&mut self, time_ms: i64) {
        self.asked.timer(self.shared, Timer { kind: TimerKind::Processing, time_ms }, true);
    }

    /// Deletes the event timer of this key for `time_ms`; one that is not there is no error.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(ctx: &mut EventContext<'_, O>) {
    /// ctx.delete_event_timer(1_000);
    /// # }
    /// ```
    pub fn delete_event_timer(&mut self, time_ms: i64) {
        self.asked.timer(self.shared, Timer { kind: TimerKind::Event, time_ms }, false);
    }

    /// Deletes the processing timer of this key for `time_ms`; one that is not there is no error.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(ctx: &mut EventContext<'_, O>) {
    /// ctx.delete_processing_timer(1_000);
    /// # }
    /// ```
    pub fn delete_processing_timer(&mut self, time_ms: i64) {
        self.asked.timer(self.shared, Timer { kind: TimerKind::Processing, time_ms }, false);
    }

    /// The timers of this key, event time first, each kind in the order of its times.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator<Out = String>>(ctx: &mut EventContext<'_, O>) {
    /// for timer in ctx.timers() {
    ///     ctx.emit(timer.to_string());
    /// }
    /// # }
    /// ```
    pub fn timers(&self) -> Vec<Timer> {
        self.asked.of_key(self.shared)
    }
}

/// Whether an event of that time comes after the watermark had said that it would not.
pub(super) fn is_late(event_time: Option<i64>, watermark: Option<i64>) -> bool {
    event_time.is_some_and(|time| watermark.is_some_and(|watermark| time < watermark))
}
