//! What a store and its handles share: where the row at hand lies, what has been read of it, what failed.

use crate::backend::AnyBackend;
use crate::catalog::clocks::StoreTime;
use crate::catalog::expiry::Expiry;
use crate::catalog::operator::OperatorHub;
use crate::catalog::rows::StoredRow;
use crate::catalog::untraced::Untraced;
use crate::codec::Codec;
use crate::codec::keys::{RowKey, check_length, longest_key};
use crate::error::StateError;
use crate::lock::lock;
use crate::scope::meter::Meter;
use crate::scope::timers;
use crate::time::TimerKind;
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// A handle could not read or write.
const FAILED: u8 = 1;
/// The values of the row were read together, and those not asked for can be kept.
pub(super) const PREFETCHED: u8 = 2;
/// What the store knows of the row has changed.
const TOUCHED: u8 = 4;
/// The slow paths know where the row lies.
const LOCATED: u8 = 8;
/// A list or a map of the row was looked at.
const ENTRIES: u8 = 16;

/// Shared by a store and its handles.
///
/// One thread at a time uses it; the locks are for the compiler, and none is taken while the cells of a
/// row answer by themselves.
pub(crate) struct Shared {
    pub(crate) operator: String,
    pub(crate) id: u16,
    pub(crate) hub: Arc<OperatorHub>,
    pub(crate) key_codec: Codec,
    /// The most bytes that a key, a map key or a broadcast key takes.
    longest_key: usize,
    pub(crate) time: StoreTime,
    pub(crate) broadcast_limit: usize,
    pub(crate) meter: Meter,
    /// The next free list position.
    pub(crate) next_position: AtomicU64,
    /// Version of the broadcast states that the event sees.
    tables_seen: AtomicU64,
    /// Whether events must know the time.
    timed: AtomicBool,
    /// Whether some state can expire, and by event time.
    expires: AtomicBool,
    expires_by_event: AtomicBool,
    /// Whether the first watermark of the backend has been taken note of.
    has_watermark: AtomicBool,
    /// What the event at hand has done that its end must look at: [`FAILED`], [`PREFETCHED`], [`TOUCHED`], [`LOCATED`],
    /// [`ENTRIES`].
    noted: AtomicU8,
    pub(super) event: Mutex<Event>,
    untraced: Mutex<Vec<Untraced>>,
    /// The state that the timers are of, 0 while there is none, and whether any lie in records of their own.
    timers_id: AtomicU16,
    timers_apart: AtomicBool,
}

/// What the slow paths of one event need.
#[derive(Default)]
pub(super) struct Event {
    pub(super) row: RowKey,
    /// Scratch: the key of a record that is read.
    pub(super) asked: Vec<u8>,
    pub(super) failure: Option<StateError>,
    /// The states with one value a key that the store has handles for, and what is stored of them.
    pub(super) values: Vec<u16>,
    pub(super) stored: StoredRow,
}

impl Shared {
    pub(crate) fn new(
        operator: String,
        hub: Arc<OperatorHub>,
        time: StoreTime,
        broadcast_limit: usize,
        next_position: u64,
    ) -> Self {
        Self {
            tables_seen: AtomicU64::new(hub.tables_version()),
            id: hub.id(),
            key_codec: hub.key_codec(),
            longest_key: longest_key(hub.backend().longest_key()),
            timed: AtomicBool::new(time.has_default()),
            expires: AtomicBool::new(time.has_default()),
            expires_by_event: AtomicBool::new(false),
            has_watermark: AtomicBool::new(false),
            operator,
            hub,
            time,
            broadcast_limit,
            meter: Meter::default(),
            next_position: AtomicU64::new(next_position),
            noted: AtomicU8::new(0),
            event: Mutex::new(Event::default()),
            untraced: Mutex::new(Vec::new()),
            timers_id: AtomicU16::new(0),
            timers_apart: AtomicBool::new(false),
        }
    }

    /// Refuses a key of so many bytes if the backend has no room for it.
    #[inline]
    pub(crate) fn check_length(&self, what: &'static str, length: usize) -> Result<(), StateError> {
        check_length(what, length, self.longest_key)
    }

    /// Warns of a part of a type that nothing compares when the store opens.
    pub(crate) fn note_untraced(&self, untraced: Untraced) {
        tracing::warn!(
            operator = self.operator,
            state = untraced.state(),
            role = %untraced.role(),
            part = untraced.part(),
            "a change of this part of a type goes unnoticed"
        );
        lock(&self.untraced).push(untraced);
    }

    /// Those parts, of all states that the store has got to know.
    pub(crate) fn untraced(&self) -> Vec<Untraced> {
        lock(&self.untraced).clone()
    }

    pub(crate) fn backend(&self) -> &dyn AnyBackend {
        &**self.hub.backend()
    }

    /// Version of the broadcast states that the event sees.
    #[inline]
    pub(crate) fn tables_seen(&self) -> u64 {
        self.tables_seen.load(Relaxed)
    }

    pub(crate) fn set_tables_seen(&self, version: u64) {
        self.tables_seen.store(version, Relaxed);
    }

    /// From now on every event needs the time, since there is a state that can expire.
    pub(crate) fn watch_expiry(&self, expiry: &Expiry) {
        self.timed.store(true, Relaxed);
        self.expires.store(true, Relaxed);
        if expiry.goes_by_event_time() {
            self.expires_by_event.store(true, Relaxed);
        }
    }

    /// From now on every event needs to know which timers are next: a state that can expire may join in the midst of one.
    pub(crate) fn expect_expiry(&self) {
        self.timed.store(true, Relaxed);
        self.expires.store(true, Relaxed);
    }

    /// Whether events must know the time.
    #[inline]
    pub(crate) fn is_timed(&self) -> bool {
        self.timed.load(Relaxed)
    }

    /// Whether some state can expire.
    pub(crate) fn expires(&self) -> bool {
        self.expires.load(Relaxed)
    }

    /// Whether event time is where state that expires by it cannot be.
    pub(crate) fn is_too_early(&self) -> bool {
        self.expires_by_event.load(Relaxed) && self.time.is_too_early()
    }

    /// Takes the time that the next event sees; `event_time` is the one that it has of its own, and `timer` says whether it is one.
    #[inline]
    pub(crate) fn begin(&self, event_time: Option<i64>, timer: Option<TimerKind>) {
        self.time.forget_now();
        self.time.take_timer(timer);
        if self.time.has_default() {
            self.begin_by_backend();
        }
        self.time.take_event_time(event_time);
    }

    /// The watermark of a TTL backend moves without this store.
    #[inline(never)]
    fn begin_by_backend(&self) {
        self.time.begin();
        if !self.has_watermark.load(Relaxed) {
            self.first_watermark();
        }
    }

    /// What the clock shows to the event at hand.
    pub(crate) fn processing_time(&self) -> i64 {
        if !self.timed.load(Relaxed) {
            self.timed.store(true, Relaxed);
            self.time.begin();
        }
        self.time.shown()
    }

    /// A TTL backend may have got its first watermark from elsewhere.
    #[cold]
    fn first_watermark(&self) {
        if self.time.watermark().is_some() {
            self.hub.has_watermark();
            self.has_watermark.store(true, Relaxed);
        }
    }

    /// Makes `row` the one that slow paths read.
    pub(crate) fn locate(&self, row: &RowKey) {
        lock(&self.event).row.set_to(row);
        self.note(LOCATED);
    }

    /// Makes the row that `encode` points at the one that slow paths read.
    pub(crate) fn locate_by(
        &self,
        encode: impl FnOnce(&mut RowKey) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        encode(&mut lock(&self.event).row)?;
        self.note(LOCATED);
        Ok(())
    }

    /// Whether slow paths know where the row being processed lies.
    pub(crate) fn is_located(&self) -> bool {
        self.noted.load(Relaxed) & LOCATED != 0
    }

    /// Keeps the first failure of an event, which undoes it.
    pub(crate) fn latch(&self, error: StateError) {
        lock(&self.event).failure.get_or_insert(error);
        self.note(FAILED);
    }

    /// Takes the failure that was latched, if any.
    #[inline]
    pub(crate) fn take_failure(&self) -> Option<StateError> {
        if self.noted.load(Relaxed) & FAILED == 0 { None } else { self.failure() }
    }

    #[cold]
    fn failure(&self) -> Option<StateError> {
        self.forget(FAILED);
        lock(&self.event).failure.take()
    }

    #[inline]
    pub(super) fn note(&self, flag: u8) {
        self.noted.store(self.noted.load(Relaxed) | flag, Relaxed);
    }

    fn forget(&self, flag: u8) {
        self.noted.store(self.noted.load(Relaxed) & !flag, Relaxed);
    }

    /// Takes note that the event changes what the store knows of its row: what of it is read, dirty, and how large it is.
    #[inline]
    pub(crate) fn touch(&self) {
        self.note(TOUCHED);
    }

    /// The same by a call of a list or a map, which the next commit of the row has to visit.
    #[inline]
    pub(crate) fn touch_entries(&self) {
        self.note(TOUCHED | ENTRIES);
    }

    /// Whether the event has done nothing that its end must look at.
    #[inline]
    pub(crate) fn is_untouched(&self) -> bool {
        self.noted.load(Relaxed) & !LOCATED == 0
    }

    /// Ends an event that has done nothing.
    #[inline]
    pub(crate) fn rest(&self) {
        self.noted.store(0, Relaxed);
    }

    /// Takes note of what the event has done by now; whether it has looked at a list or a map.
    #[inline]
    pub(crate) fn settle(&self) -> bool {
        let entries = self.noted.load(Relaxed) & ENTRIES != 0;
        self.forget(TOUCHED | LOCATED | ENTRIES);
        entries
    }

    /// Takes note that the store has a handle for the state `id`, which has one value a key.
    pub(crate) fn add_value(&self, id: u16) {
        lock(&self.event).values.push(id);
    }

    /// Whether rows have values that the store has handles for.
    pub(crate) fn has_values(&self) -> bool {
        !lock(&self.event).values.is_empty()
    }

    /// Whether nothing is stored of the values of a row but what the store has handles for, and all of it in the row's record.
    pub(crate) fn has_all_values(&self) -> bool {
        let values = lock(&self.event).values.clone();
        self.hub.has_only(&values)
    }

    /// Whether an event has read the values of its row, so that those not asked for can be kept.
    #[inline]
    pub(crate) fn has_prefetched(&self) -> bool {
        self.noted.load(Relaxed) & PREFETCHED != 0
    }

    /// Hands out what was read for the event, and forgets it.
    pub(crate) fn take_prefetched(&self) -> StoredRow {
        self.forget(PREFETCHED);
        std::mem::take(&mut lock(&self.event).stored)
    }

    /// Takes note of the state that the timers are of.
    pub(crate) fn know_timers(&self, id: u16) {
        self.timers_id.store(id, Relaxed);
        self.timers_apart.store(self.hub.has_apart(id), Relaxed);
    }

    /// The state that the timers are of, if there are any.
    #[inline]
    pub(crate) fn timers_id(&self) -> Option<NonZeroU16> {
        NonZeroU16::new(self.timers_id.load(Relaxed))
    }

    /// Where the timers of a row can lie, of which all is `known` or not.
    pub(crate) fn timers_rule(&self, known: bool) -> timers::Rule {
        timers::Rule { in_row: self.hub.has_one_record(), apart: self.timers_apart.load(Relaxed), known }
    }

    /// Takes note that a timer lies in a record of its own.
    pub(crate) fn note_timer_apart(&self, id: u16) {
        if !self.timers_apart.swap(true, Relaxed) {
            self.hub.note_apart(id);
        }
    }

    /// The next list position of this store; they only grow, so that appending needs no reading.
    pub(crate) fn take_position(&self) -> u64 {
        self.next_position.fetch_add(1, Relaxed)
    }
}
