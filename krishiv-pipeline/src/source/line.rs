//! One line of a text.

use memchr::{memchr, memchr2};
use std::io::{self, BufRead};

/// Of a longer line only the start is kept: a missing end must not fill the memory.
pub(super) const MAX_LINE: usize = 64 << 20;

/// What is wrong with a line that is longer.
pub(super) const TOO_LONG: &str = "the line is longer than 64 MiB, and only its first 64 KiB are kept";

/// How much is kept of a line that is too long, in bytes.
const KEPT: usize = 64 << 10;

/// What ends a line.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ends {
    /// A line feed.
    Lf,
    /// A line feed, a carriage return, or both.
    Any,
}

/// What [`read_line`] found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Line {
    Whole,
    /// Longer than [`MAX_LINE`]; its start is what was read, and this a checksum of the rest.
    TooLong(u32),
    /// The file has no more.
    End,
}

pub(super) fn read_line(text: &mut impl BufRead, ends: Ends, line: &mut Vec<u8>) -> io::Result<Line> {
    let start = line.len();
    let mut rest = None;
    loop {
        let bytes = text.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        let end = match ends {
            Ends::Lf => memchr(b'\n', bytes),
            Ends::Any => memchr2(b'\n', b'\r', bytes),
        };
        let count = end.map_or(bytes.len(), |end| end + 1);
        let is_cr = end.and_then(|end| bytes.get(end)) == Some(&b'\r');
        let part = bytes.get(..count).unwrap_or_default();
        match &mut rest {
            None => line.extend_from_slice(part),
            Some(rest) => *rest = crc32c::crc32c_append(*rest, part),
        }
        text.consume(count);
        if is_cr && text.fill_buf()?.first() == Some(&b'\n') {
            if rest.is_none() {
                line.push(b'\n');
            }
            text.consume(1);
        }
        if end.is_some() {
            break;
        }
        if rest.is_none() && line.len() - start > MAX_LINE {
            rest = Some(crc32c::crc32c(line.get(start + KEPT..).unwrap_or_default()));
            line.truncate(start + KEPT);
        }
    }
    Ok(match rest {
        Some(rest) => Line::TooLong(rest),
        None if line.len() == start => Line::End,
        None => Line::Whole,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// All lines of a text that comes in buffers of `capacity` bytes.
    fn lines(text: &str, ends: Ends, capacity: usize) -> Vec<String> {
        let mut reader = BufReader::with_capacity(capacity, text.as_bytes());
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            match read_line(&mut reader, ends, &mut line) {
                Ok(Line::Whole) => lines.push(String::from_utf8_lossy(&line).into_owned()),
                other => {
                    assert!(matches!(other, Ok(Line::End)));
                    return lines;
                }
            }
        }
    }

    #[test]
    fn lines_end_alike_wherever_a_buffer_ends() {
        for capacity in 1..8 {
            assert_eq!(lines("a\nb\r\n\rc", Ends::Lf, capacity), ["a\n", "b\r\n", "\rc"]);
            assert_eq!(lines("a\nb\r\n\rc\r", Ends::Any, capacity), ["a\n", "b\r\n", "\r", "c\r"]);
        }
    }
}
