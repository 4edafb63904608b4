//! What the tests share: every backend, each able to go down and come back with what it had made durable.

pub mod four;
pub mod keeper;
pub mod row;
pub mod writer;

use krishiv_api::{
    FjallStateBackend, InMemoryStateBackend, Keyed, KeyedBuilder, KeyedState, Op, RocksDbStateBackend, Scan,
    StateBackend, StateError, TtlConfig, TtlStateBackend, Volatile, WriteBatch,
};
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};
use tempfile::TempDir;

/// A place where state lives, that outlives the stores and backends opened on it.
pub trait Place {
    /// The backend that is opened here.
    type Backend: StateBackend;

    /// A new, empty place.
    fn new() -> Self;

    /// Opens the place. All stores of the backend opened before must be gone.
    fn open(&self) -> Arc<Self::Backend>;
}

/// The memory of this process, which survives its stores.
pub struct Memory(Arc<InMemoryStateBackend>);

impl Place for Memory {
    type Backend = InMemoryStateBackend;
    fn new() -> Self {
        Self(Arc::new(InMemoryStateBackend::new()))
    }
    fn open(&self) -> Arc<InMemoryStateBackend> {
        Arc::clone(&self.0)
    }
}

/// A place in a folder, whose files are rewritten from time to time.
pub trait Folder: Place {
    /// The folder.
    fn path(&self) -> &Path;

    /// Opens it, or says why it does not.
    fn try_open(path: &Path) -> Result<Arc<Self::Backend>, StateError>;

    /// Rewrites all files now.
    fn compact(backend: &Self::Backend);
}

/// A folder of RocksDB.
pub struct RocksDb(TempDir);

impl Folder for RocksDb {
    fn path(&self) -> &Path {
        self.0.path()
    }
    fn try_open(path: &Path) -> Result<Arc<RocksDbStateBackend>, StateError> {
        RocksDbStateBackend::open(path).map(Arc::new)
    }
    fn compact(backend: &RocksDbStateBackend) {
        backend.compact().expect("the files are rewritten");
    }
}

impl Place for RocksDb {
    type Backend = RocksDbStateBackend;
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }
    fn open(&self) -> Arc<RocksDbStateBackend> {
        Arc::new(RocksDbStateBackend::open(self.0.path()).expect("the folder opens"))
    }
}

/// A folder of fjall.
pub struct Fjall(TempDir);

impl Folder for Fjall {
    fn path(&self) -> &Path {
        self.0.path()
    }
    fn try_open(path: &Path) -> Result<Arc<FjallStateBackend>, StateError> {
        FjallStateBackend::open(path).map(Arc::new)
    }
    fn compact(backend: &FjallStateBackend) {
        backend.compact().expect("the files are rewritten");
    }
}

impl Place for Fjall {
    type Backend = FjallStateBackend;
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }
    fn open(&self) -> Arc<FjallStateBackend> {
        Arc::new(FjallStateBackend::open(self.0.path()).expect("the folder opens"))
    }
}

/// Copies all that is below a folder, as a backup does.
///
/// # Errors
///
/// As those of the file system; a file may be gone before its turn comes.
pub fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// A wrapper whose TTL never ends, around any of the others: it must not change what they do.
pub struct Ttl<P>(P);

impl<P: Place> Place for Ttl<P> {
    type Backend = TtlStateBackend<P::Backend>;
    fn new() -> Self {
        Self(P::new())
    }
    fn open(&self) -> Arc<TtlStateBackend<P::Backend>> {
        Arc::new(TtlStateBackend::new(self.0.open(), TtlConfig::new(u64::MAX)))
    }
}

/// A memory that leaves it to commits to put changes of a row together with what is stored of it.
pub struct Reading(Memory);

/// The backend of it.
pub struct WithoutMerging(Arc<InMemoryStateBackend>);

impl Place for Reading {
    type Backend = WithoutMerging;
    fn new() -> Self {
        Self(Place::new())
    }
    fn open(&self) -> Arc<WithoutMerging> {
        Arc::new(WithoutMerging(self.0.open()))
    }
}

impl StateBackend for WithoutMerging {
    type Survival = Volatile;
    const EXCLUSIVE: bool = true;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.0.get(key)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.0.scan(prefix)
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        assert!(!batch.iter().any(|step| matches!(step, Op::Merge(..))), "it has not said that it merges");
        self.0.write(batch)
    }
}

/// One of the places above, told apart when the test runs: for tests of many types, which would be compiled for each place
/// otherwise.
pub enum Anywhere {
    Memory(Memory),
    RocksDb(RocksDb),
    Fjall(Fjall),
    Ttl(Ttl<Memory>),
    TtlOnRocksDb(Ttl<RocksDb>),
}

impl Anywhere {
    /// A new place of each kind.
    pub fn each() -> [Self; 5] {
        [
            Self::Memory(Place::new()),
            Self::RocksDb(Place::new()),
            Self::Fjall(Place::new()),
            Self::Ttl(Place::new()),
            Self::TtlOnRocksDb(Place::new()),
        ]
    }

    /// Opens a store here.
    pub fn open<S: KeyedState<Needs = Volatile>>(&self, builder: KeyedBuilder<S>) -> Keyed<S> {
        let opened = match self {
            Self::Memory(place) => builder.open(place.open()),
            Self::RocksDb(place) => builder.open(place.open()),
            Self::Fjall(place) => builder.open(place.open()),
            Self::Ttl(place) => builder.open(place.open()),
            Self::TtlOnRocksDb(place) => builder.open(place.open()),
        };
        opened.expect("the store opens")
    }
}

/// Makes of each `fn test<P: Place>(place: P)` one test for each backend.
///
/// ```
/// use krishiv_tests::{on_every_backend, Place};
///
/// fn opens<P: Place>(place: P) {
///     let _backend = place.open();
/// }
/// on_every_backend!(opens);
/// ```
#[macro_export]
macro_rules! on_every_backend {
    ($($test:ident),+ $(,)?) => {
        $(
            mod $test {
                #[test]
                fn in_memory() {
                    super::$test(<$crate::Memory as $crate::Place>::new());
                }
                #[test]
                fn on_rocksdb() {
                    super::$test(<$crate::RocksDb as $crate::Place>::new());
                }
                #[test]
                fn on_fjall() {
                    super::$test(<$crate::Fjall as $crate::Place>::new());
                }
                #[test]
                fn under_a_ttl() {
                    super::$test(<$crate::Ttl<$crate::Memory> as $crate::Place>::new());
                }
                #[test]
                fn under_a_ttl_on_rocksdb() {
                    super::$test(<$crate::Ttl<$crate::RocksDb> as $crate::Place>::new());
                }
            }
        )+
    };
}

/// Makes of each `fn test<F: Folder>(folder: F)` one test for each backend in a folder.
///
/// ```
/// use krishiv_tests::{on_every_folder, Folder};
///
/// fn opens<F: Folder>(folder: F) {
///     let _backend = folder.open();
/// }
/// on_every_folder!(opens);
/// ```
#[macro_export]
macro_rules! on_every_folder {
    ($($test:ident),+ $(,)?) => {
        $(
            mod $test {
                #[test]
                fn on_rocksdb() {
                    super::$test(<$crate::RocksDb as $crate::Place>::new());
                }
                #[test]
                fn on_fjall() {
                    super::$test(<$crate::Fjall as $crate::Place>::new());
                }
            }
        )+
    };
}

/// The program in the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The programs of the page on operators compile, and do what it says.
#[cfg(doctest)]
#[doc = include_str!("../../docs/operators.md")]
struct Operators;
