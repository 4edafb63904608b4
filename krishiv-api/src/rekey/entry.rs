//! Entries of maps and broadcast states under new map keys, and those that come to lie in one place.

use crate::codec::Codec;
use crate::codec::keys::{Parts, STAMPED};
use crate::error::{Cause, StateError};
use crate::rekey::copying::{Copying, Found, State};
use crate::rekey::merge::Merge;
use crate::rekey::target::record;

impl State {
    /// The map key of an entry from now on.
    fn new_suffix(&self, suffix: &[u8]) -> Result<Vec<u8>, StateError> {
        let Some(function) = &self.map_keys else { return Ok(suffix.to_vec()) };
        function.apply(self.map_codec(), suffix)
    }

    /// How old map keys are written.
    fn map_codec(&self) -> Codec {
        self.record.map_key.as_ref().map_or(Codec::Postcard, |key| key.codec)
    }

    fn show(&self, suffix: &[u8]) -> String {
        let shown = self.map_keys.as_ref().map(|function| function.show(self.map_codec(), suffix));
        shown.unwrap_or_else(|| format!("{suffix:02x?}"))
    }
}

impl Copying<'_> {
    /// Puts an entry where it belongs by now; one that is there already becomes one with it.
    pub(super) fn put_entry(&mut self, prefix: &[u8], found: &Found<'_>, value: Vec<u8>) -> Result<(), StateError> {
        let Parts { slot, suffix, .. } = found.parts;
        let Some(state) = self.state(slot) else {
            self.target.put(record(prefix, slot, suffix), value);
            return Ok(());
        };
        let blame = |error: StateError| error.at_state(&state.record.name);
        let suffix = state.new_suffix(suffix).and_then(|made| self.fits("the new map key", made)).map_err(blame)?;
        let mut there = None;
        for slot in [slot, slot ^ STAMPED] {
            if there.is_none() {
                there = self.target.get(&record(prefix, slot, &suffix))?.map(|value| (slot, value));
            }
        }
        let Some((slot_there, value_there)) = there else {
            self.target.put(record(prefix, slot, &suffix), value);
            return Ok(());
        };
        let Some(Merge::By(merge)) = &state.merge else {
            return Err(blame(self.two_entries(state, found, &suffix)));
        };
        let (merged_slot, merged) = merge((slot_there, &value_there), (slot, &value))?;
        if merged_slot != slot_there {
            self.target.delete(record(prefix, slot_there, &suffix));
        }
        self.target.put(record(prefix, merged_slot, &suffix), merged);
        Ok(())
    }

    /// The error of an entry whose new map key another one of its row has.
    fn two_entries(&self, state: &State, found: &Found<'_>, new: &[u8]) -> StateError {
        let other =
            self.first_entry(state, found, new).map_or_else(|| "another one".to_owned(), |key| state.show(&key));
        let (one, name) = (state.show(found.parts.suffix), &state.record.name);
        let reason = format!(
            "the map keys {other} and {one} become one; keep them apart, or say what their values become by `merge(\"{name}\", …)`"
        );
        Cause::KeyMigration { reason }.into()
    }

    /// The first map key of a state in the row of `found` that becomes `new`.
    fn first_entry(&self, state: &State, found: &Found<'_>, new: &[u8]) -> Option<Vec<u8>> {
        let backend = self.backend();
        let slots = [found.parts.slot, found.parts.slot ^ STAMPED].map(|slot| record(found.row(), slot, &[]));
        let keys = slots.iter().flat_map(|prefix| {
            let records = backend.scan(prefix).filter_map(Result::ok);
            records.map(|(mut key, _)| key.split_off(prefix.len().min(key.len())))
        });
        keys.filter(|key| key != found.parts.suffix).find(|key| state.new_suffix(key).is_ok_and(|made| made == new))
    }
}
