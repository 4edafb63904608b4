//! A source over an iterator.

use crate::source::{Polled, Source};
use krishiv_api::BoxError;
use std::fmt;
use std::time::Duration;

/// A source over what an iterator gives, for tests and for items that are in memory.
///
/// Its position is the number of items taken. It cannot tell whether another iterator gives the same items.
///
/// ```
/// use krishiv_pipeline::{IterSource, Polled, Source};
/// use std::time::Duration;
///
/// let mut source = IterSource::new(vec![20, -3, 35]);
/// source.seek(2)?;
/// assert_eq!(source.poll(Duration::ZERO)?, Polled::Item(35));
/// assert_eq!(source.poll(Duration::ZERO)?, Polled::End);
/// assert_eq!(source.position(), 3);
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct IterSource<I> {
    items: I,
    taken: u64,
}

impl<I: Iterator> IterSource<I> {
    /// A source over `items`.
    ///
    /// ```
    /// use krishiv_pipeline::{IterSource, Source};
    ///
    /// assert_eq!(IterSource::new(1..=3).position(), 0);
    /// ```
    pub fn new(items: impl IntoIterator<IntoIter = I>) -> Self {
        Self { items: items.into_iter(), taken: 0 }
    }

    fn take(&mut self) -> Option<I::Item> {
        let item = self.items.next()?;
        self.taken += 1;
        Some(item)
    }
}

impl<I: Iterator> Source for IterSource<I> {
    type Item = I::Item;
    type Position = u64;

    fn poll(&mut self, _wait: Duration) -> Result<Polled<I::Item>, BoxError> {
        Ok(self.take().map_or(Polled::End, Polled::Item))
    }

    fn position(&self) -> u64 {
        self.taken
    }

    fn seek(&mut self, position: u64) -> Result<(), BoxError> {
        while self.taken < position {
            if self.take().is_none() {
                return Err(TooFewItems { items: self.taken, done: position }.into());
            }
        }
        Ok(())
    }
}

/// An [`IterSource`] ended before it came to where an earlier run stood.
///
/// ```
/// use krishiv_pipeline::{IterSource, Source};
///
/// let error = IterSource::new([1, 2]).seek(3).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the source ends after 2 items, and the state has done 3; give the same items, or start over with a new state"
/// );
/// ```
#[derive(thiserror::Error)]
#[error(
    "the source ends after {items} items, and the state has done {done}; give the same items, or start over with a new state"
)]
#[non_exhaustive]
pub struct TooFewItems {
    /// Number of items that there are.
    pub items: u64,
    /// Number of items that an earlier run had taken.
    pub done: u64,
}

impl fmt::Debug for TooFewItems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
