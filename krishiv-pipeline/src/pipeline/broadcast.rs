//! A source whose items are broadcast to an operator, each in front of the first event that it concerns.

use crate::pipeline::PipelineError;
use crate::pipeline::position::{of_source, of_this_kind};
use crate::source::{Polled, Source};
use krishiv_api::{BoxError, BroadcastOperator, Driver, Operator, OperatorError};
use serde_json::Value;
use std::time::Duration;

/// Broadcasts of any kind, as a step holds them.
pub(super) trait AnyBroadcasts<O: Operator> {
    /// When the next item takes effect, if it is there.
    fn next(&mut self) -> Result<Option<i64>, BoxError>;

    /// Hands the next item over, if it is there.
    fn hand_over(&mut self, driver: &mut Driver<O>) -> Result<(), OperatorError>;

    fn position(&self) -> Result<Value, PipelineError>;

    fn seek(&mut self, position: Value) -> Result<(), BoxError>;
}

pub(super) struct Broadcasts<S: Source, F> {
    source: S,
    time: F,
    /// The next item, when it takes effect, and where the source stood before it.
    next: Option<(S::Item, i64, S::Position)>,
    ended: bool,
}

impl<S: Source, F: Fn(&S::Item) -> i64> Broadcasts<S, F> {
    pub(super) fn new(source: S, time: F) -> Self {
        Self { source, time, next: None, ended: false }
    }
}

impl<O, S, F> AnyBroadcasts<O> for Broadcasts<S, F>
where
    O: BroadcastOperator,
    S: Source<Item = O::Broadcast>,
    F: Fn(&S::Item) -> i64,
{
    fn next(&mut self) -> Result<Option<i64>, BoxError> {
        while self.next.is_none() && !self.ended {
            let before = self.source.position();
            match self.source.poll(Duration::ZERO)? {
                Polled::Item(item) => {
                    let time = (self.time)(&item);
                    self.next = Some((item, time, before));
                }
                Polled::Skipped => {}
                Polled::Pending => break,
                Polled::End => self.ended = true,
            }
        }
        Ok(self.next.as_ref().map(|(_, from, _)| *from))
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
