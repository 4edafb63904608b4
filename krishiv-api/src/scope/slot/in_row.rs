//! A value as part of the record of its row: how it is read from there, and what a commit makes of it.

use super::{Each, Loaded, Slot};
use crate::codec::record::{self, Stamp};
use crate::codec::row::{Parts, Place};
use crate::codec::{Codec, Payload};
use crate::error::{Cause, StateError};
use crate::scope::row_commit::RowCommit;
use crate::value::StateValue;
use std::sync::atomic::Ordering::Relaxed;

impl Slot {
    /// Reads the value of the row being processed.
    pub(crate) fn load<T: StateValue>(&self) -> Result<Option<Loaded<T>>, StateError> {
        let mut loaded = None;
        self.find_value(&mut |found| self.read_into(&mut loaded, found)).map_err(|error| self.blame(error))?;
        Ok(loaded)
    }

    fn find_value(&self, each: &mut Each<'_>) -> Result<(), StateError> {
        let Some((place, record)) = self.shared.value(self.id)? else { return Ok(()) };
        let found = self.open(place.slot, &record)?;
        if !place.apart {
            return each(&found);
        }
        match self.shared.read(place.slot, &[], |bytes| each(&self.open(place.slot, bytes)?))? {
            Some(read) => read,
            // Compaction drops it by itself.
            None if self.is_expired(found.stamp) => Ok(()),
            None => Err(Cause::Decode { reason: "the record of the value is missing".to_owned() }.into()),
        }
    }

    /// Decodes the value among those of its row, if it is there; damage is for whoever asks for the value.
    pub(crate) fn read_value<T: StateValue>(&self, stored: &Parts) -> Result<Option<Loaded<T>>, StateError> {
        let Some((place, record)) = stored.get(self.id) else { return Ok(None) };
        let mut loaded = None;
        self.read_into(&mut loaded, &self.open(place.slot, record)?)?;
        Ok(loaded)
    }

    /// Takes note that a cell has the value among those of its row, unless that must stay there as it is: it lies apart, or was
    /// written before the TTL of the state was last switched.
    pub(crate) fn claim(&self, stored: &mut Parts) {
        if let Some((place, record)) = stored.get(self.id)
            && place == Place::inside(self.current)
            && record::head(record, place.is_stamped()).is_ok_and(|head| self.is_of_this_era(&head))
        {
            stored.claim(self.id);
        }
    }

    /// Puts the value in the record of its row, or apart if it is long, in place of what is stored.
    pub(crate) fn put_value(
        &self,
        to: &mut RowCommit<'_>,
        value: &dyn Payload,
        (codec, stamp): (Codec, Stamp),
    ) -> Result<(), StateError> {
        let how = self.how(codec, stamp);
        let RowCommit { row, batch, values: Some(values) } = to else { return Ok(()) };
        let write = |bytes: &mut Vec<u8>| record::write(value, how, bytes).map(drop);
        let apart = |record: &[u8]| {
            batch.append_with(|bytes| row.append(self.current, &[], bytes), |bytes| bytes.extend_from_slice(record));
        };
        let place = values.next.put(self.current, write, apart).map_err(|error| self.blame(error))?;
        if place.apart && !self.apart.swap(true, Relaxed) {
            self.shared.hub.note_apart(self.id);
        }
        self.replace(to, Some(place));
        Ok(())
    }

    /// Leaves the value in the record of its row as it is stored, if it has not ended; `false` if nothing is stored that a cell does
    /// not have.
    pub(crate) fn keep_value(&self, to: &mut RowCommit<'_>) -> bool {
        let RowCommit { values: Some(values), .. } = to else { return true };
        let Some((place, record)) = values.stored.take(self.id) else { return false };
        if self.open(place.slot, record).is_ok_and(|found| self.is_expired(found.stamp)) {
            if place.apart {
                to.remove_apart(place);
            }
        } else {
            values.next.keep(place, record);
        }
        true
    }

    /// Leaves the value out of the record of its row.
    pub(crate) fn remove_value(&self, to: &mut RowCommit<'_>) {
        self.replace(to, None);
    }

    /// Takes what is stored of the value out, now that it lies at `place`.
    fn replace(&self, to: &mut RowCommit<'_>, place: Option<Place>) {
        while let Some(values) = &mut to.values
            && let Some((was, _)) = values.stored.take(self.id)
        {
            if was.apart && place != Some(was) {
                to.remove_apart(was);
            }
        }
        let Some(values) = to.values.as_mut().filter(|values| values.changes_only) else { return };
        if place.is_none() {
            values.next.remove(self.id);
        }
        if self.apart.load(Relaxed) {
            // What was there is not known, and may lie apart, in either form.
            let places = self.disk_slots().map(|slot| Place { slot, apart: true });
            places.filter(|was| place != Some(*was)).for_each(|was| to.remove_apart(was));
        }
    }
}
