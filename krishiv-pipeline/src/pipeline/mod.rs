//! A pipeline: sources, operators and sinks, run by one thread, committed together.

mod aside;
mod broadcast;
mod error;
mod input;
mod outlet;
mod plan;
mod position;
mod reject;
mod run;
mod settings;
mod stage;
mod step;
mod summary;

use crate::sink::Sink;
use crate::source::Source;
use crate::stop::StopSignal;
use aside::OnReject;
use input::{BoxedInput, EventTime, Feed};
use krishiv_api::{Clock, Keeps, Operator, StateBackend, SystemClock};
use outlet::{BoxedSink, Outlet};
use plan::{Last, Opening, Placed, Plan, Steps};
use run::Running;
use settings::Settings;
use std::sync::Arc;

pub use error::PipelineError;
pub use input::{Fallible, Input, NoTime};
pub use reject::Reject;
pub use step::Step;
pub use summary::Summary;

/// Events between two commits unless set.
const COMMIT_EVERY: u64 = 10_000;

/// Milliseconds between two commits unless set.
const COMMIT_AFTER_MS: u64 = 1_000;

/// Sources, operators and sinks in one process and on one thread, committed together.
///
/// After a crash it goes on from the last commit: state, timers, sources and sinks together, so that nothing is lost, and
/// nothing comes twice in a sink that can be cut back or is idempotent. Ctrl-C and SIGTERM commit and stop. It is
/// meant for a program that needs no more than that; it has no network and no shuffle, and runs on the thread that calls it.
///
/// ```
/// use krishiv_api::{BoxError, EventContext, InMemoryStateBackend, KeyedState, Operator, ValueState};
/// use krishiv_pipeline::{IterSource, MemorySink, Pipeline};
/// use std::sync::Arc;
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
///     fn key(&self, user: &String) -> String { user.clone() }
///     fn on_event(&mut self, state: &Visits, user: String, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
///         let seen = state.seen.get_or(0) + 1;
///         state.seen.set(seen);
///         ctx.emit((user, seen));
///         Ok(())
///     }
/// }
///
/// let counts = MemorySink::new();
/// let summary = Pipeline::new(Arc::new(InMemoryStateBackend::new()))
///     .source(IterSource::new(["ann", "bob", "ann"].map(str::to_owned)))
///     .operator(CountVisits)
///     .sink(counts.clone())
///     .commit_every(1_000)
///     .run()?;
/// assert_eq!(summary.events, 3);
/// assert_eq!(counts.items().last(), Some(&("ann".to_owned(), 2)));
/// # Ok::<(), BoxError>(())
/// ```
#[must_use = "a pipeline does nothing until it has a source, an operator and a sink, and `run` is called"]
pub struct Pipeline<B> {
    backend: Arc<B>,
}

/// A [`Pipeline`] with sources, waiting for operators.
///
/// ```
#[doc = include_str!("example.txt")]
/// let sources = Pipeline::new(backend).source(IterSource::new([7, 8, 7]));
/// let _ = sources.operator(Distinct);
/// # Ok::<(), BoxError>(())
/// ```
#[must_use = "a pipeline does nothing until it has an operator and a sink, and `run` is called"]
pub struct Sources<B, T> {
    backend: Arc<B>,
    inputs: Vec<BoxedInput<T>>,
}

/// A [`Pipeline`] with operators, waiting for its sink.
///
/// ```
#[doc = include_str!("example.txt")]
/// let operators = Pipeline::new(backend).source(IterSource::new([7, 8])).operator(Distinct);
/// operators.sink(MemorySink::new()).run()?;
/// # Ok::<(), BoxError>(())
/// ```
#[must_use = "a pipeline does nothing until it has a sink, and `run` is called"]
pub struct Operators<B, T, C> {
    backend: Arc<B>,
    inputs: Vec<BoxedInput<T>>,
    steps: C,
}

/// A [`Pipeline`] that is complete.
///
/// ```
#[doc = include_str!("example.txt")]
/// let complete = Pipeline::new(backend).source(IterSource::new([7, 8])).operator(Distinct).sink(MemorySink::new());
/// assert_eq!(complete.run()?.events, 2);
/// # Ok::<(), BoxError>(())
/// ```
#[must_use = "a pipeline does nothing until `run` is called"]
pub struct Complete<P: Plan> {
    inputs: Vec<BoxedInput<P::In>>,
    plan: P,
    settings: Settings,
}

impl<B: StateBackend> Pipeline<B> {
    /// A pipeline whose state is on `backend`.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let pipeline = Pipeline::new(backend); // or on Arc::new(RocksDbStateBackend::open(folder)?)
    /// let _ = pipeline.source(IterSource::new([7_u64]));
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn new(backend: Arc<B>) -> Self {
        Self { backend }
    }

    /// The source, whose items have no time.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let numbers = MemorySink::new();
    /// let pipeline = Pipeline::new(backend).source(IterSource::new([7, 8]));
    /// pipeline.operator(Distinct).sink(numbers.clone()).run()?;
    /// assert_eq!(numbers.items(), [7, 8]);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn source<S: Source + 'static>(self, source: S) -> Sources<B, S::Item> {
        self.input(Input::new(source))
    }

    /// The source, and how event time is read off its items.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// // Each number is also its time.
    /// let input = Input::new(IterSource::new([7_u64, 8])).event_time(|event| *event as i64, WatermarkStrategy::monotonous());
    /// let summary = Pipeline::new(backend).input(input).operator(Distinct).sink(MemorySink::new()).run()?;
    /// assert_eq!(summary.events, 2);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn input<S, F>(self, input: Input<S, F>) -> Sources<B, S::Item>
    where
        S: Source + 'static,
        F: EventTime<S::Item> + 'static,
    {
        Sources { backend: self.backend, inputs: Vec::new() }.input(input)
    }
}

impl<B: StateBackend, T> Sources<B, T> {
    /// Another source: items of all of them go to the same operator, and the watermark is the least of theirs.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let numbers = MemorySink::new();
    /// Pipeline::new(backend)
    ///     .source(IterSource::new([7, 8]))
    ///     .input(Input::new(IterSource::new([9])))
    ///     .operator(Distinct)
    ///     .sink(numbers.clone())
    ///     .run()?;
    /// assert_eq!(numbers.items(), [7, 8, 9]);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn input<S, F>(mut self, input: Input<S, F>) -> Self
    where
        S: Source<Item = T> + 'static,
        F: EventTime<T> + 'static,
    {
        self.inputs.push(Box::new(Feed::new(input)));
        self
    }

    /// The first operator, with default settings.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let operators = Pipeline::new(backend).source(IterSource::new([7])).operator(Distinct);
    /// operators.sink(MemorySink::new()).run()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn operator<O: Operator<In = T>>(self, operator: O) -> Operators<B, T, Placed<O, B>>
    where
        B: Keeps<O::State>,
    {
        self.step(Step::new(operator))
    }

    /// The first operator, with its settings and outputs.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let step = Step::new(Distinct).skip_errors();
    /// let summary = Pipeline::new(backend).source(IterSource::new([7, 13])).step(step).sink(MemorySink::new()).run()?;
    /// assert_eq!((summary.events, summary.skipped), (2, 1));
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn step<O: Operator<In = T>>(self, step: Step<O>) -> Operators<B, T, Placed<O, B>>
    where
        B: Keeps<O::State>,
    {
        let steps = Placed::new(step, &self.backend);
        Operators { backend: self.backend, inputs: self.inputs, steps }
    }
}

impl<B: StateBackend, T, C> Operators<B, T, C> {
    /// Another operator, on what the one before it emits.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let once = Step::new(Distinct).store(Keyed::builder().operator("once")).side("again", MemorySink::new());
    /// let numbers = MemorySink::new();
    /// let pipeline = Pipeline::new(backend).source(IterSource::new([7, 8, 7])).step(once).operator(Distinct);
    /// pipeline.sink(numbers.clone()).run()?;
    /// assert_eq!(numbers.items(), [7, 8]);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn operator<O: Operator>(self, operator: O) -> Operators<B, T, (C, Placed<O, B>)>
    where
        B: Keeps<O::State>,
    {
        self.step(Step::new(operator))
    }

    /// Another operator, with its settings and outputs.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// // Two operators of one struct need two names.
    /// let first = Step::new(Distinct).store(Keyed::builder().operator("first"));
    /// let second = Step::new(Distinct).store(Keyed::builder().operator("second"));
    /// let pipeline = Pipeline::new(backend).source(IterSource::new([7, 8])).step(first).step(second);
    /// assert_eq!(pipeline.sink(MemorySink::new()).run()?.events, 2);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn step<O: Operator>(self, step: Step<O>) -> Operators<B, T, (C, Placed<O, B>)>
    where
        B: Keeps<O::State>,
    {
        let step = Placed::new(step, &self.backend);
        Operators { backend: self.backend, inputs: self.inputs, steps: (self.steps, step) }
    }

    /// The sink of what the last operator emits.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let numbers = MemorySink::new();
    /// let complete = Pipeline::new(backend).source(IterSource::new([7, 8])).operator(Distinct).sink(numbers.clone());
    /// complete.run()?;
    /// assert_eq!(numbers.items(), [7, 8]);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn sink<S>(self, sink: S) -> Complete<C::Plan>
    where
        S: Sink + 'static,
        C: Steps<Last<S::Item>>,
        C::Plan: Plan<In = T>,
    {
        let sink: BoxedSink<S::Item> = Box::new(sink);
        Complete {
            inputs: self.inputs,
            plan: self.steps.end(Last(sink)),
            settings: Settings {
                clock: Arc::new(SystemClock),
                commit_every: COMMIT_EVERY,
                commit_after_ms: Some(COMMIT_AFTER_MS),
                drain_at_end: false,
                stop: None,
                on_commit: Box::new(|_| {}),
                on_reject: OnReject::Stop,
                unused: false,
            },
        }
    }
}

impl<P: Plan> Complete<P> {
    /// Commits after so many items of the sources, those that are skipped included; 10,000 unless set.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let pipeline = Pipeline::new(backend).source(IterSource::new(0..10)).operator(Distinct).sink(MemorySink::new());
    /// // The first commit comes before the first event.
    /// assert_eq!(pipeline.commit_every(5).run()?.commits, 3);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn commit_every(mut self, events: u64) -> Self {
        self.settings.commit_every = events.max(1);
        self
    }

    /// Commits also after so many milliseconds by the clock; 1,000 unless set, `None` for never.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let pipeline = Pipeline::new(backend).source(IterSource::new(0..10)).operator(Distinct).sink(MemorySink::new());
    /// assert_eq!(pipeline.commit_after_ms(None).run()?.commits, 2);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn commit_after_ms(mut self, ms: impl Into<Option<u64>>) -> Self {
        self.settings.commit_after_ms = ms.into();
        self
    }

    /// The clock of processing time; the machine's unless set.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let pipeline = Pipeline::new(backend).source(IterSource::new([7])).operator(Distinct).sink(MemorySink::new());
    /// pipeline.clock(Arc::new(ManualClock::new(0))).run()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn clock(mut self, clock: Arc<impl Clock>) -> Self {
        self.settings.clock = clock;
        self
    }

    /// At the end of all sources moves the watermark to the end of time, so that every event timer fires.
    ///
    /// Without this, timers wait for a later run in which the sources have more. With it there can be none: a source that has
    /// more all the same is refused, since all of it would be late.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// // It forgets a number after a minute; at the end, all of them.
    /// let pipeline = Pipeline::new(backend.clone()).source(IterSource::new([7])).operator(Distinct);
    /// pipeline.sink(MemorySink::new()).drain_at_end().run()?;
    /// assert_eq!(Driver::builder(Distinct).open(backend)?.timers()?, []);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn drain_at_end(mut self) -> Self {
        self.settings.drain_at_end = true;
        self
    }

    /// What tells the pipeline to commit and stop; Ctrl-C and SIGTERM unless set.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let stop = StopSignal::manual();
    /// stop.set();
    /// let pipeline = Pipeline::new(backend).source(IterSource::new([7])).operator(Distinct).sink(MemorySink::new());
    /// let summary = pipeline.stop_on(stop).run()?;
    /// assert!(summary.stopped);
    /// assert_eq!(summary.events, 0);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn stop_on(mut self, stop: StopSignal) -> Self {
        self.settings.stop = Some(stop);
        self
    }

    /// Leaves out, counts and logs what comes to nothing, instead of stopping: items that a source cannot read, or that have no time or
    /// one too far ahead; events, timers and broadcasts that fail; records that a sink cannot write. A [`Step`] may say otherwise of
    /// what fails in it.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let numbers = IterSource::new(["7", "seven", "13"]).try_map(str::parse);
    /// let pipeline = Pipeline::new(backend).source(numbers).operator(Distinct).sink(MemorySink::new());
    /// assert_eq!(pipeline.skip_errors().run()?.skipped, 2);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn skip_errors(self) -> Self {
        self.on_reject(OnReject::Skip)
    }

    /// Leaves out the same, and sends a [`Reject`] to `sink` for each, with file, line and row that it comes from.
    ///
    /// A record that the sink of an output cannot write is put aside; what its event did to the state stays.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let numbers = IterSource::new(["7", "seven", "13"]).try_map(str::parse);
    /// let pipeline = Pipeline::new(backend).source(numbers).operator(Distinct).sink(MemorySink::new());
    /// let rejects = MemorySink::new();
    /// pipeline.dead_letters_to(rejects.clone()).run()?;
    /// let rejects: Vec<_> = rejects.items().iter().map(Reject::to_string).collect();
    /// assert_eq!(
    ///     rejects,
    ///     ["input 0: invalid digit found in string", "operator seen, key `13`: the event failed and was undone: not that one"]
    /// );
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn dead_letters_to(self, sink: impl Sink<Item = Reject> + 'static) -> Self {
        self.on_reject(OnReject::Keep(Outlet::new("dead-letters".to_owned(), Box::new(sink))))
    }

    fn on_reject(mut self, on_reject: OnReject) -> Self {
        let before = std::mem::replace(&mut self.settings.on_reject, on_reject);
        self.settings.unused |= matches!(before, OnReject::Keep(_));
        self
    }

    /// Is called after every commit: for a progress bar, or a log.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let pipeline = Pipeline::new(backend).source(IterSource::new([7])).operator(Distinct).sink(MemorySink::new());
    /// pipeline.on_commit(|summary| println!("{} events", summary.events)).run()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn on_commit(mut self, f: impl FnMut(&Summary) + 'static) -> Self {
        self.settings.on_commit = Box::new(f);
        self
    }

    /// Runs to the end of the sources, or until it is told to stop.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let numbers = MemorySink::new();
    /// let run = |items: Vec<u64>| {
    ///     let pipeline = Pipeline::new(backend.clone()).source(IterSource::new(items)).operator(Distinct);
    ///     pipeline.sink(numbers.clone()).run()
    /// };
    /// run(vec![7, 8])?;
    /// // The second run goes on behind what the first one did.
    /// let summary = run(vec![7, 8, 9])?;
    /// assert_eq!((summary.events_before, summary.events), (2, 3));
    /// assert_eq!(numbers.items(), [7, 8, 9]);
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Why it stopped before. What was committed stays, and the next run goes on from there.
    pub fn run(self) -> Result<Summary, PipelineError> {
        let Self { inputs, plan, mut settings } = self;
        if settings.unused {
            let reason = "a sink of `dead_letters_to` of the pipeline would be left unused, since a later call takes its place; leave \
                          out one of the two";
            return Err(PipelineError::setting(reason));
        }
        let stop = match settings.stop.take() {
            Some(stop) => stop,
            None => StopSignal::install().map_err(PipelineError::Signal)?,
        };
        let timed = inputs.iter().any(|input| input.strategy().is_some());
        let far_is_late = inputs.iter().any(|input| input.strategy().is_some_and(|strategy| strategy.makes_late()));
        let (clock, on_reject) = (&settings.clock, &settings.on_reject);
        let mut opening = Opening { clock, timed, far_is_late, on_reject, names: Vec::new(), stored: Vec::new() };
        let stage = plan.open(&mut opening)?;
        let Opening { names, mut stored, .. } = opening;
        stored.retain(|operator| !names.iter().any(|name| name == operator.name()));
        Running::new(inputs, stage, settings, stop).run(&stored)
    }
}
