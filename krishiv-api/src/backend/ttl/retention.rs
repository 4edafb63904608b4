//! Which raw records a compaction may drop.

use super::marker;
use super::stamp;
use super::time::TtlTime;
use crate::backend::Retention;
use crate::time::is_expired;
use std::sync::{Arc, PoisonError, RwLock, Weak};

/// The time that stored stamps may be compared with for good.
#[derive(Clone, Default)]
pub(super) enum Horizon {
    /// Not known, or not for all records: nothing is dropped.
    #[default]
    None,
    /// The clock, up to the first watermark.
    Clock(Arc<TtlTime>),
    /// The watermark as it is stored: one that was never written may be forgotten in a crash, and what it has
    /// expired would be alive again.
    Watermark(i64),
}

/// The rule of one wrapper; it ends with the wrapper, because the next one may go by another time.
pub(super) struct RawRetention {
    horizon: Weak<RwLock<Horizon>>,
}

impl RawRetention {
    pub(super) fn new(horizon: &Arc<RwLock<Horizon>>) -> Self {
        Self { horizon: Arc::downgrade(horizon) }
    }
}

impl Retention for RawRetention {
    fn is_expired(&self, key: &[u8], value: &[u8]) -> bool {
        let Some(horizon) = self.horizon.upgrade() else { return false };
        let now = match &*horizon.read().unwrap_or_else(PoisonError::into_inner) {
            Horizon::None => return false,
            Horizon::Clock(time) => time.first().map_or_else(|| time.now_ms(), |first| first.clock),
            Horizon::Watermark(watermark) => *watermark,
        };
        !marker::is_library(key) && stamp::split(key, value).is_ok_and(|(expires_at, _)| is_expired(expires_at, now))
    }

    fn is_over(&self) -> bool {
        self.horizon.strong_count() == 0
    }

    fn is_idle(&self) -> bool {
        let Some(horizon) = self.horizon.upgrade() else { return true };
        matches!(&*horizon.read().unwrap_or_else(PoisonError::into_inner), Horizon::None)
    }
}
