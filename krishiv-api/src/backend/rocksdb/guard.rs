//! Refuses a folder that has lost commits, and notes those that are made.

use super::journal;
use super::manifest;
use crate::backend::folder::ledger::{Entry, Ledger, Phase};
use crate::backend::folder::{self, Kind, fault};
use crate::error::StateError;
use crate::lock::lock;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Name of the ledger.
const NAME: &str = Kind::RocksDb.ledger();

/// Watches over one open folder.
#[derive(Debug)]
pub(super) struct Guard {
    folder: PathBuf,
    book: Mutex<Book>,
}

#[derive(Debug)]
struct Book {
    ledger: Ledger,
    entry: Entry,
}

impl Guard {
    /// Locks the folder, made if it is not there, and checks what can be checked before RocksDB touches it.
    pub(super) fn enter(folder: &Path) -> Result<Self, StateError> {
        folder::enter(folder, Kind::RocksDb)?;
        // In this order: whoever makes the folder at the same time writes the ledger first.
        let holds_data = Files::list(folder)?.hold_data();
        if holds_data && !folder.join(NAME).exists() {
            let reason = format!("it holds RocksDB files but not `{}`, which every commit writes", NAME);
            return Err(fault::damaged(folder, reason));
        }
        let mut ledger = Ledger::lock(folder, NAME)?;
        let files = Files::list(folder)?;
        let entry = match ledger.read()? {
            Some(entry) => entry,
            None if files.hold_data() => {
                return Err(fault::damaged(folder, format_args!("no entry of `{}` can be read", NAME)));
            }
            None => {
                // On disk before RocksDB's first file, so that a crash in between is no loss of the ledger.
                ledger.note_durably(Entry::NEW)?;
                Entry::NEW
            }
        };
        // Before that, nothing was ever committed.
        let durable = if entry.phase == Phase::Ready { check_manifest(folder, entry)? } else { 0 };
        check_wals(folder, &files.wals, durable)?;
        Ok(Self { folder: folder.to_owned(), book: Mutex::new(Book { ledger, entry }) })
    }

    /// Whether RocksDB may make the folder's first files: only before the first commit.
    pub(super) fn may_create(&self) -> bool {
        self.book(|book| book.entry.phase == Phase::Creating)
    }

    /// Takes note of a successful opening that has recovered everything up to `sequence`.
    pub(super) fn opened(&self, sequence: u64) -> Result<(), StateError> {
        self.book(|book| {
            let noted = book.entry.sequence;
            if sequence < noted {
                let lost = format_args!("changes {} to {noted}, which were durable, are gone", sequence + 1);
                return Err(fault::damaged(&self.folder, lost));
            }
            if book.entry.phase == Phase::Creating {
                // From now on missing files are losses, and that must not be forgotten.
                return self.note_durably(book, sequence);
            }
            let entry = self.next(book, sequence)?;
            book.ledger.note(entry).map_err(|error| fault::io(&self.folder, &error))?;
            book.entry = entry;
            Ok(())
        })
    }

    /// Takes note that everything up to `sequence` is on disk, and waits for the note to be there too.
    pub(super) fn settled(&self, sequence: u64) -> Result<(), StateError> {
        self.book(|book| self.note_durably(book, sequence))
    }

    /// Takes note that everything up to the sequence number that `latest` tells is on disk.
    ///
    /// Best effort: the commit has succeeded, and must not be reported as failed because its note could not
    /// be written. The next one tries again.
    pub(super) fn committed(&self, latest: impl FnOnce() -> u64) {
        self.book(|book| {
            // Asked for under the lock, so that the notes of concurrent commits never go back.
            let sequence = latest().max(book.entry.sequence);
            let entry = self.entry(book.entry, sequence).unwrap_or(Entry { sequence, ..book.entry });
            if entry != book.entry && book.ledger.note(entry).is_ok() {
                book.entry = entry;
            }
        });
    }

    fn note_durably(&self, book: &mut Book, sequence: u64) -> Result<(), StateError> {
        let entry = self.next(book, sequence)?;
        book.ledger.note_durably(entry)?;
        book.entry = entry;
        Ok(())
    }

    fn next(&self, book: &Book, sequence: u64) -> Result<Entry, StateError> {
        self.entry(book.entry, sequence.max(book.entry.sequence)).map_err(|error| fault::io(&self.folder, &error))
    }

    /// The entry that follows `last`.
    fn entry(&self, last: Entry, sequence: u64) -> io::Result<Entry> {
        let number = current_manifest(&self.folder)?.ok_or(io::ErrorKind::InvalidData)?;
        let path = manifest_path(&self.folder, number);
        let known = if number == last.manifest { last.manifest_len } else { 0 };
        let mut entry = Entry { phase: Phase::Ready, sequence, manifest: number, manifest_len: known };
        if fs::metadata(&path)?.len() != known {
            let whole = journal::whole_frames(&path, known)?;
            // What the ledger says was on disk must be: RocksDB may be about to sync this very part.
            File::open(&path)?.sync_data()?;
            entry.manifest_len = whole.max(known);
        }
        Ok(entry)
    }

    fn book<T>(&self, work: impl FnOnce(&mut Book) -> T) -> T {
        // An entry is replaced as a whole, so a panic elsewhere leaves a whole one.
        work(&mut lock(&self.book))
    }
}

/// The manifest is the list of all other files: a shorter one is an older state.
///
/// Returns up to which sequence number everything is in the files that it lists.
fn check_manifest(folder: &Path, entry: Entry) -> Result<u64, StateError> {
    let current = current_manifest(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => fault::damaged(folder, "its file `CURRENT` is missing"),
        _ => fault::io(folder, &error),
    })?;
    let Some(number) = current else {
        return Err(fault::damaged(folder, "its file `CURRENT` does not name a manifest"));
    };
    let path = manifest_path(folder, number);
    let whole = journal::whole_frames(&path, 0).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            fault::damaged(folder, format_args!("`CURRENT` names manifest {number}, which is missing"))
        }
        _ => fault::io(&path, &error),
    })?;
    if number < entry.manifest {
        let older = format_args!("`CURRENT` names manifest {number}, but {} was in use", entry.manifest);
        return Err(fault::damaged(folder, older));
    }
    if number == entry.manifest && whole < entry.manifest_len {
        let lost = format_args!("manifest {number} can be read up to byte {whole} of {}", entry.manifest_len);
        return Err(fault::damaged(folder, lost));
    }
    manifest::last_sequence(&path).map_err(|error| fault::io(&path, &error))
}

/// The logs go on where the other files end.
fn check_wals(folder: &Path, wals: &[(u64, PathBuf)], durable: u64) -> Result<(), StateError> {
    let paths: Vec<_> = wals.iter().map(|(_, path)| path).collect();
    match journal::first_gap(&paths, durable).map_err(|error| fault::io(folder, &error))? {
        None => Ok(()),
        Some((from, to)) => {
            Err(fault::damaged(folder, format_args!("changes {from} to {} are missing from its log", to - 1)))
        }
    }
}

/// The number of the manifest in use; `None` if `CURRENT` holds something else than a name of one.
fn current_manifest(folder: &Path) -> io::Result<Option<u64>> {
    let bytes = fs::read(folder.join("CURRENT"))?;
    let number = str::from_utf8(&bytes).ok().and_then(|text| text.strip_suffix('\n')).and_then(manifest_number);
    Ok(number)
}

fn manifest_number(name: &str) -> Option<u64> {
    name.strip_prefix("MANIFEST-").and_then(number)
}

fn manifest_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("MANIFEST-{number:06}"))
}

fn number(digits: &str) -> Option<u64> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// What of RocksDB lies in a folder.
#[derive(Default)]
struct Files {
    /// `CURRENT`, a manifest, or a file with records.
    others: bool,
    /// The write-ahead logs, oldest first.
    wals: Vec<(u64, PathBuf)>,
}

impl Files {
    fn list(folder: &Path) -> Result<Self, StateError> {
        let mut files = Self::default();
        for entry in fs::read_dir(folder).map_err(|error| fault::io(folder, &error))? {
            let entry = entry.map_err(|error| fault::io(folder, &error))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if let Some(wal) = name.strip_suffix(".log").and_then(number) {
                files.wals.push((wal, entry.path()));
            }
            files.others |= name == "CURRENT"
                || manifest_number(name).is_some()
                || name.strip_suffix(".sst").and_then(number).is_some();
        }
        files.wals.sort();
        Ok(files)
    }

    fn hold_data(&self) -> bool {
        self.others || !self.wals.is_empty()
    }
}
