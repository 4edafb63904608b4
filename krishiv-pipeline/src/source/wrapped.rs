//! Sources around another one: mapped, filtered, or in a box.
//!
//! The structs know nothing of this, since [`Source`] itself names them in what it returns.

use super::filter_map::FilterMap;
use super::map::Map;
use super::polled::Polled;
use super::protocol::Source;
use krishiv_api::BoxError;
use std::time::Duration;

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

/// A source whose type is chosen when the program runs.
impl<S: Source + ?Sized> Source for Box<S> {
    type Item = S::Item;
    type Position = S::Position;

    fn poll(&mut self, wait: Duration) -> Result<Polled<Self::Item>, BoxError> {
        (**self).poll(wait)
    }

    fn position(&self) -> Self::Position {
        (**self).position()
    }

    fn seek(&mut self, position: Self::Position) -> Result<(), BoxError> {
        (**self).seek(position)
    }
}
