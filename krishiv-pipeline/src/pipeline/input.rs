//! Sources of any kind, as the pipeline holds them, with the times of their events.

use crate::pipeline::PipelineError;
use crate::pipeline::position::{of_source, of_this_kind};
use crate::source::{Polled, Source};
use krishiv_api::{BoxError, WatermarkStrategy};
use serde_json::Value;
use std::time::Duration;

/// A source, and how event time is read off its items.
///
/// ```
/// use krishiv_api::WatermarkStrategy;
/// use krishiv_pipeline::{Input, IterSource};
///
/// // Pairs of a time in milliseconds and a word.
/// let words = Input::new(IterSource::new([(1_000, "late"), (900, "later")]))
///     .event_time(|(time, _)| *time, WatermarkStrategy::bounded_out_of_orderness(500));
/// # let _ = words;
/// ```
pub struct Input<S, F = NoTime> {
    source: S,
    time: F,
    strategy: Option<WatermarkStrategy>,
}

/// The items of an input have no time.
///
/// ```
/// use krishiv_pipeline::{Input, IterSource, NoTime};
/// let input: Input<_, NoTime> = Input::new(IterSource::new(["late"]));
/// # let _ = input;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NoTime;

/// Reads event time off an item.
pub trait EventTime<T> {
    #[doc(hidden)]
    fn of(&self, item: &T) -> Option<i64>;
}

impl<T> EventTime<T> for NoTime {
    fn of(&self, _: &T) -> Option<i64> {
        None
    }
}

impl<T, F: Fn(&T) -> i64> EventTime<T> for F {
    #[inline]
    fn of(&self, item: &T) -> Option<i64> {
        Some(self(item))
    }
}

impl<S: Source> Input<S> {
    /// An input whose items have no time: they do not move the watermark.
    ///
    /// ```
    /// use krishiv_pipeline::{Input, IterSource};
    /// let input = Input::new(IterSource::new(["late"]));
    /// # let _ = input;
    /// ```
    pub fn new(source: S) -> Self {
        Self { source, time: NoTime, strategy: None }
    }

    /// Reads the time of an item, in milliseconds since 1970-01-01T00:00 UTC, by `time`; the watermark follows `strategy`.
    ///
    /// ```
    /// use krishiv_api::WatermarkStrategy;
    /// use krishiv_pipeline::{Input, IterSource};
    /// let input = Input::new(IterSource::new([7_i64])).event_time(|time| *time, WatermarkStrategy::monotonous());
    /// # let _ = input;
    /// ```
    pub fn event_time<F: Fn(&S::Item) -> i64>(self, time: F, strategy: WatermarkStrategy) -> Input<S, F> {
        Input { source: self.source, time, strategy: Some(strategy) }
    }
}

/// An item, and its time.
pub(super) struct Timed<T> {
    pub(super) item: T,
    pub(super) time: Option<i64>,
}

/// Where a source stood.
#[derive(Clone, Copy)]
pub(super) enum At {
    /// Behind all items that it gave.
    End,
    /// Before the one at this place of the last filling.
    Before(usize),
}

/// An input whose position is JSON.
pub(super) trait AnyInput<T> {
    /// `None`: its items have no time.
    fn strategy(&self) -> Option<WatermarkStrategy>;

    /// Takes at most `limit` items, waiting at most `wait` for the first, and appends those for the operators to `batch`;
    /// returns how many it took.
    fn fill(&mut self, limit: usize, wait: Duration, batch: &mut Vec<Timed<T>>) -> Result<usize, BoxError>;

    /// Whether there will be no more.
    fn has_ended(&self) -> bool;

    fn position(&self, at: At) -> Result<Value, PipelineError>;

    fn seek(&mut self, position: Value) -> Result<(), BoxError>;
}

pub(super) type BoxedInput<T> = Box<dyn AnyInput<T>>;

pub(super) struct Feed<S: Source, F> {
    input: Input<S, F>,
    /// Where the source stood before each item of the last filling, if items have a time: only those move the watermark.
    before: Vec<S::Position>,
    ended: bool,
}

impl<S: Source, F> Feed<S, F> {
    pub(super) fn new(input: Input<S, F>) -> Self {
        Self { input, before: Vec::new(), ended: false }
    }
}

impl<S: Source, F: EventTime<S::Item>> AnyInput<S::Item> for Feed<S, F> {
    fn strategy(&self) -> Option<WatermarkStrategy> {
        self.input.strategy
    }

    fn fill(&mut self, limit: usize, wait: Duration, batch: &mut Vec<Timed<S::Item>>) -> Result<usize, BoxError> {
        let Self { input: Input { source, time, strategy }, before, ended } = self;
        before.clear();
        for polled in 0..limit {
            let position = strategy.is_some().then(|| source.position());
            // Only the first is worth waiting for: what is there already must not wait for what is not.
            match source.poll(if polled == 0 { wait } else { Duration::ZERO })? {
                Polled::Item(item) => {
                    batch.push(Timed { time: time.of(&item), item });
                    before.extend(position);
                }
                Polled::Skipped => {}
                Polled::Pending => return Ok(polled),
                Polled::End => {
                    *ended = true;
                    return Ok(polled);
                }
            }
        }
        Ok(limit)
    }

    fn has_ended(&self) -> bool {
        self.ended
    }

    fn position(&self, at: At) -> Result<Value, PipelineError> {
        let before = match at {
            At::Before(place) => self.before.get(place),
            At::End => None,
        };
        before.map_or_else(|| of_source(&self.input.source.position()), of_source)
    }

    fn seek(&mut self, position: Value) -> Result<(), BoxError> {
        self.input.source.seek(of_this_kind("source", position)?)
    }
}
