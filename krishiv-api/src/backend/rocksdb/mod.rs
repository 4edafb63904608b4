//! State in a folder, through RocksDB.

mod bounds;
mod cursors;
mod fault;
mod guard;
mod journal;
mod manifest;
mod merge;
mod options;
mod retention;

use super::folder::fault::damaged;
use super::rules::Rules;
use super::{Durable, Each, Op, Retention, Scan, StateBackend, WriteBatch};
use crate::error::{Cause, StateError};
use ::rocksdb::{
    BottommostLevelCompaction, CompactOptions, DB, DBPinnableSlice, DBRawIterator, DEFAULT_COLUMN_FAMILY_NAME,
    Direction, ErrorKind, IteratorMode, ReadOptions, WriteOptions,
};
use bounds::verified;
use cursors::{Cursors, within};
use guard::Guard;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use options::RocksDbOptions;

/// A [`StateBackend`] in a folder: what a write has returned for is there after a crash.
///
/// One process opens a folder at a time. A write is one RocksDB batch, synced to the log before it returns.
/// All checksums are verified on every read. A file of its own beside RocksDB's, `KRISHIV-COMMITS`, lets it
/// refuse a folder whose files have lost commits, which RocksDB alone would open in an older state.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path();
/// use krishiv_api::{RocksDbStateBackend, StateBackend, WriteBatch};
///
/// let backend = RocksDbStateBackend::open(path)?;
/// let mut batch = WriteBatch::default();
/// batch.put(b"k", b"v");
/// backend.write(batch)?;
/// drop(backend);
///
/// let backend = RocksDbStateBackend::open(path)?;
/// assert_eq!(backend.get(b"k")?, Some(b"v".to_vec()));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
pub struct RocksDbStateBackend {
    // Fields drop in order: RocksDB closes its files, which needs its iterators gone, before the guard gives up the lock.
    cursors: Cursors,
    db: Arc<DB>,
    guard: Guard,
    rules: Rules,
    folder: PathBuf,
    sync: bool,
    /// Whether the last write failed.
    failed: AtomicBool,
    /// How single records are read.
    read: ReadOptions,
}

impl RocksDbOptions {
    /// Opens the folder at `path`, and makes it if it is not there.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// use krishiv_api::{Cause, RocksDbOptions};
    ///
    /// let backend = RocksDbOptions::new().open(dir.path())?;
    /// let second = RocksDbOptions::new().open(dir.path()).unwrap_err();
    /// assert!(matches!(second.cause(), Cause::Locked { .. }));
    /// # drop(backend);
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the folder is open elsewhere, was written by a newer format, is damaged or has lost commits, or
    /// cannot be made.
    pub fn open(self, path: impl AsRef<Path>) -> Result<RocksDbStateBackend, StateError> {
        RocksDbStateBackend::open_with(self, path.as_ref())
    }
}

impl RocksDbStateBackend {
    /// Opens the folder at `path` with the default [`RocksDbOptions`], and makes it if it is not there.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// let backend = krishiv_api::RocksDbStateBackend::open(dir.path().join("state"))?;
    /// # drop(backend);
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the folder is open elsewhere, was written by a newer format, is damaged or has lost commits, or
    /// cannot be made.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StateError> {
        RocksDbOptions::new().open(path)
    }

    fn open_with(options: RocksDbOptions, folder: &Path) -> Result<Self, StateError> {
        let guard = Guard::enter(folder)?;
        let rules = Rules::default();
        let sync = options.is_synced();
        let options = options.build(folder, guard.may_create(), rules.clone());
        let options = options.map_err(|error| fault::rocksdb(folder, error))?;
        // By name, since RocksDB reads many keys at once only by the handle of a column family.
        let families = [(DEFAULT_COLUMN_FAMILY_NAME, options.clone())];
        let db = DB::open_cf_with_opts(&options, folder, families).map_err(|error| fault::rocksdb(folder, error))?;
        guard.opened(db.latest_sequence_number())?;
        Ok(Self {
            cursors: Cursors::default(),
            db: Arc::new(db),
            guard,
            rules,
            folder: folder.to_owned(),
            sync,
            failed: AtomicBool::new(false),
            read: verified(),
        })
    }

    /// Rewrites all files, and gives the space of deleted and expired records back to the disk.
    ///
    /// RocksDB does this bit by bit in the background; there is no need to call it but impatience.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// let backend = krishiv_api::RocksDbStateBackend::open(dir.path())?;
    /// backend.compact()?;
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a file cannot be read or written. Nothing is lost then.
    pub fn compact(&self) -> Result<(), StateError> {
        // What comes after this may be on its way without having been synced.
        let durable = self.db.latest_sequence_number();
        self.db.flush().map_err(|error| self.fault(error))?;
        let failures = self.background_failures()?;
        self.cursors.forget();
        let mut whole = CompactOptions::default();
        // The last level is not rewritten otherwise, and most expired records are there.
        whole.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        self.db.compact_range_opt(None::<&[u8]>, None::<&[u8]>, &whole);
        // The call above tells nothing.
        if self.background_failures()? != failures {
            return Err(damaged(&self.folder, "a compaction failed; the file `LOG` in the folder says where"));
        }
        self.guard.settled(durable)
    }

    fn background_failures(&self) -> Result<Option<u64>, StateError> {
        self.db.property_int_value(::rocksdb::properties::BACKGROUND_ERRORS).map_err(|error| self.fault(error))
    }

    fn fault(&self, error: ::rocksdb::Error) -> StateError {
        fault::rocksdb(&self.folder, error)
    }

    /// Once its log has failed, on a full disk for example, RocksDB answers every write with the failure of that time.
    fn fault_of_write(&self, error: ::rocksdb::Error) -> StateError {
        if self.failed.swap(true, Ordering::Relaxed) && error.kind() == ErrorKind::IOError {
            return Cause::Stopped { reason: error.into_string() }.into();
        }
        self.fault(error)
    }
}

impl fmt::Debug for RocksDbStateBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RocksDbStateBackend").field("folder", &self.folder).field("sync", &self.sync).finish()
    }
}

impl StateBackend for RocksDbStateBackend {
    type Survival = Durable;
    // The folder is locked.
    const EXCLUSIVE: bool = true;
    const MERGES: bool = true;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let mut found = None;
        self.read(key, &mut |value| found = value.map(<[u8]>::to_vec))?;
        Ok(found)
    }

    fn read(&self, key: &[u8], read: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), StateError> {
        let value = self.db.get_pinned_opt(key, &self.read).map_err(|error| self.fault(error))?;
        read(value.as_deref());
        Ok(())
    }

    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let Some(family) = self.db.cf_handle(DEFAULT_COLUMN_FAMILY_NAME) else {
            return Err(damaged(&self.folder, "the default column family is gone"));
        };
        // It sorts the keys, and reads each block and filter once for all keys that need it.
        let values = self.db.batched_multi_get_cf_opt(family, keys.iter().copied(), false, &self.read);
        let owned = |value: DBPinnableSlice<'_>| value.to_vec();
        values.into_iter().map(|value| value.map(|value| value.map(owned)).map_err(|error| self.fault(error))).collect()
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.scan_from(prefix, prefix)
    }

    fn scan_from<'a>(&'a self, prefix: &[u8], from: &[u8]) -> Scan<'a> {
        let start = IteratorMode::From(prefix.max(from), Direction::Forward);
        let records = self.db.iterator_opt(start, within(prefix));
        Box::new(records.map(|record| match record {
            Ok((key, value)) => Ok((key.into_vec(), value.into_vec())),
            Err(error) => Err(self.fault(error)),
        }))
    }

    fn for_each(&self, prefix: &[u8], each: &mut Each<'_>) -> Result<(), StateError> {
        let mut from = prefix.to_vec();
        let kept = self.cursors.with(&self.db, |records| walk(records, prefix, &mut from, each))?;
        let end = match kept {
            Err(error) if error.kind() == ErrorKind::Incomplete => {
                walk(&mut self.db.raw_iterator_opt(within(prefix)), prefix, &mut from, each)?
            }
            end => end,
        };
        end.map_err(|error| self.fault(error))
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        if batch.is_empty() {
            return Ok(());
        }
        // Twelve bytes in front, and per step a tag and two lengths of mostly one byte.
        let mut steps = ::rocksdb::WriteBatch::with_capacity_bytes(12 + batch.size() + 4 * batch.len());
        // Neighbours go into the memtable next to each other, which costs a fraction of a search for each.
        batch.for_each_in_key_order(|op| match op {
            Op::Put(key, value) => steps.put(key, value),
            Op::Delete(key) => steps.delete(key),
            Op::Merge(key, changes) => steps.merge(key, changes),
        });
        let mut options = WriteOptions::default();
        options.set_sync(self.sync);
        let written = self.db.write_opt(steps, &options);
        // Whatever has become of it: a write that failed may have come through.
        self.cursors.forget();
        written.map_err(|error| self.fault_of_write(error))?;
        if self.failed.load(Ordering::Relaxed) {
            self.failed.store(false, Ordering::Relaxed);
        }
        if self.sync {
            self.guard.committed(|| self.db.latest_sequence_number());
        }
        Ok(())
    }

    fn add_retention(&self, rule: Arc<dyn Retention>) {
        self.rules.add(rule);
    }
}

/// Hands the records of a prefix to `each`, from the key `from` on, which comes to lie behind the last of them.
///
/// The result within says how `records` ended.
fn walk(
    records: &mut DBRawIterator<'_>,
    prefix: &[u8],
    from: &mut Vec<u8>,
    each: &mut Each<'_>,
) -> Result<Result<(), ::rocksdb::Error>, StateError> {
    records.seek(&from);
    while let Some((key, value)) = records.item().filter(|(key, _)| key.starts_with(prefix)) {
        each(key, value)?;
        from.clear();
        from.extend_from_slice(key);
        from.push(0);
        records.next();
    }
    Ok(records.status())
}
