//! A source without the items that the operators do not need.

use crate::source::{Polled, Source};
use krishiv_api::BoxError;
use std::time::Duration;

/// What [`Source::filter_map`] returns.
///
/// ```
/// use krishiv_pipeline::{IterSource, Polled, Source};
/// use std::time::Duration;
///
/// let mut source = IterSource::new(["on time", "12", "7"]).filter_map(|text| text.parse::<u32>().ok());
/// assert_eq!(source.poll(Duration::ZERO)?, Polled::Skipped);
/// assert_eq!(source.poll(Duration::ZERO)?, Polled::Item(12));
/// assert_eq!(source.position(), 2); // that of the source below
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FilterMap<S, F> {
    source: S,
    f: F,
}

impl<S, F> FilterMap<S, F> {
    pub(super) fn new(source: S, f: F) -> Self {
        Self { source, f }
    }
}

impl<S: Source, U, F: FnMut(S::Item) -> Option<U>> Source for FilterMap<S, F> {
    type Item = U;
    type Position = S::Position;

    fn poll(&mut self, wait: Duration) -> Result<Polled<U>, BoxError> {
        Ok(match self.source.poll(wait)?.map(&mut self.f) {
            Polled::Item(Some(item)) => Polled::Item(item),
            Polled::Item(None) | Polled::Skipped => Polled::Skipped,
            Polled::Pending => Polled::Pending,
            Polled::End => Polled::End,
        })
    }

    fn position(&self) -> S::Position {
        self.source.position()
    }

    fn seek(&mut self, position: S::Position) -> Result<(), BoxError> {
        self.source.seek(position)
    }
}
