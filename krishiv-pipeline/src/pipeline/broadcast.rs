//! A source whose items are broadcast to an operator, each in front of the first event that it concerns.

use crate::pipeline::PipelineError;
use crate::pipeline::position::{of_source, of_this_kind};
use crate::{BoxError, Polled, Source};
use krishiv_api::{BroadcastOperator, Driver, Operator};
use serde_json::Value;
use std::time::Duration;

/// Broadcasts of any kind, as a step holds them.
pub(super) trait AnyBroadcasts<O: Operator> {
    /// Hands over to `operator` what takes effect by `time`.
    fn up_to(&mut self, time: i64, operator: &str, driver: &mut Driver<O>) -> Result<(), PipelineError>;

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

    /// Whether the next item is there, and takes effect by `time`.
    fn is_due(&mut self, time: i64) -> Result<bool, BoxError> {
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
        Ok(self.next.as_ref().is_some_and(|(_, from, _)| *from <= time))
    }
}

impl<O, S, F> AnyBroadcasts<O> for Broadcasts<S, F>
where
    O: BroadcastOperator,
    S: Source<Item = O::Broadcast>,
    F: Fn(&S::Item) -> i64,
{
    fn up_to(&mut self, time: i64, operator: &str, driver: &mut Driver<O>) -> Result<(), PipelineError> {
        let failed = |error| PipelineError::Source { input: format!("{operator}/broadcast"), error };
        while self.is_due(time).map_err(failed)? {
            if let Some((item, ..)) = self.next.take() {
                driver.broadcast(item)?;
            }
        }
        Ok(())
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
