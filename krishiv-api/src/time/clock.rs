//! Clocks for processing time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A source of processing time, in milliseconds since 1970-01-01T00:00 UTC.
///
/// ```
/// use krishiv_api::Clock;
///
/// struct Noon;
/// impl Clock for Noon {
///     fn now_ms(&self) -> i64 { 43_200_000 }
/// }
/// assert_eq!(Noon.now_ms(), 43_200_000);
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The time now, in milliseconds since 1970-01-01T00:00 UTC.
    ///
    /// ```
    /// use krishiv_api::{Clock, ManualClock};
    /// assert_eq!(ManualClock::new(5).now_ms(), 5);
    /// ```
    fn now_ms(&self) -> i64;
}

/// A clock that others hold too.
impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now_ms(&self) -> i64 {
        (**self).now_ms()
    }
}

/// The clock of the machine, and the default of every store.
///
/// On Linux it shows the time of the kernel's last tick: up to 10 ms ago, mostly 4, and never ahead. A store asks it in every event
/// that sets or reads what expires, and a time to the nanosecond takes ten times as long to get.
///
/// ```
/// use krishiv_api::{Clock, SystemClock};
/// assert!(SystemClock.now_ms() > 1_700_000_000_000);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        machine::now_ms()
    }
}

#[cfg(target_os = "linux")]
mod machine {
    use rustix::time::{ClockId, clock_gettime};

    pub(super) fn now_ms() -> i64 {
        let now = clock_gettime(ClockId::RealtimeCoarse);
        now.tv_sec.saturating_mul(1_000).saturating_add(now.tv_nsec / 1_000_000)
    }
}

#[cfg(not(target_os = "linux"))]
mod machine {
    use std::time::{SystemTime, UNIX_EPOCH};

    // The one place that may ask the machine for the time: everything else is handed a `Clock`.
    #[allow(clippy::disallowed_methods)]
    pub(super) fn now_ms() -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        }
    }
}

/// A clock that stands still until it is told otherwise, for tests.
///
/// ```
/// use krishiv_api::{Clock, ManualClock};
///
/// let clock = ManualClock::new(1_000);
/// clock.advance(500);
/// assert_eq!(clock.now_ms(), 1_500);
/// clock.set(10);
/// assert_eq!(clock.now_ms(), 10);
/// ```
#[derive(Debug, Default)]
pub struct ManualClock {
    now: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `ms` milliseconds since 1970-01-01T00:00 UTC.
    ///
    /// ```
    /// use krishiv_api::{Clock, ManualClock};
    /// assert_eq!(ManualClock::new(7).now_ms(), 7);
    /// ```
    pub fn new(ms: i64) -> Self {
        Self { now: AtomicI64::new(ms) }
    }

    /// Moves the clock to `ms`, forwards or backwards.
    ///
    /// ```
    /// use krishiv_api::{Clock, ManualClock};
    /// let clock = ManualClock::new(7);
    /// clock.set(3);
    /// assert_eq!(clock.now_ms(), 3);
    /// ```
    pub fn set(&self, ms: i64) {
        self.now.store(ms, Ordering::Release);
    }

    /// Moves the clock on by `ms` milliseconds; at the ends of `i64` it stays there.
    ///
    /// ```
    /// use krishiv_api::{Clock, ManualClock};
    /// let clock = ManualClock::new(i64::MAX - 1);
    /// clock.advance(5);
    /// assert_eq!(clock.now_ms(), i64::MAX);
    /// ```
    pub fn advance(&self, ms: i64) {
        let step = |now: i64| Some(now.saturating_add(ms));
        // The closure always returns `Some`, so both arms carry the value from before.
        let (Ok(_) | Err(_)) = self.now.fetch_update(Ordering::AcqRel, Ordering::Acquire, step);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.now.load(Ordering::Acquire)
    }
}
