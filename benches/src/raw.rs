//! The peer on disk: RocksDB as an expert uses it without the library.

use crate::error::Error;
use rocksdb::{
    BlockBasedOptions, BottommostLevelCompaction, Cache, CompactOptions, DB, DBCompressionType, DBPinnableSlice,
    DBRecoveryMode, DEFAULT_COLUMN_FAMILY_NAME, LogLevel, Options, ReadOptions, WriteBatch, WriteOptions,
};
use std::path::Path;

/// Steps that the peer gathers before it writes them.
pub(crate) const BATCH: usize = 1_000;

/// The options that the library's own backend opens a folder with.
///
/// Where the two differ, a case would compare options instead of code.
pub(crate) fn options() -> Result<Options, Error> {
    let mut table = BlockBasedOptions::default();
    // One shard: an LRU cache of this size has 64, and no filter of a large file fits in one of those.
    table.set_block_cache(&Cache::new_hyper_clock_cache(32 << 20, 0));
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_bloom_filter(10.0, false);
    let mut options = Options::default()
        .get_options_from_string("memtable_op_scan_flush_trigger=500;memtable_avg_op_scan_flush_trigger=20")?;
    options.set_block_based_table_factory(&table);
    options.set_memtable_prefix_bloom_ratio(0.1);
    options.set_memtable_whole_key_filtering(true);
    options.set_write_buffer_size(16 << 20);
    options.add_compact_on_deletion_collector_factory(256, 128, 0.0);
    options.set_compression_type(DBCompressionType::None);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(4);
    options.set_max_log_file_size(1 << 20);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options.create_if_missing(true);
    options.set_paranoid_checks(true);
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_track_and_verify_wals_in_manifest(true);
    Ok(options)
}

/// A value that was looked for.
pub(crate) type Found<'a> = Result<Option<DBPinnableSlice<'a>>, rocksdb::Error>;

/// An open database with the settings of its reads and writes, made once and not for every call.
pub(crate) struct Raw {
    pub(crate) db: DB,
    pub(crate) read: ReadOptions,
    synced: WriteOptions,
    unsynced: WriteOptions,
}

impl Raw {
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        Self::open_with(&options()?, folder)
    }

    pub(crate) fn open_with(options: &Options, folder: &Path) -> Result<Self, Error> {
        // By its name, or else there is no handle of it for the batched `multi_get`.
        let families = [(DEFAULT_COLUMN_FAMILY_NAME, options.clone())];
        let db = DB::open_cf_with_opts(options, folder, families)?;
        let mut read = ReadOptions::default();
        read.set_verify_checksums(true);
        let mut synced = WriteOptions::default();
        synced.set_sync(true);
        Ok(Self { db, read, synced, unsynced: WriteOptions::default() })
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<DBPinnableSlice<'_>>, Error> {
        Ok(self.db.get_pinned_opt(key, &self.read)?)
    }

    /// The values of sorted `keys`, in their order.
    pub(crate) fn multi_get<const N: usize>(&self, keys: &[[u8; N]]) -> Result<Vec<Found<'_>>, Error> {
        let family = self.db.cf_handle(DEFAULT_COLUMN_FAMILY_NAME).ok_or(Error::ColumnFamily)?;
        Ok(self.db.batched_multi_get_cf_opt(&family, keys, true, &self.read))
    }

    /// Writes `batch` to the log and the memtable.
    pub(crate) fn write(&self, batch: WriteBatch) -> Result<(), Error> {
        Ok(self.db.write_opt(batch, &self.unsynced)?)
    }

    /// Writes `batch`, and waits until the disk has it and everything before.
    pub(crate) fn commit(&self, batch: WriteBatch) -> Result<(), Error> {
        Ok(self.db.write_opt(batch, &self.synced)?)
    }

    /// Writes all `records` and puts them in the order in which the library's backend leaves them.
    pub(crate) fn load<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        records: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        for (key, value) in records {
            batch.put(key, value);
            if batch.len() >= BATCH {
                self.write(std::mem::take(&mut batch))?;
            }
        }
        self.commit(batch)?;
        self.compact()
    }

    /// What `RocksDbStateBackend::compact` does.
    pub(crate) fn compact(&self) -> Result<(), Error> {
        self.db.flush()?;
        let mut whole = CompactOptions::default();
        whole.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        self.db.compact_range_opt(None::<&[u8]>, None::<&[u8]>, &whole);
        Ok(())
    }
}

/// The peer's value of a counter.
pub(crate) fn number(key: u64, bytes: &[u8]) -> Result<i64, Error> {
    bytes.try_into().map(i64::from_le_bytes).map_err(|_| Error::Record { key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use krishiv_api::RocksDbStateBackend;
    use std::collections::BTreeSet;
    use std::fs;

    /// What names the folder, and what only the library's backend sets: RocksDB adds the period to any such filter, and the peer has
    /// nothing to merge.
    const OWN: [&str; 5] = [
        "wal_dir=",
        "compaction_filter_factory=",
        "periodic_compaction_seconds=",
        "merge_operator=",
        "max_successive_merges=",
    ];

    /// The options of an open folder, as RocksDB itself writes them down; the block cache is not among them.
    fn written(folder: &Path) -> BTreeSet<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let newest = names.filter(|path| path.to_string_lossy().contains("/OPTIONS-")).max().unwrap();
        let text = fs::read_to_string(newest).unwrap();
        let lines = text.lines().map(|line| line.trim().to_owned());
        lines.filter(|line| !OWN.iter().any(|own| line.starts_with(own))).collect()
    }

    #[test]
    fn the_peer_has_the_options_of_the_backend() {
        let (ours, peer) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let backend = RocksDbStateBackend::open(ours.path()).unwrap();
        let raw = Raw::open(peer.path()).unwrap();
        let (of_ours, of_peer) = (written(ours.path()), written(peer.path()));
        drop((backend, raw));
        assert!(of_ours.len() > 100, "{of_ours:?}");
        let differ: Vec<_> = of_ours.symmetric_difference(&of_peer).collect();
        assert!(differ.is_empty(), "{differ:#?}");
    }
}
