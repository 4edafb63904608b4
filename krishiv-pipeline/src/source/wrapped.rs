//! Sources around another one: mapped, filtered, or in a box.
//!
//! The structs know nothing of this, since [`Source`] itself names them in what it returns.

use super::filter_map::FilterMap;
use super::map::Map;
use super::polled::Polled;
use super::protocol::Source;
use super::row::Row;
use super::try_map::TryMap;
use crate::attempt::attempt;
use krishiv_api::BoxError;
use std::fmt::Display;
use std::time::Duration;

impl<S: Source, U, F: FnMut(S::Item) -> U> Source for Map<S, F> {
    type Item = U;
    type Position = S::Position;

    fn poll(&mut self, wait: Duration) -> Result<Polled<U>, BoxError> {
        Ok(self.source.poll(wait)?.and_then(|item| attempt(|| (self.f)(item)).map_or_else(Polled::Bad, Polled::Item)))
    }

    fn position(&self) -> S::Position {
        self.source.position()
    }

    fn seek(&mut self, position: S::Position) -> Result<(), BoxError> {
        self.source.seek(position)
    }

    fn row(&self) -> Option<Row<'_>> {
        self.source.row()
    }
}

impl<S: Source, U, E: Display, F: FnMut(S::Item) -> Result<U, E>> Source for TryMap<S, F> {
    type Item = U;
    type Position = S::Position;

    fn poll(&mut self, wait: Duration) -> Result<Polled<U>, BoxError> {
        Ok(self.source.poll(wait)?.and_then(|item| {
            match attempt(|| (self.f)(item).map_err(|error| error.to_string())) {
                Ok(Ok(item)) => Polled::Item(item),
                Ok(Err(reason)) | Err(reason) => Polled::Bad(reason),
            }
        }))
    }

    fn position(&self) -> S::Position {
        self.source.position()
    }

    fn seek(&mut self, position: S::Position) -> Result<(), BoxError> {
        self.source.seek(position)
    }

    fn row(&self) -> Option<Row<'_>> {
        self.source.row()
    }
}

impl<S: Source, U, F: FnMut(S::Item) -> Option<U>> Source for FilterMap<S, F> {
    type Item = U;
    type Position = S::Position;

    fn poll(&mut self, wait: Duration) -> Result<Polled<U>, BoxError> {
        Ok(self.source.poll(wait)?.and_then(|item| match attempt(|| (self.f)(item)) {
            Ok(Some(item)) => Polled::Item(item),
            Ok(None) => Polled::Skipped,
            Err(panic) => Polled::Bad(panic),
        }))
    }

    fn position(&self) -> S::Position {
        self.source.position()
    }

    fn seek(&mut self, position: S::Position) -> Result<(), BoxError> {
        self.source.seek(position)
    }

    fn row(&self) -> Option<Row<'_>> {
        self.source.row()
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
    fn row(&self) -> Option<Row<'_>> {
        (**self).row()
    }
}
