//! Reads fjall's journals, before fjall does.
//!
//! fjall takes most damage of a journal for the traces of a crash, goes on without the rest of it, and cuts it off. And its
//! checksum leaves out by which number a batch is ordered. These checks tell what a crash leaves from what it cannot.
//!
//! A journal is a row of batches, all numbers little-endian: `[1][number of items u32][sequence number u64]`; items
//! `[2][kind][compression][keyspace u64][key length u16][value length u32][stored length u32][key][value]`; and
//! `[3][xxh3 of all items, u64]["FJL" 3]`. Zeros, or nothing, follow the last one.

use super::keys;
use std::fs::File;
use std::hash::Hasher;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use twox_hash::XxHash3_64;

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const TRAILER: [u8; 4] = *b"FJL\x03";

/// What precedes key and value of an item, its tag included.
const HEADER: usize = 21;

/// A batch that is whole.
pub(super) struct Batch {
    /// By which fjall orders it.
    pub(super) sequence: u64,
    /// Number of the commit; `None` if it is none of this library.
    pub(super) number: Option<u64>,
}

/// What comes next in a journal.
pub(super) enum Step {
    Batch(Batch),
    /// Zeros, or the end of the file.
    End,
    /// Bytes that are no batch, from here on.
    Torn(u64),
}

/// The batches of a journal.
pub(super) struct Journal {
    reader: BufReader<File>,
    at: u64,
}

impl Journal {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { reader: BufReader::with_capacity(1 << 16, File::open(path)?), at: 0 })
    }

    pub(super) fn next(&mut self) -> io::Result<Step> {
        let whole = self.at;
        if matches!(self.reader.fill_buf()?.first(), None | Some(0)) {
            return Ok(Step::End);
        }
        match self.batch() {
            Ok(Some(batch)) => Ok(Step::Batch(batch)),
            Ok(None) => Ok(Step::Torn(whole)),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(Step::Torn(whole)),
            Err(error) => Err(error),
        }
    }

    /// The next batch; `None` if there are other bytes.
    fn batch(&mut self) -> io::Result<Option<Batch>> {
        let [START, start @ ..] = self.take::<13>()? else { return Ok(None) };
        let (items, sequence) = start.split_at(4);
        let items = number(items);
        let mut hasher = XxHash3_64::new();
        let mut batch = Batch { sequence: number(sequence), number: None };
        for item in 0..items {
            let header = self.take::<HEADER>()?;
            let [ITEM, ..] = header else { return Ok(None) };
            hasher.write(&header);
            let key = number(header.get(11..13).unwrap_or_default());
            let value = number(header.get(17..).unwrap_or_default());
            if (item, key, value) == (0, 1, 8) {
                let body = self.take::<9>()?;
                hasher.write(&body);
                batch.number = body.strip_prefix(keys::NUMBER).map(number);
            } else {
                self.pass(key.saturating_add(value), &mut hasher)?;
            }
        }
        let [END, end @ ..] = self.take::<13>()? else { return Ok(None) };
        let (check, trailer) = end.split_at(8);
        let whole = number(check) == hasher.finish() && trailer == TRAILER;
        Ok(whole.then_some(batch))
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut taken = [0; N];
        self.reader.read_exact(&mut taken)?;
        self.at = self.at.saturating_add(N as u64);
        Ok(taken)
    }

    /// Goes over `length` bytes without holding them: a length that is damaged may be any.
    fn pass(&mut self, mut length: u64, hasher: &mut XxHash3_64) -> io::Result<()> {
        while length > 0 {
            let there = self.reader.fill_buf()?;
            if there.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let passed = there.len().min(usize::try_from(length).unwrap_or(usize::MAX));
            hasher.write(there.get(..passed).unwrap_or_default());
            self.reader.consume(passed);
            self.at = self.at.saturating_add(passed as u64);
            length = length.saturating_sub(passed as u64);
        }
        Ok(())
    }
}

/// A number of up to eight bytes, little-endian.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
