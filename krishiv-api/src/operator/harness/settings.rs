//! Opening a harness: how the operator is made, where its state lies, and its settings.

use crate::backend::{InMemoryStateBackend, StateBackend};
use crate::error::StateError;
use crate::keyed::{Keeps, Keyed, KeyedBuilder};
use crate::operator::{Driver, DriverBuilder, LateEvents, OnError, Operator};
use std::sync::Arc;

type Open<O> = dyn Fn(Vec<DriverBuilder<O>>) -> Result<Vec<Driver<O>>, StateError>;

/// Settings of a [`Harness`](crate::Harness) that is about to be opened.
///
/// ```
#[doc = include_str!("../example.txt")]
/// let harness = Harness::builder(|| Distinct).on_error(OnError::skip()).instances(4).open()?;
/// # Ok::<(), BoxError>(())
/// ```
#[must_use = "a builder opens nothing until `open` is called"]
pub struct HarnessBuilder<O: Operator> {
    pub(super) make: Box<dyn Fn() -> O>,
    pub(super) open: Box<Open<O>>,
    pub(super) store: KeyedBuilder<O::State>,
    pub(super) on_error: OnError<O::In>,
    pub(super) late: LateEvents,
    pub(super) lateness_ms: u64,
    pub(super) instances: u16,
}

impl<O: Operator + 'static> HarnessBuilder<O> {
    pub(super) fn new(make: impl Fn() -> O + 'static) -> Self {
        let memory = Arc::new(InMemoryStateBackend::new());
        Self {
            make: Box::new(make),
            // It outlives the crashes of a harness, so that state which must is at home here.
            open: Box::new(move |builders| {
                builders.into_iter().map(|builder| builder.open_on_any(Arc::clone(&memory))).collect()
            }),
            store: Keyed::builder(),
            on_error: OnError::default(),
            late: LateEvents::default(),
            lateness_ms: 0,
            instances: 1,
        }
    }

    /// The backend. `open` is called anew after each crash, when nothing holds the old one any more.
    ///
    /// Unless set, state is in a memory that outlives the crashes of the harness; state with `#[state(durable)]` can be tested there
    /// too.
    ///
    /// ```no_run
    #[doc = include_str!("../example.txt")]
    /// # #[cfg(feature = "rocksdb")]
    /// let harness = Harness::builder(|| Distinct).backend(|| RocksDbStateBackend::open("state")).open()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn backend<B: StateBackend + Keeps<O::State>>(
        self,
        open: impl Fn() -> Result<B, StateError> + 'static,
    ) -> Self {
        self.shared_backend(move || open().map(Arc::new))
    }

    /// The same for a backend that others look at too, or that is kept over a crash.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let same = Arc::clone(&backend);
    /// let harness = Harness::builder(|| Distinct).shared_backend(move || Ok(Arc::clone(&same))).open()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn shared_backend<B: StateBackend + Keeps<O::State>>(
        mut self,
        open: impl Fn() -> Result<Arc<B>, StateError> + 'static,
    ) -> Self {
        self.open = Box::new(move |builders| {
            let backend = open()?;
            builders.into_iter().map(|builder| builder.open(Arc::clone(&backend))).collect()
        });
        self
    }

    /// Settings of the stores; their clock and key groups are the harness's.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let harness = Harness::builder(|| Distinct).store(Keyed::builder().memory_budget(1)).open()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn store(mut self, store: KeyedBuilder<O::State>) -> Self {
        self.store = store;
        self
    }

    /// What to do when something fails; stop unless set.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let harness = Harness::builder(|| Distinct).on_error(OnError::dead_letter()).open()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn on_error(mut self, on_error: OnError<O::In>) -> Self {
        self.on_error = on_error;
        self
    }

    /// Where late events go; to the operator unless set.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let harness = Harness::builder(|| Distinct).late_events(LateEvents::Collect).open()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn late_events(mut self, late: LateEvents) -> Self {
        self.late = late;
        self
    }

    /// How late an event may be that is taken like others, where late ones are not, in milliseconds; 0 unless set.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let harness = Harness::builder(|| Distinct).late_events(LateEvents::Drop).allowed_lateness(600_000).open()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn allowed_lateness(mut self, ms: u64) -> Self {
        self.lateness_ms = ms;
        self
    }

    /// Number of parallel instances to begin with; one unless set.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let harness = Harness::builder(|| Distinct).instances(4).open()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn instances(mut self, instances: u16) -> Self {
        self.instances = instances;
        self
    }
}
