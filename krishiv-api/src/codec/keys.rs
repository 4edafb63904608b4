//! The key of a record: `[operator u16 BE][key group u16 BE][len varint][key][slot u16 BE][map key or list position]`.
//!
//! All records of one key are neighbours, a key group is one range, and no key is a prefix of another.

use crate::codec::{Codec, decode, encode, is_sound, show, write};
use crate::error::{Cause, StateError};
use crate::quiet::drop_quietly;
use crate::value::StateKey;
use foldhash::fast::FixedState;
use serde::Serialize;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;
use std::hash::{BuildHasher, Hash};
use twox_hash::XxHash3_64;

/// Operator id of the catalog itself.
pub(crate) const CATALOG: u16 = 0;

/// Key group of what belongs to the operator and not to a key; real groups end below [`MAX_GROUPS`].
pub(crate) const OPERATOR_GROUP: u16 = u16::MAX;

/// Most key groups an operator can have.
pub(crate) const MAX_GROUPS: u16 = 32_768;

/// Slot of the timers of a key group, in the row of the empty key; no state has it.
pub(crate) const TIMER_SLOT: u16 = 0;

/// The slot of the values of a row, which no state has; timers have it too, with a suffix.
pub(crate) const ROW_SLOT: u16 = 0;

/// In a slot id: the records of this slot start with an expiry stamp.
pub(crate) const STAMPED: u16 = 0x8000;

/// Key group of an encoded key: its XXH3 hash (64 bits, seed 0) modulo the max parallelism.
pub(crate) fn key_group(key: &[u8], max_parallelism: u16) -> u16 {
    let group = XxHash3_64::oneshot(key) % u64::from(max_parallelism.max(1));
    u16::try_from(group).unwrap_or(0)
}

/// Encodes a key or map key by the codec of its type; the bytes are what the key is.
pub(crate) fn encode_key<K: Serialize + DeserializeOwned>(
    key: &K,
    codec: Codec,
    out: &mut Vec<u8>,
) -> Result<(), StateError> {
    write(key, codec, out).map_err(|_| {
        // Another codec is a way out for values; a key that is found by its bytes has only one form.
        let reason = match encode(key, codec, &mut Vec::new()) {
            Ok(_) => "a key must always serialize in the same form; this one leaves fields out".to_owned(),
            Err(reason) => reason,
        };
        Cause::Encode { reason }.into()
    })
}

/// The most bytes that a key, a map key or a broadcast key takes where that of a record takes so many: half is for the key and half for a
/// map key, and some bytes are for what stands around them.
pub(crate) fn longest_key(of_record: usize) -> usize {
    (of_record / 2).saturating_sub(32)
}

/// Refuses a key of so many bytes if the backend has no room for it.
#[inline]
pub(crate) fn check_length(what: &'static str, length: usize, longest: usize) -> Result<(), StateError> {
    if length <= longest { Ok(()) } else { Err(Cause::KeyTooLong { what, length, longest }.into()) }
}

/// Reads a key or map key; `what` it is of is for messages.
pub(crate) fn decode_key<K: DeserializeOwned>(what: &str, codec: Codec, bytes: &[u8]) -> Result<K, StateError> {
    decode(codec, bytes).map_err(|reason| {
        if is_sound(codec, bytes) {
            return Cause::Unreadable { reason: format!("{what}: {reason}") }.into();
        }
        Cause::Decode { reason: format!("{what} is damaged: {reason}") }.into()
    })
}

/// Refuses a key that is not what `bytes`, its encoded form, decode to.
///
/// Two keys with one form would be one row at rest, and one key with two forms would be two.
pub(crate) fn check_key<K: StateKey>(key: &K, codec: Codec, bytes: &[u8]) -> Result<(), StateError> {
    let refuse = |what: String| {
        let reason = format!("the key {} {what}; a key is what its serde form decodes to", show(key));
        Err(Cause::Encode { reason }.into())
    };
    let back: K = match decode(codec, bytes) {
        Ok(back) => back,
        Err(reason) => return refuse(format!("does not read back: {reason}")),
    };
    let mut again = Vec::with_capacity(bytes.len());
    let checked = if write(&back, codec, &mut again).is_err() || again != bytes {
        refuse(format!("reads back as {}, which is written as other bytes", show(&back)))
    } else if back != *key {
        refuse(format!("reads back as {}, which is not equal to it", show(&back)))
    } else if hash_of(&back) != hash_of(key) {
        refuse(format!("reads back as {}, which is equal to it and has another hash", show(&back)))
    } else {
        Ok(())
    };
    drop_quietly(back);
    checked
}

fn hash_of<K: Hash>(key: &K) -> u64 {
    FixedState::default().hash_one(key)
}

/// Refuses a key that has the form of `known` and is not equal to it.
pub(crate) fn check_same<K: StateKey, Q: PartialEq + ?Sized>(
    known: &K,
    borrowed: &Q,
    key: &Q,
    shown: impl FnOnce() -> String,
) -> Result<(), StateError> {
    if borrowed == key {
        return Ok(());
    }
    let reason = format!(
        "the key {} has the serde form of {}, which is not equal to it; a key is what its serde form decodes to",
        shown(),
        show(known)
    );
    Err(Cause::Encode { reason }.into())
}

/// An encoded key by itself; mostly too short to need memory of its own.
pub(crate) type EncodedKey = SmallVec<[u8; 16]>;

/// Start of the keys of everything that an operator stores.
pub(crate) fn operator_prefix(operator: u16) -> [u8; 2] {
    operator.to_be_bytes()
}

/// Start of the keys of one key group.
pub(crate) fn group_prefix(operator: u16, group: u16) -> [u8; 4] {
    let [a, b] = operator.to_be_bytes();
    let [c, d] = group.to_be_bytes();
    [a, b, c, d]
}

/// Start of the keys of all records of an encoded key.
pub(crate) fn row_prefix(operator: u16, max_parallelism: u16, key: &[u8]) -> Vec<u8> {
    let mut prefix = group_prefix(operator, key_group(key, max_parallelism)).to_vec();
    push_varint(key.len() as u64, &mut prefix);
    prefix.extend_from_slice(key);
    prefix
}

/// Bytes in front of a key of less than 128 bytes: operator, group, length.
const HEAD: usize = 5;

/// Start of the keys of all records of one key.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowKey {
    bytes: Vec<u8>,
    group: u16,
}

impl RowKey {
    /// Points at `key` of `operator`.
    pub(crate) fn set<K: Serialize + DeserializeOwned>(
        &mut self,
        operator: u16,
        max_parallelism: u16,
        (key, codec): (&K, Codec),
    ) -> Result<(), StateError> {
        // What comes before the key is known after it; its length nearly always takes one byte.
        self.bytes.clear();
        self.bytes.extend_from_slice(&[0; HEAD]);
        encode_key(key, codec, &mut self.bytes)?;
        let encoded = self.bytes.get(HEAD..).unwrap_or_default();
        let length = encoded.len() as u64;
        self.group = key_group(encoded, max_parallelism);
        if let Some((group, rest)) = self.bytes.split_first_chunk_mut::<4>() {
            *group = group_prefix(operator, self.group);
            if let Some(first) = rest.first_mut() {
                *first = length as u8;
            }
        }
        if length >= 0x80 {
            let mut varint = Vec::new();
            push_varint(length, &mut varint);
            self.bytes.splice(HEAD - 1..HEAD, varint);
        }
        Ok(())
    }

    /// Points where `other` does, in the memory that it has.
    pub(crate) fn set_to(&mut self, other: &Self) {
        self.bytes.clone_from(&other.bytes);
        self.group = other.group;
    }

    /// The row that holds what belongs to the whole operator.
    pub(crate) fn of_operator(operator: u16) -> Self {
        Self::of_group(operator, OPERATOR_GROUP)
    }

    /// The row in front of all others of a key group, which holds its timers.
    pub(crate) fn of_group(operator: u16, group: u16) -> Self {
        let mut bytes = group_prefix(operator, group).to_vec();
        bytes.push(0);
        Self { bytes, group }
    }

    /// Appends the start of the keys of `slot` in the row that is in front of all others of its key group.
    pub(crate) fn append_in_group(&self, slot: u16, out: &mut Vec<u8>) {
        out.extend_from_slice(self.bytes.get(..4).unwrap_or_default());
        out.push(0);
        out.extend_from_slice(&slot.to_be_bytes());
    }

    pub(crate) fn group(&self) -> u16 {
        self.group
    }

    /// The encoded key.
    pub(crate) fn key(&self) -> &[u8] {
        let behind_group = self.bytes.get(4..).unwrap_or_default();
        take_varint(behind_group).map_or(&[], |(_, key)| key)
    }

    pub(crate) fn prefix(&self) -> &[u8] {
        &self.bytes
    }

    /// Key of the record of `slot` with `suffix`.
    pub(crate) fn record(&self, slot: u16, suffix: &[u8]) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.bytes.len() + 2 + suffix.len());
        self.append(slot, suffix, &mut key);
        key
    }

    /// Appends the key of the record of `slot` with `suffix` to `out`.
    pub(crate) fn append(&self, slot: u16, suffix: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
        out.extend_from_slice(&slot.to_be_bytes());
        out.extend_from_slice(suffix);
    }
}

/// The parts of a record's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) operator: u16,
    pub(crate) group: u16,
    pub(crate) key: &'a [u8],
    /// Length of everything in front of the slot.
    pub(crate) row_len: usize,
    pub(crate) slot: u16,
    pub(crate) suffix: &'a [u8],
}

impl Parts<'_> {
    /// Whether it is the key of a timer.
    pub(crate) fn is_timer(&self) -> bool {
        self.slot == TIMER_SLOT && !self.suffix.is_empty()
    }

    /// Whether it is the key of the values of a row.
    pub(crate) fn is_row(&self) -> bool {
        self.slot == ROW_SLOT && self.suffix.is_empty()
    }
}

/// Takes a record's key apart; `None` when it is none.
pub(crate) fn parse(bytes: &[u8]) -> Option<Parts<'_>> {
    let (operator, rest) = take_u16(bytes)?;
    let (group, rest) = take_u16(rest)?;
    let (len, rest) = take_varint(rest)?;
    let (key, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
    let row_len = bytes.len() - rest.len();
    let (slot, suffix) = take_u16(rest)?;
    Some(Parts { operator, group, key, row_len, slot, suffix })
}

fn take_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*head), rest))
}

/// Appends `number` as a LEB128 varint, seven bits a byte, lowest first.
pub(crate) fn push_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a LEB128 varint off the front of `bytes`.
#[inline]
pub(crate) fn take_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match bytes.split_first() {
        Some((byte, rest)) if *byte < 0x80 => Some((u64::from(*byte), rest)),
        _ => take_long_varint(bytes),
    }
}

fn take_long_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        let part = u64::from(byte & 0x7f);
        let shift = 7 * index as u32;
        if part > (u64::MAX >> shift) {
            return None;
        }
        number |= part << shift;
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(index + 1..)?));
        }
    }
    None
}

/// A key as messages show it.
pub(crate) fn show_key<K: Serialize>(key: &K) -> String {
    serde_json::to_string(key).unwrap_or_else(|_| "a key that is no JSON".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_key_comes_apart_as_it_was_put_together() {
        let mut row = RowKey::default();
        row.set(7, 128, (&"N14228".to_owned(), Codec::Postcard)).unwrap();
        let key = row.record(3 | STAMPED, b"tail");
        let parts = parse(&key).unwrap();
        assert_eq!(parts.operator, 7);
        assert_eq!(parts.key, b"\x06N14228");
        assert_eq!(parts.slot, 3 | STAMPED);
        assert_eq!(parts.suffix, b"tail");
        assert_eq!(key.get(..parts.row_len).unwrap(), row.prefix());
    }

    #[test]
    fn varints_of_all_lengths_survive() {
        for bits in 0..64 {
            for number in [1_u64 << bits, (1 << bits) - 1, u64::MAX >> bits] {
                let mut bytes = Vec::new();
                push_varint(number, &mut bytes);
                assert_eq!(take_varint(&bytes), Some((number, &[][..])));
            }
        }
        assert_eq!(take_varint(&[0xff; 10]), None);
        assert_eq!(take_varint(&[0x80]), None);
        assert_eq!(take_varint(&[]), None);
    }

    #[test]
    fn keys_cut_short_are_no_keys() {
        let mut row = RowKey::default();
        row.set(7, 128, (&"k".repeat(300), Codec::Postcard)).unwrap();
        let key = row.record(3, b"");
        assert!(parse(&key).is_some());
        for end in 0..key.len() {
            assert_eq!(parse(key.get(..end).unwrap()), None);
        }
    }

    #[test]
    fn key_groups_never_change() {
        // XXH3-64, seed 0. A change of these figures would send every stored key to another instance.
        assert_eq!(XxHash3_64::oneshot(b""), 0x2d06_8005_38d3_94c2);
        assert_eq!(key_group(b"", 128), 0x42);
    }
}
