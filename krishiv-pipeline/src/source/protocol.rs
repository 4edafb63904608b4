//! What a source is, to a pipeline.

use super::filter_map::FilterMap;
use super::map::Map;
use super::polled::Polled;
use super::row::Row;
use super::try_map::TryMap;
use crate::error::FileError;
use krishiv_api::BoxError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long [`Source::next_item`] waits between two looks.
const WAIT: Duration = Duration::from_millis(100);

/// Gives items in an order that it can repeat.
///
/// A pipeline opens a source, takes it to the position of the last commit if there is one, and polls it. It stores
/// [`position`](Self::position) with every commit. After an error or the end it polls no more.
///
/// ```
/// use krishiv_pipeline::{BoxError, Polled, Source};
/// use std::time::Duration;
///
/// /// Counts down to nothing.
/// struct Countdown(u32);
///
/// impl Source for Countdown {
///     type Item = u32;
///     type Position = u32;
///
///     fn poll(&mut self, _wait: Duration) -> Result<Polled<u32>, BoxError> {
///         let Some(next) = self.0.checked_sub(1) else { return Ok(Polled::End) };
///         self.0 = next;
///         Ok(Polled::Item(next))
///     }
///
///     fn position(&self) -> u32 {
///         self.0
///     }
///
///     fn seek(&mut self, position: u32) -> Result<(), BoxError> {
///         if position > self.0 {
///             return Err(format!("it begins at {}, and the state was made from {position} on", self.0).into());
///         }
///         self.0 = position;
///         Ok(())
///     }
/// }
///
/// let mut first = Countdown(3);
/// assert_eq!(first.poll(Duration::ZERO)?, Polled::Item(2));
/// let mut second = Countdown(3);
/// second.seek(first.position())?;
/// assert_eq!(second.poll(Duration::ZERO)?, Polled::Item(1));
/// # Ok::<(), BoxError>(())
/// ```
pub trait Source {
    /// What it gives.
    type Item;

    /// Where it stands: stored with each commit.
    type Position: Serialize + DeserializeOwned;

    /// The next item; a source that has none right now waits at most `wait` for it.
    ///
    /// ```
    /// use krishiv_pipeline::{IterSource, Polled, Source};
    /// use std::time::Duration;
    ///
    /// assert_eq!(IterSource::new([7]).poll(Duration::ZERO)?, Polled::Item(7));
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the input cannot be read further. One item that is malformed is [`Polled::Bad`], so that those behind it can still come.
    fn poll(&mut self, wait: Duration) -> Result<Polled<Self::Item>, BoxError>;

    /// The next item, for a program that is no pipeline; `None` at the end. It passes over what is [skipped](Polled::Skipped), and waits
    /// for what is still to come.
    ///
    /// ```
    /// use krishiv_pipeline::{IterSource, Source};
    ///
    /// let mut source = IterSource::new([7]);
    /// assert_eq!(source.next_item()?, Some(7));
    /// assert_eq!(source.next_item()?, None);
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`poll`](Self::poll); what is [bad](Polled::Bad) is an error too, with its row. The next call gives what comes behind it.
    fn next_item(&mut self) -> Result<Option<Self::Item>, BoxError> {
        loop {
            let reason = match self.poll(WAIT)? {
                Polled::Item(item) => return Ok(Some(item)),
                Polled::End => return Ok(None),
                Polled::Skipped | Polled::Pending => continue,
                Polled::Bad(reason) => reason,
            };
            return Err(match self.row() {
                Some(row) => FileError::line(row.file, row.line, reason).into(),
                None => reason.into(),
            });
        }
    }

    /// Behind the last item that [`poll`](Self::poll) returned.
    ///
    /// ```
    /// use krishiv_pipeline::{IterSource, Source};
    /// use std::time::Duration;
    ///
    /// let mut source = IterSource::new([7, 8]);
    /// source.poll(Duration::ZERO)?;
    /// assert_eq!(source.position(), 1);
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    fn position(&self) -> Self::Position;

    /// Goes to where an earlier run stood, and checks that it is the same input. Called before the first poll.
    ///
    /// ```
    /// use krishiv_pipeline::{IterSource, Polled, Source};
    /// use std::time::Duration;
    ///
    /// let mut source = IterSource::new([7, 8]);
    /// source.seek(1)?;
    /// assert_eq!(source.poll(Duration::ZERO)?, Polled::Item(8));
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it is another input, as far as the source can tell, or cannot be read.
    fn seek(&mut self, position: Self::Position) -> Result<(), BoxError>;

    /// The row that the last [`poll`](Self::poll) read, for a message about it; `None` where there are no rows. A source around
    /// another one hands on what that has.
    ///
    /// ```
    /// use krishiv_pipeline::{IterSource, Source};
    ///
    /// assert_eq!(IterSource::new([7]).row(), None);
    /// ```
    fn row(&self) -> Option<Row<'_>> {
        None
    }

    /// The same source with each item made into another. Where the function panics, the item is bad.
    ///
    /// ```
    /// use krishiv_pipeline::{IterSource, Polled, Source};
    /// use std::time::Duration;
    ///
    /// let mut source = IterSource::new([7]).map(|item| item * 10);
    /// assert_eq!(source.poll(Duration::ZERO)?, Polled::Item(70));
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    fn map<U, F: FnMut(Self::Item) -> U>(self, f: F) -> Map<Self, F>
    where
        Self: Sized,
    {
        Map::new(self, f)
    }

    /// The same source with each item made into another, or [bad](Polled::Bad) by the error that says why.
    ///
    /// ```
    /// use krishiv_pipeline::{IterSource, Polled, Source};
    /// use std::time::Duration;
    ///
    /// let mut source = IterSource::new(["7", "soon"]).try_map(str::parse::<u32>);
    /// assert_eq!(source.poll(Duration::ZERO)?, Polled::Item(7));
    /// assert_eq!(source.poll(Duration::ZERO)?, Polled::Bad("invalid digit found in string".to_owned()));
    /// assert_eq!(source.poll(Duration::ZERO)?, Polled::End);
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    fn try_map<U, E: std::fmt::Display, F: FnMut(Self::Item) -> Result<U, E>>(self, f: F) -> TryMap<Self, F>
    where
        Self: Sized,
    {
        TryMap::new(self, f)
    }

    /// The same source with each item made into another or left out; one that is left out counts towards the next commit.
    ///
    /// ```
    /// use krishiv_pipeline::{IterSource, Polled, Source};
    /// use std::time::Duration;
    ///
    /// let mut source = IterSource::new([1, 2]).filter_map(|item| (item > 1).then_some(item * 10));
    /// assert_eq!(source.poll(Duration::ZERO)?, Polled::Skipped);
    /// assert_eq!(source.poll(Duration::ZERO)?, Polled::Item(20));
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    fn filter_map<U, F: FnMut(Self::Item) -> Option<U>>(self, f: F) -> FilterMap<Self, F>
    where
        Self: Sized,
    {
        FilterMap::new(self, f)
    }
}
