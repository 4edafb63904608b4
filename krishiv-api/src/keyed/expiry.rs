//! When state ends: the clocks of a store as one event sees them, and the judgement of a stamp.

use crate::backend::DefaultTtl;
use crate::codec::record::{NEVER, PENDING, Stamp};
use crate::descriptor::TtlDescriptor;
use crate::time::{Clock, TtlClock, TtlUpdate, expires_at, is_expired};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// "No time yet", in the atomics below.
const NONE: i64 = i64::MIN;

fn known(ms: i64) -> Option<i64> {
    (ms != NONE).then_some(ms)
}

/// The clock and the watermark of a store, and what of them the event at hand sees.
pub(crate) struct StoreTime {
    clock: Arc<dyn Clock>,
    backend: Option<DefaultTtl>,
    watermark: AtomicI64,
    // One event sees one time: both are taken when it begins.
    event_watermark: AtomicI64,
    event_now: AtomicI64,
}

impl StoreTime {
    pub(crate) fn new(clock: Arc<dyn Clock>, backend: Option<DefaultTtl>, watermark: Option<i64>) -> Self {
        let watermark = watermark.unwrap_or(NONE);
        Self {
            clock,
            backend,
            watermark: AtomicI64::new(watermark),
            event_watermark: AtomicI64::new(watermark),
            event_now: AtomicI64::new(NONE),
        }
    }

    /// The greatest watermark so far, the backend's included.
    pub(crate) fn watermark(&self) -> Option<i64> {
        let own = known(self.watermark.load(Relaxed));
        let backend = self.backend.as_ref().and_then(|backend| backend.time.watermark());
        own.max(backend)
    }

    /// Moves the watermark to `ms`, never back.
    pub(crate) fn set_watermark(&self, ms: i64) {
        self.watermark.fetch_max(ms, Relaxed);
        self.begin();
    }

    /// Takes the time that the next event sees.
    pub(crate) fn begin(&self) {
        self.event_watermark.store(self.watermark().unwrap_or(NONE), Relaxed);
        self.event_now.store(NONE, Relaxed);
    }

    /// The time of the event by `clock`.
    pub(crate) fn now(&self, clock: TtlClock) -> Option<i64> {
        match clock {
            TtlClock::Event => known(self.event_watermark.load(Relaxed)),
            TtlClock::Processing => {
                if self.event_now.load(Relaxed) == NONE {
                    self.event_now.store(self.clock.now_ms(), Relaxed);
                }
                known(self.event_now.load(Relaxed))
            }
        }
    }

    pub(crate) fn default_ttl(&self) -> Option<Ttl> {
        let ttl_ms = self.backend.as_ref()?.ttl_ms;
        Some(Ttl { ttl_ms, clock: None, update: TtlUpdate::CreateAndWrite })
    }

    /// Whether the backend brings a TTL of its own.
    pub(crate) fn has_default(&self) -> bool {
        self.backend.is_some()
    }
}

/// Tells the time by both clocks.
pub(crate) trait Now {
    fn now(&self, clock: TtlClock) -> Option<i64>;
}

impl Now for StoreTime {
    fn now(&self, clock: TtlClock) -> Option<i64> {
        Self::now(self, clock)
    }
}

/// The TTL of a state, as the catalog keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ttl {
    pub(crate) ttl_ms: u64,
    /// `None` follows the backend: the watermark once there is one, the clock before.
    pub(crate) clock: Option<TtlClock>,
    pub(crate) update: TtlUpdate,
}

impl From<TtlDescriptor> for Ttl {
    fn from(ttl: TtlDescriptor) -> Self {
        Self { ttl_ms: ttl.ttl_ms(), clock: Some(ttl.clock()), update: ttl.update() }
    }
}

impl Ttl {
    fn clock(&self, time: &impl Now) -> TtlClock {
        self.clock.unwrap_or_else(|| match time.now(TtlClock::Event) {
            Some(_) => TtlClock::Event,
            None => TtlClock::Processing,
        })
    }
}

/// When the TTL of a state was switched on and off, by each clock; kept in the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Switches {
    /// What has no stamp of the clock in use counts as written then.
    pub(crate) event_since: Option<i64>,
    pub(crate) processing_since: Option<i64>,
    /// What had ended by then stays gone, although the clock is no longer in use.
    pub(crate) event_stopped: Option<i64>,
    pub(crate) processing_stopped: Option<i64>,
}

impl Switches {
    pub(crate) fn since(&mut self, clock: TtlClock) -> &mut Option<i64> {
        match clock {
            TtlClock::Event => &mut self.event_since,
            TtlClock::Processing => &mut self.processing_since,
        }
    }

    fn stopped(&mut self, clock: TtlClock) -> &mut Option<i64> {
        match clock {
            TtlClock::Event => &mut self.event_stopped,
            TtlClock::Processing => &mut self.processing_stopped,
        }
    }

    /// Notes that `before` gave way to `after`.
    pub(crate) fn change(&mut self, before: Option<Ttl>, after: Option<Ttl>, time: &impl Now) {
        let old = before.map(|ttl| ttl.clock(time));
        let new = after.map(|ttl| ttl.clock(time));
        if old == new {
            return;
        }
        if let Some(old) = old {
            *self.stopped(old) = time.now(old);
        }
        if let Some(new) = new {
            *self.since(new) = time.now(new);
            *self.stopped(new) = None;
        }
    }
}

/// The life of one state: its TTL and when that was switched.
#[derive(Debug)]
pub(crate) struct Expiry {
    ttl: Option<Ttl>,
    event_since: AtomicI64,
    processing_since: AtomicI64,
    event_stopped: AtomicI64,
    processing_stopped: AtomicI64,
}

impl Expiry {
    pub(crate) fn new(ttl: Option<Ttl>, switches: Switches) -> Self {
        let expiry = Self {
            ttl,
            event_since: AtomicI64::new(NONE),
            processing_since: AtomicI64::new(NONE),
            event_stopped: AtomicI64::new(NONE),
            processing_stopped: AtomicI64::new(NONE),
        };
        expiry.follow(&switches);
        expiry
    }

    /// Takes over what another instance noted.
    pub(crate) fn follow(&self, switches: &Switches) {
        self.event_since.store(switches.event_since.unwrap_or(NONE), Relaxed);
        self.processing_since.store(switches.processing_since.unwrap_or(NONE), Relaxed);
        self.event_stopped.store(switches.event_stopped.unwrap_or(NONE), Relaxed);
        self.processing_stopped.store(switches.processing_stopped.unwrap_or(NONE), Relaxed);
    }

    /// Whether this is the life that `ttl` gives.
    pub(crate) fn has(&self, ttl: Option<Ttl>) -> bool {
        self.ttl == ttl
    }

    pub(crate) fn has_ttl(&self) -> bool {
        self.ttl.is_some()
    }

    /// Whether records of this state can be gone although they are stored.
    pub(crate) fn can_expire(&self) -> bool {
        self.has_ttl()
            || known(self.event_stopped.load(Relaxed)).is_some()
            || known(self.processing_stopped.load(Relaxed)).is_some()
    }

    pub(crate) fn refreshes_on_read(&self) -> bool {
        self.ttl.is_some_and(|ttl| ttl.update == TtlUpdate::ReadAndWrite)
    }

    /// The stamp of what is written now.
    pub(crate) fn stamp(&self, time: &impl Now) -> Stamp {
        let Some(ttl) = self.ttl else { return Stamp::NEVER };
        let clock = ttl.clock(time);
        let ends = match (u64::MAX == ttl.ttl_ms, time.now(clock)) {
            (true, _) => NEVER,
            (false, Some(now)) => expires_at(now, ttl.ttl_ms),
            (false, None) => PENDING,
        };
        Stamp { expires_at: ends, clock }
    }

    /// The stamp of what was stored before the state had a TTL.
    pub(crate) fn unstamped(&self) -> Stamp {
        Stamp { expires_at: if self.ttl.is_some() { PENDING } else { NEVER }, clock: TtlClock::Processing }
    }

    /// Whether what carries `stamp` is gone.
    pub(crate) fn is_expired(&self, stamp: Stamp, time: &impl Now) -> bool {
        let stamped = stamp.expires_at != PENDING;
        let clock = self.ttl.map(|ttl| ttl.clock(time));
        if stamped && clock == Some(stamp.clock) {
            return time.now(stamp.clock).is_some_and(|now| is_expired(stamp.expires_at, now));
        }
        let stopped = match stamp.clock {
            TtlClock::Event => &self.event_stopped,
            TtlClock::Processing => &self.processing_stopped,
        };
        if stamped && known(stopped.load(Relaxed)).is_some_and(|end| is_expired(stamp.expires_at, end)) {
            return true;
        }
        let (Some(ttl), Some(clock)) = (self.ttl, clock) else { return false };
        let since = match clock {
            TtlClock::Event => &self.event_since,
            TtlClock::Processing => &self.processing_since,
        };
        let (Some(since), Some(now)) = (known(since.load(Relaxed)), time.now(clock)) else { return false };
        stamp.expires_at != NEVER && is_expired(expires_at(since, ttl.ttl_ms), now)
    }
}
