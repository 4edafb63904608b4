//! One state of one store, as its handle reaches it: where its records lie, and how they are read and written.

mod in_row;
mod merging;
mod reading;

use crate::backend::WriteBatch;
use crate::catalog::clocks::NONE;
use crate::catalog::expiry::Expiry;
use crate::catalog::expiry::too_early;
use crate::codec::keys::{RowKey, STAMPED};
use crate::codec::record::{self, Head, How, Stamp};
use crate::codec::{Codec, Payload, Plan, encode, is_writable, weigh, weigh_strictly};
use crate::error::{Cause, StateError};
use crate::scope::shared::Shared;
use crate::scope::types::Types;
use crate::time::TtlClock;
use crate::value::StateValue;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// One state of one store.
pub struct Slot {
    pub(crate) shared: Arc<Shared>,
    name: String,
    id: u16,
    /// Disk slot of what is written, and the other one if older records may lie there.
    current: u16,
    other: Option<u16>,
    /// Codec that the type asks for, and the one of map keys.
    pub(crate) codec: Codec,
    pub(crate) key_codec: Codec,
    plan: Plan,
    key_plan: Plan,
    expiry: Arc<Expiry>,
    types: Types,
    life: Life,
    refreshes_on_read: bool,
    /// A value of it may lie apart from its row.
    apart: AtomicBool,
}

/// How long what is written lives, as far as that is settled when the slot is bound.
enum Life {
    /// Nothing here can be gone although it is stored.
    Endless,
    /// By one clock, and reading renews nothing: told by a comparison.
    Counted { clock: TtlClock, ttl_ms: i64 },
    /// As [`Expiry`] says.
    Other,
}

/// A value as it was read.
#[derive(Debug)]
pub(crate) struct Loaded<T> {
    pub(crate) value: T,
    pub(crate) codec: Codec,
    pub(crate) stamp: Stamp,
    /// Memory of the value outside itself, in bytes.
    pub(crate) heap: usize,
}

/// What is done with a record that was found.
pub(crate) type Each<'a> = dyn FnMut(&Found<'_>) -> Result<(), StateError> + 'a;

/// The same with the suffix of each, and with all of its bytes.
type EachFound<'a> = dyn FnMut(&[u8], &Found<'_>) -> Result<(), StateError> + 'a;
type EachRecord<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), StateError> + 'a;

/// A record as it lies in the backend.
pub struct Found<'a> {
    pub(crate) head: Head<'a>,
    pub(crate) stamp: Stamp,
}

impl Slot {
    pub(crate) fn new(shared: Arc<Shared>, types: Types, expiry: Arc<Expiry>, (plan, key_plan): (Plan, Plan)) -> Self {
        let record = types.record();
        let (current, other) = record.disk_slots();
        Self {
            apart: AtomicBool::new(shared.hub.has_apart(record.slot)),
            shared,
            name: record.name.clone(),
            id: record.slot,
            current,
            other,
            codec: types.codec(),
            plan,
            key_plan,
            key_codec: record.map_key.as_ref().map_or(Codec::Postcard, |key| key.codec),
            life: match expiry.counted() {
                _ if !expiry.can_expire() => Life::Endless,
                Some((clock, ttl_ms)) => Life::Counted { clock, ttl_ms },
                None => Life::Other,
            },
            refreshes_on_read: expiry.can_expire() && expiry.refreshes_on_read(),
            expiry,
            types,
        }
    }

    pub(crate) fn id(&self) -> u16 {
        self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether `disk_slot` is this state's.
    pub(crate) fn owns(&self, disk_slot: u16) -> bool {
        disk_slot & !STAMPED == self.id
    }

    /// Names operator and state in `error`.
    pub(crate) fn blame(&self, error: StateError) -> StateError {
        error.at_operator(&self.shared.operator).at_state(&self.name)
    }

    /// The stamp of what is written now.
    #[inline]
    pub(crate) fn stamp(&self) -> Stamp {
        match self.life {
            Life::Endless => Stamp::NEVER,
            Life::Counted { clock, ttl_ms } if self.shared.time.seen(clock) != NONE => {
                Stamp { expires_at: self.shared.time.written(clock).saturating_add(ttl_ms), clock }
            }
            Life::Counted { .. } => self.stamp_otherwise(),
            Life::Other => self.stamp_otherwise(),
        }
    }

    /// The stamp that what carries `stamp` gets by being read.
    pub(crate) fn renewed(&self, stamp: Stamp) -> Stamp {
        let now = self.stamp();
        let ends_later = stamp.clock == now.clock && stamp.expires_at > now.expires_at;
        if ends_later && self.shared.time.counts_from_event_time() { stamp } else { now }
    }

    /// When what is written now ends, if that takes an addition: the time is counted, and the event knows it.
    #[inline(always)]
    pub(crate) fn end(&self) -> Option<i64> {
        let Life::Counted { clock, ttl_ms } = self.life else { return None };
        let now = self.shared.time.written(clock);
        (now != NONE).then(|| now.saturating_add(ttl_ms))
    }

    /// Whether it takes a comparison to see that what ends at `expires_at`, by a time that is counted, is still there.
    #[inline(always)]
    pub(crate) fn is_before(&self, expires_at: i64) -> bool {
        let Life::Counted { clock, .. } = self.life else { return false };
        let now = self.shared.time.noted(clock);
        now != NONE && expires_at > now
    }

    /// The stamp of what ends at `expires_at` by a time that is counted.
    #[inline]
    pub(crate) fn counted(&self, expires_at: i64) -> Stamp {
        match self.life {
            Life::Counted { clock, .. } => Stamp { expires_at, clock },
            Life::Endless | Life::Other => Stamp::NEVER,
        }
    }

    /// Whether the time is counted, and there is any.
    pub(crate) fn counts(&self) -> bool {
        matches!(self.life, Life::Counted { clock, .. } if self.shared.time.seen(clock) != NONE)
    }

    #[inline(never)]
    fn stamp_otherwise(&self) -> Stamp {
        let stamp = self.expiry.stamp(&self.shared.time);
        if self.expiry.is_misread(stamp, &self.shared.time) {
            self.shared.latch(self.blame(too_early()));
        }
        stamp
    }

    #[inline]
    pub(crate) fn can_expire(&self) -> bool {
        !matches!(self.life, Life::Endless)
    }

    pub(crate) fn refreshes_on_read(&self) -> bool {
        self.refreshes_on_read
    }

    /// Whether what carries `stamp` is there, and reading leaves it as it is.
    #[inline]
    pub(crate) fn is_settled(&self, stamp: Stamp) -> bool {
        self.is_ahead(stamp) || (!self.refreshes_on_read && !self.is_expired_otherwise(stamp))
    }

    #[inline]
    pub(crate) fn is_expired(&self, stamp: Stamp) -> bool {
        !self.is_ahead(stamp) && self.is_expired_otherwise(stamp)
    }

    /// Whether it takes no more than a look to see that what carries `stamp` is there, and reading leaves it as it is.
    #[inline(always)]
    pub(crate) fn is_ahead(&self, stamp: Stamp) -> bool {
        match self.life {
            Life::Endless => true,
            Life::Counted { clock, .. } => {
                let Stamp { expires_at, clock: own } = stamp;
                own == clock && expires_at >= record::PENDING_END && expires_at > self.shared.time.seen(clock)
            }
            Life::Other => false,
        }
    }

    #[inline(never)]
    fn is_expired_otherwise(&self, stamp: Stamp) -> bool {
        self.expiry.is_expired(stamp, &self.shared.time)
    }

    /// Hands the record under `suffix` of the row being processed to `each`, if there is one.
    pub(crate) fn find(&self, suffix: &[u8], each: &mut Each<'_>) -> Result<(), StateError> {
        let mut read = |slot| self.shared.read(slot, suffix, |bytes| each(&self.open(slot, bytes)?));
        match (read(self.current)?, self.other) {
            (None, Some(other)) => read(other)?.unwrap_or(Ok(())),
            (found, _) => found.unwrap_or(Ok(())),
        }
    }

    /// Reads the record under `suffix` of the row being processed.
    pub(crate) fn load_at<T: StateValue>(&self, suffix: &[u8]) -> Result<Option<Loaded<T>>, StateError> {
        let mut loaded = None;
        self.find(suffix, &mut |found| self.read_into(&mut loaded, found)).map_err(|error| self.blame(error))?;
        Ok(loaded)
    }

    fn read_into<T: StateValue>(&self, loaded: &mut Option<Loaded<T>>, found: &Found<'_>) -> Result<(), StateError> {
        *loaded = Some(self.read(found)?);
        Ok(())
    }

    #[inline]
    fn open<'a>(&self, disk_slot: u16, bytes: &'a [u8]) -> Result<Found<'a>, StateError> {
        let head = record::head(bytes, disk_slot & STAMPED != 0)?;
        let stamp = if self.can_expire() { self.expiry.settle(head.era, head.stamp) } else { Stamp::NEVER };
        Ok(Found { stamp, head })
    }

    /// Whether a record was written since the TTL was last switched.
    pub(crate) fn is_of_this_era(&self, head: &Head<'_>) -> bool {
        head.era == self.expiry.era()
    }

    /// Finds all records of the row being processed, in the order of their suffixes, and leaves the values to `each`.
    pub(crate) fn find_all(&self, each: &mut EachFound<'_>) -> Result<(), StateError> {
        let mut each = |suffix: &[u8], slot, bytes: &[u8]| each(suffix, &self.open(slot, bytes)?);
        if self.other.is_none() {
            return self.for_each_in(self.current, &mut |suffix, bytes| each(suffix, self.current, bytes));
        }
        // Each slot comes in order; what was written in either layout belongs in one sequence.
        let mut all = Vec::new();
        for slot in self.disk_slots() {
            self.for_each_in(slot, &mut |suffix, bytes| {
                all.push((suffix.to_vec(), slot, bytes.to_vec()));
                Ok(())
            })?;
        }
        all.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        let mut all = all.iter();
        all.try_for_each(|(suffix, slot, bytes)| each(suffix, *slot, bytes)).map_err(|error| self.blame(error))
    }

    fn for_each_in(&self, slot: u16, each: &mut EachRecord<'_>) -> Result<(), StateError> {
        let prefix = self.shared.record(slot, &[]).map_err(|error| self.blame(error))?;
        let each = &mut |key: &[u8], bytes: &[u8]| each(key.get(prefix.len()..).unwrap_or_default(), bytes);
        self.shared.backend().for_each(&prefix, each).map_err(|error| self.blame(error))
    }

    /// Adds the record of one value under `suffix` to `batch`.
    pub(crate) fn put(
        &self,
        batch: &mut WriteBatch,
        row: &RowKey,
        suffix: &[u8],
        value: &dyn Payload,
        (codec, stamp): (Codec, Stamp),
    ) -> Result<(), StateError> {
        let how = self.how(codec, stamp);
        let mut used = codec;
        let write = |bytes: &mut Vec<u8>| record::write(value, how, bytes).map(|codec| used = codec);
        self.put_with(batch, row, suffix, write).map_err(|error| self.blame(error))?;
        self.note_format(How { codec: used, ..how });
        Ok(())
    }

    /// Adds the record of several list elements under `suffix` to `batch`; `write` appends them.
    ///
    /// # Errors
    ///
    /// The reason, if `write` fails. Then `batch` is as before.
    pub(crate) fn put_run(
        &self,
        batch: &mut WriteBatch,
        row: &RowKey,
        suffix: &[u8],
        (codec, stamp): (Codec, Stamp),
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
    ) -> Result<(), String> {
        self.shared.hub.needs_newest_format();
        let how = self.how(codec, stamp);
        self.put_with(batch, row, suffix, |bytes| {
            record::begin_run(how, bytes);
            write(bytes)
        })
    }

    fn put_with<E>(
        &self,
        batch: &mut WriteBatch,
        row: &RowKey,
        suffix: &[u8],
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        batch.put_with(|bytes| row.append(self.current, suffix, bytes), write)?;
        if let Some(other) = self.other {
            batch.delete_with(|bytes| row.append(other, suffix, bytes));
        }
        Ok(())
    }

    /// Adds the removal of the record under `suffix` to `batch`.
    pub(crate) fn delete(&self, batch: &mut WriteBatch, row: &RowKey, suffix: &[u8]) {
        for slot in self.disk_slots() {
            batch.delete_with(|bytes| row.append(slot, suffix, bytes));
        }
    }

    /// Adds the removal of all stored records of `row` to `batch`.
    pub(crate) fn delete_all(&self, batch: &mut WriteBatch, row: &RowKey) -> Result<(), StateError> {
        for slot in self.disk_slots() {
            for item in self.shared.backend().scan(&row.record(slot, &[])) {
                let (key, _) = item.map_err(|error| self.blame(error))?;
                batch.delete(&key);
            }
        }
        Ok(())
    }

    /// How a value is written by `codec`.
    fn how(&self, codec: Codec, stamp: Stamp) -> How {
        let stamp = (self.current & STAMPED != 0).then_some(stamp);
        How { codec, stamp, era: self.expiry.era(), version: self.types.own() }
    }

    /// Lets older programs know that they cannot read what is written.
    fn note_format(&self, how: How) {
        if !how.is_old() {
            self.shared.hub.needs_newest_format();
        }
    }

    /// Encodes a value that has not been [settled](Self::settle), without a stamp.
    pub(crate) fn write<T: StateValue>(&self, value: &T, out: &mut Vec<u8>) -> Result<(), StateError> {
        let written = self.settle(value, self.codec).and_then(|(codec, _)| {
            let how = How { codec, stamp: None, era: 0, version: self.types.own() };
            self.note_format(how);
            record::write(value, how, out).map(drop)
        });
        written.map_err(|error| self.blame(error))
    }

    /// Whether values are known to survive their codec, so that they need no look before they are written.
    #[inline]
    pub(crate) fn is_trusted(&self) -> bool {
        self.codec == Codec::Postcard
    }

    /// What a map key takes in memory.
    pub(crate) fn key_plan(&self) -> &Plan {
        &self.key_plan
    }

    /// Memory of `value` outside itself, in bytes.
    pub(crate) fn weigh<T: StateValue>(&self, value: &T) -> usize {
        weigh(value, &self.plan)
    }

    /// Finds the codec that holds `value`, best `wanted`, and how much memory the value takes outside itself, in bytes.
    ///
    /// # Errors
    ///
    /// No codec can give the value back: better to know now than at every commit from here on.
    #[inline]
    pub(crate) fn settle<T: StateValue>(&self, value: &T, wanted: Codec) -> Result<(Codec, usize), StateError> {
        if wanted == Codec::Postcard && !std::mem::needs_drop::<T>() && is_writable(value) {
            return Ok((wanted, 0));
        }
        self.settle_by_walk(value, wanted)
    }

    fn settle_by_walk<T: StateValue>(&self, value: &T, wanted: Codec) -> Result<(Codec, usize), StateError> {
        if wanted == Codec::Postcard
            && let Ok(heap) = weigh_strictly(value, &self.plan)
        {
            return Ok((wanted, heap));
        }
        let codec = encode(value, wanted, &mut Vec::new());
        let codec = codec.map_err(|reason| self.blame(Cause::Encode { reason }.into()))?;
        Ok((codec, self.weigh(value)))
    }

    fn disk_slots(&self) -> impl Iterator<Item = u16> {
        std::iter::once(self.current).chain(self.other)
    }
}
