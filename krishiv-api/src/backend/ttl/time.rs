//! The time of a wrapper, shared with the stores opened on it.

use crate::time::Clock;
use std::sync::{Arc, PoisonError, RwLock};

/// What fields without a TTL of their own get.
#[derive(Clone)]
pub(crate) struct DefaultTtl {
    pub(crate) ttl_ms: u64,
    pub(crate) time: Arc<TtlTime>,
}

/// A clock, and a watermark once one is set.
pub(crate) struct TtlTime {
    clock: Arc<dyn Clock>,
    event: RwLock<Option<EventTime>>,
}

#[derive(Clone, Copy)]
struct EventTime {
    first: First,
    watermark: i64,
}

/// The moment of the first watermark.
#[derive(Clone, Copy)]
pub(crate) struct First {
    pub(crate) watermark: i64,
    /// What the clock showed: records that had expired by then are gone.
    pub(crate) clock: i64,
}

impl TtlTime {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, event: RwLock::new(None) }
    }

    /// The same watermark over another clock.
    pub(super) fn on_clock(&self, clock: Arc<dyn Clock>) -> Self {
        let time = Self::new(clock);
        if let Some(watermark) = self.watermark() {
            time.raise(watermark);
        }
        time
    }

    /// The time of the clock.
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The watermark, if one was set or found.
    pub(crate) fn watermark(&self) -> Option<i64> {
        self.event().map(|event| event.watermark)
    }

    pub(crate) fn first(&self) -> Option<First> {
        self.event().map(|event| event.first)
    }

    /// Moves the watermark up to `ms`; never down.
    pub(super) fn raise(&self, ms: i64) {
        if ms == i64::MIN {
            // The least of all times: there is no watermark yet.
            return;
        }
        let mut event = self.event.write().unwrap_or_else(PoisonError::into_inner);
        match &mut *event {
            Some(event) => event.watermark = event.watermark.max(ms),
            None => {
                let first = First { watermark: ms, clock: self.now_ms() };
                *event = Some(EventTime { first, watermark: ms });
            }
        }
    }

    fn event(&self) -> Option<EventTime> {
        *self.event.read().unwrap_or_else(PoisonError::into_inner)
    }
}
