//! Timers: moments that an operator asked to be woken at.

use serde::{Deserialize, Serialize};
use std::fmt;

/// By which time a timer is due.
///
/// ```
/// use krishiv_api::TimerKind;
/// assert_eq!(TimerKind::Event.to_string(), "event-time");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// The watermark.
    Event,
    /// The clock.
    Processing,
}

impl fmt::Display for TimerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Event => "event-time",
            Self::Processing => "processing-time",
        })
    }
}

/// A moment at which a key is to be woken; one key has at most one timer of a kind for a moment.
///
/// ```
/// use krishiv_api::{Timer, TimerKind};
/// let timer = Timer { kind: TimerKind::Event, time_ms: 1_000 };
/// assert_eq!(timer.to_string(), "event-time timer at 1000 ms");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timer {
    /// By which time it is due.
    pub kind: TimerKind,
    /// It is due when that time is this or later, in milliseconds since 1970-01-01T00:00 UTC.
    pub time_ms: i64,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} timer at {} ms", self.kind, self.time_ms)
    }
}
