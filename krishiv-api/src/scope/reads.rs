//! How the slow paths of handles read the row being processed.

use crate::codec::keys::EncodedKey;
use crate::codec::row::Place;
use crate::error::StateError;
use crate::lock::lock;
use crate::scope::current;
use crate::scope::shared::{Event, PREFETCHED, Shared};
use std::sync::MutexGuard;

impl Shared {
    /// What slow paths need; the first of them in an event has the key encoded.
    fn located(&self) -> Result<MutexGuard<'_, Event>, StateError> {
        if !self.is_located() {
            current::locate(self)?;
        }
        Ok(lock(&self.event))
    }

    /// Hands the record of `slot` with `suffix` in the row being processed to `read`, if there is one.
    pub(crate) fn read<R>(
        &self,
        slot: u16,
        suffix: &[u8],
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>, StateError> {
        let asked = {
            let Event { row, asked, .. } = &mut *self.located()?;
            asked.clear();
            row.append(slot, suffix, asked);
            // Out of the lock, since `read` runs code of the user's types.
            std::mem::take(asked)
        };
        let (mut read, mut result) = (Some(read), None);
        let end = self.backend().read(&asked, &mut |found| {
            result = found.zip(read.take()).map(|(found, read)| read(found));
        });
        lock(&self.event).asked = asked;
        end.map(|()| result)
    }

    /// Key of the record of `slot` with `suffix` in the row being processed.
    pub(crate) fn record(&self, slot: u16, suffix: &[u8]) -> Result<Vec<u8>, StateError> {
        Ok(self.located()?.row.record(slot, suffix))
    }

    /// The encoded key of the row being processed.
    pub(crate) fn key(&self) -> Result<EncodedKey, StateError> {
        Ok(EncodedKey::from_slice(self.located()?.row.key()))
    }

    /// What is stored of the value of the state `id`, read together with all others of the row.
    pub(crate) fn value(&self, id: u16) -> Result<Option<(Place, Vec<u8>)>, StateError> {
        let mut event = self.located()?;
        if !self.has_prefetched() {
            self.meter.loads.add(1);
            event.stored = self.hub.read_row(event.row.prefix())?;
            self.note(PREFETCHED);
        }
        // Left in place: whoever could not decode it must not find nothing the second time. Copied, since decoding runs code of
        // the user's types.
        Ok(event.stored.parts.get(id).map(|(place, record)| (place, record.to_vec())))
    }
}
