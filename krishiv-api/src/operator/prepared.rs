//! An event on its way to its key.

use crate::operator::{KeyOf, Operator};

/// An event whose key is known, but that has not been processed: see [`Driver::prepare`](crate::Driver::prepare).
pub struct Prepared<O: Operator> {
    pub(super) event: O::In,
    pub(super) event_time: Option<i64>,
    /// `None` if the operator could not tell it.
    pub(super) key: Option<KeyOf<O>>,
    pub(super) hash: u64,
    /// The one whose store the hash is of.
    pub(super) driver: u64,
}

impl<O: Operator> Prepared<O> {
    /// The key whose state the event works on; `None` if the operator panicked when it was asked.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert_eq!(driver.prepare(7, None).key(), Some(&7));
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn key(&self) -> Option<&KeyOf<O>> {
        self.key.as_ref()
    }

    /// Its time in milliseconds since 1970-01-01T00:00 UTC, if it has one.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert_eq!(driver.prepare(7, Some(1_000)).event_time(), Some(1_000));
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn event_time(&self) -> Option<i64> {
        self.event_time
    }
}
