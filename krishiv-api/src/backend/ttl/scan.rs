//! A scan that leaves out what has expired.

use super::layer::{Mode, TtlStateBackend};
use super::marker::Reserved;
use crate::backend::{Record, Scan, StateBackend};
use crate::error::StateError;

/// The live records of a prefix.
pub(super) struct LiveScan<'a, B> {
    ttl: &'a TtlStateBackend<B>,
    prefix: Vec<u8>,
    from: Vec<u8>,
    below: Option<Below<'a>>,
    /// The last key that was met, kept as long as the switch to event time may still come.
    last: Option<Vec<u8>>,
    /// An error met when the scan was made.
    error: Option<StateError>,
}

/// A scan of the backend below, and how to read it.
struct Below<'a> {
    records: Scan<'a>,
    mode: Mode,
    now: i64,
    reserved: Reserved,
}

impl<'a, B: StateBackend> LiveScan<'a, B> {
    pub(super) fn new(ttl: &'a TtlStateBackend<B>, prefix: &[u8], from: &[u8]) -> Self {
        let mut scan = Self { ttl, prefix: prefix.to_vec(), from: from.to_vec(), below: None, last: None, error: None };
        match scan.settled_below() {
            Ok(below) => scan.below = Some(below),
            Err(error) => scan.error = Some(error),
        }
        scan
    }

    fn settled_below(&self) -> Result<Below<'a>, StateError> {
        self.ttl.know_operators()?;
        let mode = self.ttl.settled()?;
        Ok(self.start(*mode))
    }

    fn start(&self, mode: Mode) -> Below<'a> {
        let ttl = self.ttl;
        // Behind the last key there is nothing yet when a scan starts, and no need to see what is before it again.
        let from = self.last.as_ref().unwrap_or(&self.from);
        Below {
            records: ttl.inner.scan_from(&self.prefix, from),
            mode,
            now: ttl.now(mode),
            reserved: ttl.reserved().clone(),
        }
    }

    fn step(&mut self) -> Result<Option<Record>, StateError> {
        loop {
            // Held while a record is fetched, so that its stamp is surely of this mode.
            let mode = self.ttl.settled()?;
            let below = match self.below.take() {
                Some(below) if below.mode.same_time(*mode) => self.below.insert(below),
                // The stamps have changed their meaning: go on behind the last key, in the new time.
                Some(_) => {
                    let below = self.start(*mode);
                    self.below.insert(below)
                }
                None => return Ok(None),
            };
            let record = below.records.next().transpose()?;
            drop(mode);
            let Some((key, value)) = record else { return Ok(None) };
            if below.reserved.holds(&key) || self.last.as_ref().is_some_and(|last| key <= *last) {
                continue;
            }
            if below.mode == Mode::Processing {
                self.last = Some(key.clone());
            }
            if let Some(raw) = self.ttl.live(&key, &value, below.now)? {
                return Ok(Some((key, raw)));
            }
        }
    }
}

impl<B: StateBackend> Iterator for LiveScan<'_, B> {
    type Item = Result<Record, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = match self.error.take() {
            Some(error) => Err(error),
            None => self.step(),
        };
        if !matches!(record, Ok(Some(_))) {
            self.below = None;
        }
        record.transpose()
    }
}
