//! The timers of a key in the record of its row, or in changes of it.
//!
//! `[count varint][first zigzag varint][difference varint]…` of those by event time, and the same of those by processing time, each in
//! ascending order.

use crate::codec::keys::{push_varint, take_varint};
use crate::time::{Timer, TimerKind};

/// Appends timers that are in order, each there once.
pub(crate) fn write(timers: impl Iterator<Item = Timer> + Clone, out: &mut Vec<u8>) {
    for kind in [TimerKind::Event, TimerKind::Processing] {
        let times = timers.clone().filter(|timer| timer.kind == kind).map(|timer| timer.time_ms);
        push_varint(times.clone().count() as u64, out);
        let mut last: Option<i64> = None;
        for time in times {
            match last {
                None => push_varint(((time << 1) ^ (time >> 63)).cast_unsigned(), out),
                Some(last) => push_varint(time.wrapping_sub(last).cast_unsigned(), out),
            }
            last = Some(time);
        }
    }
}

/// Reads them; `None` if they are damaged.
pub(crate) fn read(mut bytes: &[u8]) -> Option<Vec<Timer>> {
    let mut timers = Vec::new();
    for kind in [TimerKind::Event, TimerKind::Processing] {
        let count = take(&mut bytes)?;
        let mut last: Option<i64> = None;
        for _ in 0..count {
            let number = take(&mut bytes)?;
            let time_ms = match last {
                None => (number >> 1).cast_signed() ^ -(number & 1).cast_signed(),
                Some(last) => last.checked_add_unsigned(number).filter(|time| *time > last)?,
            };
            timers.push(Timer { kind, time_ms });
            last = Some(time_ms);
        }
    }
    bytes.is_empty().then_some(timers)
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = take_varint(bytes)?;
    *bytes = rest;
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_of_all_times_come_back() {
        let times = [i64::MIN, i64::MIN + 1, -1_000, -1, 0, 1, 255, 1_357_000_000_000, i64::MAX - 1, i64::MAX];
        let kinds = [TimerKind::Event, TimerKind::Processing];
        let all: Vec<_> = kinds.into_iter().flat_map(|kind| times.map(|time_ms| Timer { kind, time_ms })).collect();
        let lists = (0..all.len()).flat_map(|start| (start..=all.len()).map(move |end| start..end));
        for range in lists {
            let list = all.get(range).unwrap();
            let mut bytes = Vec::new();
            write(list.iter().copied(), &mut bytes);
            assert_eq!(read(&bytes).as_deref(), Some(list));
            assert_eq!(read(bytes.get(..bytes.len() - 1).unwrap()), None, "cut short");
            bytes.push(0);
            assert_eq!(read(&bytes), None, "more than there should be");
        }
    }

    #[test]
    fn a_timer_of_a_time_of_today_takes_few_bytes() {
        let at = |time_ms| Timer { kind: TimerKind::Event, time_ms };
        let mut bytes = Vec::new();
        write([at(1_357_000_000_000), at(1_357_000_060_000)].into_iter(), &mut bytes);
        assert_eq!(bytes.len(), 1 + 6 + 3 + 1);
    }

    #[test]
    fn what_is_out_of_order_or_overflows_is_damaged() {
        assert_eq!(read(&[2, 2, 0, 0]), None, "twice the same");
        let mut bytes = vec![2];
        push_varint(u64::MAX - 1, &mut bytes);
        bytes.extend([1, 0]);
        assert_eq!(read(&bytes), None, "past the end of time");
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), None, "more than there are bytes");
    }
}
