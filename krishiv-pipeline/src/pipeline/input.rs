//! Sources of any kind, as the pipeline holds them, with the times of their events.

use crate::attempt::attempt;
use crate::error::FileError;
use crate::pipeline::PipelineError;
use crate::pipeline::aside::Aside;
use crate::pipeline::position::{of_source, of_this_kind};
use crate::pipeline::reject::Reject;
use crate::source::{Polled, Row, Source};
use krishiv_api::{BoxError, FarAhead, TooFarAhead, WatermarkStrategy};
use serde_json::Value;
use std::fmt::Display;
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

/// Reads event time off an item, or says why it cannot: what [`Input::try_event_time`] makes of a function.
///
/// ```
/// use krishiv_api::WatermarkStrategy;
/// use krishiv_pipeline::{Fallible, Input, IterSource};
/// use std::num::ParseIntError;
///
/// type Texts<F> = Input<IterSource<std::vec::IntoIter<String>>, Fallible<F>>;
///
/// fn input(texts: Vec<String>) -> Texts<impl Fn(&String) -> Result<i64, ParseIntError>> {
///     Input::new(IterSource::new(texts)).try_event_time(|text| text.parse(), WatermarkStrategy::monotonous())
/// }
/// # let _ = input(vec!["7".to_owned()]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Fallible<F>(F);

/// Times before this are no times: state that ends could not be told from state that does not.
const EARLIEST: i64 = i64::MIN / 2;

/// Reads event time off an item.
pub trait EventTime<T> {
    #[doc(hidden)]
    fn of(&self, item: &T) -> Result<Option<i64>, String>;
}

impl<T> EventTime<T> for NoTime {
    fn of(&self, _: &T) -> Result<Option<i64>, String> {
        Ok(None)
    }
}

impl<T, F: Fn(&T) -> i64> EventTime<T> for F {
    #[inline]
    fn of(&self, item: &T) -> Result<Option<i64>, String> {
        attempt(|| self(item)).and_then(a_time)
    }
}

impl<T, E: Display, F: Fn(&T) -> Result<i64, E>> EventTime<T> for Fallible<F> {
    #[inline]
    fn of(&self, item: &T) -> Result<Option<i64>, String> {
        let found = attempt(|| (self.0)(item).map_err(|error| error.to_string()));
        found.and_then(|time| time).and_then(a_time)
    }
}

#[inline]
fn a_time(time: i64) -> Result<Option<i64>, String> {
    if time >= EARLIEST {
        Ok(Some(time))
    } else {
        Err(format!("{time} is before all times, which begin at {EARLIEST}"))
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
    /// The same where the time may be missing or wrong; an item whose time cannot be read is [left out](crate::Complete::skip_errors),
    /// or stops the pipeline.
    ///
    /// ```
    /// use krishiv_api::WatermarkStrategy;
    /// use krishiv_pipeline::{Input, IterSource};
    /// let events = IterSource::new([("late", Some(7)), ("later", None)]);
    /// let input = Input::new(events).try_event_time(|(_, time)| time.ok_or("it has no time"), WatermarkStrategy::monotonous());
    /// # let _ = input;
    /// ```
    pub fn try_event_time<E: Display, F: Fn(&S::Item) -> Result<i64, E>>(
        self,
        time: F,
        strategy: WatermarkStrategy,
    ) -> Input<S, Fallible<F>> {
        Input { source: self.source, time: Fallible(time), strategy: Some(strategy) }
    }
}

/// An item, and its time.
pub(super) struct Timed<T> {
    pub(super) item: T,
    pub(super) time: Option<i64>,
    /// Whether that is so far ahead that the event is treated as late.
    pub(super) far: bool,
}

/// Where a source stood.
#[derive(Clone, Copy)]
pub(super) enum At {
    /// Behind all items that it gave.
    End,
    /// Before the one at this place of the last filling.
    Before(usize),
}

/// How an input is asked for items.
pub(super) struct Filling<'a> {
    /// Its number.
    pub(super) input: usize,
    pub(super) limit: usize,
    /// How long it may wait for the first.
    pub(super) wait: Duration,
    /// Whether a time is too far ahead.
    pub(super) judge: &'a mut dyn FnMut(i64) -> Option<FarAhead>,
}

/// An input whose position is JSON.
pub(super) trait AnyInput<T> {
    /// `None`: its items have no time.
    fn strategy(&self) -> Option<WatermarkStrategy>;

    /// Takes at most so many items, and appends those for the operators to `batch`; returns how many it took.
    fn fill(&mut self, filling: Filling<'_>, batch: &mut Vec<Timed<T>>, aside: &mut Aside) -> Result<usize, BoxError>;

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

    fn fill(
        &mut self,
        filling: Filling<'_>,
        batch: &mut Vec<Timed<S::Item>>,
        aside: &mut Aside,
    ) -> Result<usize, BoxError> {
        let Self { input: Input { source, time, strategy }, before, ended } = self;
        let Filling { input, limit, wait, judge } = filling;
        before.clear();
        aside.begin();
        for polled in 0..limit {
            let position = strategy.is_some().then(|| source.position());
            // Only the first is worth waiting for: what is there already must not wait for what is not.
            let reason = match source.poll(if polled == 0 { wait } else { Duration::ZERO })? {
                Polled::Item(item) => match time.of(&item) {
                    Ok(time) => match time.and_then(&mut *judge) {
                        Some(far) if far.then == TooFarAhead::Refuse => far.to_string(),
                        far => {
                            batch.push(Timed { item, time, far: far.is_some() });
                            before.extend(position);
                            if aside.took(|| source.row()) {
                                continue;
                            }
                            return Ok(polled + 1);
                        }
                    },
                    Err(reason) => format!("its time: {reason}"),
                },
                Polled::Bad(reason) => reason,
                Polled::Skipped => continue,
                Polled::Pending => return Ok(polled),
                Polled::End => {
                    *ended = true;
                    return Ok(polled);
                }
            };
            if aside.stops() {
                return Err(stopped_by(reason, source.row()));
            }
            if !aside.no_item(batch.len(), Reject::new(format!("input {input}"), reason), source.row()) {
                return Ok(polled + 1);
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

/// What a source has given is no item, and that stops a pipeline.
#[cold]
pub(super) fn stopped_by(reason: String, row: Option<Row<'_>>) -> BoxError {
    let reason =
        format!("{reason}; mend it, or leave such items out by `skip_errors` or `dead_letters_to` of the pipeline");
    match row {
        Some(row) => FileError::line(row.file, row.line, reason).into(),
        None => reason.into(),
    }
}
