//! A source whose items are broadcast to an operator, each in front of the first event that it concerns.

use crate::attempt::attempt;
use crate::pipeline::PipelineError;
use crate::pipeline::aside::Aside;
use crate::pipeline::input::stopped_by;
use crate::pipeline::position::{of_source, of_this_kind};
use crate::pipeline::reject::Reject;
use crate::source::{Polled, Row, Source};
use krishiv_api::{BoxError, BroadcastOperator, Driver, Operator, OperatorError};
use serde_json::Value;
use std::time::Duration;

/// Broadcasts of any kind, as a step holds them.
pub(super) trait AnyBroadcasts<O: Operator> {
    /// When the next item takes effect, if it is there; `operator` is the one that it goes to.
    fn next(&mut self, operator: &str, aside: &mut Aside) -> Result<Option<i64>, PipelineError>;

    /// Hands the next item over, if it is there.
    fn hand_over(&mut self, driver: &mut Driver<O>) -> Result<(), OperatorError>;

    /// The row that the item comes from that was handed over last.
    fn row(&self) -> Option<Row<'_>>;

    fn position(&self) -> Result<Value, PipelineError>;

    fn seek(&mut self, position: Value) -> Result<(), BoxError>;
}

pub(super) struct Broadcasts<S: Source, F> {
    source: S,
    time: F,
    /// The next item, when it takes effect, and where the source stood before it.
    next: Option<(S::Item, i64, S::Position)>,
    /// When the last one took effect, in this run.
    last: Option<i64>,
    ended: bool,
}

impl<S: Source, F: Fn(&S::Item) -> i64> Broadcasts<S, F> {
    pub(super) fn new(source: S, time: F) -> Self {
        Self { source, time, next: None, last: None, ended: false }
    }
}

impl<O, S, F> AnyBroadcasts<O> for Broadcasts<S, F>
where
    O: BroadcastOperator,
    S: Source<Item = O::Broadcast>,
    F: Fn(&S::Item) -> i64,
{
    fn next(&mut self, operator: &str, aside: &mut Aside) -> Result<Option<i64>, PipelineError> {
        // Every event asks, and most need no name.
        let input = || input_of(operator);
        let failed = |error| PipelineError::Source { input: input(), error };
        while self.next.is_none() && !self.ended {
            let before = self.source.position();
            let timed = match self.source.poll(Duration::ZERO).map_err(failed)? {
                Polled::Item(item) => attempt(|| (self.time)(&item)).map(|time| (item, time)),
                Polled::Bad(reason) => Err(reason),
                Polled::Skipped => continue,
                Polled::Pending => break,
                Polled::End => {
                    self.ended = true;
                    break;
                }
            };
            let row = self.source.row();
            match timed {
                Ok((_, time)) if self.last.is_some_and(|last| time < last) => {
                    return Err(failed(out_of_order(row, self.last, time)));
                }
                Ok((item, time)) => {
                    self.last = Some(time);
                    self.next = Some((item, time, before));
                }
                Err(reason) if aside.stops() => return Err(failed(stopped_by(reason, row))),
                Err(reason) => aside.reject(Reject::new(format!("input {}", input()), reason), row)?,
            }
        }
        Ok(self.next.as_ref().map(|(_, from, _)| *from))
    }

    fn row(&self) -> Option<Row<'_>> {
        self.source.row()
    }

    fn hand_over(&mut self, driver: &mut Driver<O>) -> Result<(), OperatorError> {
        self.next.take().map_or(Ok(()), |(item, ..)| driver.broadcast(item))
    }

    fn position(&self) -> Result<Value, PipelineError> {
        match &self.next {
            Some((_, _, before)) => of_source(before),
            None => of_source(&self.source.position()),
        }
    }

    fn seek(&mut self, position: Value) -> Result<(), BoxError> {
        self.source.seek(of_this_kind("source", position)?)
    }
}

/// What the source of an operator's broadcasts is called.
pub(super) fn input_of(operator: &str) -> String {
    format!("{operator}/broadcast")
}

/// An item would come into force when others that hold later are already in it, which nobody could tell from the output.
fn out_of_order(row: Option<Row<'_>>, last: Option<i64>, time: i64) -> BoxError {
    let place = row.map(|row| format!("{}:{}: ", row.file.display(), row.line)).unwrap_or_default();
    let last = last.unwrap_or(i64::MIN);
    format!(
        "{place}the item takes effect at {time}, and the one before it at {last}, in milliseconds; sort the items by their times"
    )
    .into()
}
