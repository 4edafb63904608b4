//! What a source answers when it is asked for an item.

/// What a [`Source`](crate::Source) has for the pipeline.
///
/// ```
/// use krishiv_pipeline::{IterSource, Polled, Source};
/// use std::time::Duration;
///
/// let mut source = IterSource::new(["N14228"]);
/// assert_eq!(source.poll(Duration::ZERO)?, Polled::Item("N14228"));
/// assert_eq!(source.poll(Duration::ZERO)?, Polled::End);
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled<T> {
    /// The next item.
    Item(T),
    /// One that the operators do not need; the source has moved on, and a commit says so.
    Skipped,
    /// One that is no item, and why; the source has moved on behind it, and [`row`](crate::Source::row) shows it. A pipeline
    /// stops, or leaves it out: [`Complete::dead_letters_to`](crate::Complete::dead_letters_to).
    Bad(String),
    /// There is none now, and more may come.
    Pending,
    /// There will be no more.
    End,
}

impl<T> Polled<T> {
    /// The same with the item made into another.
    ///
    /// ```
    /// use krishiv_pipeline::Polled;
    ///
    /// assert_eq!(Polled::Item(2).map(|item| item * 10), Polled::Item(20));
    /// assert_eq!(Polled::<i32>::Pending.map(|item| item * 10), Polled::Pending);
    /// ```
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Polled<U> {
        self.and_then(|item| Polled::Item(f(item)))
    }

    /// The same with what `f` makes of the item.
    ///
    /// ```
    /// use krishiv_pipeline::Polled;
    ///
    /// let positive = |item| if item > 0 { Polled::Item(item) } else { Polled::Skipped };
    /// assert_eq!(Polled::Item(2).and_then(positive), Polled::Item(2));
    /// assert_eq!(Polled::Item(-2).and_then(positive), Polled::Skipped);
    /// ```
    pub fn and_then<U>(self, f: impl FnOnce(T) -> Polled<U>) -> Polled<U> {
        match self {
            Self::Item(item) => f(item),
            Self::Skipped => Polled::Skipped,
            Self::Bad(reason) => Polled::Bad(reason),
            Self::Pending => Polled::Pending,
            Self::End => Polled::End,
        }
    }
}
