//! A source whose items are broadcast to an operator, each in front of the first event that it concerns.

use crate::attempt::attempt;
use crate::pipeline::PipelineError;
use crate::pipeline::aside::Aside;
use crate::pipeline::input::bad;
use crate::pipeline::position::{of_source, of_this_kind};
use crate::source::{Polled, Row, Source};
use krishiv_api::{BoxError, BroadcastOperator, Driver, Operator, OperatorError};
use serde_json::Value;
use std::time::Duration;

/// Broadcasts of any kind, as a step holds them.
pub(super) trait AnyBroadcasts<O: Operator> {
    /// When the next item takes effect, if it is there.
    fn next(&mut self, input: &dyn Fn() -> String, aside: &mut Aside) -> Result<Option<i64>, BoxError>;

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
    fn next(&mut self, input: &dyn Fn() -> String, aside: &mut Aside) -> Result<Option<i64>, BoxError> {
        while self.next.is_none() && !self.ended {
            let before = self.source.position();
            let (item, reason) = match self.source.poll(Duration::ZERO)? {
                Polled::Item(item) => match attempt(|| (self.time)(&item)) {
                    Ok(time) if self.last.is_none_or(|last| last <= time) => (Some((item, time)), String::new()),
                    Ok(time) => return Err(out_of_order(self.source.row(), self.last, time)),
                    Err(reason) => (None, reason),
                },
                Polled::Bad(reason) => (None, reason),
                Polled::Skipped => continue,
                Polled::Pending => break,
                Polled::End => {
                    self.ended = true;
                    break;
                }
            };
            match item {
                Some((item, time)) => {
                    self.last = Some(time);
                    self.next = Some((item, time, before));
                }
                None => aside.reject(bad(input, reason, self.source.row(), aside)?),
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

/// An item would come into force when others that hold later are already in it, which nobody could tell from the output.
fn out_of_order(row: Option<Row<'_>>, last: Option<i64>, time: i64) -> BoxError {
    let place = row.map(|row| format!("{}:{}: ", row.file.display(), row.line)).unwrap_or_default();
    let last = last.unwrap_or(i64::MIN);
    format!(
        "{place}the item takes effect at {time}, and the one before it at {last}, in milliseconds; sort the items by their times"
    )
    .into()
}
