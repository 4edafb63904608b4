//! How long state lives, and by which clock.

use serde::{Deserialize, Serialize};

/// The clock that a time to live is measured by.
///
/// ```
/// use krishiv_api::TtlClock;
/// assert_ne!(TtlClock::Event, TtlClock::Processing);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TtlClock {
    /// The clock of the store.
    Processing,
    /// The watermark of the store. A life begins at the watermark of the write; before the first one, at the own time of the event that
    /// writes, if it has one.
    Event,
}

/// What starts the life of a value anew.
///
/// ```
/// use krishiv_api::TtlUpdate;
/// assert_ne!(TtlUpdate::CreateAndWrite, TtlUpdate::ReadAndWrite);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TtlUpdate {
    /// Writing it.
    CreateAndWrite,
    /// Writing it, and reading it too.
    ReadAndWrite,
}

/// A time to live in milliseconds, for [`TtlStateBackend`](crate::TtlStateBackend).
///
/// ```
/// use krishiv_api::TtlConfig;
/// assert_eq!(TtlConfig::new(60_000).ttl_ms(), 60_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TtlConfig {
    ttl_ms: u64,
}

impl TtlConfig {
    /// A life of `ttl_ms` milliseconds; `u64::MAX` is for ever.
    ///
    /// ```
    /// const MINUTE: krishiv_api::TtlConfig = krishiv_api::TtlConfig::new(60_000);
    /// # let _ = MINUTE;
    /// ```
    ///
    /// # Panics
    ///
    /// If `ttl_ms` is 0: state that is gone when it is written is a mistake in the program.
    pub const fn new(ttl_ms: u64) -> Self {
        assert!(ttl_ms > 0, "a time to live of 0 ms keeps nothing; give at least 1 ms, or u64::MAX for ever");
        Self { ttl_ms }
    }

    /// The life in milliseconds.
    ///
    /// ```
    /// assert_eq!(krishiv_api::TtlConfig::new(5).ttl_ms(), 5);
    /// ```
    pub const fn ttl_ms(self) -> u64 {
        self.ttl_ms
    }

    /// When a value written at `now` ends; saturates, and `i64::MAX` is never.
    pub(crate) fn expires_at(self, now: i64) -> i64 {
        expires_at(now, self.ttl_ms)
    }
}

/// When a value written at `now` ends; saturates, and `i64::MAX` is never.
pub(crate) fn expires_at(now: i64, ttl_ms: u64) -> i64 {
    match i64::try_from(ttl_ms) {
        // Even a clock far before 1970 must not turn "for ever" into a date.
        Err(_) => i64::MAX,
        Ok(ttl) => now.saturating_add(ttl),
    }
}

/// Whether a value that ends at `expires_at` is gone at `now`.
pub(crate) fn is_expired(expires_at: i64, now: i64) -> bool {
    expires_at != i64::MAX && expires_at <= now
}
