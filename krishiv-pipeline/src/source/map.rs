//! A source with each item made into another.

use crate::source::{Polled, Source};
use krishiv_api::BoxError;
use std::time::Duration;

/// What [`Source::map`] returns.
///
/// ```
/// use krishiv_pipeline::{IterSource, Source};
///
/// let mut source = IterSource::new(["1", "2"]).map(str::len);
/// source.seek(2)?; // the position is that of the source below
/// assert_eq!(source.position(), 2);
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Map<S, F> {
    source: S,
    f: F,
}

impl<S, F> Map<S, F> {
    pub(super) fn new(source: S, f: F) -> Self {
        Self { source, f }
    }
}

impl<S: Source, U, F: FnMut(S::Item) -> U> Source for Map<S, F> {
    type Item = U;
    type Position = S::Position;

    fn poll(&mut self, wait: Duration) -> Result<Polled<U>, BoxError> {
        Ok(self.source.poll(wait)?.map(&mut self.f))
    }

    fn position(&self) -> S::Position {
        self.source.position()
    }

    fn seek(&mut self, position: S::Position) -> Result<(), BoxError> {
        self.source.seek(position)
    }
}
