//! Runs one operator on its state: what the harness, the pipeline and other engines are built on.

use crate::error::StateError;
use crate::keyed::Keyed;
use crate::keyed::timers::Asked;
use crate::operator::attempt::attempt;
use crate::operator::event::is_late;
use crate::operator::on_error::Policy;
use crate::operator::{
    BroadcastContext, BroadcastOperator, DeadLetter, Emitted, EventContext, KeyOf, LateEvents, OnError, Operator,
    OperatorError, OperatorInput, Prepared, Rejected,
};
use crate::quiet::drop_quietly;
use crate::scope::shared::Shared;
use crate::time::Timer;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// State that fits the caches of a processor next to all else, in bytes, roughly.
const CACHE: usize = 4 << 20;

/// The number of the next driver. None comes twice, other than an address.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Runs one operator on its state, on one thread: events, watermarks and the clock come in, records go out.
///
/// This is for those who write an engine. To test an operator there is [`Harness`](crate::Harness).
///
/// ```
#[doc = include_str!("example.txt")]
/// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
/// for (offset, event) in [7, 8, 7].into_iter().enumerate() {
///     driver.event(event, None)?;
///     driver.commit(offset.to_string())?;
/// }
/// let emitted: Vec<_> = driver.drain().map(|record| record.value).collect();
/// assert_eq!(emitted, [7, 8]);
/// # Ok::<(), BoxError>(())
/// ```
pub struct Driver<O: Operator> {
    /// What tells it from others.
    pub(super) id: u64,
    pub(super) operator: O,
    pub(super) store: Keyed<O::State>,
    pub(super) shared: Arc<Shared>,
    pub(super) on_error: OnError<O::In>,
    pub(super) late: LateEvents,
    /// How late an event may be and is still taken like others.
    pub(super) lateness_ms: u64,
    pub(super) out: Vec<Emitted<O::Out>>,
    /// Scratch: the timers that the event at hand asks for.
    pub(super) asked: Asked,
    /// Scratch: hashes of the keys of a batch.
    pub(super) hashes: Vec<u64>,
    /// Events and timers whose rows were looked up, and that are still to come.
    pub(super) ahead: usize,
    /// Those that have come, and for whose rows no room was made.
    pub(super) behind: usize,
    pub(super) late_events: Vec<(O::In, i64)>,
    pub(super) dead_letters: Vec<DeadLetter<O::In>>,
    pub(super) skipped: u64,
    pub(super) dropped: u64,
}

impl<O: Operator> Driver<O> {
    pub(super) fn new(
        operator: O,
        store: Keyed<O::State>,
        on_error: OnError<O::In>,
        late: LateEvents,
        lateness_ms: u64,
    ) -> Self {
        let shared = store.shared();
        Self {
            id: NEXT.fetch_add(1, Relaxed),
            operator,
            store,
            shared,
            on_error,
            late,
            lateness_ms,
            out: Vec::new(),
            asked: Asked::default(),
            hashes: Vec::new(),
            ahead: 0,
            behind: 0,
            late_events: Vec::new(),
            dead_letters: Vec::new(),
            skipped: 0,
            dropped: 0,
        }
    }

    /// Processes one event; `event_time` in milliseconds since 1970-01-01T00:00 UTC, if it has a time.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// driver.event(7, Some(1_000))?;
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the event failed and [`OnError`] says to stop, or the storage failed. The event has left no trace.
    #[inline]
    pub fn event(&mut self, event: O::In, event_time: Option<i64>) -> Result<(), OperatorError> {
        let result = self.run(event, event_time, hashed);
        self.store.evict_after(1);
        result
    }

    /// Finds out the key of an event that is to be processed.
    ///
    /// Engines prepare a batch of events, [look ahead](Self::look_ahead) to their rows together, and
    /// [process](Self::process) them one by one: several times faster where rows are not in the processor's cache or not in
    /// memory. The results are those of [`event`](Self::event).
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// let batch: Vec<_> = [7, 8, 7].into_iter().map(|event| driver.prepare(event, None)).collect();
    /// driver.look_ahead(&batch);
    /// for event in batch {
    ///     driver.process(event)?;
    /// }
    /// assert_eq!(driver.drain().map(|record| record.value).collect::<Vec<_>>(), [7, 8]);
    /// # Ok::<(), BoxError>(())
    /// ```
    #[inline]
    pub fn prepare(&self, event: O::In, event_time: Option<i64>) -> Prepared<O> {
        // If that panics it will do so again, when the event is processed, and is reported then.
        let found = catch_unwind(AssertUnwindSafe(|| hashed(&self.operator, &self.store, &event)));
        let (hash, key) = found.map_or((0, None), |(hash, key)| (hash, Some(key)));
        Prepared { event, event_time, key, hash, driver: self.id }
    }

    /// Whether the state is so large that looking ahead pays: rows that fit the processor's cache are found as fast one by
    /// one.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert!(!driver.gains_by_looking_ahead());
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn gains_by_looking_ahead(&self) -> bool {
        self.store.memory() > CACHE
    }

    /// Looks up the rows of events that are about to be processed, all at once, and reads those that are not in memory
    /// together. What fails here fails again in the event that needs it, and is reported there.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// let batch = [driver.prepare(7, None)];
    /// driver.look_ahead(&batch);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn look_ahead(&mut self, batch: &[Prepared<O>]) {
        // Of a batch that has not come to its end.
        self.store.evict_after(std::mem::take(&mut self.behind));
        self.ahead = batch.len();
        self.hashes.clear();
        self.hashes.extend(batch.iter().map(|prepared| prepared.hash));
        let Self { store, hashes, .. } = self;
        // A key may panic when it is compared or encoded.
        let _ = attempt(|| {
            store.look_ahead(hashes, |index| batch.get(index).and_then(Prepared::key));
            Ok(())
        });
    }

    /// Processes an event that was prepared by this driver, or by another instance of the operator.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// let prepared = driver.prepare(7, None);
    /// driver.process(prepared)?;
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`event`](Self::event).
    #[inline]
    pub fn process(&mut self, prepared: Prepared<O>) -> Result<(), OperatorError> {
        let Prepared { event, event_time, key, hash, driver } = prepared;
        let result = match key {
            Some(key) if driver == self.id => self.run(event, event_time, |_, _, _| (hash, key)),
            // Each store has hashes of its own.
            _ => self.run_afresh(event, event_time),
        };
        self.is_done();
        result
    }

    /// Makes room for what an event or a timer has brought in, but not on the way through a batch: rows that were read ahead would go
    /// before their turn came.
    pub(super) fn is_done(&mut self) {
        self.behind += 1;
        self.ahead = self.ahead.saturating_sub(1);
        if self.ahead == 0 {
            self.store.evict_after(std::mem::take(&mut self.behind));
        }
    }

    /// An event that was prepared in vain.
    #[cold]
    fn run_afresh(&mut self, event: O::In, event_time: Option<i64>) -> Result<(), OperatorError> {
        self.run(event, event_time, hashed)
    }

    #[inline(always)]
    fn run(
        &mut self,
        event: O::In,
        event_time: Option<i64>,
        key_of: impl FnOnce(&O, &Keyed<O::State>, &O::In) -> (u64, KeyOf<O>),
    ) -> Result<(), OperatorError> {
        if self.late != LateEvents::Process && is_late(event_time, self.too_late()) {
            self.set_aside(event, event_time);
            return Ok(());
        }
        let copy = match self.on_error.0 {
            Policy::DeadLetter { copy } => match attempt(|| Ok(copy(&event))) {
                Ok(copy) => Some(copy),
                Err(cause) => {
                    let key = attempt(|| Ok(key_of(&self.operator, &self.store, &event).1)).ok();
                    let rejected = Some(Rejected::Event(event, event_time));
                    return self.failed(self.out.len(), OperatorInput::Event, key.as_ref(), cause, rejected);
                }
            },
            Policy::Stop | Policy::Skip | Policy::Report => None,
        };
        let Self { operator, store, shared, out, asked, .. } = self;
        let (before, mut key) = (out.len(), None);
        let result = attempt(|| {
            let (hash, found) = key_of(operator, store, &event);
            let key: &KeyOf<O> = key.insert(found);
            store.with_timers((hash, key), (event_time, None), asked, |state, asked| {
                let mut ctx = EventContext { key, event_time, is_timer: false, shared, asked, out: &mut *out };
                operator.on_event(state, event, &mut ctx)
            })
        });
        let Err(cause) = result else {
            // The event is done, whatever becomes of what is left of it.
            if let Some(copy) = copy {
                drop_quietly(copy);
            }
            if !self.store.has_exact_keys() {
                drop_quietly(key);
            }
            return Ok(());
        };
        let rejected = copy.map_or(Rejected::Unkept(event_time), |event| Rejected::Event(event, event_time));
        self.failed(before, OperatorInput::Event, key.as_ref(), cause, Some(rejected))
    }

    /// What is before this is late, and more than is allowed.
    #[inline]
    fn too_late(&self) -> Option<i64> {
        self.store.watermark().map(|watermark| watermark.saturating_sub_unsigned(self.lateness_ms))
    }

    /// Treats an event as late whatever the watermark, in the way that [`LateEvents`] says: for engines that know better.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let mut driver = Driver::builder(Distinct).late_events(LateEvents::Collect).open(backend)?;
    /// driver.late_event(7, i64::MAX)?;
    /// assert_eq!(driver.drain_late().collect::<Vec<_>>(), [(7, i64::MAX)]);
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`event`](Self::event), where late events go to the operator.
    pub fn late_event(&mut self, event: O::In, event_time: i64) -> Result<(), OperatorError> {
        if self.late == LateEvents::Process {
            return self.event(event, Some(event_time));
        }
        self.set_aside(event, Some(event_time));
        Ok(())
    }

    #[cold]
    fn set_aside(&mut self, event: O::In, event_time: Option<i64>) {
        self.shared.meter.late.add(1);
        match (self.late, event_time) {
            (LateEvents::Collect, Some(time)) => self.late_events.push((event, time)),
            _ => self.dropped += 1,
        }
    }

    /// Takes in a broadcast; all parallel instances of the operator see it.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: BroadcastOperator>(driver: &mut Driver<O>, rule: O::Broadcast) -> Result<(), OperatorError> {
    /// driver.broadcast(rule)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When it failed and [`OnError`] says to stop, or the storage failed. It has left no trace.
    pub fn broadcast(&mut self, item: O::Broadcast) -> Result<(), OperatorError>
    where
        O: BroadcastOperator,
    {
        let Self { operator, store, shared, out, .. } = self;
        let before = out.len();
        let result = attempt(|| {
            store.try_broadcast(|state, scope| {
                let mut ctx = BroadcastContext { scope, shared, out: &mut *out };
                operator.on_broadcast(state, item, &mut ctx)
            })
        });
        result.or_else(|cause| self.failed(before, OperatorInput::Broadcast, None, cause, Some(Rejected::Broadcast)))
    }

    /// Takes out what has been emitted since the last time.
    ///
    /// It belongs to the state that the next commit writes: an engine makes it durable together with that.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// driver.event(7, None)?;
    /// assert_eq!(driver.drain().map(|record| record.value).collect::<Vec<_>>(), [7]);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn drain(&mut self) -> impl Iterator<Item = Emitted<O::Out>> {
        self.out.drain(..)
    }

    /// Whether there is anything to take out: records, late events, dead letters.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// driver.event(7, None)?;
    /// assert!(driver.has_output());
    /// # Ok::<(), BoxError>(())
    /// ```
    #[inline]
    pub fn has_output(&self) -> bool {
        // One comparison: every event asks, and mostly in vain.
        self.out.len() | self.late_events.len() | self.dead_letters.len() != 0
    }

    /// Takes out the late events that were collected since the last time, with their times.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let mut driver = Driver::builder(Distinct).late_events(LateEvents::Collect).open(backend)?;
    /// driver.advance(1_000)?;
    /// driver.event(7, Some(999))?;
    /// assert_eq!(driver.drain_late().collect::<Vec<_>>(), [(7, 999)]);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn drain_late(&mut self) -> impl Iterator<Item = (O::In, i64)> {
        self.late_events.drain(..)
    }

    /// Takes out the dead letters since the last time.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let mut driver = Driver::builder(Distinct).on_error(OnError::dead_letter()).open(backend)?;
    /// assert_eq!(driver.drain_dead_letters().count(), 0);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn drain_dead_letters(&mut self) -> impl Iterator<Item = DeadLetter<O::In>> {
        self.dead_letters.drain(..)
    }

    /// Events, timers and broadcasts that failed and were skipped since this driver was opened, dead letters not counted.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert_eq!(driver.skipped(), 0);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Late events that were dropped since this driver was opened.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert_eq!(driver.dropped_late(), 0);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn dropped_late(&self) -> u64 {
        self.dropped
    }

    /// How far event time has come, in milliseconds since 1970-01-01T00:00 UTC; `None` before the first watermark.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert_eq!(driver.watermark(), None);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn watermark(&self) -> Option<i64> {
        self.store.watermark()
    }

    /// The store, for what is known of it: its position, its key groups.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert_eq!(driver.store().position(), None);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn store(&self) -> &Keyed<O::State> {
        &self.store
    }

    /// The store, to look at state; what is changed in it is part of the next commit.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// driver.event(7, None)?;
    /// assert_eq!(driver.store_mut().with_key(&7, |seen| seen.times.get())?, Some(1));
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn store_mut(&mut self) -> &mut Keyed<O::State> {
        &mut self.store
    }

    /// All timers with their keys, event time first, each kind in the order in which they are due; reads all of them.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert_eq!(driver.timers()?, []);
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the backend fails or a stored timer is damaged.
    pub fn timers(&mut self) -> Result<Vec<(KeyOf<O>, Timer)>, StateError> {
        let timers = self.store.all_timers()?.into_iter();
        Ok(timers.map(|of| (of.key, of.timer)).collect())
    }
}

/// The key of an event, and the hash that its row is found by.
#[inline]
fn hashed<O: Operator>(operator: &O, store: &Keyed<O::State>, event: &O::In) -> (u64, KeyOf<O>) {
    let key = operator.key(event);
    (store.hash(&key), key)
}
