//! A record's value: `[8-byte LE expires_at_ms, only in stamped slots][varint header][payload]`.
//!
//! The header is `1 << 3 | clock << 2 | run << 1 | codec`: the clock that the stamp was taken from
//! (0 processing, 1 event), whether the payload is a run of list elements behind their number (1) or one value (0),
//! and the codec of the payload (0 postcard, 1 JSON). That is the first version of a state's type; of the version `v` it can be
//! `(v + 1) << 3 | clock << 2 | run << 1`, and behind it a varint `era << 2 | codec`.

use crate::codec::keys::{push_varint, take_varint};
use crate::codec::{Codec, Payload, decode, decode_run, encode, is_sound};
use crate::error::{Cause, StateError};
use crate::time::TtlClock;
use crate::value::StateValue;
use std::collections::VecDeque;

/// In place of a stamp: none, since it was stored when the state had no TTL.
pub(crate) const UNSTAMPED: i64 = i64::MIN;

/// Stamps below this are pending: they hold a TTL in milliseconds, counted from `i64::MIN`.
pub(crate) const PENDING_END: i64 = i64::MIN / 2;

/// The stamp of what is written before its clock shows a time; it counts as written when the clock starts.
pub(crate) fn pending(ttl_ms: u64) -> i64 {
    let stamp = i64::try_from(ttl_ms).ok().and_then(|ttl_ms| i64::MIN.checked_add(ttl_ms));
    // A life of more than a hundred million years is for ever.
    stamp.filter(|stamp| *stamp < GONE).unwrap_or(NEVER)
}

/// The TTL in a pending stamp; 0 where there is no stamp at all.
pub(crate) fn pending_ttl(expires_at: i64) -> Option<u64> {
    (expires_at < PENDING_END).then(|| expires_at.abs_diff(i64::MIN))
}

/// In place of a stamp, in memory: it has ended, by a clock that is no longer in use.
pub(crate) const GONE: i64 = PENDING_END - 1;

/// In a stamp: never expires.
pub(crate) const NEVER: i64 = i64::MAX;

/// The version of the type that a state begins with.
pub(crate) const FIRST_VERSION: u64 = 1;

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
/// In a header, above its bits: the first version of the type, and all else is in the bits.
const PLAIN: u64 = 1;
/// The same, and a second number follows, with the codec in its two lowest bits and the era above. Later versions follow on it.
const EXTENDED: u64 = 2;

/// How a record is written, besides its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    pub(crate) codec: Codec,
    /// Only in stamped slots.
    pub(crate) stamp: Option<Stamp>,
    /// How often the TTL of the state had been switched.
    pub(crate) era: u64,
    /// The version of the type that the value is of.
    pub(crate) version: u64,
}

impl How {
    /// Whether formats before 4 know such a record.
    pub(crate) fn is_old(&self) -> bool {
        self.codec != Codec::MessagePack && self.era == 0 && self.version == FIRST_VERSION
    }
}

/// Encodes a record of one value, by its codec or, if that cannot hold it, by another; says which.
pub(crate) fn write(value: &dyn Payload, how: How, out: &mut Vec<u8>) -> Result<Codec, StateError> {
    let start = out.len();
    push_head(how, 0, out);
    if value.write(how.codec, out).is_ok() {
        return Ok(how.codec);
    }
    // Which codec can hold it is known only when it has, and it stands in front.
    let mut payload = Vec::new();
    let codec = encode(value, how.codec, &mut payload).map_err(|reason| Cause::Encode { reason })?;
    out.truncate(start);
    push_head(How { codec, ..how }, 0, out);
    out.append(&mut payload);
    Ok(codec)
}

/// Begins a record of several list elements, whose payload comes next.
pub(crate) fn begin_run(how: How, out: &mut Vec<u8>) {
    push_head(how, RUN, out);
}

fn push_head(how: How, bits: u64, out: &mut Vec<u8>) {
    let mut bits = bits;
    if let Some(stamp) = how.stamp {
        push_stamp(stamp.expires_at, out);
        bits |= if stamp.clock == TtlClock::Event { EVENT } else { 0 };
    }
    if how.is_old() {
        push_varint(PLAIN << 3 | bits | how.codec.bits(), out);
    } else {
        push_varint((EXTENDED + how.version - FIRST_VERSION) << 3 | bits, out);
        push_varint(how.era << 2 | how.codec.bits(), out);
    }
}

/// Everything in front of a record's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    pub(crate) stamp: Option<Stamp>,
    pub(crate) codec: Codec,
    /// How often the TTL of the state had been switched.
    pub(crate) era: u64,
    /// The version of the type that has written it.
    pub(crate) version: u64,
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
    let (version, codec, era, payload) = match header >> 3 {
        0 => return Err(broken("the header names no version")),
        PLAIN => (FIRST_VERSION, Codec::from_bits(header & 1), 0, payload),
        extended => {
            let (more, payload) = take_varint(payload).ok_or_else(|| broken("the header is cut short"))?;
            (extended - EXTENDED + FIRST_VERSION, Codec::from_bits(more), more >> 2, payload)
        }
    };
    let codec = codec.ok_or_else(|| broken("the header names a codec that does not exist"))?;
    let clock = if header & EVENT == 0 { TtlClock::Processing } else { TtlClock::Event };
    let stamp = expires_at.map(|expires_at| Stamp { expires_at, clock });
    Ok(Head { stamp, codec, era, version, is_run: header & RUN != 0, payload })
}

/// Bytes in front of the payload of a record.
pub(crate) fn front(bytes: &[u8], stamped: bool) -> Result<usize, StateError> {
    head(bytes, stamped).map(|head| bytes.len() - head.payload.len())
}

impl<'a> Head<'a> {
    /// The payload of a record of one value.
    #[inline]
    pub(crate) fn of_one(&self) -> Result<&'a [u8], StateError> {
        if self.is_run { Err(broken("it holds list elements, and one value belongs there")) } else { Ok(self.payload) }
    }

    /// The payload of a record of several list elements.
    pub(crate) fn of_run(&self) -> Option<&'a [u8]> {
        self.is_run.then_some(self.payload)
    }
}

/// Reads the value behind `head`, which the type itself has written; `own` is the codec that it asks for.
pub(crate) fn value<T: StateValue>(head: &Head<'_>, own: Codec) -> Result<T, StateError> {
    decode(head.codec, head.of_one()?).map_err(|reason| misread(head, own, reason))
}

/// The error of a payload that its type does not read: damage, unless the payload is sound by itself and the type is one of
/// those that serde writes and may not read. Of all others the shape has been compared.
fn misread(head: &Head<'_>, own: Codec, reason: String) -> StateError {
    if own != Codec::Postcard && is_sound(head.codec, head.payload) {
        Cause::Unreadable { reason }.into()
    } else {
        Cause::Decode { reason }.into()
    }
}

/// Reads the list elements behind `head` to the end of `values`, which has part of them if it fails; returns their number.
pub(crate) fn elements<T: StateValue>(
    head: &Head<'_>,
    own: Codec,
    values: &mut VecDeque<T>,
) -> Result<u16, StateError> {
    if !head.is_run {
        values.push_back(value(head, own)?);
        return Ok(1);
    }
    let read = decode_run(head.codec, head.payload, values).map_err(|reason| misread(head, own, reason))?;
    run_length(read)
}

/// The length of a run of which so many elements were read.
pub(crate) fn run_length(read: usize) -> Result<u16, StateError> {
    match u16::try_from(read) {
        Ok(length) if length > 0 => Ok(length),
        _ => Err(broken(&format!("a run has 1 to {} elements, and this one {read}", u16::MAX))),
    }
}

pub(crate) fn broken(reason: &str) -> StateError {
    Cause::Decode { reason: reason.to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_all_that_is_not_in_the_value() {
        let stamps = [None, Some(TtlClock::Event), Some(TtlClock::Processing)];
        let stamps = stamps.map(|clock| clock.map(|clock| Stamp { expires_at: 7, clock }));
        for version in [1, 2, 3, 15, 16, 1 << 40] {
            for (era, bits) in [(0, 0), (0, RUN), (5, 0), (1 << 50, RUN)] {
                for codec in [Codec::Postcard, Codec::Json, Codec::MessagePack] {
                    for stamp in stamps {
                        let mut bytes = Vec::new();
                        push_head(How { codec, stamp, era, version }, bits, &mut bytes);
                        bytes.push(99);
                        let head = head(&bytes, stamp.is_some()).unwrap();
                        assert_eq!((head.version, head.era, head.codec, head.stamp), (version, era, codec, stamp));
                        assert_eq!((head.is_run, head.payload), (bits == RUN, &[99][..]));
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_version_is_written_as_ever() {
        let written = |codec, era, version| {
            let mut bytes = Vec::new();
            push_head(How { codec, stamp: None, era, version }, 0, &mut bytes);
            bytes
        };
        assert_eq!(written(Codec::Postcard, 0, 1), [1 << 3]);
        assert_eq!(written(Codec::Json, 0, 1), [1 << 3 | 1]);
        assert_eq!(written(Codec::MessagePack, 0, 1), [2 << 3, 2]);
        assert_eq!(written(Codec::Postcard, 3, 1), [2 << 3, 3 << 2]);
        assert_eq!(written(Codec::Postcard, 0, 2), [3 << 3, 0]);
        assert!(head(&[7], false).is_err(), "version 0");
        assert!(head(&[3 << 3], false).is_err(), "cut short");
    }
}
