//! Reads the frames of RocksDB's log format, which its WAL and its manifest share.
//!
//! RocksDB takes damage at the end of such a file, and some damage in the middle, for the traces of a crash
//! and goes on without what was lost. These checks tell one from the other.
//!
//! A file is a row of blocks of 32 KiB, a block a row of frames: `[crc32c, masked, u32][length u16][kind u8]`
//! and the body, all little-endian. A frame never crosses a block, and a block ends in up to 6 bytes of padding.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

const BLOCK: u64 = 32 * 1024;
const HEADER: usize = 7;

const FULL: u8 = 1;
const FIRST: u8 = 2;
const MIDDLE: u8 = 3;
const LAST: u8 = 4;

/// Sequence number and number of steps, at the start of every batch in a WAL.
const BATCH_HEADER: usize = 12;

enum Step<'a> {
    /// A whole frame.
    Frame { kind: u8, body: &'a [u8] },
    /// Zeros where a frame should be: the rest of the block is skipped, by RocksDB too.
    Zeros,
    /// The end of the file, or of what can be read of it.
    End,
}

struct Frames {
    file: File,
    block: Vec<u8>,
    /// Where `block` starts in the file.
    start: u64,
    /// How far `block` is read.
    at: usize,
}

impl Frames {
    /// Starts at the block that holds byte `from`.
    fn open(path: &Path, from: u64) -> io::Result<Self> {
        let start = from / BLOCK * BLOCK;
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(start))?;
        let mut frames = Self { file, block: Vec::new(), start, at: 0 };
        frames.fill()?;
        Ok(frames)
    }

    fn fill(&mut self) -> io::Result<()> {
        self.block.clear();
        self.at = 0;
        self.file.by_ref().take(BLOCK).read_to_end(&mut self.block)?;
        Ok(())
    }

    /// Where the next frame starts in the file.
    fn offset(&self) -> u64 {
        self.start.saturating_add(self.at as u64)
    }

    fn next(&mut self) -> io::Result<Step<'_>> {
        if self.block.len().saturating_sub(self.at) < HEADER {
            if (self.block.len() as u64) < BLOCK {
                return Ok(Step::End);
            }
            self.start = self.start.saturating_add(BLOCK);
            self.fill()?;
        }
        let rest = self.block.get(self.at..).unwrap_or_default();
        let Some((&[c0, c1, c2, c3, l0, l1, kind], body)) = rest.split_first_chunk::<HEADER>() else {
            return Ok(Step::End);
        };
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        if kind == 0 && length == 0 {
            self.at = self.block.len();
            return Ok(Step::Zeros);
        }
        let Some(body) = body.get(..length) else { return Ok(Step::End) };
        if masked(crc32c::crc32c_append(crc32c::crc32c(&[kind]), body)) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Ok(Step::End);
        }
        self.at = self.at.saturating_add(HEADER + length);
        Ok(Step::Frame { kind, body })
    }
}

/// How many bytes of the file at `path` are whole frames, given that those before `from` are.
pub(super) fn whole_frames(path: &Path, from: u64) -> io::Result<u64> {
    let mut frames = Frames::open(path, from)?;
    let mut end = frames.offset();
    while let Step::Frame { .. } = frames.next()? {
        end = frames.offset();
    }
    Ok(end)
}

/// Hands the beginning of every whole record of the file at `path` to `each`, up to `length` bytes of it, until one is `Some`.
///
/// A record is a frame, or several.
pub(super) fn find_in_records<T>(
    path: &Path,
    length: usize,
    mut each: impl FnMut(&[u8]) -> Option<T>,
) -> io::Result<Option<T>> {
    let mut frames = Frames::open(path, 0)?;
    let mut head = Vec::with_capacity(length);
    loop {
        let (kind, body) = match frames.next()? {
            Step::Frame { kind, body } => (kind, body),
            Step::Zeros => continue,
            Step::End => return Ok(None),
        };
        match kind {
            FULL | FIRST => head.clear(),
            MIDDLE | LAST => {}
            _ => continue,
        }
        let missing = length.saturating_sub(head.len());
        head.extend(body.iter().take(missing));
        if matches!(kind, FULL | LAST)
            && let Some(found) = each(&head)
        {
            return Ok(Some(found));
        }
    }
}

/// The first batches that are missing in a row of WAL files, as a range of sequence numbers, given that everything up to
/// `durable` is in other files.
///
/// What is missing at the end of the last file is not seen here: the ledger knows it.
pub(super) fn first_gap(wals: &[impl AsRef<Path>], durable: u64) -> io::Result<Option<(u64, u64)>> {
    let mut expected = durable.saturating_add(1);
    for wal in wals {
        let gap = find_in_records(wal.as_ref(), BATCH_HEADER, |head| {
            let (sequence, steps) = batch_header(head)?;
            // More than expected is a gap; less is in the other files too, or was never acknowledged and was written anew.
            let gap = (sequence > expected).then_some((expected, sequence));
            expected = expected.max(sequence.saturating_add(steps));
            gap
        })?;
        if gap.is_some() {
            return Ok(gap);
        }
    }
    Ok(None)
}

fn batch_header(head: &[u8]) -> Option<(u64, u64)> {
    let (sequence, rest) = head.split_first_chunk::<8>()?;
    let (steps, _) = rest.split_first_chunk::<4>()?;
    Some((u64::from_le_bytes(*sequence), u64::from(u32::from_le_bytes(*steps))))
}

/// A CRC-32C as RocksDB stores it: a checksum of bytes that hold a checksum is weak, and the mask is the remedy.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}
