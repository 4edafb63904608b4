//! How the value of a record is read, whichever version of its type has written it.

use super::{Found, Loaded, Slot};
use crate::codec::Codec;
use crate::codec::record::{self, Head};
use crate::error::StateError;
use crate::scope::types::{Other, misread};
use crate::value::StateValue;
use std::collections::VecDeque;
use std::sync::Arc;

impl Slot {
    /// Decodes the value of a record.
    pub(crate) fn read<T: StateValue>(&self, found: &Found<'_>) -> Result<Loaded<T>, StateError> {
        let Found { head, stamp } = found;
        let value = self.value(head)?;
        let (codec, heap) = match self.codec_of(head) {
            (true, codec) => (codec, self.weigh(&value)),
            (false, wanted) => self.settle(&value, wanted)?,
        };
        Ok(Loaded { heap, value, codec, stamp: *stamp })
    }

    /// Decodes the value behind `head`, whichever version of its type it is of.
    #[inline]
    pub(crate) fn value<T: StateValue>(&self, head: &Head<'_>) -> Result<T, StateError> {
        if head.version == self.types.own() {
            let misread = |error| if head.of_run().is_some() { error } else { self.types.own_misread(head, error) };
            return record::value(head, self.codec).map_err(misread);
        }
        self.other_value(head)
    }

    /// Whether the program's own type has written a record, and the codec that it is written by when it is written again. Whether
    /// that holds it is not known of what another version has written.
    pub(crate) fn codec_of(&self, head: &Head<'_>) -> (bool, Codec) {
        let is_own = head.version == self.types.own();
        // What was text stays text.
        (is_own, if is_own || head.codec == Codec::Json { head.codec } else { self.codec })
    }

    /// Decodes the list elements behind `head` to the end of `values`, which has part of them if it fails; returns their number.
    pub(crate) fn elements<T: StateValue>(&self, head: &Head<'_>, values: &mut VecDeque<T>) -> Result<u16, StateError> {
        if head.version == self.types.own() {
            return record::elements(head, self.codec, values).map_err(|error| self.types.own_misread(head, error));
        }
        let Some(run) = head.of_run() else {
            values.push_back(self.other_value(head)?);
            return Ok(1);
        };
        let other = self.other(head.version)?;
        let Other { old, way } = &*other;
        let read = way.run(old, head.codec, run, values);
        record::run_length(read.map_err(|failed| misread(head, failed, old))?)
    }

    #[inline(never)]
    fn other_value<T: StateValue>(&self, head: &Head<'_>) -> Result<T, StateError> {
        let (payload, other) = (head.of_one()?, self.other(head.version)?);
        let Other { old, way } = &*other;
        way.one(old, head.codec, payload).map_err(|failed| misread(head, failed, old))
    }

    /// Finds another version of the type, and how its values are read.
    fn other(&self, version: u64) -> Result<Arc<Other>, StateError> {
        self.types.other(version, || self.shared.hub.type_of(self.id, version))
    }
}
