//! Sinks of any kind, as the pipeline holds them.

use crate::attempt::attempt;
use crate::pipeline::PipelineError;
use crate::pipeline::position::of_this_kind;
use crate::pipeline::summary::Summary;
use crate::sink::{BadRecord, Sink};
use krishiv_api::BoxError;
use serde_json::Value;

/// A sink whose mark is JSON.
pub(super) trait AnySink<T> {
    fn write(&mut self, item: T) -> Result<(), BoxError>;
    fn sync(&mut self) -> Result<Value, BoxError>;
    fn resume(&mut self, mark: Option<Value>) -> Result<(), BoxError>;
    fn cut_back(&mut self, mark: Option<Value>) -> Result<(), BoxError>;
}

pub(super) type BoxedSink<T> = Box<dyn AnySink<T>>;

impl<S: Sink> AnySink<S::Item> for S {
    fn write(&mut self, item: S::Item) -> Result<(), BoxError> {
        Sink::write(self, item)
    }
    fn sync(&mut self) -> Result<Value, BoxError> {
        Ok(serde_json::to_value(Sink::sync(self)?)?)
    }
    fn resume(&mut self, mark: Option<Value>) -> Result<(), BoxError> {
        Sink::resume(self, mark.map(|mark| of_this_kind("sink", mark)).transpose()?)
    }
    fn cut_back(&mut self, mark: Option<Value>) -> Result<(), BoxError> {
        Sink::cut_back(self, mark.map(|mark| of_this_kind("sink", mark)).transpose()?)
    }
}

/// A sink behind a function that makes its items.
pub(super) struct Mapped<S, F> {
    pub(super) sink: S,
    pub(super) map: F,
}

impl<T, S: Sink, F: FnMut(T) -> S::Item> AnySink<T> for Mapped<S, F> {
    fn write(&mut self, item: T) -> Result<(), BoxError> {
        let made = attempt(|| (self.map)(item)).map_err(BadRecord::new)?;
        self.sink.write(made)
    }
    fn sync(&mut self) -> Result<Value, BoxError> {
        AnySink::sync(&mut self.sink)
    }
    fn resume(&mut self, mark: Option<Value>) -> Result<(), BoxError> {
        AnySink::resume(&mut self.sink, mark)
    }
    fn cut_back(&mut self, mark: Option<Value>) -> Result<(), BoxError> {
        AnySink::cut_back(&mut self.sink, mark)
    }
}

/// A sink and its name in messages and positions.
pub struct Outlet<T> {
    name: String,
    sink: BoxedSink<T>,
    /// What has not been taken to the last commit must not be cut: it may hold what was committed.
    resumed: bool,
    /// Of the last sync, and of the last commit.
    synced: Option<Value>,
    committed: Option<Value>,
    written: u64,
}

/// What a pipeline does with a sink besides writing.
pub trait AnyOutlet {
    fn name(&self) -> &str;
    fn sync(&mut self) -> Result<Value, PipelineError>;
    fn resume(&mut self, mark: Option<Value>) -> Result<(), PipelineError>;

    /// The state with the mark of the last sync is about to be written.
    fn commit(&mut self);

    /// Goes back to the last commit. One whose write failed counts too, since it may have come through all the same.
    fn cut_back(&mut self) -> Result<(), PipelineError>;
}

impl<T> Outlet<T> {
    pub(super) fn new(name: String, sink: BoxedSink<T>) -> Self {
        Self { name, sink, resumed: false, synced: None, committed: None, written: 0 }
    }

    #[inline]
    pub(super) fn write(&mut self, item: T) -> Result<(), PipelineError> {
        self.sink.write(item).map_err(|error| failed(&self.name, error))?;
        self.written += 1;
        Ok(())
    }

    /// Adds how many items it got.
    pub(super) fn add_to(&self, summary: &mut Summary) {
        summary.outputs.insert(self.name.clone(), self.written);
    }
}

impl<T> AnyOutlet for Outlet<T> {
    fn name(&self) -> &str {
        &self.name
    }
    fn sync(&mut self) -> Result<Value, PipelineError> {
        let mark = self.sink.sync().map_err(|error| failed(&self.name, error))?;
        self.synced = Some(mark.clone());
        Ok(mark)
    }
    fn resume(&mut self, mark: Option<Value>) -> Result<(), PipelineError> {
        self.sink.resume(mark.clone()).map_err(|error| failed(&self.name, error))?;
        (self.resumed, self.committed) = (true, mark);
        Ok(())
    }
    fn commit(&mut self) {
        self.committed = self.synced.take();
    }
    fn cut_back(&mut self) -> Result<(), PipelineError> {
        if !self.resumed {
            return Ok(());
        }
        self.sink.cut_back(self.committed.take()).map_err(|error| failed(&self.name, error))
    }
}

#[cold]
fn failed(name: &str, error: BoxError) -> PipelineError {
    PipelineError::Sink { output: name.to_owned(), error }
}
