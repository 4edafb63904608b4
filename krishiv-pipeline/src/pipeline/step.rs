//! An operator in a pipeline, and where all that it puts out goes.

use crate::pipeline::broadcast::{AnyBroadcasts, Broadcasts};
use crate::pipeline::outlet::{BoxedSink, Mapped};
use crate::sink::Sink;
use crate::source::Source;
use krishiv_api::{BroadcastOperator, DeadLetter, Keyed, KeyedBuilder, LateEvents, OnError, Operator};

const DEAD_LETTERS: &str = "a sink of `dead_letters_to`";
const LATE: &str = "a sink of `late_to`";

/// An operator in a pipeline, with its settings and its other outputs.
///
/// ```
/// # use krishiv_api::*;
/// # use krishiv_pipeline::*;
/// # use std::sync::Arc;
/// struct Picky;
///
/// impl Operator for Picky {
///     type State = Dynamic<u64>;
///     type In = u64;
///     type Out = u64;
///     fn key(&self, event: &u64) -> u64 { *event }
///     fn on_event(&mut self, _: &Dynamic<u64>, event: u64, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
///         match event {
///             13 => return Err("not that one".into()),
///             0..100 => ctx.emit(event),
///             _ => ctx.emit_to("great", event),
///         }
///         Ok(())
///     }
/// }
///
/// let (small, great, failed) = (MemorySink::new(), MemorySink::new(), MemorySink::new());
/// let picky = Step::new(Picky)
///     .side("great", great.clone())
///     .dead_letters_to(failed.clone(), |letter| letter.error.to_string());
/// Pipeline::new(Arc::new(InMemoryStateBackend::new()))
///     .source(IterSource::new([7, 13, 700]))
///     .step(picky)
///     .sink(small.clone())
///     .run()?;
/// assert_eq!((small.items(), great.items()), (vec![7], vec![700]));
/// assert_eq!(failed.items(), ["operator `dynamic`, key `13`: the event failed and was undone: not that one"]);
/// # Ok::<(), BoxError>(())
/// ```
#[must_use = "a step does nothing until it is part of a pipeline"]
pub struct Step<O: Operator> {
    pub(super) operator: O,
    pub(super) store: KeyedBuilder<O::State>,
    /// `None`: what the pipeline says.
    pub(super) on_error: Option<OnError<O::In>>,
    pub(super) late: LateEvents,
    pub(super) lateness_ms: u64,
    pub(super) sides: Vec<(&'static str, BoxedSink<O::Out>)>,
    pub(super) late_to: Option<BoxedSink<O::In>>,
    pub(super) dead_letters_to: Option<BoxedSink<DeadLetter<O::In>>>,
    pub(super) broadcasts: Option<Box<dyn AnyBroadcasts<O>>>,
    /// States that are stored, and that nobody needs any more.
    pub(super) dropped: Vec<&'static str>,
    /// What a later call has put aside.
    pub(super) unused: Option<&'static str>,
}

impl<O: Operator> Step<O> {
    /// The operator with default settings: what fails is left to the [pipeline](crate::Complete::dead_letters_to), late events are
    /// taken like others, and it has one output.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let step = Step::new(Distinct);
    /// let pipeline = Pipeline::new(backend).source(IterSource::new([7])).step(step);
    /// pipeline.sink(MemorySink::new()).run()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn new(operator: O) -> Self {
        Self {
            operator,
            store: Keyed::builder(),
            on_error: None,
            late: LateEvents::default(),
            lateness_ms: 0,
            sides: Vec::new(),
            late_to: None,
            dead_letters_to: None,
            broadcasts: None,
            dropped: Vec::new(),
            unused: None,
        }
    }

    /// Takes note that `what` would be left unused, if it is there; the pipeline refuses that.
    fn put_aside(&mut self, what: &'static str, is_there: bool) {
        self.unused = self.unused.or(is_there.then_some(what));
    }

    /// Settings of the store: name of the operator, memory budget. The clock is the pipeline's.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let step = Step::new(Distinct).store(Keyed::builder().operator("once").memory_budget(64 << 20));
    /// let pipeline = Pipeline::new(backend.clone()).source(IterSource::new([7])).step(step);
    /// pipeline.sink(MemorySink::new()).run()?;
    /// let store = Keyed::<Seen>::builder().operator("once").open(backend)?;
    /// assert!(store.position().is_some());
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn store(mut self, store: KeyedBuilder<O::State>) -> Self {
        self.store = store;
        self
    }

    /// Leaves out, and counts, what fails, whatever the pipeline does otherwise.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let step = Step::new(Distinct).skip_errors();
    /// let pipeline = Pipeline::new(backend).source(IterSource::new([7, 13])).step(step);
    /// assert_eq!(pipeline.sink(MemorySink::new()).run()?.skipped, 1);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn skip_errors(mut self) -> Self {
        self.put_aside(DEAD_LETTERS, self.dead_letters_to.is_some());
        self.on_error = Some(OnError::skip());
        self
    }

    /// Leaves out what fails, and sends it to `sink` in the form that `line` gives it, whatever the pipeline does otherwise. Costs a
    /// copy of every event.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let failed = MemorySink::new();
    /// let step = Step::new(Distinct).dead_letters_to(failed.clone(), |letter| letter.rejected);
    /// let pipeline = Pipeline::new(backend).source(IterSource::new([7, 13])).step(step);
    /// pipeline.sink(MemorySink::new()).run()?;
    /// assert_eq!(failed.items(), [Rejected::Event(13, None)]);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn dead_letters_to<S, F>(mut self, sink: S, line: F) -> Self
    where
        S: Sink + 'static,
        F: FnMut(DeadLetter<O::In>) -> S::Item + 'static,
        O::In: Clone + 'static,
    {
        self.put_aside(DEAD_LETTERS, self.dead_letters_to.is_some());
        self.on_error = Some(OnError::dead_letter());
        self.dead_letters_to = Some(Box::new(Mapped { sink, map: line }));
        self
    }

    /// Drops, and counts, late events; without this they go to the operator like all others.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let times = Input::new(IterSource::new([7, 9, 8])).event_time(|event: &u64| *event as i64, WatermarkStrategy::monotonous());
    /// let pipeline = Pipeline::new(backend).input(times).step(Step::new(Distinct).drop_late());
    /// assert_eq!(pipeline.sink(MemorySink::new()).run()?.dropped_late, 1);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn drop_late(mut self) -> Self {
        self.put_aside(LATE, self.late_to.is_some());
        self.late = LateEvents::Drop;
        self
    }

    /// Sends late events to `sink` as they came in, and not to the operator.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let times = Input::new(IterSource::new([7, 9, 8])).event_time(|event: &u64| *event as i64, WatermarkStrategy::monotonous());
    /// let late = MemorySink::new();
    /// let pipeline = Pipeline::new(backend).input(times).step(Step::new(Distinct).late_to(late.clone()));
    /// pipeline.sink(MemorySink::new()).run()?;
    /// assert_eq!(late.items(), [8]);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn late_to(mut self, sink: impl Sink<Item = O::In> + 'static) -> Self {
        self.put_aside(LATE, self.late_to.is_some());
        self.late = LateEvents::Collect;
        self.late_to = Some(Box::new(sink));
        self
    }

    /// Events that are at most `ms` milliseconds late are taken like others, where late ones are [dropped](Self::drop_late) or
    /// [put aside](Self::late_to); 0 unless set.
    ///
    /// The operator gets them behind the timers of their time, and `ctx.is_late()` tells it so.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let times = Input::new(IterSource::new([7, 9, 8, 1])).event_time(|event: &u64| *event as i64, WatermarkStrategy::monotonous());
    /// let pipeline = Pipeline::new(backend).input(times).step(Step::new(Distinct).drop_late().allowed_lateness(5));
    /// assert_eq!(pipeline.sink(MemorySink::new()).run()?.dropped_late, 1); // that of time 1
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn allowed_lateness(mut self, ms: u64) -> Self {
        self.lateness_ms = ms;
        self
    }

    /// Says that states of these names are stored, and that the struct does not declare them any more; without this the pipeline
    /// refuses to leave them behind. They stay stored.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// # #[derive(KeyedState)]
    /// # #[state(key = u64, name = "seen")]
    /// # struct Before { times: ValueState<u32>, first: ValueState<u64>, limits: BroadcastState<u8, u64> }
    /// # let mut before = Keyed::<Before>::open(backend.clone())?;
    /// # before.with_key(&7, |state| state.first.set(1))?;
    /// # before.commit("")?;
    /// # drop(before);
    /// // Once there was a field `first`.
    /// let pipeline = |step| Pipeline::new(backend.clone()).source(IterSource::new([7])).step(step).sink(MemorySink::new());
    /// let error = pipeline(Step::new(Distinct)).run().unwrap_err().to_string();
    /// assert!(error.starts_with("operator `seen` has stored `first`, which its struct does not declare"));
    /// let _ = pipeline(Step::new(Distinct).dropped(["first"]));
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn dropped(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.dropped.extend(names);
        self
    }

    /// Where records go that the operator emits to the side output called `name`.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let again = MemorySink::new();
    /// let step = Step::new(Distinct).side("again", again.clone());
    /// let pipeline = Pipeline::new(backend).source(IterSource::new([7, 8, 7])).step(step);
    /// pipeline.sink(MemorySink::new()).run()?;
    /// assert_eq!(again.items(), [7]);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn side(mut self, name: &'static str, sink: impl Sink<Item = O::Out> + 'static) -> Self {
        self.sides.push((name, Box::new(sink)));
        self
    }

    /// Broadcasts the items of `source`, each in front of the first event whose time is not before its own, which `time` tells
    /// in milliseconds since 1970-01-01T00:00 UTC; `i64::MIN` is at once. Items are in the order of their times; one that is not stops the pipeline. Where no input has
    /// times, any other would never come, and stops the pipeline before its first event.
    ///
    /// Timers see the broadcasts of their time too: one comes after all that were due before it, and before those that are due
    /// with it or after it, in all operators of the pipeline.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let times = Input::new(IterSource::new([7, 8, 100])).event_time(|event: &u64| *event as i64, WatermarkStrategy::monotonous());
    /// let limits = IterSource::new([50]); // a limit of 50, from time 10 on
    /// let (step, numbers) = (Step::new(Distinct).broadcast(limits, |_| 10), MemorySink::new());
    /// Pipeline::new(backend).input(times).step(step).sink(numbers.clone()).run()?;
    /// assert_eq!(numbers.items(), [7, 8]);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn broadcast<S, F>(mut self, source: S, time: F) -> Self
    where
        O: BroadcastOperator,
        S: Source<Item = O::Broadcast> + 'static,
        F: Fn(&S::Item) -> i64 + 'static,
    {
        self.put_aside("a source of `broadcast`", self.broadcasts.is_some());
        self.broadcasts = Some(Box::new(Broadcasts::new(source, time)));
        self
    }
}
