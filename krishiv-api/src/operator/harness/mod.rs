//! Drives an operator by hand, in tests.

mod output;
mod settings;

use crate::error::StateError;
use crate::operator::{
    BroadcastOperator, Commit, Committed, DeadLetter, Driver, KeyOf, Operator, OperatorError, OperatorInput,
};
use crate::time::{ManualClock, Timer};
use output::Output;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub use settings::HarnessBuilder;

/// Drives one operator by hand: events, watermarks and the clock go in, and everything that comes of it can be looked at.
///
/// It behaves like an engine with a sink that can be cut back: what was emitted after the last commit is gone after a crash.
///
/// ```
/// # use krishiv_api::*;
/// # #[derive(KeyedState)]
/// # #[state(key = String)]
/// # struct Visits { last: ValueState<i64> }
/// # struct Idle;
/// # impl Operator for Idle {
/// #     type State = Visits;
/// #     type In = String;
/// #     type Out = String;
/// #     fn key(&self, user: &String) -> String { user.clone() }
/// #     fn on_event(&mut self, state: &Visits, _: String, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
/// #         let now = ctx.event_time().unwrap_or(0);
/// #         if let Some(last) = state.last.get() { ctx.delete_event_timer(last + 60) }
/// #         ctx.register_event_timer(now + 60);
/// #         state.last.set(now);
/// #         Ok(())
/// #     }
/// #     fn on_timer(&mut self, _: &Visits, _: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
/// #         let user = ctx.current_key().clone();
/// #         ctx.emit(user);
/// #         Ok(())
/// #     }
/// # }
/// // `Idle` emits a user who has not been seen for 60 ms.
/// let mut harness = Harness::new(|| Idle)?;
/// harness.event_at("ann".to_owned(), 0)?;
/// harness.commit()?;
/// harness.event_at("ann".to_owned(), 50)?;
/// harness.crash_and_reopen()?; // the second visit is forgotten
/// harness.rescale(4)?;
/// harness.watermark(60)?;
/// assert_eq!(harness.emitted(), ["ann"]);
/// assert_eq!(harness.timers()?, []);
/// assert_eq!(harness.state(&"ann".to_owned(), |state| state.last.get())?, Some(0));
/// # Ok::<(), BoxError>(())
/// ```
pub struct Harness<O: Operator> {
    settings: HarnessBuilder<O>,
    clock: Arc<ManualClock>,
    drivers: Vec<Driver<O>>,
    instances: u16,
    output: Output<O>,
    /// Of instances that are gone.
    skipped: u64,
    dropped: u64,
}

/// The key groups of each of so many parallel instances; of too many some have none, which the store refuses.
fn shares(groups: u16, instances: u16) -> impl Iterator<Item = Range<u16>> {
    let bound = move |index: u16| {
        let bound = u32::from(groups) * u32::from(index) / u32::from(instances.max(1));
        u16::try_from(bound).unwrap_or(groups)
    };
    // No instance at all is a share of nothing.
    (0..instances.max(1)).map(move |index| bound(index)..if instances == 0 { 0 } else { bound(index + 1) })
}

/// Commits instances in one write: what they have put out is in one sink.
fn commit_all<O: Operator>(drivers: &mut [Driver<O>], commit: Commit) -> Result<Committed, StateError> {
    match drivers.split_first_mut() {
        Some((first, rest)) => first.commit_then(commit, |commit| commit_all(rest, commit)),
        None => commit.write(),
    }
}

/// A reopening that failed leaves no instance.
fn gone() -> StateError {
    StateError::backend("the harness did not reopen its operator; open a new one")
}

impl<O: Operator + 'static> HarnessBuilder<O> {
    /// Opens the operator; its clock stands at 0 until [`Harness::clock`] moves it.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let harness = Harness::builder(|| Distinct).open()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`KeyedBuilder::open`](crate::KeyedBuilder::open).
    pub fn open(mut self) -> Result<Harness<O>, StateError> {
        let clock = Arc::new(ManualClock::new(0));
        self.store = self.store.clock(Arc::clone(&clock));
        let instances = self.instances;
        let mut harness = Harness {
            settings: self,
            clock,
            drivers: Vec::new(),
            instances,
            output: Output::default(),
            skipped: 0,
            dropped: 0,
        };
        harness.reopen(instances)?;
        Ok(harness)
    }
}

impl<O: Operator + 'static> Harness<O> {
    /// An operator with its state in memory; `make` makes it, also after each crash.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let mut harness = Harness::new(|| Distinct)?;
    /// harness.event(7)?;
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`KeyedBuilder::open`](crate::KeyedBuilder::open).
    pub fn new(make: impl Fn() -> O + 'static) -> Result<Self, StateError> {
        Self::builder(make).open()
    }

    /// Settings for a harness that is not like the default.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let harness = Harness::builder(|| Distinct).instances(2).open()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn builder(make: impl Fn() -> O + 'static) -> HarnessBuilder<O> {
        HarnessBuilder::new(make)
    }

    /// Processes an event without a time.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let mut harness = Harness::new(|| Distinct)?;
    /// harness.event(7)?;
    /// assert_eq!(harness.emitted(), [7]);
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Driver::event`].
    pub fn event(&mut self, event: O::In) -> Result<(), OperatorError> {
        self.process(event, None)
    }

    /// Processes an event of the time `event_time`, in milliseconds since 1970-01-01T00:00 UTC; the watermark stays.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let mut harness = Harness::new(|| Distinct)?;
    /// harness.event_at(7, 1_000)?;
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Driver::event`].
    pub fn event_at(&mut self, event: O::In, event_time: i64) -> Result<(), OperatorError> {
        self.process(event, Some(event_time))
    }

    fn process(&mut self, event: O::In, event_time: Option<i64>) -> Result<(), OperatorError> {
        let prepared = self.first().map(|first| first.prepare(event, event_time));
        let result = prepared.and_then(|prepared| Ok((self.owner(prepared.key())?, prepared)));
        let result = match result {
            Ok((driver, prepared)) => driver.process(prepared),
            Err(error) => Err(OperatorError::of_state(OperatorInput::Open, error)),
        };
        self.collect();
        result
    }

    /// Any instance.
    fn first(&self) -> Result<&Driver<O>, StateError> {
        self.drivers.first().ok_or_else(gone)
    }

    /// The instance that owns `key`; any, if that is not known.
    fn owner(&mut self, key: Option<&KeyOf<O>>) -> Result<&mut Driver<O>, StateError> {
        let first = self.first()?;
        // A key that panics is for any of them to report.
        let group = |key| catch_unwind(AssertUnwindSafe(|| first.store().key_group(key))).ok();
        let group = key.and_then(group).transpose()?;
        let owns = |driver: &&mut Driver<O>| group.is_none_or(|group| driver.store().key_groups().contains(&group));
        self.drivers.iter_mut().find(owns).ok_or_else(gone)
    }

    /// Takes what the instances have put out.
    fn collect(&mut self) {
        let Self { drivers, output, .. } = self;
        drivers.iter_mut().for_each(|driver| output.take(driver));
    }

    /// Moves the watermark of all instances, never back, and fires the event timers that makes due.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let mut harness = Harness::new(|| Distinct)?;
    /// harness.watermark(1_000)?;
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Driver::advance`].
    pub fn watermark(&mut self, ms: i64) -> Result<(), OperatorError> {
        self.each(|driver| driver.advance(ms))
    }

    /// Sets the clock of all instances, and fires the processing timers that makes due.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let mut harness = Harness::new(|| Distinct)?;
    /// harness.clock(1_000)?;
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Driver::tick`].
    pub fn clock(&mut self, ms: i64) -> Result<(), OperatorError> {
        self.clock.set(ms);
        self.each(Driver::tick)
    }

    fn each(&mut self, mut f: impl FnMut(&mut Driver<O>) -> Result<(), OperatorError>) -> Result<(), OperatorError> {
        self.first().map_err(|error| OperatorError::of_state(OperatorInput::Open, error))?;
        let result = self.drivers.iter_mut().try_for_each(&mut f);
        self.collect();
        result
    }

    /// Takes in a broadcast, by one instance for all.
    ///
    /// See [`BroadcastOperator`] for an example.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: BroadcastOperator + 'static>(harness: &mut Harness<O>, rule: O::Broadcast) -> Result<(), OperatorError> {
    /// harness.broadcast(rule)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Driver::broadcast`].
    pub fn broadcast(&mut self, item: O::Broadcast) -> Result<(), OperatorError>
    where
        O: BroadcastOperator,
    {
        let driver = self.owner(None).map_err(|error| OperatorError::of_state(OperatorInput::Open, error))?;
        let result = driver.broadcast(item);
        self.collect();
        result
    }

    /// Commits all instances: state, timers, watermark, and what was emitted.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let mut harness = Harness::new(|| Distinct)?;
    /// harness.commit()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Keyed::commit`](crate::Keyed::commit).
    pub fn commit(&mut self) -> Result<(), StateError> {
        self.first()?;
        commit_all(&mut self.drivers, Commit::new("harness"))?;
        self.output.commit();
        Ok(())
    }

    /// Forgets all that was not committed, records included, and opens the state again with a new operator.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let mut harness = Harness::new(|| Distinct)?;
    /// harness.event(7)?;
    /// harness.crash_and_reopen()?;
    /// assert!(harness.emitted().is_empty());
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`KeyedBuilder::open`](crate::KeyedBuilder::open).
    pub fn crash_and_reopen(&mut self) -> Result<(), StateError> {
        self.output.cut_back();
        self.reopen(self.instances)
    }

    /// Commits, and opens the state again with `instances` parallel instances, each with its share of the key groups.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let mut harness = Harness::new(|| Distinct)?;
    /// harness.event(7)?;
    /// harness.rescale(3)?;
    /// harness.event(7)?;
    /// assert_eq!(harness.emitted(), [7]);
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit) and [`KeyedBuilder::open`](crate::KeyedBuilder::open); also for no instances, or more than there are key groups.
    pub fn rescale(&mut self, instances: u16) -> Result<(), StateError> {
        self.commit()?;
        self.reopen(instances)
    }

    fn reopen(&mut self, instances: u16) -> Result<(), StateError> {
        for driver in self.drivers.drain(..) {
            self.skipped += driver.skipped();
            self.dropped += driver.dropped_late();
        }
        let HarnessBuilder { make, open, store, on_error, late, lateness_ms, .. } = &self.settings;
        let driver = |store| {
            let builder = Driver::builder(make()).store(store).on_error(*on_error);
            builder.late_events(*late).allowed_lateness(*lateness_ms)
        };
        self.drivers = open(vec![driver(store.clone().all_key_groups())])?;
        if instances != 1 {
            let groups = self.drivers.first().map_or(0, |driver| driver.store().key_groups().end);
            self.drivers.clear();
            let builders = shares(groups, instances).map(|share| driver(store.clone().key_groups(share)));
            self.drivers = open(builders.collect())?;
        }
        self.instances = instances;
        Ok(())
    }

    /// All that was emitted to the main output, in order.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let mut harness = Harness::new(|| Distinct)?;
    /// harness.event(7)?;
    /// assert_eq!(harness.emitted(), [7]);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn emitted(&self) -> &[O::Out] {
        &self.output.main
    }

    /// All that was emitted to the side output called `side`, in order.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let harness = Harness::new(|| Distinct)?;
    /// assert!(harness.side("late").is_empty());
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn side(&self, side: &str) -> &[O::Out] {
        self.output.sides.get(side).map_or(&[], Vec::as_slice)
    }

    /// The late events that were collected, in order.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let mut harness = Harness::builder(|| Distinct).late_events(LateEvents::Collect).open()?;
    /// harness.watermark(1_000)?;
    /// harness.event_at(7, 999)?;
    /// assert_eq!(harness.late(), [7]);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn late(&self) -> &[O::In] {
        &self.output.late
    }

    /// The dead letters, in order.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let harness = Harness::builder(|| Distinct).on_error(OnError::dead_letter()).open()?;
    /// assert!(harness.dead_letters().is_empty());
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn dead_letters(&self) -> &[DeadLetter<O::In>] {
        &self.output.dead_letters
    }

    /// Events, timers and broadcasts that failed and were skipped.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// assert_eq!(Harness::new(|| Distinct)?.skipped(), 0);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn skipped(&self) -> u64 {
        self.skipped + self.drivers.iter().map(Driver::skipped).sum::<u64>()
    }

    /// Late events that were dropped.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// assert_eq!(Harness::new(|| Distinct)?.dropped_late(), 0);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn dropped_late(&self) -> u64 {
        self.dropped + self.drivers.iter().map(Driver::dropped_late).sum::<u64>()
    }

    /// All timers with their keys, in the order in which they are due, event time first.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// assert_eq!(Harness::new(|| Distinct)?.timers()?, []);
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Driver::timers`].
    pub fn timers(&mut self) -> Result<Vec<(KeyOf<O>, Timer)>, StateError> {
        self.first()?;
        let mut all = Vec::new();
        for driver in &mut self.drivers {
            all.extend(driver.store_mut().all_timers()?);
        }
        all.sort_by(|a, b| (a.timer, &a.encoded).cmp(&(b.timer, &b.encoded)));
        Ok(all.into_iter().map(|of| (of.key, of.timer)).collect())
    }

    /// Looks at the state of `key`.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let mut harness = Harness::new(|| Distinct)?;
    /// harness.event(7)?;
    /// assert_eq!(harness.state(&7, |seen| seen.times.get())?, Some(1));
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Keyed::with_key`](crate::Keyed::with_key).
    pub fn state<R>(&mut self, key: &KeyOf<O>, look: impl FnOnce(&O::State) -> R) -> Result<R, StateError> {
        self.owner(Some(key))?.store_mut().with_key(key, look)
    }
}
