//! The key of a timer: `[operator u16 BE][key group u16 BE][0][0 0][kind][time u64 BE, sign flipped][key]`.
//!
//! The timers of one kind in a key group are one range, in the order of their times, ties by key. The value is empty.

use crate::codec::keys::{RowKey, TIMER_SLOT};
use crate::error::{Cause, StateError};
use crate::time::{Timer, TimerKind};

fn kind_byte(kind: TimerKind) -> u8 {
    match kind {
        TimerKind::Event => 0,
        TimerKind::Processing => 1,
    }
}

/// Start of the keys of all timers of a kind in a key group.
pub(crate) fn timers_prefix(operator: u16, group: u16, kind: TimerKind) -> Vec<u8> {
    RowKey::of_group(operator, group).record(TIMER_SLOT, &[kind_byte(kind)])
}

/// Appends what comes after the prefix.
pub(crate) fn push_timer(time: i64, key: &[u8], out: &mut Vec<u8>) {
    // With its sign flipped, a number sorts as its bytes do.
    out.extend_from_slice(&(time ^ i64::MIN).to_be_bytes());
    out.extend_from_slice(key);
}

/// Appends the key of a timer of the key of `row`.
pub(crate) fn append_timer(row: &RowKey, timer: Timer, out: &mut Vec<u8>) {
    let Timer { kind, time_ms } = timer;
    row.append_in_group(TIMER_SLOT, out);
    out.push(kind_byte(kind));
    push_timer(time_ms, row.key(), out);
}

/// Reads what comes after the prefix: the time, and the encoded key.
pub(crate) fn take_timer(suffix: &[u8]) -> Result<(i64, &[u8]), StateError> {
    let (time, key) = suffix.split_first_chunk::<8>().ok_or_else(|| {
        let reason = format!("a stored timer is cut short: {suffix:02x?}");
        StateError::from(Cause::Decode { reason })
    })?;
    Ok((i64::from_be_bytes(*time) ^ i64::MIN, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_sort_as_times_and_keys_do() {
        let mut all = Vec::new();
        for time in [i64::MIN, -1_000, -1, 0, 1, 255, 256, i64::MAX - 1, i64::MAX] {
            for key in [&b""[..], b"\0", b"a", b"ab", b"\xff"] {
                all.push((time, key));
            }
        }
        let encoded: Vec<_> = all
            .iter()
            .map(|(time, key)| {
                let mut bytes = Vec::new();
                push_timer(*time, key, &mut bytes);
                bytes
            })
            .collect();
        assert!(encoded.is_sorted());
        let decoded: Vec<_> = encoded.iter().map(|bytes| take_timer(bytes).unwrap()).collect();
        assert_eq!(decoded, all);
        assert!(take_timer(b"\x80\0\0\0\0\0\0").is_err());
    }
}
