//! How long something took, for those who watch.

use std::time::Instant;

/// Measures a duration by the machine's monotonic clock.
///
/// What it shows goes into a metric and nowhere else: the time that state depends on is that of a [`Clock`](super::Clock).
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    // A `Clock` shows milliseconds, may be set, and stands still in tests: none of that measures a commit.
    #[allow(clippy::disallowed_methods)]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
