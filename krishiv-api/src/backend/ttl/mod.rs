//! State that expires, over any backend.

mod expired;
mod layer;
mod marker;
mod retention;
mod scan;
mod stamp;
mod time;

use super::{Retention, Rows, Scan, StateBackend, WriteBatch};
use crate::error::StateError;
use retention::Horizon;
use scan::LiveScan;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use layer::Mode;

pub use layer::TtlStateBackend;
pub(crate) use time::{DefaultTtl, TtlTime};

impl<B: StateBackend> StateBackend for TtlStateBackend<B> {
    type Survival = B::Survival;
    const EXCLUSIVE: bool = B::EXCLUSIVE;
    const LONGEST_KEY: usize = B::LONGEST_KEY;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let values = self.multi_get(&[key])?;
        Ok(values.into_iter().next().flatten())
    }

    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        self.know_operators()?;
        let mode = self.settled()?;
        let now = self.now(*mode);
        let reserved = self.reserved().clone();
        let values = self.inner.multi_get(keys)?;
        let live = |(key, value): (&&[u8], Option<Vec<u8>>)| match value {
            Some(value) if !reserved.holds(key) => self.live(key, &value, now),
            _ => Ok(None),
        };
        keys.iter().zip(values).map(live).collect()
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.scan_from(prefix, prefix)
    }

    fn scan_from<'a>(&'a self, prefix: &[u8], from: &[u8]) -> Scan<'a> {
        Box::new(LiveScan::new(self, prefix, from))
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        // On every write, because here a mistake would last; it reads no more than the catalog.
        self.refresh_reserved()?;
        let gone = std::mem::take(&mut *self.expired());
        if gone.is_empty() {
            let mode = self.settled()?;
            let now = self.now(*mode);
            if !matches!(*mode, Mode::Event { durable } if now > durable) {
                let stamped = self.stamped(&batch, now)?;
                self.register();
                return self.inner.write(stamped);
            }
        }
        let written = self.write_alone(&batch, &gone);
        if written.is_err() {
            self.expired().restore(gone);
        }
        written
    }

    fn add_retention(&self, rule: Arc<dyn Retention>) {
        self.inner.add_retention(Arc::new(Unstamped { rule }));
    }

    fn rows(self: Arc<Self>) -> Result<Rows, StateError> {
        self.typed.store(true, Ordering::Release);
        self.set_horizon(Horizon::None);
        // So that the store goes on at the watermark that was stored.
        drop(self.settled()?);
        let ttl = DefaultTtl { ttl_ms: self.config.ttl_ms(), time: Arc::clone(&self.time) };
        Ok(Rows { ttl: Some(ttl), ..Arc::clone(&self.inner).rows()? })
    }
}

/// A rule of the caller, who knows nothing of stamps.
struct Unstamped {
    rule: Arc<dyn Retention>,
}

impl Retention for Unstamped {
    fn is_expired(&self, key: &[u8], value: &[u8]) -> bool {
        !marker::is_library(key) && stamp::split(key, value).is_ok_and(|(_, raw)| self.rule.is_expired(key, raw))
    }

    fn is_over(&self) -> bool {
        self.rule.is_over()
    }

    fn is_idle(&self) -> bool {
        self.rule.is_idle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::InMemoryStateBackend;
    use crate::time::ManualClock;
    use crate::time::TtlConfig;

    #[test]
    fn stores_on_the_wrapper_share_its_time_and_write_below_it() -> Result<(), StateError> {
        let inner = Arc::new(InMemoryStateBackend::new());
        let clock = Arc::new(ManualClock::new(7));
        let ttl = TtlStateBackend::new(Arc::clone(&inner), TtlConfig::new(60)).with_clock(Arc::clone(&clock));
        let ttl = Arc::new(ttl);
        let rows = Arc::clone(&ttl).rows()?;
        let Some(default) = rows.ttl else { return Err(StateError::damaged("no default")) };
        assert_eq!((default.ttl_ms, default.time.now_ms(), default.time.watermark()), (60, 7, None));
        ttl.set_watermark(5);
        assert_eq!(default.time.watermark(), Some(5));

        // A store adds its operator and a row; the wrapper must see at once that they are not its own.
        let mut batch = WriteBatch::default();
        batch.put(b"\0\0oa", br#"{"id":1}"#);
        batch.put(b"\0\x01row", b"row");
        rows.backend.write(batch)?;
        assert_eq!(inner.get(b"\0\x01row")?, Some(b"row".to_vec()));
        assert_eq!(ttl.scan(b"").count(), 0);
        assert_eq!(ttl.get(b"\0\x01row")?, None);
        assert_eq!(inner.get(b"\0\x01row")?, Some(b"row".to_vec()));
        Ok(())
    }

    #[test]
    fn a_store_on_a_reopened_wrapper_goes_on_at_the_stored_watermark() -> Result<(), StateError> {
        let inner = Arc::new(InMemoryStateBackend::new());
        let first = TtlStateBackend::new(Arc::clone(&inner), TtlConfig::new(60));
        first.set_watermark(5);
        first.write(WriteBatch::default())?;
        let again = Arc::new(TtlStateBackend::new(inner, TtlConfig::new(60)));
        assert_eq!(again.rows()?.ttl.and_then(|ttl| ttl.time.watermark()), Some(5));
        Ok(())
    }
}
