//! The operators of a pipeline one behind the other, each with its store, and the sink behind the last.

use crate::pipeline::PipelineError;
use crate::pipeline::aside::Aside;
use crate::pipeline::broadcast::{AnyBroadcasts, input_of};
use crate::pipeline::outlet::{AnyOutlet, Outlet};
use crate::pipeline::reject::Reject;
use crate::pipeline::summary::Summary;
use krishiv_api::{Commit, Committed, DeadLetter, Driver, Operator, Prepared, Rejected, StateError, TimerKind};
use serde_json::Value;
use std::collections::BTreeMap;

/// Timers that fire between two looks at whether a commit is due.
const TIMERS: usize = 1_024;

/// An operator, or the sink, with all that comes behind it.
#[doc(hidden)]
pub trait Stage {
    type In;

    /// An event whose key is known.
    type Prepared;

    fn prepare(&self, event: Self::In, time: Option<i64>) -> Self::Prepared;

    /// Whether that and the next pay.
    fn gains_by_looking_ahead(&self) -> bool;

    /// Looks up together what the events of a batch will need.
    fn look_ahead(&mut self, batch: &[Self::Prepared]);

    fn process(&mut self, prepared: Self::Prepared, aside: &mut Aside) -> Result<(), PipelineError>;

    /// When the next broadcast takes effect, here or behind, if one is there.
    fn next_broadcast(&mut self, aside: &mut Aside) -> Result<Option<i64>, PipelineError>;

    /// Hands over the broadcasts that take effect by `time`, here and behind.
    fn broadcast(&mut self, time: i64, aside: &mut Aside) -> Result<(), PipelineError>;

    fn event(&mut self, event: Self::In, time: Option<i64>, aside: &mut Aside) -> Result<(), PipelineError>;

    /// An event that is treated as late whatever the watermark.
    fn late(&mut self, event: Self::In, time: i64, aside: &mut Aside) -> Result<(), PipelineError>;

    fn set_watermark(&mut self, ms: i64);

    /// Fires some of the timers that are due, here and behind; whether there may be more.
    fn fire(&mut self, kind: TimerKind, aside: &mut Aside) -> Result<bool, PipelineError>;

    fn needs_commit(&self) -> bool;

    fn has_uncommitted(&self) -> bool;

    fn commit(&mut self, commit: Commit) -> Result<Committed, StateError>;

    /// Runs `f` on every sink.
    fn outlets(
        &mut self,
        f: &mut dyn FnMut(&mut dyn AnyOutlet) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError>;

    /// Adds where the broadcasts stand, under the names of their operators.
    fn broadcast_positions(&self, positions: &mut BTreeMap<String, Value>) -> Result<(), PipelineError>;

    fn seek_broadcasts(&mut self, positions: &BTreeMap<String, Value>) -> Result<(), PipelineError>;

    /// Adds the names that operators had before, each with the one of now.
    fn former_names(&self, names: &mut Vec<(String, String)>);

    /// Adds the operators' names and positions.
    fn positions<'a>(&'a self, positions: &mut Vec<(&'a str, Option<&'a [u8]>)>);

    fn count(&self, summary: &mut Summary);
}

/// A step that is open.
#[doc(hidden)]
pub struct OperatorStage<O: Operator, N> {
    pub(super) name: String,
    pub(super) driver: Driver<O>,
    pub(super) sides: BTreeMap<&'static str, Outlet<O::Out>>,
    pub(super) late: Option<Outlet<O::In>>,
    pub(super) dead_letters: Option<Outlet<DeadLetter<O::In>>>,
    pub(super) broadcasts: Option<Box<dyn AnyBroadcasts<O>>>,
    /// Whether an input has times, so that those of broadcasts may come.
    pub(super) timed: bool,
    pub(super) next: N,
}

impl<O: Operator, N: Stage<In = O::Out>> OperatorStage<O, N> {
    /// Hands over the broadcasts that take effect by `time`.
    #[inline]
    fn hand_over(&mut self, time: i64, aside: &mut Aside) -> Result<(), PipelineError> {
        if self.broadcasts.is_none() {
            return Ok(());
        }
        // What comes to nothing of it does not come from the event at hand.
        aside.at(None, |aside| self.hand_all_over(time, aside))
    }

    fn hand_all_over(&mut self, time: i64, aside: &mut Aside) -> Result<(), PipelineError> {
        loop {
            match self.next_here(aside)? {
                Some(from) if from <= time => {
                    let Self { driver, broadcasts, .. } = self;
                    let handed_over = broadcasts.as_mut().map_or(Ok(()), |broadcasts| broadcasts.hand_over(driver));
                    self.pass_on(aside)?;
                    handed_over?;
                }
                Some(from) if !self.timed => return Err(never_comes(&self.name, from)),
                _ => return Ok(()),
            }
        }
    }

    /// When the next broadcast to this operator takes effect, if one is there.
    fn next_here(&mut self, aside: &mut Aside) -> Result<Option<i64>, PipelineError> {
        let Self { name, broadcasts, .. } = self;
        broadcasts.as_mut().map_or(Ok(None), |broadcasts| broadcasts.next(name, aside))
    }

    /// Sends what the operator has put out where it belongs.
    #[inline]
    fn pass_on(&mut self, aside: &mut Aside) -> Result<(), PipelineError> {
        if self.driver.has_output() { self.pass_all_on(aside) } else { Ok(()) }
    }

    fn pass_all_on(&mut self, aside: &mut Aside) -> Result<(), PipelineError> {
        let Self { name, driver, sides, late, dead_letters, broadcasts, next, .. } = self;
        for record in driver.drain() {
            match record.side {
                None => next.event(record.value, record.event_time, aside)?,
                Some(side) => {
                    let side = sides.get_mut(side).ok_or_else(|| no_sink(name, side))?;
                    aside.write(side, record.value)?;
                }
            }
        }
        if let Some(late) = late {
            driver.drain_late().try_for_each(|(event, _)| aside.write(late, event))?;
        }
        for letter in driver.drain_dead_letters() {
            match dead_letters {
                Some(dead_letters) => aside.write(dead_letters, letter)?,
                None => {
                    let of_broadcast = broadcasts.as_ref().filter(|_| matches!(letter.rejected, Rejected::Broadcast));
                    let row = of_broadcast.and_then(|broadcasts| broadcasts.row());
                    aside.reject(Reject::of_operator(&letter.error), row)?;
                }
            }
        }
        Ok(())
    }
}

#[cold]
fn no_sink(operator: &str, side: &str) -> PipelineError {
    PipelineError::setting(format!(
        "operator `{operator}` has emitted to its side output `{side}`, which has no sink; give the step one by `.side(\"{side}\", …)`"
    ))
}

#[cold]
fn never_comes(operator: &str, from: i64) -> PipelineError {
    PipelineError::setting(format!(
        "a broadcast to operator `{operator}` takes effect at time {from}, and no input of the pipeline has times, so that would \
         never come; give an input its times by `Input::event_time`, or the broadcast `i64::MIN`, which is at once"
    ))
}

impl<O: Operator, N: Stage<In = O::Out>> Stage for OperatorStage<O, N> {
    type In = O::In;
    type Prepared = Prepared<O>;

    #[inline]
    fn prepare(&self, event: O::In, time: Option<i64>) -> Prepared<O> {
        self.driver.prepare(event, time)
    }

    fn gains_by_looking_ahead(&self) -> bool {
        self.driver.gains_by_looking_ahead()
    }

    fn look_ahead(&mut self, batch: &[Prepared<O>]) {
        self.driver.look_ahead(batch);
    }

    #[inline]
    fn process(&mut self, prepared: Prepared<O>, aside: &mut Aside) -> Result<(), PipelineError> {
        self.hand_over(prepared.event_time().unwrap_or(i64::MIN), aside)?;
        self.driver.process(prepared)?;
        self.pass_on(aside)
    }

    fn next_broadcast(&mut self, aside: &mut Aside) -> Result<Option<i64>, PipelineError> {
        let (here, behind) = (self.next_here(aside)?, self.next.next_broadcast(aside)?);
        Ok(here.into_iter().chain(behind).min())
    }

    fn broadcast(&mut self, time: i64, aside: &mut Aside) -> Result<(), PipelineError> {
        self.hand_over(time, aside)?;
        self.next.broadcast(time, aside)
    }

    #[inline]
    fn event(&mut self, event: O::In, time: Option<i64>, aside: &mut Aside) -> Result<(), PipelineError> {
        // What an operator in front of this one puts out has times of its own.
        self.hand_over(time.unwrap_or(i64::MIN), aside)?;
        self.driver.event(event, time)?;
        self.pass_on(aside)
    }

    fn late(&mut self, event: O::In, time: i64, aside: &mut Aside) -> Result<(), PipelineError> {
        self.driver.late_event(event, time)?;
        self.pass_on(aside)
    }

    fn set_watermark(&mut self, ms: i64) {
        self.driver.set_watermark(ms);
    }

    fn fire(&mut self, kind: TimerKind, aside: &mut Aside) -> Result<bool, PipelineError> {
        let more = self.driver.fire(kind, TIMERS);
        // What fired before one failed is as good as ever.
        self.pass_on(aside)?;
        if more? {
            return Ok(true);
        }
        // Only now: what these timers put out is not late behind them.
        if let (TimerKind::Event, Some(watermark)) = (kind, self.driver.watermark()) {
            self.next.set_watermark(watermark);
        }
        self.next.fire(kind, aside)
    }

    fn has_uncommitted(&self) -> bool {
        self.driver.store().has_uncommitted() || self.next.has_uncommitted()
    }

    fn needs_commit(&self) -> bool {
        self.driver.store().needs_commit() || self.next.needs_commit()
    }

    fn commit(&mut self, commit: Commit) -> Result<Committed, StateError> {
        let Self { driver, next, .. } = self;
        driver.commit_then(commit, |commit| next.commit(commit))
    }

    fn outlets(
        &mut self,
        f: &mut dyn FnMut(&mut dyn AnyOutlet) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        self.sides.values_mut().try_for_each(|side| f(side))?;
        self.late.iter_mut().try_for_each(|late| f(late))?;
        self.dead_letters.iter_mut().try_for_each(|dead_letters| f(dead_letters))?;
        self.next.outlets(f)
    }

    fn broadcast_positions(&self, positions: &mut BTreeMap<String, Value>) -> Result<(), PipelineError> {
        if let Some(broadcasts) = &self.broadcasts {
            positions.insert(self.name.clone(), broadcasts.position()?);
        }
        self.next.broadcast_positions(positions)
    }

    fn seek_broadcasts(&mut self, positions: &BTreeMap<String, Value>) -> Result<(), PipelineError> {
        if let Some((broadcasts, position)) = self.broadcasts.as_mut().zip(positions.get(&self.name)) {
            let sought = broadcasts.seek(position.clone());
            sought.map_err(|error| PipelineError::Source { input: input_of(&self.name), error })?;
        }
        self.next.seek_broadcasts(positions)
    }

    fn former_names(&self, names: &mut Vec<(String, String)>) {
        names.extend(self.driver.store().former_names().into_iter().map(|former| (former, self.name.clone())));
        self.next.former_names(names);
    }

    fn positions<'a>(&'a self, positions: &mut Vec<(&'a str, Option<&'a [u8]>)>) {
        positions.push((&self.name, self.driver.store().position()));
        self.next.positions(positions);
    }

    fn count(&self, summary: &mut Summary) {
        summary.skipped += self.driver.skipped();
        summary.dropped_late += self.driver.dropped_late();
        self.sides.values().for_each(|side| side.add_to(summary));
        self.late.iter().for_each(|late| late.add_to(summary));
        self.dead_letters.iter().for_each(|dead_letters| dead_letters.add_to(summary));
        self.next.count(summary);
    }
}

impl<T> Stage for Outlet<T> {
    type In = T;
    type Prepared = T;

    fn prepare(&self, item: T, _: Option<i64>) -> T {
        item
    }

    fn gains_by_looking_ahead(&self) -> bool {
        false
    }

    fn look_ahead(&mut self, _: &[T]) {}

    fn process(&mut self, item: T, aside: &mut Aside) -> Result<(), PipelineError> {
        aside.write(self, item)
    }

    fn next_broadcast(&mut self, _: &mut Aside) -> Result<Option<i64>, PipelineError> {
        Ok(None)
    }

    fn broadcast(&mut self, _: i64, _: &mut Aside) -> Result<(), PipelineError> {
        Ok(())
    }

    fn event(&mut self, item: T, _: Option<i64>, aside: &mut Aside) -> Result<(), PipelineError> {
        aside.write(self, item)
    }

    fn late(&mut self, item: T, _: i64, aside: &mut Aside) -> Result<(), PipelineError> {
        aside.write(self, item)
    }

    fn set_watermark(&mut self, _: i64) {}

    fn fire(&mut self, _: TimerKind, _: &mut Aside) -> Result<bool, PipelineError> {
        Ok(false)
    }

    fn has_uncommitted(&self) -> bool {
        false
    }

    fn needs_commit(&self) -> bool {
        false
    }

    fn commit(&mut self, commit: Commit) -> Result<Committed, StateError> {
        commit.write()
    }

    fn outlets(
        &mut self,
        f: &mut dyn FnMut(&mut dyn AnyOutlet) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        f(self)
    }

    fn broadcast_positions(&self, _: &mut BTreeMap<String, Value>) -> Result<(), PipelineError> {
        Ok(())
    }

    fn seek_broadcasts(&mut self, _: &BTreeMap<String, Value>) -> Result<(), PipelineError> {
        Ok(())
    }

    fn former_names(&self, _: &mut Vec<(String, String)>) {}

    fn positions<'a>(&'a self, _: &mut Vec<(&'a str, Option<&'a [u8]>)>) {}

    fn count(&self, summary: &mut Summary) {
        self.add_to(summary);
    }
}
