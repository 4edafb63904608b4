//! The clocks that state ends by, as one event sees them.
//!
//! What runs for time T sees what had not ended at T, however far the watermark or the clock has come by then. So each of
//! the two stands still at the next timer that is still to fire, and neither goes back. That is what state is judged by; what is
//! written counts as written at the whole of the time that has come, but by a timer at the timer's own, and by an event at its own
//! where the store says so.

use crate::backend::{DefaultTtl, TtlTime};
use crate::catalog::expiry::{FirstWatermark, Now, Ttl};
use crate::codec::record::PENDING_END;
use crate::time::{Clock, TimerKind, TtlClock, TtlUpdate};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering::Relaxed};

/// "No time yet", in the atomics below.
pub(crate) const NONE: i64 = i64::MIN;

/// In place of the next timer: it may lie in the backend, and was not looked for.
pub(crate) const UNKNOWN: i64 = i64::MIN;

/// In place of the next timer: there is none.
pub(crate) const NO_TIMER: i64 = i64::MAX;

/// In place of a kind of timer: an event, or whatever else is none.
const NO_KIND: u8 = 0;

fn kind(kind: TimerKind) -> u8 {
    match kind {
        TimerKind::Event => 1,
        TimerKind::Processing => 2,
    }
}

fn known(ms: i64) -> Option<i64> {
    (ms != NONE).then_some(ms)
}

/// The processing time of a store, as compaction, on threads of its own, may ask for it too.
pub(crate) struct Processing {
    clock: Arc<dyn Clock>,
    /// The next processing timer; [`UNKNOWN`] or [`NO_TIMER`].
    next_timer: AtomicI64,
    /// The greatest time that something was judged by; [`NONE`] before the first.
    reached: AtomicI64,
}

impl Processing {
    fn new(clock: Arc<dyn Clock>, next_timer: i64, reached: Option<i64>) -> Self {
        Self { clock, next_timer: AtomicI64::new(next_timer), reached: AtomicI64::new(reached.unwrap_or(NONE)) }
    }

    /// The greatest time that something was judged by.
    pub(crate) fn reached(&self) -> Option<i64> {
        known(self.reached.load(Relaxed))
    }

    /// The next processing timer, if that is known; [`NO_TIMER`] where there is none.
    pub(crate) fn next_timer(&self) -> Option<i64> {
        let next = self.next_timer.load(Relaxed);
        (next != UNKNOWN).then_some(next)
    }

    /// Whether state ends by `shown` itself, and did so before.
    #[inline]
    fn is_free_at(&self, shown: i64) -> bool {
        self.reached.load(Relaxed) == shown && shown <= self.next_timer.load(Relaxed) && shown >= PENDING_END
    }

    /// The time that state ends by, while the clock shows `shown`.
    fn at(&self, shown: i64) -> i64 {
        // No clock that works shows less, and stamps below have another meaning.
        let (shown, reached) = (shown.max(PENDING_END), self.reached.load(Relaxed));
        match self.next_timer.load(Relaxed) {
            UNKNOWN if reached == NONE => shown,
            UNKNOWN => reached,
            next => reached.max(shown.min(next.max(PENDING_END))),
        }
    }

    /// The time that state ends by.
    pub(crate) fn now(&self) -> i64 {
        self.at(self.clock.now_ms())
    }

    /// Takes note that something was judged by `ms`: that holds, also when the clock goes back.
    pub(crate) fn reach(&self, ms: i64) {
        // Most often the clock shows what it showed before, and a look costs far less.
        if self.reached.load(Relaxed) < ms {
            self.reached.fetch_max(ms, Relaxed);
        }
    }
}

/// What a store goes on from.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reached {
    pub(crate) watermark: Option<i64>,
    /// What of the watermark state goes by.
    pub(crate) event_clock: Option<i64>,
    pub(crate) processing_clock: Option<i64>,
    pub(crate) first: Option<FirstWatermark>,
}

/// The clock and the watermark of a store, and what of them the event at hand sees.
pub(crate) struct StoreTime {
    processing: Arc<Processing>,
    backend: Option<DefaultTtl>,
    watermark: AtomicI64,
    first_watermark: AtomicI64,
    first_clock: AtomicI64,
    /// The next event timer; [`UNKNOWN`] or [`NO_TIMER`].
    next_timer: AtomicI64,
    /// Something about the time is to be looked at before the next event.
    unsure: AtomicBool,
    // One event sees one time: the watermark is taken when it begins, the clock when it first asks.
    event_clock: AtomicI64,
    event_now: AtomicI64,
    /// What is written counts as written then, by either clock.
    event_written: AtomicI64,
    written_now: AtomicI64,
    /// What the clock showed for that, which may be more, and less.
    shown: AtomicI64,
    /// Which kind of timer the event is: [`NO_KIND`], or as [`kind`] says.
    timer: AtomicU8,
    /// The time that the event has of its own, where there is no watermark.
    event_time: AtomicI64,
    /// Whether what an event with a time writes counts as written then.
    from_event_time: bool,
}

impl StoreTime {
    /// The time of a store that goes on from `past`; `timers` says whether the backend may have any of its timers.
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        backend: Option<DefaultTtl>,
        past: Reached,
        timers: bool,
        from_event_time: bool,
    ) -> Self {
        let next_timer = if timers { UNKNOWN } else { NO_TIMER };
        let time = Self {
            processing: Arc::new(Processing::new(clock, next_timer, past.processing_clock)),
            backend,
            watermark: AtomicI64::new(past.watermark.unwrap_or(NONE)),
            first_watermark: AtomicI64::new(past.first.map_or(NONE, |first| first.watermark)),
            first_clock: AtomicI64::new(past.first.and_then(|first| first.clock).unwrap_or(NONE)),
            next_timer: AtomicI64::new(next_timer),
            unsure: AtomicBool::new(timers),
            event_clock: AtomicI64::new(past.event_clock.unwrap_or(NONE)),
            event_now: AtomicI64::new(NONE),
            event_written: AtomicI64::new(past.event_clock.unwrap_or(NONE)),
            written_now: AtomicI64::new(NONE),
            timer: AtomicU8::new(NO_KIND),
            shown: AtomicI64::new(NONE),
            event_time: AtomicI64::new(NONE),
            from_event_time,
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

    /// What of the watermark state goes by, if that is known.
    pub(crate) fn event_clock(&self) -> Option<i64> {
        known(self.event_clock.load(Relaxed)).filter(|_| self.next_timer.load(Relaxed) != UNKNOWN)
    }

    /// The processing time that state goes by.
    pub(crate) fn processing(&self) -> &Arc<Processing> {
        &self.processing
    }

    /// Takes note of the timers that are next.
    pub(crate) fn next_timers(&self, event: i64, processing: i64) {
        self.next_timer.store(event, Relaxed);
        self.processing.next_timer.store(processing, Relaxed);
        self.move_event_clock();
    }

    /// Whether something about the time is to be looked at before the next event.
    #[inline]
    pub(crate) fn is_unsure(&self) -> bool {
        self.unsure.load(Relaxed)
    }

    /// Whether the next timers were not looked for yet.
    pub(crate) fn has_unknown_timers(&self) -> bool {
        self.next_timer.load(Relaxed) == UNKNOWN || self.processing.next_timer.load(Relaxed) == UNKNOWN
    }

    /// Forgets what the clock showed the event before.
    #[inline]
    pub(crate) fn forget_now(&self) {
        self.event_now.store(NONE, Relaxed);
        self.written_now.store(NONE, Relaxed);
    }

    /// Takes note of what the next event is.
    #[inline]
    pub(crate) fn take_timer(&self, timer: Option<TimerKind>) {
        let kind = timer.map_or(NO_KIND, kind);
        if self.timer.load(Relaxed) != kind {
            self.timer.store(kind, Relaxed);
            self.take_written();
        }
    }

    /// Whether the event is a timer of that kind.
    fn is_timer(&self, of: TimerKind) -> bool {
        self.timer.load(Relaxed) == kind(of)
    }

    /// Finds out when what is written counts as written by event time.
    #[cold]
    fn take_written(&self) {
        let clock = known(self.event_clock.load(Relaxed));
        let all = if self.is_timer(TimerKind::Event) { None } else { self.watermark().filter(|_| clock.is_some()) };
        self.event_written.store(clock.max(all).unwrap_or(NONE), Relaxed);
    }

    /// Takes note of the time that the next event has of its own, if anything counts from that.
    #[inline]
    pub(crate) fn take_event_time(&self, event_time: Option<i64>) {
        if self.event_clock.load(Relaxed) == NONE {
            self.event_time.store(event_time.unwrap_or(NONE), Relaxed);
        } else if self.from_event_time {
            self.write_from(event_time);
        }
    }

    /// Lets what the next event writes count as written at its own time, if it has one.
    fn write_from(&self, event_time: Option<i64>) {
        self.take_written();
        if let Some(own) = event_time.filter(|_| !self.is_timer(TimerKind::Event)) {
            // What is before that had ended before there was any time.
            self.event_written.store(own.max(PENDING_END), Relaxed);
        }
    }

    /// Whether what an event writes may end before what an event before it has written.
    pub(crate) fn counts_from_event_time(&self) -> bool {
        self.from_event_time
    }

    /// Takes the time that the next event sees.
    pub(crate) fn begin(&self) {
        self.forget_now();
        self.move_event_clock();
    }

    /// Lets the event clock follow the watermark as far as timers let it.
    fn move_event_clock(&self) {
        let next = self.next_timer.load(Relaxed);
        let (Some(watermark), false) = (self.watermark(), next == UNKNOWN) else { return self.doubt() };
        let now = self.event_clock.load(Relaxed).max(watermark.min(next.max(PENDING_END)));
        self.event_clock.store(now, Relaxed);
        self.take_written();
        if self.first_watermark.load(Relaxed) == NONE {
            self.begin_event_time(now);
        }
        self.doubt();
    }

    /// Finds out whether something is to be looked at before the next event.
    fn doubt(&self) {
        self.unsure.store(self.is_too_early() || self.has_unknown_timers(), Relaxed);
    }

    /// Whether the event clock shows a time that ends of state cannot be told from.
    pub(crate) fn is_too_early(&self) -> bool {
        known(self.event_clock.load(Relaxed)).is_some_and(|now| now < PENDING_END)
    }

    /// Takes note of the first watermark, by which state goes as of `now`.
    #[cold]
    fn begin_event_time(&self, now: i64) {
        // The backend may have got it some time before this event.
        let backend = self.backend.as_ref().and_then(|backend| backend.time.first());
        let (watermark, clock) = match backend {
            Some(first) => (first.watermark.min(now), Some(self.processing.at(first.clock))),
            None => (now, self.has_default().then(|| self.processing.now())),
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
        &self.processing.clock
    }

    /// Whether the backend brings a TTL of its own.
    pub(crate) fn has_default(&self) -> bool {
        self.backend.is_some()
    }

    /// The time that the event has seen; [`NONE`] before it has asked, or before there is any.
    #[inline]
    pub(crate) fn noted(&self, clock: TtlClock) -> i64 {
        match clock {
            TtlClock::Event => self.event_clock.load(Relaxed),
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

    /// When what the event writes counts as written, if it has seen that time; or else [`NONE`].
    #[inline]
    pub(crate) fn written(&self, clock: TtlClock) -> i64 {
        match clock {
            TtlClock::Event => self.event_written.load(Relaxed),
            TtlClock::Processing => self.written_now.load(Relaxed),
        }
    }

    /// Takes the time that the event sees; most events ask for none.
    #[inline(never)]
    fn read_clock(&self) -> i64 {
        let shown = self.processing.clock.now_ms();
        if self.processing.is_free_at(shown) {
            self.shown.store(shown, Relaxed);
            self.written_now.store(shown, Relaxed);
            self.event_now.store(shown, Relaxed);
            return shown;
        }
        self.read_held_clock(shown)
    }

    /// The same where timers hold time back, or the clock has moved.
    #[inline(never)]
    fn read_held_clock(&self, shown: i64) -> i64 {
        let now = self.processing.at(shown);
        self.processing.reach(now);
        let written = if self.is_timer(TimerKind::Processing) { now } else { now.max(shown) };
        self.shown.store(shown, Relaxed);
        self.written_now.store(written, Relaxed);
        self.event_now.store(now, Relaxed);
        now
    }

    /// What the clock shows, the same throughout an event; state may go by less, and by more where it was set back.
    pub(crate) fn shown(&self) -> i64 {
        self.seen(TtlClock::Processing);
        self.shown.load(Relaxed)
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

    fn written_at(&self, clock: TtlClock) -> Option<i64> {
        self.now(clock)?;
        known(self.written(clock))
    }

    fn event_time(&self) -> Option<i64> {
        known(self.event_time.load(Relaxed))
    }
}
