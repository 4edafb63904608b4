//! What had become durable, noted beside the storage's own files.
//!
//! Neither RocksDB nor fjall can tell a log that lost its end in a crash from one that lost it to damage, and both open it with
//! what is left. The ledger can: it holds the number of the last commit whose fsync had returned, and how much of
//! RocksDB's manifest was on disk by then. It is not synced itself. After a power failure it may be older than the
//! data, which is harmless; it can never be newer.
//!
//! The file is two equal sectors, so that a torn write leaves at least one whole. A sector is
//! `[magic 8][format u32][phase u32][sequence u64][manifest u64][manifest length u64][xxh3 of these, u64]`,
//! little-endian, and zeros up to 512 bytes.

use super::fault;
use crate::error::{Cause, StateError};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use twox_hash::XxHash3_64;

/// Format of the folder as a whole: this file, the options the storage is opened with, and what it stores.
pub(in crate::backend) const FORMAT: u32 = 1;

const MAGIC: &[u8; 8] = b"KRISHIV\n";
const SECTOR: usize = 512;
const CHECKED: usize = 40;

/// How far the folder has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backend) enum Phase {
    /// The storage may still be making its first files; nothing was ever committed.
    Creating,
    /// Open for commits: from now on, missing files are losses.
    Ready,
}

/// What was durable when the ledger was last written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backend) struct Entry {
    pub(in crate::backend) phase: Phase,
    /// Number of the last durable commit, by which the storage counts.
    pub(in crate::backend) sequence: u64,
    /// Number of RocksDB's manifest in use; 0 if there is none.
    pub(in crate::backend) manifest: u64,
    /// Bytes of it that were durable.
    pub(in crate::backend) manifest_len: u64,
}

impl Entry {
    pub(in crate::backend) const NEW: Self = Self { phase: Phase::Creating, sequence: 0, manifest: 0, manifest_len: 0 };
}

/// The open ledger file, locked for this process and backend.
#[derive(Debug)]
pub(in crate::backend) struct Ledger {
    path: PathBuf,
    file: File,
}

impl Ledger {
    /// Opens and locks the ledger of `folder`; makes an empty file if there is none.
    pub(in crate::backend) fn lock(folder: &Path, name: &str) -> Result<Self, StateError> {
        let path = folder.join(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| fault::io(&path, &error))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(Cause::Locked { reason: path.display().to_string() }.into()),
            // File systems without such locks still have the storage's own.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Self { path, file }),
        }
    }

    /// What was noted; `None` if not a single sector can be read.
    pub(in crate::backend) fn read(&mut self) -> Result<Option<Entry>, StateError> {
        let mut bytes = Vec::new();
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| (&self.file).take(2 * SECTOR as u64).read_to_end(&mut bytes))
            .map_err(|error| fault::io(&self.path, &error))?;
        let mut newest: Option<Entry> = None;
        for entry in bytes.chunks(SECTOR).filter_map(decode) {
            let entry = entry?;
            if newest.is_none_or(|known| (known.manifest, known.sequence) <= (entry.manifest, entry.sequence)) {
                newest = Some(entry);
            }
        }
        Ok(newest)
    }

    /// Notes `entry`, without waiting for the disk.
    pub(in crate::backend) fn note(&mut self, entry: Entry) -> io::Result<()> {
        let sector = encode(entry);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all([sector, sector].as_flattened())
    }

    /// Notes `entry` and waits until the disk has it.
    pub(in crate::backend) fn note_durably(&mut self, entry: Entry) -> Result<(), StateError> {
        self.note(entry)
            .and_then(|()| self.file.sync_all())
            .and_then(|()| sync_folder(&self.path))
            .map_err(|error| fault::io(&self.path, &error))
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started at this moment holds a copy of the descriptor, and
        // with it the lock. A file that could not be locked has nothing to give up.
        drop(self.file.unlock());
    }
}

/// Makes the name of a new file durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn encode(entry: Entry) -> [u8; SECTOR] {
    let phase: u32 = match entry.phase {
        Phase::Creating => 0,
        Phase::Ready => 1,
    };
    let mut bytes = Vec::with_capacity(SECTOR);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&phase.to_le_bytes());
    bytes.extend_from_slice(&entry.sequence.to_le_bytes());
    bytes.extend_from_slice(&entry.manifest.to_le_bytes());
    bytes.extend_from_slice(&entry.manifest_len.to_le_bytes());
    let check = XxHash3_64::oneshot(&bytes);
    bytes.extend_from_slice(&check.to_le_bytes());
    let mut sector = [0; SECTOR];
    for (to, from) in sector.iter_mut().zip(bytes) {
        *to = from;
    }
    sector
}

/// `None` for bytes that are no sector, `Err` for a sector of a newer format.
fn decode(sector: &[u8]) -> Option<Result<Entry, StateError>> {
    let (checked, rest) = sector.split_at_checked(CHECKED)?;
    let (check, _) = rest.split_first_chunk::<8>()?;
    if u64::from_le_bytes(*check) != XxHash3_64::oneshot(checked) {
        return None;
    }
    let checked = checked.strip_prefix(MAGIC)?;
    let (format, checked) = checked.split_first_chunk::<4>()?;
    let format = u32::from_le_bytes(*format);
    if format > FORMAT {
        return Some(Err(Cause::NewerFormat { found: format, supported: FORMAT }.into()));
    }
    let (phase, checked) = checked.split_first_chunk::<4>()?;
    let (sequence, checked) = checked.split_first_chunk::<8>()?;
    let (manifest, checked) = checked.split_first_chunk::<8>()?;
    let (manifest_len, _) = checked.split_first_chunk::<8>()?;
    Some(Ok(Entry {
        phase: if u32::from_le_bytes(*phase) == 0 { Phase::Creating } else { Phase::Ready },
        sequence: u64::from_le_bytes(*sequence),
        manifest: u64::from_le_bytes(*manifest),
        manifest_len: u64::from_le_bytes(*manifest_len),
    }))
}
