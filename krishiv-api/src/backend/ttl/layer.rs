//! The backend below, and by which time what it has is read.

use super::expired::Expired;
use super::marker::{self, Reserved};
use super::retention::{Horizon, RawRetention};
use super::stamp;
use super::time::{self, TtlTime};
use crate::backend::{Op, StateBackend, WriteBatch};
use crate::error::{Cause, StateError};
use crate::lock::lock;
use crate::time::{Clock, SystemClock, TtlConfig, is_expired};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A [`StateBackend`] that forgets what was written a [`TtlConfig`] ago.
///
/// In the backend below, every value is `[8-byte LE expires_at_ms][raw bytes]`. A record whose time has come is
/// absent at once, is removed by the next write, and may be dropped by RocksDB when it compacts its files.
///
/// Time is that of the clock, until a watermark is set; from then on it is the watermark. The switch is for good: it is
/// stored with the data, and survives a reopen. Records written before count as written at the first
/// watermark. They are rewritten, all in one batch, by the first call after it.
///
/// Typed stores opened on the wrapper keep their rows in the backend below, and take its TTL for the fields
/// that have none of their own.
///
/// Keys that begin with two zero bytes belong to the library, and so do the rows of typed stores in the same
/// backend: reads through the wrapper do not see them, and writes to them are refused. Open one wrapper at a
/// time on a backend, and open typed stores that share the backend on the wrapper rather than below it, so
/// that it knows of them.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, ManualClock, StateBackend, TtlConfig, TtlStateBackend, WriteBatch};
/// use std::sync::Arc;
///
/// let clock = Arc::new(ManualClock::new(0));
/// let inner = Arc::new(InMemoryStateBackend::new());
/// let ttl = TtlStateBackend::new(inner, TtlConfig::new(60_000)).with_clock(clock.clone());
/// let mut batch = WriteBatch::default();
/// batch.put(b"k", b"v");
/// ttl.write(batch)?;
///
/// clock.set(59_999);
/// assert_eq!(ttl.get(b"k")?, Some(b"v".to_vec()));
/// clock.set(60_000);
/// assert_eq!(ttl.get(b"k")?, None);
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
pub struct TtlStateBackend<B> {
    pub(super) inner: Arc<B>,
    pub(super) config: TtlConfig,
    pub(super) time: Arc<TtlTime>,
    /// Held shared by reads and plain writes, alone by whatever must not be crossed by another write.
    mode: RwLock<Mode>,
    reserved: RwLock<Reserved>,
    expired: Mutex<Expired>,
    horizon: Arc<RwLock<Horizon>>,
    registered: AtomicBool,
    /// Whether stores were opened on the wrapper, which may add operators at any time.
    pub(super) typed: AtomicBool,
}

/// By which time the stored stamps are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing was read of the backend below yet.
    Unknown,
    /// The clock.
    Processing,
    /// The watermark, which is stored as `durable`.
    Event { durable: i64 },
}

impl Mode {
    /// Whether stamps read in one mode mean the same in the other.
    pub(super) fn same_time(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

impl<B: StateBackend> TtlStateBackend<B> {
    /// Wraps `inner`; time is that of the [`SystemClock`] until another is given or a watermark is set.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, TtlConfig, TtlStateBackend};
    /// use std::sync::Arc;
    /// let ttl = TtlStateBackend::new(Arc::new(InMemoryStateBackend::new()), TtlConfig::new(60_000));
    /// # let _ = ttl;
    /// ```
    pub fn new(inner: Arc<B>, config: TtlConfig) -> Self {
        Self::with_time(inner, config, TtlTime::new(Arc::new(SystemClock)))
    }

    /// Takes time from `clock` until a watermark is set; call it before the first use.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, ManualClock, TtlConfig, TtlStateBackend};
    /// use std::sync::Arc;
    /// let clock = Arc::new(ManualClock::new(0));
    /// let inner = Arc::new(InMemoryStateBackend::new());
    /// let ttl = TtlStateBackend::new(inner, TtlConfig::new(60_000)).with_clock(clock.clone());
    /// clock.advance(1_000);
    /// # let _ = ttl;
    /// ```
    #[must_use]
    pub fn with_clock(self, clock: Arc<impl Clock>) -> Self {
        Self::with_time(self.inner, self.config, self.time.on_clock(clock))
    }

    /// Moves event time on to `ms`; a watermark below the last one changes nothing.
    ///
    /// The first one switches from the clock to event time. It is stored with the next write.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, StateBackend, TtlConfig, TtlStateBackend, WriteBatch};
    /// use std::sync::Arc;
    ///
    /// let ttl = TtlStateBackend::new(Arc::new(InMemoryStateBackend::new()), TtlConfig::new(60_000));
    /// ttl.set_watermark(1_000);
    /// let mut batch = WriteBatch::default();
    /// batch.put(b"k", b"v");
    /// ttl.write(batch)?;
    /// ttl.set_watermark(61_000);
    /// assert_eq!(ttl.get(b"k")?, None);
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    pub fn set_watermark(&self, ms: i64) {
        self.time.raise(ms);
    }

    fn with_time(inner: Arc<B>, config: TtlConfig, time: TtlTime) -> Self {
        Self {
            inner,
            config,
            time: Arc::new(time),
            mode: RwLock::new(Mode::Unknown),
            reserved: RwLock::default(),
            expired: Mutex::default(),
            horizon: Arc::default(),
            registered: AtomicBool::new(false),
            typed: AtomicBool::new(false),
        }
    }

    /// The mode, brought up to date, and held until the guard goes.
    pub(super) fn settled(&self) -> Result<RwLockReadGuard<'_, Mode>, StateError> {
        loop {
            let mode = self.mode.read().unwrap_or_else(PoisonError::into_inner);
            if !self.is_behind(*mode) {
                return Ok(mode);
            }
            drop(mode);
            self.settle(&mut self.alone())?;
        }
    }

    fn alone(&self) -> RwLockWriteGuard<'_, Mode> {
        self.mode.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_behind(&self, mode: Mode) -> bool {
        match mode {
            Mode::Unknown => true,
            Mode::Processing => self.time.watermark().is_some(),
            Mode::Event { .. } => false,
        }
    }

    fn settle(&self, mode: &mut Mode) -> Result<(), StateError> {
        if *mode == Mode::Unknown {
            *mode = self.load()?;
        }
        match (*mode, self.time.first()) {
            (Mode::Processing, Some(first)) => *mode = self.switch(first)?,
            (Mode::Processing, None) => self.set_horizon(Horizon::Clock(Arc::clone(&self.time))),
            (Mode::Unknown | Mode::Event { .. }, _) => {}
        }
        Ok(())
    }

    /// Reads the mode that is stored.
    fn load(&self) -> Result<Mode, StateError> {
        self.refresh_reserved()?;
        let Some(bytes) = self.inner.get(marker::KEY)? else { return Ok(Mode::Processing) };
        let durable = marker::decode(&bytes)?;
        self.time.raise(durable);
        self.set_horizon(Horizon::Watermark(durable));
        Ok(Mode::Event { durable })
    }

    /// Turns stamps of the clock into stamps of the first watermark, in one batch with the marker of event time.
    fn switch(&self, first: time::First) -> Result<Mode, StateError> {
        self.refresh_reserved()?;
        let reserved = self.reserved();
        let expires_at = self.config.expires_at(first.watermark);
        let mut batch = WriteBatch::default();
        for record in self.inner.scan(b"") {
            let (key, value) = record?;
            if reserved.holds(&key) {
                continue;
            }
            let (old, raw) = stamp::split(&key, &value)?;
            if is_expired(old, first.clock) {
                batch.delete(&key);
            } else if old != i64::MAX {
                batch.put(&key, &stamp::join(expires_at, raw));
            }
        }
        drop(reserved);
        batch.put(marker::KEY, &marker::encode(first.watermark));
        // Neither clock nor watermark fits all records while they change, so a compaction drops none meanwhile.
        self.set_horizon(Horizon::None);
        self.inner.write(batch)?;
        self.set_horizon(Horizon::Watermark(first.watermark));
        self.expired().clear();
        Ok(Mode::Event { durable: first.watermark })
    }

    pub(super) fn now(&self, mode: Mode) -> i64 {
        match mode {
            Mode::Event { durable } => self.time.watermark().map_or(durable, |now| now.max(durable)),
            Mode::Unknown | Mode::Processing => self.time.now_ms(),
        }
    }

    /// What remains of a stored value at `now`.
    pub(super) fn live(&self, key: &[u8], value: &[u8], now: i64) -> Result<Option<Vec<u8>>, StateError> {
        let (expires_at, raw) = stamp::split(key, value)?;
        if is_expired(expires_at, now) {
            self.expired().remember(key, expires_at);
            return Ok(None);
        }
        Ok(Some(raw.to_vec()))
    }

    pub(super) fn stamped(&self, batch: &WriteBatch, now: i64) -> Result<WriteBatch, StateError> {
        let expires_at = self.config.expires_at(now);
        let reserved = self.reserved();
        let mut stamped = WriteBatch::default();
        for op in batch.iter() {
            let key = op.key();
            if reserved.holds(key) {
                return Err(Cause::Setting { reason: marker::refusal(key) }.into());
            }
            match op {
                Op::Put(key, value) => stamped.put(key, &stamp::join(expires_at, value)),
                Op::Delete(key) => stamped.delete(key),
                Op::Merge(..) => {
                    let reason =
                        "records of a TtlStateBackend are no rows, and nothing is merged into them; put them whole";
                    return Err(Cause::Setting { reason: reason.to_owned() }.into());
                }
            }
        }
        Ok(stamped)
    }

    /// Writes while no other write runs: with the removal of expired records, and the watermark.
    pub(super) fn write_alone(&self, batch: &WriteBatch, gone: &Expired) -> Result<(), StateError> {
        let mode = &mut *self.alone();
        self.settle(mode)?;
        let now = self.now(*mode);
        // Removals first: a key that the caller writes again stays.
        let mut whole = gone.removals(&*self.inner, now)?;
        for op in self.stamped(batch, now)?.iter() {
            whole.push(op);
        }
        if let Mode::Event { .. } = mode {
            whole.put(marker::KEY, &marker::encode(now));
        }
        self.register();
        self.inner.write(whole)?;
        if let Mode::Event { durable } = mode {
            *durable = now;
            self.set_horizon(Horizon::Watermark(now));
        }
        Ok(())
    }

    pub(super) fn register(&self) {
        if !self.registered.swap(true, Ordering::AcqRel) {
            self.inner.add_retention(Arc::new(RawRetention::new(&self.horizon)));
        }
    }

    /// Makes sure that operators added by stores on this wrapper are known; free without any.
    pub(super) fn know_operators(&self) -> Result<(), StateError> {
        if self.typed.load(Ordering::Acquire) { self.refresh_reserved() } else { Ok(()) }
    }

    pub(super) fn refresh_reserved(&self) -> Result<(), StateError> {
        let found = Reserved::read(&*self.inner)?;
        let shared = found.is_shared();
        *self.reserved.write().unwrap_or_else(PoisonError::into_inner) = found;
        if shared {
            self.set_horizon(Horizon::None);
        }
        Ok(())
    }

    pub(super) fn reserved(&self) -> RwLockReadGuard<'_, Reserved> {
        self.reserved.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_horizon(&self, horizon: Horizon) {
        // Rows of typed stores look like any other record: where there may be some, compaction is left to their
        // own rules.
        let shared = self.typed.load(Ordering::Acquire) || self.reserved().is_shared();
        let horizon = if shared { Horizon::None } else { horizon };
        *self.horizon.write().unwrap_or_else(PoisonError::into_inner) = horizon;
    }

    pub(super) fn expired(&self) -> MutexGuard<'_, Expired> {
        lock(&self.expired)
    }
}

impl<B: StateBackend> fmt::Debug for TtlStateBackend<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TtlStateBackend")
            .field("ttl_ms", &self.config.ttl_ms())
            .field("watermark", &self.time.watermark())
            .finish_non_exhaustive()
    }
}
