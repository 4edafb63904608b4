//! Sources, operators and sinks of a stream that one thread runs, such that a crash loses nothing and repeats nothing.
//!
//! A [`Pipeline`] takes items from its sources, runs operators on them, and commits state, sources and sinks together.
//!
//! ```
//! use krishiv_api::{EventContext, InMemoryStateBackend, KeyedState, Operator, ValueState};
//! use krishiv_pipeline::{BoxError, CsvSource, JsonLinesSink, Pipeline};
//! use std::sync::Arc;
//!
//! #[derive(KeyedState)]
//! #[state(key = String)]
//! struct Aircraft {
//!     late_streak: ValueState<u32>,
//! }
//!
//! struct Streaks;
//!
//! impl Operator for Streaks {
//!     type State = Aircraft;
//!     type In = (String, i32);
//!     type Out = (String, u32);
//!
//!     fn key(&self, (tail, _): &(String, i32)) -> String {
//!         tail.clone()
//!     }
//!
//!     fn on_event(
//!         &mut self,
//!         state: &Aircraft,
//!         (tail, minutes): (String, i32),
//!         ctx: &mut EventContext<'_, Self>,
//!     ) -> Result<(), BoxError> {
//!         let streak = if minutes >= 15 { state.late_streak.get_or(0) + 1 } else { 0 };
//!         state.late_streak.set(streak);
//!         ctx.emit((tail, streak));
//!         Ok(())
//!     }
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! # let (input, output) = (folder.path().join("delays.csv"), folder.path().join("streaks.jsonl"));
//! std::fs::write(&input, "tail,minutes\nN14228,20\nN24211,-3\nN14228,35\n")?;
//! Pipeline::new(Arc::new(InMemoryStateBackend::new())) // or RocksDbStateBackend::open(folder)?
//!     .source(CsvSource::open(&input)?)
//!     .operator(Streaks)
//!     .sink(JsonLinesSink::open(&output)?)
//!     .run()?;
//! assert!(std::fs::read_to_string(&output)?.ends_with("[\"N14228\",2]\n"));
//! # Ok::<(), BoxError>(())
//! ```
//!
//! A [`Source`] gives items and knows where it stands; a [`Sink`] takes items and knows what it holds. Both are
//! stored with every commit, and brought back to it after a crash: for those who write an engine of their own.
//!
//! ```
//! use krishiv_pipeline::{CsvSource, JsonLinesSink, Sink, Source};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Delay {
//!     tail: String,
//!     minutes: i32,
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! # let (input, output) = (folder.path().join("delays.csv"), folder.path().join("late.jsonl"));
//! std::fs::write(&input, "tail,minutes\nN14228,20\nN24211,-3\n")?;
//! let mut source = CsvSource::<Delay>::open(&input)?;
//! let mut sink = JsonLinesSink::open(&output)?;
//! sink.resume(None)?;
//! while let Some(delay) = source.next_item()? {
//!     if delay.minutes >= 15 {
//!         sink.write(delay)?;
//!     }
//! }
//! let commit = (source.position(), sink.sync()?); // to be stored in one piece
//! # drop(sink);
//!
//! // After a crash both go back to what was committed.
//! let mut source = CsvSource::<Delay>::open(&input)?;
//! let mut sink = JsonLinesSink::<Delay>::open(&output)?;
//! source.seek(commit.0)?;
//! sink.resume(Some(commit.1))?;
//! assert_eq!((source.rows(), sink.records()), (2, 1));
//! # Ok::<(), krishiv_pipeline::BoxError>(())
//! ```
//!
//! Files may be plain, or packed by gzip or zstd. There is no network here, and no
//! thread but one for an input that comes as somebody writes it.

mod attempt;
mod error;
mod pipeline;
mod sink;
mod source;
mod stop;

pub use error::FileError;
pub use krishiv_api::BoxError;
pub use pipeline::{
    Complete, Fallible, Input, NoTime, Operators, Pipeline, PipelineError, Reject, Sources, Step, Summary,
};
pub use sink::{BadRecord, FileMark, JsonLinesSink, MemorySink, Sink, Written};
pub use source::{
    CsvSource, FilterMap, IterSource, JsonLinesSource, Map, Polled, Progress, Row, RowPosition, Source, TooFewItems,
    TryMap,
};
pub use stop::StopSignal;
