//! A record's value: `[8-byte LE expires_at_ms, only in stamped slots][varint header][payload]`.
//!
//! The header is `schema version << 3 | clock << 2 | run << 1 | codec`: the clock that the stamp was taken from
//! (0 processing, 1 event), whether the payload is a run of list elements behind their number (1) or one value (0),
//! and the codec of the payload (0 postcard, 1 JSON).

use crate::codec::keys::{push_varint, take_varint};
use crate::codec::{Codec, decode, decode_run, encode, encode_run};
use crate::error::Cause;
use crate::time::TtlClock;
use crate::{StateError, StateValue};
use std::collections::VecDeque;

/// In place of a stamp: none, since it was stored when the state had no TTL.
pub(crate) const UNSTAMPED: i64 = i64::MIN;

/// Stamps below this are pending: they hold a TTL in milliseconds, counted from `i64::MIN`.
pub(crate) const PENDING_END: i64 = i64::MIN / 2;

/// The stamp of what is written before its clock shows a time; it counts as written when the clock starts.
pub(crate) fn pending(ttl_ms: u64) -> i64 {
    let stamp = i64::try_from(ttl_ms).ok().and_then(|ttl_ms| i64::MIN.checked_add(ttl_ms));
    // A life of more than a hundred million years is for ever.
    stamp.filter(|stamp| *stamp < PENDING_END).unwrap_or(NEVER)
}

/// The TTL in a pending stamp; 0 where there is no stamp at all.
pub(crate) fn pending_ttl(expires_at: i64) -> Option<u64> {
    (expires_at < PENDING_END).then(|| expires_at.abs_diff(i64::MIN))
}

/// In a stamp: never expires.
pub(crate) const NEVER: i64 = i64::MAX;

/// The version of every value schema so far.
pub(crate) const SCHEMA_VERSION: u64 = 1;

/// When something expires, and by which clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) expires_at: i64,
    pub(crate) clock: TtlClock,
}

impl Stamp {
    pub(crate) const NEVER: Self = Self { expires_at: NEVER, clock: TtlClock::Processing };
}

/// Puts the 8-byte prefix of everything that expires in front of `out`'s next bytes.
pub(crate) fn push_stamp(expires_at: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&expires_at.to_le_bytes());
}

/// Takes the 8-byte prefix of everything that expires off the front of `bytes`.
#[inline]
pub(crate) fn take_stamp(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    Some((i64::from_le_bytes(*head), rest))
}

/// In a header: the payload is a run.
const RUN: u64 = 2;

/// In a header: the stamp is event time.
const EVENT: u64 = 4;

/// Encodes a record; `stamp` only in stamped slots.
pub(crate) fn write<T: StateValue>(
    value: &T,
    wanted: Codec,
    stamp: Option<Stamp>,
    out: &mut Vec<u8>,
) -> Result<(), StateError> {
    // The codec is known only after encoding, but the header of version 1 is one byte whatever the codec.
    push_head(stamp, 0, out);
    let header = out.len() - 1;
    let codec = encode(value, wanted, out).map_err(|reason| Cause::Encode { reason })?;
    if let Some(byte) = out.get_mut(header) {
        *byte |= codec.bits() as u8;
    }
    Ok(())
}

/// Encodes a record of several list elements; `stamp` only in stamped slots.
///
/// # Errors
///
/// The reason, if `codec` cannot hold them in one record. Then `out` has part of it.
pub(crate) fn write_run<'a, T: StateValue>(
    values: impl Iterator<Item = &'a T> + Clone,
    codec: Codec,
    stamp: Option<Stamp>,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    push_head(stamp, RUN | codec.bits(), out);
    encode_run(values, codec, out)
}

fn push_head(stamp: Option<Stamp>, bits: u64, out: &mut Vec<u8>) {
    let mut clock = 0;
    if let Some(stamp) = stamp {
        push_stamp(stamp.expires_at, out);
        clock = if stamp.clock == TtlClock::Event { EVENT } else { 0 };
    }
    push_varint(SCHEMA_VERSION << 3 | clock | bits, out);
}

/// Everything in front of a record's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub(crate) stamp: Option<Stamp>,
    pub(crate) codec: Codec,
    is_run: bool,
    payload: &'a [u8],
}

/// Reads the front of a record.
#[inline]
pub(crate) fn head(bytes: &[u8], stamped: bool) -> Result<Head<'_>, StateError> {
    let (expires_at, rest) = if stamped {
        let (expires_at, rest) = take_stamp(bytes).ok_or_else(|| broken("the expiry stamp is cut short"))?;
        (Some(expires_at), rest)
    } else {
        (None, bytes)
    };
    let (header, payload) = take_varint(rest).ok_or_else(|| broken("the header is cut short"))?;
    let version = header >> 3;
    if version != SCHEMA_VERSION {
        return Err(broken(&format!("the header names schema version {version}, and only {SCHEMA_VERSION} exists")));
    }
    let clock = if header & EVENT == 0 { TtlClock::Processing } else { TtlClock::Event };
    let stamp = expires_at.map(|expires_at| Stamp { expires_at, clock });
    Ok(Head { stamp, codec: Codec::from_bits(header), is_run: header & RUN != 0, payload })
}

/// Reads the value behind `head`.
pub(crate) fn value<T: StateValue>(head: &Head<'_>) -> Result<T, StateError> {
    if head.is_run {
        return Err(broken("it holds list elements, and one value belongs there"));
    }
    decode(head.codec, head.payload).map_err(|reason| Cause::Decode { reason }.into())
}

/// Reads the list elements behind `head` to the end of `values`, which has part of them if it fails; returns their number.
pub(crate) fn elements<T: StateValue>(head: &Head<'_>, values: &mut VecDeque<T>) -> Result<u16, StateError> {
    if !head.is_run {
        values.push_back(value(head)?);
        return Ok(1);
    }
    let read = decode_run(head.codec, head.payload, values).map_err(|reason| Cause::Decode { reason })?;
    match u16::try_from(read) {
        Ok(length) if length > 0 => Ok(length),
        _ => Err(broken(&format!("a run has 1 to {} elements, and this one {read}", u16::MAX))),
    }
}

fn broken(reason: &str) -> StateError {
    Cause::Decode { reason: reason.to_owned() }.into()
}
