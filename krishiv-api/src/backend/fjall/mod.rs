//! State in a folder, through fjall.

mod fault;
mod guard;
mod journal;
mod keys;
mod options;
mod records;
mod retention;
mod steps;
mod tables;

use super::prefix::end_of;
use super::rules::Rules;
use super::{Durable, Each, Retention, Scan, StateBackend, WriteBatch};
use crate::error::StateError;
use crate::lock::lock;
use ::fjall::{
    Database, Keyspace, KeyspaceCreateOptions, KvPair, OwnedWriteBatch, PersistMode, Readable, Snapshot, UserValue,
};
use guard::Guard;
use lsm_tree::AbstractTree;
use records::Records;
use std::fmt;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread::sleep;
use std::time::Duration;
use steps::gather;

pub use options::FjallOptions;

/// Files that overlap, from which on a write waits until some of them are one. fjall itself slows writes down at 20.
const OVERLAPPING: usize = 20;

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(1);

/// A [`StateBackend`] in a folder, in pure Rust: what a write has returned for is there after a crash.
///
/// One process opens a folder at a time. A write is one batch of fjall, synced to its journal before it returns, and readers see
/// it whole or not at all. A file of its own beside fjall's, `KRISHIV-FJALL`, and a number in each commit let it refuse a folder
/// whose files have lost commits, which fjall alone would open in an older state. A record's key is up to 65,533 bytes long: a store takes keys and map keys
/// of 32,734 bytes, encoded, and refuses longer ones in their event.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path();
/// use krishiv_api::{FjallStateBackend, StateBackend, WriteBatch};
///
/// let backend = FjallStateBackend::open(path)?;
/// let mut batch = WriteBatch::default();
/// batch.put(b"k", b"v");
/// backend.write(batch)?;
/// drop(backend);
///
/// let backend = FjallStateBackend::open(path)?;
/// assert_eq!(backend.get(b"k")?, Some(b"v".to_vec()));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
pub struct FjallStateBackend {
    /// What readers see: fjall puts the steps of a batch into memory one after the other, and a snapshot has them all.
    shown: RwLock<Snapshot>,
    // Fields drop in order: fjall closes its files before the guard gives up the lock.
    records: Keyspace,
    db: Database,
    guard: Guard,
    rules: Rules,
    folder: PathBuf,
    memtable_bytes: u64,
    sync: bool,
    /// The number of the last commit; locked by who writes.
    last: Mutex<u64>,
}

impl FjallOptions {
    /// Opens the folder at `path`, and makes it if it is not there.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use krishiv_api::{Cause, FjallOptions};
    ///
    /// let backend = FjallOptions::new().open(dir.path())?;
    /// let second = FjallOptions::new().open(dir.path()).unwrap_err();
    /// assert!(matches!(second.cause(), Cause::Locked { .. }));
    /// # drop(backend);
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the folder is open elsewhere, is one of RocksDB, was written by a newer format, is damaged or has lost commits, or
    /// cannot be made.
    pub fn open(self, path: impl AsRef<Path>) -> Result<FjallStateBackend, StateError> {
        FjallStateBackend::open_with(&self, path.as_ref())
    }
}

impl FjallStateBackend {
    /// Opens the folder at `path` with the default [`FjallOptions`], and makes it if it is not there.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// let backend = krishiv_api::FjallStateBackend::open(dir.path().join("state"))?;
    /// # drop(backend);
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the folder is open elsewhere, is one of RocksDB, was written by a newer format, is damaged or has lost commits, or
    /// cannot be made.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StateError> {
        FjallOptions::new().open(path)
    }

    fn open_with(options: &FjallOptions, folder: &Path) -> Result<Self, StateError> {
        let guard = Guard::enter(folder)?;
        let rules = Rules::default();
        let opened = catch_unwind(AssertUnwindSafe(|| database(options, folder, &rules)));
        let opened = opened.map_err(|panic| fault::panicked(folder, &*panic))?;
        let (db, records) = opened.map_err(|error| fault::fjall(folder, error))?;
        let last = tables::number(&records.tree).map_err(|error| fault::tree(folder, error))?;
        guard.opened(last)?;
        Ok(Self {
            shown: RwLock::new(db.snapshot()),
            records,
            db,
            guard,
            rules,
            folder: folder.to_owned(),
            memtable_bytes: options.memtable_bytes,
            sync: options.sync,
            last: Mutex::new(last),
        })
    }

    /// Rewrites all files, and gives the space of deleted and expired records back to the disk.
    ///
    /// fjall does this bit by bit in the background; there is no need to call it but impatience.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// let backend = krishiv_api::FjallStateBackend::open(dir.path())?;
    /// backend.compact()?;
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a file cannot be read or written. Nothing is lost then.
    pub fn compact(&self) -> Result<(), StateError> {
        self.records.rotate_memtable().map_err(|error| self.fault(error))?;
        self.wait_while(|| self.records.tree.sealed_memtable_count() > 0)?;
        self.records.major_compact().map_err(|error| self.fault(error))?;
        // A snapshot shows the files of its time. Taken while nobody writes, the next one has no half of a batch.
        let _nobody_writes = lock(&self.last);
        self.show();
        Ok(())
    }

    /// Waits for fjall's workers to catch up.
    ///
    /// fjall itself halts a write until they have, for ever if they have ended by an error; here that is seen.
    #[expect(clippy::disallowed_methods, reason = "fjall has nothing to wait on, and sleeps itself")]
    fn wait_while(&self, behind: impl Fn() -> bool) -> Result<(), StateError> {
        while behind() {
            self.db.persist(PersistMode::Buffer).map_err(|error| self.fault(error))?;
            sleep(PAUSE);
        }
        Ok(())
    }

    fn shown(&self) -> RwLockReadGuard<'_, Snapshot> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self) {
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = self.db.snapshot();
    }

    fn range(&self, prefix: &[u8], from: &[u8]) -> Records {
        let from = prefix.max(from);
        if prefix.len() > keys::LONGEST {
            return Records::none();
        }
        let start = match from.get(..keys::LONGEST) {
            // What is longer than any key comes right behind the longest that it begins with.
            Some(longest) if from.len() > keys::LONGEST => Bound::Excluded(keys::stored(longest).into_owned()),
            _ => Bound::Included(keys::stored(from).into_owned()),
        };
        let end = end_of(prefix).map_or(Bound::Unbounded, Bound::Excluded);
        Records::new(self.shown().range(&self.records, (start, end)))
    }

    /// The batch of fjall that makes the commit `number`. Nobody else writes meanwhile.
    fn steps(&self, batch: &WriteBatch, number: u64) -> Result<OwnedWriteBatch, StateError> {
        let mode = if self.sync { PersistMode::SyncData } else { PersistMode::Buffer };
        let room = batch.len().saturating_add(1);
        let mut steps = OwnedWriteBatch::with_capacity(self.db.clone(), room).durability(Some(mode));
        steps.insert(&self.records, keys::NUMBER, number.to_le_bytes());
        let stored = |key: &[u8]| self.get(key);
        gather(batch, stored, |key, value| match value {
            Some(value) => steps.insert(&self.records, &*keys::stored(key), &*value),
            None => steps.remove(&self.records, &*keys::stored(key)),
        })?;
        Ok(steps)
    }

    fn fault(&self, error: ::fjall::Error) -> StateError {
        fault::fjall(&self.folder, error)
    }
}

fn database(options: &FjallOptions, folder: &Path, rules: &Rules) -> ::fjall::Result<(Database, Keyspace)> {
    let rules = rules.clone();
    let db = Database::builder(folder)
        .cache_size(options.cache_bytes)
        .with_compaction_filter_factories(Arc::new(move |_| Some(Arc::new(rules.clone()))))
        .open()?;
    // When a memtable becomes a file is said by the options of each opening; fjall would keep what the first one said.
    let records = db.keyspace(tables::RECORDS, || KeyspaceCreateOptions::default().max_memtable_size(u64::MAX))?;
    Ok((db, records))
}

/// The value of `key`; fjall panics over one that is longer than any can be.
fn get(shown: &Snapshot, records: &Keyspace, key: &[u8]) -> ::fjall::Result<Option<UserValue>> {
    if key.len() > keys::LONGEST { Ok(None) } else { shown.get(records, keys::stored(key)) }
}

impl fmt::Debug for FjallStateBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FjallStateBackend").field("folder", &self.folder).field("sync", &self.sync).finish()
    }
}

impl StateBackend for FjallStateBackend {
    type Survival = Durable;
    // The folder is locked.
    const EXCLUSIVE: bool = true;
    const MERGES: bool = true;
    const LONGEST_KEY: usize = keys::LONGEST;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let mut found = None;
        self.read(key, &mut |value| found = value.map(<[u8]>::to_vec))?;
        Ok(found)
    }

    fn read(&self, key: &[u8], read: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), StateError> {
        let value = get(&self.shown(), &self.records, key).map_err(|error| self.fault(error))?;
        read(value.as_deref());
        Ok(())
    }

    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let shown = self.shown();
        let values = keys.iter().map(|key| Ok(get(&shown, &self.records, key)?.map(|value| value.to_vec())));
        values.collect::<Result<_, _>>().map_err(|error| self.fault(error))
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.scan_from(prefix, prefix)
    }

    fn scan_from<'a>(&'a self, prefix: &[u8], from: &[u8]) -> Scan<'a> {
        let owned = |(key, value): KvPair| (key.to_vec(), value.to_vec());
        Box::new(self.range(prefix, from).map(move |record| record.map(owned).map_err(|error| self.fault(error))))
    }

    fn for_each(&self, prefix: &[u8], each: &mut Each<'_>) -> Result<(), StateError> {
        for record in self.range(prefix, prefix) {
            let (key, value) = record.map_err(|error| self.fault(error))?;
            each(&key, &value)?;
        }
        Ok(())
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        if batch.is_empty() {
            return Ok(());
        }
        let last = &mut *lock(&self.last);
        let number = last.saturating_add(1);
        let steps = self.steps(&batch, number)?;
        self.wait_while(|| {
            // A second memtable may be on its way while a third is filled.
            self.records.tree.sealed_memtable_count() > 1 || self.records.tree.l0_run_count() >= OVERLAPPING
        })?;
        steps.commit().map_err(|error| self.fault(error))?;
        *last = number;
        self.show();
        if self.sync {
            self.guard.committed(number);
        }
        if self.records.tree.active_memtable().size() > self.memtable_bytes {
            // The commit has succeeded, whatever becomes of this; and a journal that cannot be removed is for the next one.
            let _: ::fjall::Result<bool> = self.records.rotate_memtable();
        }
        Ok(())
    }

    fn add_retention(&self, rule: Arc<dyn Retention>) {
        self.rules.add(rule);
    }
}
