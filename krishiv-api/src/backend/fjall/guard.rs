//! Refuses a folder that has lost commits, before fjall touches it, and notes those that are made.
//!
//! Commits are numbered, and each carries its number. So a gap can be seen: in a journal, between two of them, and between the
//! tables and the first. What is missing at the end is seen by the ledger.

use super::fault::panicked;
use super::journal::{Batch, Journal, Step};
use super::tables::Tables;
use crate::backend::folder::fault::{damaged, io};
use crate::backend::folder::ledger::{Entry, Ledger, Phase};
use crate::backend::folder::{self, Kind};
use crate::error::StateError;
use crate::lock::lock;
use std::fs::{self, OpenOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const NAME: &str = Kind::Fjall.ledger();

/// What fjall makes, but for its journals.
const FILES: [&str; 3] = ["version", "lock", "keyspaces"];

/// Watches over one open folder.
#[derive(Debug)]
pub(super) struct Guard {
    folder: PathBuf,
    book: Mutex<Book>,
    /// The last commit that was found.
    found: u64,
}

#[derive(Debug)]
struct Book {
    ledger: Ledger,
    entry: Entry,
}

impl Guard {
    /// Locks the folder, made if it is not there, and checks what fjall would not.
    pub(super) fn enter(folder: &Path) -> Result<Self, StateError> {
        folder::enter(folder, Kind::Fjall)?;
        // In this order: whoever makes the folder at the same time writes the ledger first.
        let holds_data = holds_data(folder)?;
        if holds_data && !folder.join(NAME).exists() {
            let reason = format!("it holds fjall's files but not `{NAME}`, which every commit writes");
            return Err(damaged(folder, reason));
        }
        let mut ledger = Ledger::lock(folder, NAME)?;
        let entry = match ledger.read()? {
            Some(entry) => entry,
            None if holds_data => return Err(damaged(folder, format_args!("no entry of `{NAME}` can be read"))),
            None => {
                // On disk before fjall's first file, so that a crash in between is no loss of the ledger.
                ledger.note_durably(Entry::NEW)?;
                Entry::NEW
            }
        };
        let found = match entry.phase {
            Phase::Ready => find(folder, entry.sequence)?,
            Phase::Creating => {
                clear(folder)?;
                0
            }
        };
        Ok(Self { folder: folder.to_owned(), book: Mutex::new(Book { ledger, entry }), found })
    }

    /// Takes note of an opening that has recovered everything up to the commit `number`.
    pub(super) fn opened(&self, number: u64) -> Result<(), StateError> {
        if number != self.found {
            let other = format_args!("its files hold commit {}, and fjall has found {number}", self.found);
            return Err(damaged(&self.folder, other));
        }
        let book = &mut *lock(&self.book);
        let entry = Entry { phase: Phase::Ready, sequence: number, ..book.entry };
        if book.entry.phase == Phase::Creating {
            // From now on missing files are losses, and that must not be forgotten.
            book.ledger.note_durably(entry)?;
        } else {
            book.ledger.note(entry).map_err(|error| io(&self.folder, &error))?;
        }
        book.entry = entry;
        Ok(())
    }

    /// Takes note that the commit `number` is on disk.
    ///
    /// Best effort: the commit has succeeded, and must not be reported as failed because its note could not
    /// be written. The next one tries again.
    pub(super) fn committed(&self, number: u64) {
        let book = &mut *lock(&self.book);
        let entry = Entry { sequence: number, ..book.entry };
        if book.ledger.note(entry).is_ok() {
            book.entry = entry;
        }
    }
}

fn holds_data(folder: &Path) -> Result<bool, StateError> {
    Ok(FILES.iter().any(|name| folder.join(name).exists()) || !journals(folder)?.is_empty())
}

/// The journals of a folder, oldest first.
fn journals(folder: &Path) -> Result<Vec<(u64, PathBuf)>, StateError> {
    let mut journals = Vec::new();
    for file in fs::read_dir(folder).map_err(|error| io(folder, &error))? {
        let file = file.map_err(|error| io(folder, &error))?;
        let name = file.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".jnl")?.parse().ok());
        journals.extend(number.map(|number| (number, file.path())));
    }
    journals.sort();
    Ok(journals)
}

/// Removes what fjall had begun to make, since it goes on with nothing that is half made. Nothing was ever committed.
fn clear(folder: &Path) -> Result<(), StateError> {
    let files = FILES.iter().map(|name| folder.join(name)).filter(|path| path.exists());
    for path in files.chain(journals(folder)?.into_iter().map(|(_, path)| path)) {
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(|error| io(&path, &error))?;
    }
    Ok(())
}

/// The last commit of a folder in which all up to `noted` were durable.
fn find(folder: &Path, noted: u64) -> Result<u64, StateError> {
    let missing = |name: &str| damaged(folder, format_args!("its file `{name}` is missing"));
    if !folder.join("version").exists() {
        // fjall would begin anew.
        return Err(missing("version"));
    }
    let journals = journals(folder)?;
    let Some(((_, newest), older)) = journals.split_last() else { return Err(missing("0.jnl")) };
    // Nothing is in it, and fjall does not make it a second time.
    let locked = OpenOptions::new().write(true).create(true).truncate(false).open(folder.join("lock"));
    locked.map_err(|error| io(folder, &error))?;

    let tables = catch_unwind(AssertUnwindSafe(|| Tables::read(folder)));
    let tables = tables.unwrap_or_else(|panic| Err(panicked(folder, &*panic)))?;
    let mut row = Row { folder, tables, last: None };
    for (_, path) in older {
        // Synced as a whole before the next one was begun.
        if let Some(at) = row.read(path)? {
            return Err(damaged(folder, format_args!("`{}` cannot be read from byte {at} on", path.display())));
        }
    }
    let torn = row.read(newest)?;
    let found = row.found();
    if found < noted {
        return Err(damaged(folder, format_args!("commits {} to {noted}, which were durable, are gone", found + 1)));
    }
    if let Some(at) = torn {
        // What was never acknowledged. fjall goes on behind some of what a crash leaves, and not behind all.
        let cut = OpenOptions::new().write(true).open(newest).and_then(|file| file.set_len(at).and(file.sync_all()));
        cut.map_err(|error| io(newest, &error))?;
    }
    Ok(found)
}

/// Commits one after the other, as they are in the journals.
struct Row<'a> {
    folder: &'a Path,
    tables: Tables,
    last: Option<(u64, u64)>,
}

impl Row<'_> {
    /// Reads the next journal, and says from where on it is no journal.
    fn read(&mut self, path: &Path) -> Result<Option<u64>, StateError> {
        let failed = |error| io(path, &error);
        let mut journal = Journal::open(path).map_err(failed)?;
        loop {
            match journal.next().map_err(failed)? {
                Step::Batch(batch) => self.add(&batch, path)?,
                Step::End => return Ok(None),
                Step::Torn(at) => return Ok(Some(at)),
            }
        }
    }

    fn add(&mut self, batch: &Batch, path: &Path) -> Result<(), StateError> {
        let strange = |what: &str| damaged(self.folder, format_args!("a commit in `{}` has {what}", path.display()));
        let number = batch.number.ok_or_else(|| strange("no number"))?;
        let in_tables = number <= self.tables.number;
        let order = match self.last {
            // The journals begin somewhere in what is in the tables, or right behind it.
            None if in_tables => true,
            None => self.follows(self.tables.number, number)?,
            Some((last, sequence)) => self.follows(last, number)? && batch.sequence > sequence,
        };
        // By its sequence number fjall judges whether a commit is in the tables.
        let judged = self.tables.sequence.is_some_and(|sequence| batch.sequence <= sequence);
        if !order || judged != in_tables {
            return Err(strange("another place than its number says"));
        }
        self.last = Some((number, batch.sequence));
        Ok(())
    }

    fn follows(&self, last: u64, number: u64) -> Result<bool, StateError> {
        if number > last + 1 {
            let gap = format_args!("commits {} to {} are missing from its journals", last + 1, number - 1);
            return Err(damaged(self.folder, gap));
        }
        Ok(number == last + 1)
    }

    /// The last commit, wherever it is.
    fn found(&self) -> u64 {
        self.last.map_or(0, |(number, _)| number).max(self.tables.number)
    }
}
