//! Time that goes on, and the timers that fire.

use crate::operator::attempt::attempt;
use crate::operator::driver::Driver;
use crate::operator::{BoxError, EventContext, KeyOf, Operator, OperatorError, OperatorInput, Rejected};
use crate::quiet::drop_quietly;
use crate::time::{Timer, TimerKind};

impl<O: Operator> Driver<O> {
    /// Moves the watermark to `ms`, never back, and fires all event timers that makes due.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// driver.advance(1_000)?;
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a timer failed and [`OnError`](crate::OnError) says to stop, or the storage failed. Timers before it have fired; it and those after
    /// it are still there, and fire at the next advance.
    pub fn advance(&mut self, ms: i64) -> Result<(), OperatorError> {
        self.set_watermark(ms);
        self.fire(TimerKind::Event, usize::MAX).map(drop)
    }

    /// Moves the watermark to `ms`, never back, and fires nothing.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// driver.set_watermark(1_000);
    /// assert_eq!(driver.watermark(), Some(1_000));
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn set_watermark(&mut self, ms: i64) {
        self.store.set_watermark(ms);
    }

    /// Fires all processing timers that are due by the clock.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// driver.tick()?;
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`advance`](Self::advance).
    #[inline]
    pub fn tick(&mut self) -> Result<(), OperatorError> {
        self.fire(TimerKind::Processing, usize::MAX).map(drop)
    }

    /// Fires at most `limit` timers of `kind` that are due, at least one, and says whether there may be more: for engines that commit on
    /// the way.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// driver.set_watermark(1_000);
    /// while driver.fire(TimerKind::Event, 1_024)? {
    ///     driver.commit("the same source position as before")?;
    /// }
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`advance`](Self::advance).
    pub fn fire(&mut self, kind: TimerKind, limit: usize) -> Result<bool, OperatorError> {
        // Most operators have none, and reading the clock would cost as much as half an event.
        if !self.store.has_timers(kind) {
            return Ok(false);
        }
        let now = match kind {
            TimerKind::Event => self.store.watermark().unwrap_or(i64::MIN),
            TimerKind::Processing => self.shared.time.clock().now_ms(),
        };
        // Before there is any time, nothing is due.
        if now == i64::MIN {
            return Ok(false);
        }
        for _ in 0..limit.max(1) {
            // A key may panic when it is decoded.
            let next = attempt(|| {
                if let Some(ahead) = self.store.look_ahead_to_timers(kind, now) {
                    self.store.evict_after(std::mem::take(&mut self.behind));
                    self.ahead = ahead;
                }
                self.store.next_timer(kind, now).map_err(BoxError::from)
            });
            let next = next.map_err(|cause| self.error(OperatorInput::Timers, None, cause))?;
            let Some((timer, key)) = next else { return Ok(false) };
            let fired = self.fire_one(timer, &key);
            drop_quietly(key);
            fired?;
        }
        Ok(true)
    }

    fn fire_one(&mut self, timer: Timer, key: &KeyOf<O>) -> Result<(), OperatorError> {
        let Self { operator, store, shared, out, asked, .. } = self;
        let before = out.len();
        let event_time = (timer.kind == TimerKind::Event).then_some(timer.time_ms);
        let result = attempt(|| {
            store.with_timers((store.hash(key), key), (event_time, Some(timer.kind)), asked, |state, asked| {
                asked.timer(shared, timer, false);
                let mut ctx = EventContext { key, event_time, is_timer: true, shared, asked, out: &mut *out };
                operator.on_timer(state, timer, &mut ctx)
            })
        });
        self.is_done();
        let Err(cause) = result else {
            self.shared.meter.fired.add(1);
            return Ok(());
        };
        self.failed(before, OperatorInput::Timer(timer), Some(key), cause, Some(Rejected::Timer(timer)))?;
        // What is left out must not come back for ever.
        let Self { store, shared, asked, .. } = self;
        let gone = attempt(|| {
            store.with_timers((store.hash(key), key), (event_time, Some(timer.kind)), asked, |_, asked| {
                asked.timer(shared, timer, false);
                Ok(())
            })
        });
        gone.map_err(|cause| self.error(OperatorInput::Timer(timer), Some(key), cause))
    }
}
