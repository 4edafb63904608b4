//! Where the state of an example lives.

use clap::ValueEnum;

/// Where the state lives: by default in the one on disk that is quickest to build, of those that are built in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// On disk, by fjall: a run goes on where the last one committed
    #[cfg(feature = "fjall")]
    #[default]
    Fjall,
    /// On disk, by RocksDB: a run goes on where the last one committed
    #[cfg(feature = "rocksdb")]
    #[cfg_attr(not(feature = "fjall"), default)]
    Rocksdb,
    /// In memory: every run starts over
    #[cfg_attr(not(any(feature = "fjall", feature = "rocksdb")), default)]
    Memory,
}
