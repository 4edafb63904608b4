//! When state ends: the judgement of a stamp by the clocks of a store.

use crate::codec::record::{self, GONE, NEVER, PENDING_END, Stamp, UNSTAMPED};
use crate::descriptor::TtlDescriptor;
use crate::error::{Cause, StateError};
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

/// The error of an event time at which no state can expire.
#[cold]
pub(crate) fn too_early() -> StateError {
    let reason = format!(
        "event time is before {PENDING_END} ms, and no state can expire there; give events times in milliseconds since 1970, or the \
         state no TTL by event time"
    );
    Cause::Setting { reason }.into()
}

/// Tells the time by both clocks.
pub(crate) trait Now {
    fn now(&self, clock: TtlClock) -> Option<i64>;

    /// The moment of the first watermark.
    fn first_watermark(&self) -> Option<FirstWatermark>;

    /// When what is written now counts as written.
    fn written_at(&self, clock: TtlClock) -> Option<i64> {
        self.now(clock)
    }

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

/// When the TTL of a state was switched on, by each clock; kept in the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Switches {
    /// What has no stamp of the clock in use counts as written then.
    event_since: Option<Since>,
    processing_since: Option<Since>,
    /// What had ended by then stays gone. Only catalogs of formats before 4 have these; since then there are eras.
    event_stopped: Option<i64>,
    processing_stopped: Option<i64>,
}

/// When a TTL was switched on over what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Since {
    /// `None`: before the first watermark, which it is then.
    at: Option<i64>,
    /// The TTL of that moment: a later change holds for what is written from then on.
    ttl_ms: u64,
}

impl Switches {
    fn since(&self, clock: TtlClock) -> Option<Since> {
        match clock {
            TtlClock::Event => self.event_since,
            TtlClock::Processing => self.processing_since,
        }
    }

    /// A TTL that was switched on by `clock`.
    fn on(clock: TtlClock, since: Option<Since>) -> Self {
        match clock {
            TtlClock::Event => Self { event_since: since, ..Self::default() },
            TtlClock::Processing => Self { processing_since: since, ..Self::default() },
        }
    }
}

/// What a state ends by, as long as its TTL keeps its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) ttl: Option<Ttl>,
    pub(crate) switches: Switches,
}

/// How far time had come when a TTL was switched.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    pub(crate) event: Option<i64>,
    pub(crate) processing: Option<i64>,
    pub(crate) first_watermark: Option<FirstWatermark>,
}

impl Now for Moment {
    fn now(&self, clock: TtlClock) -> Option<i64> {
        match clock {
            TtlClock::Event => self.event,
            TtlClock::Processing => self.processing,
        }
    }

    fn first_watermark(&self) -> Option<FirstWatermark> {
        self.first_watermark
    }
}

/// A time in which a state had one rule, that is over: what had ended by its end stays gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Era {
    rule: Rule,
    until: Moment,
}

impl Era {
    /// Whether what is stored with `stamp` had ended; `own` says whether it was written in this era.
    fn has_ended(&self, stamp: Option<Stamp>, own: bool) -> bool {
        self.rule.is_expired(self.rule.settle(stamp, own), &self.until)
    }
}

impl Rule {
    fn clock(&self, time: &impl Now) -> Option<TtlClock> {
        self.ttl.map(|ttl| ttl.clock(time))
    }

    /// Gives the state another TTL at the moment `now`; returns the era that this ends, if the clock is another.
    pub(crate) fn switch(&mut self, ttl: Option<Ttl>, now: Moment) -> Option<Era> {
        let before = std::mem::replace(self, Self { ttl, ..*self });
        if before.ttl.map(|ttl| ttl.clock) == ttl.map(|ttl| ttl.clock) {
            return None;
        }
        let clock = self.clock(&now);
        self.switches = match (ttl, clock) {
            (Some(ttl), Some(clock)) => Switches::on(clock, Some(before.since_at_switch(clock, ttl, &now))),
            _ => Switches::default(),
        };
        Some(Era { rule: before, until: now })
    }

    /// Since when what is there counts as written, once `ttl` takes the place of this rule by `clock`.
    fn since_at_switch(&self, clock: TtlClock, ttl: Ttl, now: &Moment) -> Since {
        match self.ttl.filter(|_| self.clock(now) == Some(clock)) {
            // The same clock goes on, though the TTL names it otherwise.
            Some(before) if clock == TtlClock::Event => {
                self.switches.event_since.unwrap_or(Since { at: None, ttl_ms: before.ttl_ms })
            }
            Some(_) => self.switches.processing_since.unwrap_or(Since { at: now.now(clock), ttl_ms: ttl.ttl_ms }),
            None => Since { at: now.now(clock), ttl_ms: ttl.ttl_ms },
        }
    }

    /// Whether records can be gone by this rule although they are stored.
    fn can_expire(&self) -> bool {
        let Switches { event_stopped, processing_stopped, .. } = self.switches;
        self.ttl.is_some() || event_stopped.is_some() || processing_stopped.is_some()
    }

    /// The stamp that what is stored with `stamp` has by this rule; `own` says whether it was written under it.
    fn settle(&self, stamp: Option<Stamp>, own: bool) -> Stamp {
        let stamp = stamp.filter(|stamp| stamp.expires_at != UNSTAMPED);
        // Kept, so that a TTL which is switched on again finds it.
        let Some(ttl) = self.ttl else { return stamp.unwrap_or(Stamp::NEVER) };
        // A TTL that follows the backend and was switched on by the clock goes by that first, also where it now has a watermark.
        let by_clock = self.switches.processing_since.is_some();
        let clock = ttl.clock.unwrap_or(if by_clock { TtlClock::Processing } else { TtlClock::Event });
        stamp
            .filter(|stamp| own || stamp.clock == clock || stamp.expires_at == NEVER)
            .unwrap_or_else(|| Stamp { expires_at: self.end_since_switch(clock, ttl), clock })
    }

    /// When what has no stamp of `clock` ends.
    fn end_since_switch(&self, clock: TtlClock, ttl: Ttl) -> i64 {
        let since = self.switches.since(clock);
        let ttl_ms = since.map_or(ttl.ttl_ms, |since| since.ttl_ms);
        match (clock, since.and_then(|since| since.at)) {
            (_, Some(at)) => expires_at(at, ttl_ms).max(PENDING_END),
            (TtlClock::Event, None) => record::pending(ttl_ms),
            (TtlClock::Processing, None) => NEVER,
        }
    }

    /// The stamp of what is written now.
    fn stamp(&self, time: &impl Now) -> Stamp {
        let Some(ttl) = self.ttl else { return Stamp::NEVER };
        let clock = ttl.clock(time);
        let ends = match (ttl.ttl_ms, time.written_at(clock)) {
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

    /// Whether what carries `stamp` is gone.
    #[inline]
    fn is_expired(&self, stamp: Stamp, time: &impl Now) -> bool {
        let pending = record::pending_ttl(stamp.expires_at);
        let clock = self.clock(time);
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
        if stamp.expires_at == GONE {
            return true;
        }
        let stopped = self.stopped(stamp.clock, time).filter(|_| pending.is_none());
        if stopped.is_some_and(|end| is_expired(stamp.expires_at, end)) {
            return true;
        }
        let (Some(ttl), Some(clock)) = (self.ttl, clock) else { return false };
        let first = time.first_watermark().map(|first| first.watermark);
        let since = self.switches.since(clock);
        let since_ttl = since.map_or(ttl.ttl_ms, |since| since.ttl_ms);
        let (since, ttl_ms) = match (clock, pending) {
            // Written in event time, but before this store had any.
            (TtlClock::Event, Some(ttl_ms)) if ttl_ms > 0 => (first, ttl_ms),
            (TtlClock::Event, _) => (since.and_then(|since| since.at).or(first), since_ttl),
            (TtlClock::Processing, _) => (since.and_then(|since| since.at), since_ttl),
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

/// The life of one state: its TTL, and those that it had before.
#[derive(Debug, PartialEq)]
pub(crate) struct Expiry {
    rule: Rule,
    eras: Vec<Era>,
}

impl Expiry {
    pub(crate) fn new(rule: Rule, eras: Vec<Era>) -> Self {
        Self { rule, eras }
    }

    /// The era of what is written now.
    pub(crate) fn era(&self) -> u64 {
        self.eras.len() as u64
    }

    /// Whether records of this state can be gone although they are stored.
    pub(crate) fn can_expire(&self) -> bool {
        self.rule.can_expire() || self.eras.iter().any(|era| era.rule.can_expire())
    }

    /// Whether what is written ends by event time, or may come to do so.
    pub(crate) fn goes_by_event_time(&self) -> bool {
        self.rule.ttl.is_some_and(|ttl| ttl.clock != Some(TtlClock::Processing) && ttl.ttl_ms != u64::MAX)
    }

    pub(crate) fn refreshes_on_read(&self) -> bool {
        self.rule.ttl.is_some_and(|ttl| ttl.update == TtlUpdate::ReadAndWrite)
    }

    /// Clock and TTL in milliseconds, where both are fixed and reading renews nothing.
    pub(crate) fn counted(&self) -> Option<(TtlClock, i64)> {
        let ttl = self.rule.ttl.filter(|ttl| ttl.update == TtlUpdate::CreateAndWrite)?;
        Some((ttl.clock?, i64::try_from(ttl.ttl_ms).ok()?))
    }

    /// The stamp of what is written now.
    pub(crate) fn stamp(&self, time: &impl Now) -> Stamp {
        self.rule.stamp(time)
    }

    /// Whether `stamp`, of what is written now, would be taken for one of before the first watermark.
    pub(crate) fn is_misread(&self, stamp: Stamp, time: &impl Now) -> bool {
        let counted = time.now(stamp.clock).or_else(|| time.event_time()).is_some();
        stamp.clock == TtlClock::Event && counted && stamp.expires_at < PENDING_END
    }

    /// The stamp that what was stored in `era` with `stamp` has today: one of the clock in use, or [`GONE`].
    #[inline]
    pub(crate) fn settle(&self, era: u64, stamp: Option<Stamp>) -> Stamp {
        match stamp {
            Some(stamp) if era == self.era() => stamp,
            _ => self.settle_otherwise(era, stamp),
        }
    }

    #[cold]
    fn settle_otherwise(&self, era: u64, stamp: Option<Stamp>) -> Stamp {
        let own = usize::try_from(era).map_or(self.eras.len(), |era| era.min(self.eras.len()));
        let since = self.eras.get(own..).unwrap_or_default();
        // A verdict that was ever given holds, and each era ends with its last.
        if since.iter().enumerate().any(|(index, era)| era.has_ended(stamp, index == 0)) {
            return Stamp { expires_at: GONE, clock: TtlClock::Processing };
        }
        self.rule.settle(stamp, since.is_empty())
    }

    /// Whether what carries `stamp`, which is [settled](Self::settle), is gone.
    pub(crate) fn is_expired(&self, stamp: Stamp, time: &impl Now) -> bool {
        self.rule.is_expired(stamp, time)
    }
}
