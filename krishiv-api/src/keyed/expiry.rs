//! When state ends: the judgement of a stamp by the clocks of a store.

use crate::codec::record::{self, NEVER, PENDING_END, Stamp, UNSTAMPED};
use crate::descriptor::TtlDescriptor;
use crate::time::{TtlClock, TtlUpdate, expires_at, is_expired};
use serde::{Deserialize, Serialize};

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

    /// The time that the event at hand has of its own, asked for only where there is no watermark.
    fn event_time(&self) -> Option<i64> {
        None
    }

    /// Whether there is a watermark, known or not.
    fn has_watermark(&self) -> bool {
        self.now(TtlClock::Event).is_some()
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

    /// Whether what is written ends by event time, or may come to do so.
    pub(crate) fn goes_by_event_time(&self) -> bool {
        self.ttl.is_some_and(|ttl| ttl.clock != Some(TtlClock::Processing) && ttl.ttl_ms != u64::MAX)
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
            // What an event with a time of its own writes does not wait for the first watermark, so that no end depends on
            // the steps in which that comes.
            (ttl_ms, None) => match time.event_time().filter(|_| clock == TtlClock::Event) {
                Some(event_time) => expires_at(event_time, ttl_ms),
                None => record::pending(ttl_ms),
            },
        };
        Stamp { expires_at: ends, clock }
    }

    /// Whether `stamp`, of what is written now, would be taken for one of before the first watermark.
    pub(crate) fn is_misread(&self, stamp: Stamp, time: &impl Now) -> bool {
        let counted = time.now(stamp.clock).or_else(|| time.event_time()).is_some();
        stamp.clock == TtlClock::Event && counted && stamp.expires_at < PENDING_END
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
