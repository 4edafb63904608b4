//! When state ends: the clocks of a store as one event sees them, and the judgement of a stamp.

use crate::backend::{DefaultTtl, TtlTime};
use crate::codec::record::{self, NEVER, Stamp, UNSTAMPED};
use crate::descriptor::TtlDescriptor;
use crate::time::{Clock, TtlClock, TtlUpdate, expires_at, is_expired};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// "No time yet", in the atomics below.
pub(crate) const NONE: i64 = i64::MIN;

fn known(ms: i64) -> Option<i64> {
    (ms != NONE).then_some(ms)
}

/// The moment a store got its first watermark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FirstWatermark {
    /// What was written before counts as written at this event time.
    pub(crate) watermark: i64,
    /// What the clock showed, where state went by it until then: what had ended stays gone.
    pub(crate) clock: Option<i64>,
}

/// Tells the time by both clocks.
pub(crate) trait Now {
    fn now(&self, clock: TtlClock) -> Option<i64>;

    /// The moment of the first watermark.
    fn first_watermark(&self) -> Option<FirstWatermark>;

    /// Whether there is a watermark, known or not.
    fn has_watermark(&self) -> bool {
        self.now(TtlClock::Event).is_some()
    }
}

/// The clock and the watermark of a store, and what of them the event at hand sees.
pub(crate) struct StoreTime {
    clock: Arc<dyn Clock>,
    backend: Option<DefaultTtl>,
    watermark: AtomicI64,
    first_watermark: AtomicI64,
    first_clock: AtomicI64,
    // One event sees one time: the watermark is taken when it begins, the clock when it first asks.
    event_watermark: AtomicI64,
    event_now: AtomicI64,
}

impl StoreTime {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        backend: Option<DefaultTtl>,
        watermark: Option<i64>,
        first: Option<FirstWatermark>,
    ) -> Self {
        let time = Self {
            clock,
            backend,
            watermark: AtomicI64::new(watermark.unwrap_or(NONE)),
            first_watermark: AtomicI64::new(first.map_or(NONE, |first| first.watermark)),
            first_clock: AtomicI64::new(first.and_then(|first| first.clock).unwrap_or(NONE)),
            event_watermark: AtomicI64::new(NONE),
            event_now: AtomicI64::new(NONE),
        };
        time.begin();
        time
    }

    /// The greatest watermark so far, the backend's included.
    #[inline]
    pub(crate) fn watermark(&self) -> Option<i64> {
        let own = known(self.watermark.load(Relaxed));
        let backend = self.backend.as_ref().and_then(|backend| backend.time.watermark());
        own.max(backend)
    }

    /// Moves the watermark to `ms`, never back.
    pub(crate) fn set_watermark(&self, ms: i64) {
        self.watermark.store(self.watermark.load(Relaxed).max(ms), Relaxed);
        self.begin();
    }

    /// Forgets what the clock showed the event before.
    #[inline]
    pub(crate) fn forget_now(&self) {
        self.event_now.store(NONE, Relaxed);
    }

    /// Takes the time that the next event sees.
    pub(crate) fn begin(&self) {
        self.forget_now();
        let Some(watermark) = self.watermark() else { return };
        self.event_watermark.store(watermark, Relaxed);
        if self.first_watermark.load(Relaxed) == NONE {
            self.begin_event_time(watermark);
        }
    }

    /// Takes note of the first watermark.
    #[cold]
    fn begin_event_time(&self, watermark: i64) {
        // The backend may have got it some time before this event.
        let backend = self.backend.as_ref().and_then(|backend| backend.time.first());
        let (watermark, clock) = match backend {
            Some(first) => (first.watermark, Some(first.clock)),
            None => (watermark, self.has_default().then(|| self.clock.now_ms())),
        };
        self.first_watermark.store(watermark, Relaxed);
        self.first_clock.store(clock.unwrap_or(NONE), Relaxed);
    }

    pub(crate) fn default_ttl(&self) -> Option<Ttl> {
        let ttl_ms = self.backend.as_ref()?.ttl_ms;
        Some(Ttl { ttl_ms, clock: None, update: TtlUpdate::CreateAndWrite })
    }

    /// The time of a backend that brings a TTL of its own.
    pub(crate) fn backend(&self) -> Option<&Arc<TtlTime>> {
        self.backend.as_ref().map(|backend| &backend.time)
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Whether the backend brings a TTL of its own.
    pub(crate) fn has_default(&self) -> bool {
        self.backend.is_some()
    }

    /// The time that the event has seen; [`NONE`] before it has asked, or before there is any.
    #[inline]
    pub(crate) fn noted(&self, clock: TtlClock) -> i64 {
        match clock {
            TtlClock::Event => self.event_watermark.load(Relaxed),
            TtlClock::Processing => self.event_now.load(Relaxed),
        }
    }

    /// The time that the event sees; [`NONE`] before there is any.
    #[inline]
    pub(crate) fn seen(&self, clock: TtlClock) -> i64 {
        match self.noted(clock) {
            NONE if clock == TtlClock::Processing => self.read_clock(),
            now => now,
        }
    }

    /// Takes the time that the event sees; most events ask for none.
    #[inline(never)]
    fn read_clock(&self) -> i64 {
        let now = self.clock.now_ms();
        self.event_now.store(now, Relaxed);
        now
    }
}

impl Now for StoreTime {
    fn now(&self, clock: TtlClock) -> Option<i64> {
        known(self.seen(clock))
    }

    fn first_watermark(&self) -> Option<FirstWatermark> {
        let watermark = known(self.first_watermark.load(Relaxed))?;
        Some(FirstWatermark { watermark, clock: known(self.first_clock.load(Relaxed)) })
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
        self.clock.unwrap_or(if time.has_watermark() { TtlClock::Event } else { TtlClock::Processing })
    }
}

/// When the TTL of a state was switched on and off, by each clock; kept in the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Switches {
    /// What has no stamp of the clock in use counts as written then.
    pub(crate) event_since: Option<Since>,
    pub(crate) processing_since: Option<Since>,
    /// What had ended by then stays gone, although the clock is no longer in use.
    pub(crate) event_stopped: Option<i64>,
    pub(crate) processing_stopped: Option<i64>,
}

/// When a TTL was switched on over what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Since {
    /// `None`: before the first watermark, which it is then.
    pub(crate) at: Option<i64>,
    /// The TTL of that moment: a later change holds for what is written from then on.
    pub(crate) ttl_ms: u64,
}

impl Switches {
    fn since(&mut self, clock: TtlClock) -> &mut Option<Since> {
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
        if let (Some(new), Some(ttl)) = (new, after) {
            *self.since(new) = Some(Since { at: time.now(new), ttl_ms: ttl.ttl_ms });
            *self.stopped(new) = None;
        }
    }
}

/// The life of one state: its TTL and when that was switched.
#[derive(Debug, PartialEq)]
pub(crate) struct Expiry {
    ttl: Option<Ttl>,
    switches: Switches,
}

impl Expiry {
    pub(crate) fn new(ttl: Option<Ttl>, switches: Switches) -> Self {
        Self { ttl, switches }
    }

    pub(crate) fn has_ttl(&self) -> bool {
        self.ttl.is_some()
    }

    /// Whether records of this state can be gone although they are stored.
    pub(crate) fn can_expire(&self) -> bool {
        self.has_ttl() || self.switches.event_stopped.is_some() || self.switches.processing_stopped.is_some()
    }

    pub(crate) fn refreshes_on_read(&self) -> bool {
        self.ttl.is_some_and(|ttl| ttl.update == TtlUpdate::ReadAndWrite)
    }

    /// Clock and TTL in milliseconds, where both are fixed and reading renews nothing.
    pub(crate) fn counted(&self) -> Option<(TtlClock, i64)> {
        let ttl = self.ttl.filter(|ttl| ttl.update == TtlUpdate::CreateAndWrite)?;
        Some((ttl.clock?, i64::try_from(ttl.ttl_ms).ok()?))
    }

    /// The stamp of what is written now.
    pub(crate) fn stamp(&self, time: &impl Now) -> Stamp {
        let Some(ttl) = self.ttl else { return Stamp::NEVER };
        let clock = ttl.clock(time);
        let ends = match (ttl.ttl_ms, time.now(clock)) {
            (u64::MAX, _) => NEVER,
            (ttl_ms, Some(now)) => expires_at(now, ttl_ms),
            (ttl_ms, None) => record::pending(ttl_ms),
        };
        Stamp { expires_at: ends, clock }
    }

    /// The stamp of what was stored before the state had a TTL.
    pub(crate) fn unstamped(&self) -> Stamp {
        Stamp { expires_at: if self.has_ttl() { UNSTAMPED } else { NEVER }, clock: TtlClock::Processing }
    }

    /// Whether what carries `stamp` is gone.
    pub(crate) fn is_expired(&self, stamp: Stamp, time: &impl Now) -> bool {
        let pending = record::pending_ttl(stamp.expires_at);
        let clock = self.ttl.map(|ttl| ttl.clock(time));
        if pending.is_none() && clock == Some(stamp.clock) {
            return time.now(stamp.clock).is_some_and(|now| is_expired(stamp.expires_at, now));
        }
        self.is_expired_otherwise(stamp, pending, clock, time)
    }

    /// The same for what carries no stamp of the clock in use.
    #[cold]
    fn is_expired_otherwise(
        &self,
        stamp: Stamp,
        pending: Option<u64>,
        clock: Option<TtlClock>,
        time: &impl Now,
    ) -> bool {
        let stopped = self.stopped(stamp.clock, time).filter(|_| pending.is_none());
        if stopped.is_some_and(|end| is_expired(stamp.expires_at, end)) {
            return true;
        }
        let (Some(ttl), Some(clock)) = (self.ttl, clock) else { return false };
        let first = time.first_watermark().map(|first| first.watermark);
        let (since, ttl_ms) = match (clock, pending) {
            // Written in event time, but before this store had any.
            (TtlClock::Event, Some(ttl_ms)) if ttl_ms > 0 => (first, ttl_ms),
            (TtlClock::Event, _) => {
                let since = self.switches.event_since;
                (since.and_then(|since| since.at).or(first), since.map_or(ttl.ttl_ms, |since| since.ttl_ms))
            }
            (TtlClock::Processing, _) => {
                let since = self.switches.processing_since;
                (since.and_then(|since| since.at), since.map_or(ttl.ttl_ms, |since| since.ttl_ms))
            }
        };
        let (Some(since), Some(now)) = (since, time.now(clock)) else { return false };
        stamp.expires_at != NEVER && is_expired(expires_at(since, ttl_ms), now)
    }

    /// When `clock` was last in use, if it no longer is.
    fn stopped(&self, clock: TtlClock, time: &impl Now) -> Option<i64> {
        match clock {
            TtlClock::Event => self.switches.event_stopped,
            TtlClock::Processing => self.switches.processing_stopped.or_else(|| {
                // A TTL that follows the backend goes over to the watermark by itself.
                let follows = self.ttl.is_some_and(|ttl| ttl.clock.is_none());
                time.first_watermark().filter(|_| follows).and_then(|first| first.clock)
            }),
        }
    }
}
