//! Opening a driver: the operator, its store, and what to do when something fails or comes late.

use crate::backend::StateBackend;
use crate::error::StateError;
use crate::keyed::{Keeps, Keyed, KeyedBuilder};
use crate::operator::{Driver, LateEvents, OnError, Operator};
use std::sync::Arc;

impl<O: Operator> Driver<O> {
    /// Settings for a driver that is about to be opened.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let driver = Driver::builder(Distinct).on_error(OnError::skip()).open(Arc::new(InMemoryStateBackend::new()))?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn builder(operator: O) -> DriverBuilder<O> {
        DriverBuilder::new(operator)
    }
}

/// Settings of a [`Driver`] that is about to be opened.
///
/// ```
#[doc = include_str!("example.txt")]
/// let driver = Driver::builder(Distinct)
///     .store(Keyed::builder().memory_budget(64 << 20))
///     .on_error(OnError::skip())
///     .late_events(LateEvents::Drop)
///     .open(Arc::new(InMemoryStateBackend::new()))?;
/// # Ok::<(), BoxError>(())
/// ```
#[must_use = "a builder opens nothing until `open` is called"]
pub struct DriverBuilder<O: Operator> {
    operator: O,
    store: KeyedBuilder<O::State>,
    on_error: OnError<O::In>,
    late: LateEvents,
    lateness_ms: u64,
}

impl<O: Operator> DriverBuilder<O> {
    pub(super) fn new(operator: O) -> Self {
        Self {
            operator,
            store: Keyed::builder(),
            on_error: OnError::default(),
            late: LateEvents::default(),
            lateness_ms: 0,
        }
    }

    /// Settings of the store: name of the operator, memory budget, clock, key groups.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let driver = Driver::builder(Distinct).store(Keyed::builder().operator("clicks")).open(backend)?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn store(mut self, store: KeyedBuilder<O::State>) -> Self {
        self.store = store;
        self
    }

    /// What to do when an event, a timer or a broadcast fails; stop unless set.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let driver = Driver::builder(Distinct).on_error(OnError::dead_letter()).open(backend)?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn on_error(mut self, on_error: OnError<O::In>) -> Self {
        self.on_error = on_error;
        self
    }

    /// Where late events go; to the operator unless set.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let driver = Driver::builder(Distinct).late_events(LateEvents::Collect).open(backend)?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn late_events(mut self, late: LateEvents) -> Self {
        self.late = late;
        self
    }

    /// Events that are at most `ms` milliseconds late are taken like others, where late ones are not; 0 unless set.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let driver = Driver::builder(Distinct).late_events(LateEvents::Drop).allowed_lateness(600_000).open(backend)?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn allowed_lateness(mut self, ms: u64) -> Self {
        self.lateness_ms = ms;
        self
    }

    /// Opens the operator's state on `backend`; writes nothing.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`KeyedBuilder::open`].
    pub fn open<B: StateBackend + Keeps<O::State>>(self, backend: Arc<B>) -> Result<Driver<O>, StateError> {
        self.open_on_any(backend)
    }

    /// The same, whatever a crash leaves of the backend.
    pub(super) fn open_on_any<B: StateBackend>(self, backend: Arc<B>) -> Result<Driver<O>, StateError> {
        let Self { operator, store, on_error, late, lateness_ms } = self;
        Ok(Driver::new(operator, store.open_on_any(backend)?, on_error, late, lateness_ms))
    }
}
