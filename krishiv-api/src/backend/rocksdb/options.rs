//! How a RocksDB folder is opened.

use super::merge;
use crate::backend::rules::Rules;
use ::rocksdb::{BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, LogLevel, Options};
use std::fmt;
use std::path::Path;

/// A file is compacted soon if so many of so many neighbouring records in it are removals.
const DELETIONS: usize = 128;
const DELETIONS_WINDOW: usize = 256;

/// A memtable becomes a file if one step of a scan passes by so many removed records in it: only files are compacted. For this
/// option the crate has no method.
const HIDDEN: &str = "memtable_op_scan_flush_trigger=500;memtable_avg_op_scan_flush_trigger=20";

/// Changes of one row that lie in a memtable until they are made one.
const SUCCESSIVE_MERGES: usize = 16;

type Tune = Box<dyn FnOnce(&mut Options)>;

/// Settings of a [`RocksDbStateBackend`](crate::RocksDbStateBackend).
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// use krishiv_api::RocksDbOptions;
///
/// let backend = RocksDbOptions::new()
///     .cache_bytes(64 << 20)
///     .tune(|options| options.set_write_buffer_size(16 << 20))
///     .open(dir.path())?;
/// # drop(backend);
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
#[must_use = "options do nothing until `open` is called"]
pub struct RocksDbOptions {
    cache_bytes: usize,
    sync: bool,
    tune: Vec<Tune>,
}

impl RocksDbOptions {
    /// A cache of 32 MiB, and every write synced.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// let backend = krishiv_api::RocksDbOptions::new().open(dir.path())?;
    /// # drop(backend);
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    pub fn new() -> Self {
        Self { cache_bytes: 32 << 20, sync: true, tune: Vec::new() }
    }

    /// Size of the cache of file blocks, their indexes and filters, in bytes.
    ///
    /// ```
    /// let options = krishiv_api::RocksDbOptions::new().cache_bytes(256 << 20);
    /// # let _ = options;
    /// ```
    pub fn cache_bytes(self, cache_bytes: usize) -> Self {
        Self { cache_bytes, ..self }
    }

    /// Whether a write waits until the disk has it.
    ///
    /// Without, a crash of the program still loses nothing, but a crash of the machine may lose the last
    /// writes, or may leave a log with holes, which is refused when the folder is opened. Damage at the end of the
    /// log cannot be told from such a loss then, and goes unnoticed.
    ///
    /// ```
    /// let options = krishiv_api::RocksDbOptions::new().sync(false);
    /// # let _ = options;
    /// ```
    pub fn sync(self, sync: bool) -> Self {
        Self { sync, ..self }
    }

    /// Changes RocksDB's own options, those of the database and those of its column family.
    ///
    /// What the promises of the backend rest on is set again afterwards: checks, recovery, the log, the
    /// compaction filter and the merge operator. Leave the comparator, and compaction styles that delete records alone: a folder made with them does not keep what it is given.
    ///
    /// ```
    /// let options = krishiv_api::RocksDbOptions::new().tune(|options| options.set_max_background_jobs(4));
    /// # let _ = options;
    /// ```
    pub fn tune(mut self, tune: impl FnOnce(&mut Options) + 'static) -> Self {
        self.tune.push(Box::new(tune));
        self
    }

    pub(super) fn is_synced(&self) -> bool {
        self.sync
    }

    /// The options of RocksDB for `folder`: what may be tuned, what the user tunes, what may not be tuned.
    ///
    /// # Errors
    ///
    /// When RocksDB does not know an option that has only a name.
    pub(super) fn build(self, folder: &Path, may_create: bool, rules: Rules) -> Result<Options, ::rocksdb::Error> {
        let mut options = Options::default().get_options_from_string(HIDDEN)?;
        self.suggest(&mut options);
        for tune in self.tune {
            tune(&mut options);
        }
        options.create_if_missing(may_create);
        options.set_paranoid_checks(true);
        options.set_compaction_filter_factory(rules);
        options.set_merge_operator(merge::NAME, merge::whole, merge::part);
        // A torn tail is what a crash leaves; anything else is damage. The guard tells a torn tail from a lost one.
        options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
        options.set_track_and_verify_wals_in_manifest(true);
        // The guard reads the log, so the log stays where it looks for it, and as it is written by default.
        options.set_wal_dir(folder);
        options.set_wal_compression_type(DBCompressionType::None);
        options.set_recycle_log_file_num(0);
        options.set_manual_wal_flush(false);
        options.set_unordered_write(false);
        options.set_enable_pipelined_write(false);
        Ok(options)
    }

    fn suggest(&self, options: &mut Options) {
        let mut table = BlockBasedOptions::default();
        // An LRU cache is cut into 64 parts, and the filter of a million keys is larger than a part of 32 MiB: it would be
        // read and checked anew for each key. This cache is whole, and takes no lock.
        table.set_block_cache(&Cache::new_hyper_clock_cache(self.cache_bytes, 0));
        table.set_cache_index_and_filter_blocks(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);
        table.set_bloom_filter(10.0, false);
        options.set_block_based_table_factory(&table);
        // Most keys that are looked for are not in the memtable, and a search of it costs more than a search of the files:
        // with a filter in front, reads over the budget take two thirds of the time.
        options.set_memtable_prefix_bloom_ratio(0.1);
        options.set_memtable_whole_key_filtering(true);
        // A quarter of the default: insertion is faster into a smaller memtable, and two of them are held at a time.
        options.set_write_buffer_size(16 << 20);
        // Of a row that is changed again and again without being read, a reader puts together at most so many changes of one memtable.
        options.set_max_successive_merges(SUCCESSIVE_MERGES);
        // Removed records are passed by one after the other until a compaction drops them, which otherwise comes only when files do.
        options.add_compact_on_deletion_collector_factory(DELETIONS_WINDOW, DELETIONS, 0.0);
        options.set_compression_type(DBCompressionType::None);
        // RocksDB's diary, not the state: a few small files.
        options.set_log_level(LogLevel::Warn);
        options.set_keep_log_file_num(4);
        options.set_max_log_file_size(1 << 20);
        options.set_stats_dump_period_sec(0);
        options.set_stats_persist_period_sec(0);
    }
}

impl Default for RocksDbOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RocksDbOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RocksDbOptions")
            .field("cache_bytes", &self.cache_bytes)
            .field("sync", &self.sync)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// RocksDB writes down what it was opened with; a name that it no longer knows would be an error, and one that means something
    /// else would not be there.
    #[test]
    fn what_keeps_removals_from_adding_up_is_set() {
        let folder = tempfile::tempdir().unwrap();
        let backend = RocksDbOptions::new().open(folder.path()).unwrap();
        let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let newest = files.filter(|path| path.to_string_lossy().contains("/OPTIONS-")).max().unwrap();
        let text = fs::read_to_string(newest).unwrap();
        drop(backend);
        for line in ["memtable_op_scan_flush_trigger=500", "memtable_avg_op_scan_flush_trigger=20"] {
            assert!(text.lines().any(|written| written.trim() == line), "{line} is not in {text}");
        }
        assert!(text.contains("CompactOnDeletionCollector"), "{text}");
    }
}
