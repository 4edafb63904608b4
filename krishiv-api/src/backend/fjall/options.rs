//! How a folder of fjall is opened.

/// Settings of a [`FjallStateBackend`](crate::FjallStateBackend).
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// let backend = krishiv_api::FjallOptions::new().cache_bytes(64 << 20).open(dir.path())?;
/// # drop(backend);
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until `open` is called"]
pub struct FjallOptions {
    pub(super) cache_bytes: u64,
    pub(super) memtable_bytes: u64,
    pub(super) sync: bool,
}

impl FjallOptions {
    /// A cache of 32 MiB, memtables of 16 MiB, and every write synced.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// let backend = krishiv_api::FjallOptions::new().open(dir.path())?;
    /// # drop(backend);
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    pub fn new() -> Self {
        Self { cache_bytes: 32 << 20, memtable_bytes: 16 << 20, sync: true }
    }

    /// Size of the cache of file blocks, their indexes and filters, in bytes.
    ///
    /// ```
    /// let options = krishiv_api::FjallOptions::new().cache_bytes(256 << 20);
    /// # let _ = options;
    /// ```
    pub fn cache_bytes(self, cache_bytes: u64) -> Self {
        Self { cache_bytes, ..self }
    }

    /// How much is gathered in memory before it becomes a file, in bytes; up to three times as much is held.
    ///
    /// ```
    /// let options = krishiv_api::FjallOptions::new().memtable_bytes(64 << 20);
    /// # let _ = options;
    /// ```
    pub fn memtable_bytes(self, memtable_bytes: u64) -> Self {
        Self { memtable_bytes, ..self }
    }

    /// Whether a write waits until the disk has it.
    ///
    /// Without, a crash of the program still loses nothing, but a crash of the machine may lose the last
    /// writes. Damage at the end of the journal cannot be told from such a loss then, and goes unnoticed.
    ///
    /// ```
    /// let options = krishiv_api::FjallOptions::new().sync(false);
    /// # let _ = options;
    /// ```
    pub fn sync(self, sync: bool) -> Self {
        Self { sync, ..self }
    }
}

impl Default for FjallOptions {
    fn default() -> Self {
        Self::new()
    }
}
