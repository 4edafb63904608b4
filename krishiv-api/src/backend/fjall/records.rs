//! The records of a scan, as they are shown.

use super::keys;
use ::fjall::{Iter, KvPair, Slice};

/// Records of a moment, in the order of their keys.
pub(super) struct Records {
    /// `None` behind an error, or if there are none.
    stored: Option<Iter>,
}

impl Records {
    pub(super) fn new(stored: Iter) -> Self {
        Self { stored: Some(stored) }
    }

    pub(super) fn none() -> Self {
        Self { stored: None }
    }
}

impl Iterator for Records {
    type Item = ::fjall::Result<KvPair>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.stored.as_mut()?.next()?.into_inner();
        if record.is_err() {
            self.stored = None;
        }
        Some(record.map(|(key, value)| match keys::shown(&key) {
            Some(shown) if shown.len() < key.len() => (Slice::from(shown), value),
            _ => (key, value),
        }))
    }
}
