//! A record's value: `[8-byte LE expires_at_ms, only in stamped slots][varint header][payload]`.
//!
//! The header is `schema version << 3 | clock << 2 | codec`: the clock that the stamp was taken from
//! (0 processing, 1 event) and the codec of the payload (0 postcard, 1 JSON).

use crate::codec::keys::{push_varint, take_varint};
use crate::codec::{Codec, decode, encode};
use crate::error::Cause;
use crate::time::TtlClock;
use crate::{StateError, StateValue};

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
pub(crate) fn take_stamp(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    Some((i64::from_le_bytes(*head), rest))
}

/// Encodes a record; `stamp` only in stamped slots.
pub(crate) fn write<T: StateValue>(
    value: &T,
    wanted: Codec,
    stamp: Option<Stamp>,
    out: &mut Vec<u8>,
) -> Result<(), StateError> {
    let mut clock = 0;
    if let Some(stamp) = stamp {
        push_stamp(stamp.expires_at, out);
        clock = u64::from(stamp.clock == TtlClock::Event);
    }
    // The codec is known only after encoding, but the header of version 1 is one byte whatever the codec.
    let header = out.len();
    push_varint(SCHEMA_VERSION << 3 | clock << 2, out);
    let codec = encode(value, wanted, out).map_err(|reason| Cause::Encode { reason })?;
    if let Some(byte) = out.get_mut(header) {
        *byte |= codec.bits();
    }
    Ok(())
}

/// Everything in front of a record's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub(crate) stamp: Option<Stamp>,
    pub(crate) codec: Codec,
    pub(crate) payload: &'a [u8],
}

/// Reads the front of a record.
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
    let codec = Codec::from_bits((header & 3) as u8).ok_or_else(|| broken("the header names an unknown codec"))?;
    let clock = if header & 4 == 0 { TtlClock::Processing } else { TtlClock::Event };
    Ok(Head { stamp: expires_at.map(|expires_at| Stamp { expires_at, clock }), codec, payload })
}

/// Reads the value behind `head`.
pub(crate) fn value<T: StateValue>(head: &Head<'_>) -> Result<T, StateError> {
    decode(head.codec, head.payload).map_err(|reason| Cause::Decode { reason }.into())
}

fn broken(reason: &str) -> StateError {
    Cause::Decode { reason: reason.to_owned() }.into()
}
