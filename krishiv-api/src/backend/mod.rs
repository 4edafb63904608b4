//! Where bytes live: the small trait that every backend implements, and the four that come with the library.

mod batch;
#[cfg(feature = "contract")]
pub mod contract;
mod copy;
#[cfg(feature = "fjall")]
mod fjall;
#[cfg(any(feature = "fjall", feature = "rocksdb"))]
mod folder;
mod memory;
#[cfg(any(feature = "fjall", feature = "rocksdb"))]
mod prefix;
#[cfg(feature = "rocksdb")]
mod rocksdb;
mod rules;
mod survival;
mod ttl;

use crate::error::StateError;
use std::sync::Arc;

pub use batch::{Op, WriteBatch};
pub use copy::{Copied, copy, copy_and_tell};
pub(crate) use copy::{UNDER_WAY, in_part};
#[cfg(feature = "fjall")]
pub use fjall::{FjallOptions, FjallStateBackend};
pub use memory::InMemoryStateBackend;
#[cfg(feature = "rocksdb")]
pub use rocksdb::{RocksDbOptions, RocksDbStateBackend};
pub(crate) use survival::Covers;
pub use survival::{Durable, Survival, Volatile};
pub use ttl::TtlStateBackend;
pub(crate) use ttl::{DefaultTtl, TtlTime};

/// A record of a scan: its key and its value.
pub type Record = (Vec<u8>, Vec<u8>);

/// The records of a prefix in the order of their keys, read as they are asked for.
pub type Scan<'a> = Box<dyn Iterator<Item = Result<Record, StateError>> + 'a>;

/// What [`StateBackend::for_each`] hands its records to: key and value, where they lie.
///
/// ```
/// let mut bytes = 0;
/// let each: &mut krishiv_api::Each<'_> = &mut |key, value| {
///     bytes += key.len() + value.len();
///     Ok(())
/// };
/// each(b"plane", b"late")?;
/// assert_eq!(bytes, 9);
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
pub type Each<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), StateError> + 'a;

/// Tells which records may be dropped because they have expired.
///
/// Stores hand one to [`StateBackend::add_retention`]; a backend asks it when it rewrites its files, or while it writes. So a rule
/// does not call the backend.
///
/// ```
/// use krishiv_api::Retention;
///
/// struct DropAll;
/// impl Retention for DropAll {
///     fn is_expired(&self, _key: &[u8], _value: &[u8]) -> bool { true }
/// }
/// assert!(DropAll.is_expired(b"k", b"v"));
/// ```
pub trait Retention: Send + Sync + 'static {
    /// Whether this record has expired for good: for the last committed time, and every later one.
    ///
    /// ```
    /// # use krishiv_api::Retention;
    /// # struct KeepAll;
    /// # impl Retention for KeepAll { fn is_expired(&self, _: &[u8], _: &[u8]) -> bool { false } }
    /// assert!(!KeepAll.is_expired(b"k", b"v"));
    /// ```
    fn is_expired(&self, key: &[u8], value: &[u8]) -> bool;

    /// Whether the rule will never apply again, so that the backend may forget it.
    ///
    /// ```
    /// # use krishiv_api::Retention;
    /// # struct KeepAll;
    /// # impl Retention for KeepAll { fn is_expired(&self, _: &[u8], _: &[u8]) -> bool { false } }
    /// assert!(!KeepAll.is_over());
    /// ```
    fn is_over(&self) -> bool {
        false
    }

    /// Whether nothing can expire by the rule as things are, so that a backend need not look at records for its sake.
    ///
    /// ```
    /// # use krishiv_api::Retention;
    /// # struct DropAll;
    /// # impl Retention for DropAll { fn is_expired(&self, _: &[u8], _: &[u8]) -> bool { true } }
    /// assert!(!DropAll.is_idle());
    /// ```
    fn is_idle(&self) -> bool {
        false
    }
}

/// An ordered map from bytes to bytes with atomic batches.
///
/// One backend is shared, in an `Arc`, by all stores and threads of a process. The suite in
/// `krishiv_api::contract` (feature `contract`) checks every promise made here.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, StateBackend, WriteBatch};
///
/// let backend = InMemoryStateBackend::new();
/// let mut batch = WriteBatch::default();
/// batch.put(b"plane/1", b"late");
/// batch.put(b"plane/2", b"on time");
/// backend.write(batch)?;
/// assert_eq!(backend.get(b"plane/1")?, Some(b"late".to_vec()));
/// assert_eq!(backend.scan(b"plane/").count(), 2);
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state backend",
    label = "no `StateBackend`",
    note = "state is kept on an `InMemoryStateBackend`, a `RocksDbStateBackend`, a `FjallStateBackend`, or one of your own, in an `Arc`"
)]
pub trait StateBackend: Send + Sync + 'static {
    /// What a crash leaves of a batch once [`write`](Self::write) has returned: [`Durable`] or [`Volatile`]. `#[state(durable)]` state
    /// opens on a durable backend alone. A backend that hands batches on to another one says what that one says.
    type Survival: Survival;

    /// Whether a batch is still there after a crash, as [`Survival`](Self::Survival) says.
    const DURABLE: bool = <Self::Survival as Survival>::DURABLE;

    /// Whether nobody else can write to the storage as long as this object lives, not even another object of this type.
    ///
    /// Stores on any other backend look at every commit whether somebody has, which is one `get`.
    const EXCLUSIVE: bool = false;

    /// Whether [`write`](Self::write) takes [`Op::Merge`]: it makes of the value, at once or where it is read, what [`merged`](crate::merged) says.
    /// A value that comes to be empty may be dropped.
    ///
    /// Without, a commit reads the rows of which the program has set a part and read nothing. A backend that hands batches on to
    /// another one says what that one says.
    const MERGES: bool = false;

    /// The longest key of a record, in bytes. A store refuses a key, a map key or a broadcast key that takes more than half of it
    /// in its event, and not later in a commit.
    ///
    /// A backend that hands batches on to another one says what that one says.
    const LONGEST_KEY: usize = usize::MAX;

    /// The value of `key`, if there is one.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, StateBackend};
    /// assert_eq!(InMemoryStateBackend::new().get(b"k")?, None);
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the storage fails or finds its bytes damaged; never `None` in that case.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError>;

    /// Hands the value of `key` to `read`, where it lies; `None` if there is none.
    ///
    /// The same value as [`get`](Self::get), for backends that can show it without a copy.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, StateBackend};
    /// let mut length = None;
    /// InMemoryStateBackend::new().read(b"k", &mut |value| length = value.map(<[u8]>::len))?;
    /// assert_eq!(length, None);
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As `get`; then `read` has not been called.
    fn read(&self, key: &[u8], read: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), StateError> {
        self.get(key).map(|value| read(value.as_deref()))
    }

    /// The values of `keys`, in their order.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, StateBackend};
    /// assert_eq!(InMemoryStateBackend::new().multi_get(&[b"a", b"b"])?, [None, None]);
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When one of them cannot be read.
    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// The records whose key starts with `prefix`, in the order of their keys; an empty prefix is all.
    ///
    /// Reads as it goes: nothing is held in memory but the record at hand (and a page around it). After
    /// an `Err` the scan ends.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, StateBackend};
    /// assert_eq!(InMemoryStateBackend::new().scan(b"").count(), 0);
    /// ```
    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a>;

    /// The records of a prefix from the key `from` on, in the order of their keys; a `from` before the prefix is its start.
    ///
    /// The default reads and drops what comes before. A backend that can find a place does better: timers are read
    /// from where the last reading stopped.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, StateBackend, WriteBatch};
    /// let backend = InMemoryStateBackend::new();
    /// let mut batch = WriteBatch::default();
    /// batch.put(b"plane/1", b"late");
    /// batch.put(b"plane/2", b"on time");
    /// backend.write(batch)?;
    /// assert_eq!(backend.scan_from(b"plane/", b"plane/2").count(), 1);
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    fn scan_from<'a>(&'a self, prefix: &[u8], from: &[u8]) -> Scan<'a> {
        let from = from.to_vec();
        Box::new(self.scan(prefix).skip_while(move |record| record.as_ref().is_ok_and(|(key, _)| *key < from)))
    }

    /// Hands the records whose key starts with `prefix` to `each`, in the order of their keys, until it fails.
    ///
    /// The same records as [`scan`](Self::scan), for backends that can show them where they lie. `each` does not
    /// write to the backend; of what others write to the prefix meanwhile, some may be seen.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, StateBackend};
    /// let mut bytes = 0;
    /// InMemoryStateBackend::new().for_each(b"plane/", &mut |_, value| {
    ///     bytes += value.len();
    ///     Ok(())
    /// })?;
    /// assert_eq!(bytes, 0);
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a record cannot be read, or with what `each` returned.
    fn for_each(&self, prefix: &[u8], each: &mut Each<'_>) -> Result<(), StateError> {
        for record in self.scan(prefix) {
            let (key, value) = record?;
            each(&key, &value)?;
        }
        Ok(())
    }

    /// Applies all of `batch`, in its order, or nothing of it.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, StateBackend, WriteBatch};
    /// let backend = InMemoryStateBackend::new();
    /// let mut batch = WriteBatch::default();
    /// batch.put(b"k", b"1");
    /// batch.delete(b"k");
    /// backend.write(batch)?;
    /// assert_eq!(backend.get(b"k")?, None);
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the storage refuses it. Nothing of it is visible now; after a restart all or nothing of it is there,
    /// and writing the same batch again is harmless.
    fn write(&self, batch: WriteBatch) -> Result<(), StateError>;

    /// Takes a rule by which the backend may drop expired records: when it rewrites its files, or a few with each write.
    ///
    /// A hint: the default ignores it, since expired records are absent to readers in any case. Without it they stay until
    /// [`Keyed::sweep`](crate::Keyed::sweep) drops them.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, Retention, StateBackend};
    /// use std::sync::Arc;
    ///
    /// struct KeepAll;
    /// impl Retention for KeepAll { fn is_expired(&self, _: &[u8], _: &[u8]) -> bool { false } }
    /// InMemoryStateBackend::new().add_retention(Arc::new(KeepAll));
    /// ```
    fn add_retention(&self, rule: Arc<dyn Retention>) {
        drop(rule);
    }

    /// Where stores opened on this backend keep their rows.
    #[doc(hidden)]
    fn rows(self: Arc<Self>) -> Result<Rows, StateError>
    where
        Self: Sized,
    {
        Ok(Rows { backend: self, ttl: None })
    }
}

/// Where a store keeps its rows, and the TTL of fields that have none of their own.
#[doc(hidden)]
pub struct Rows {
    pub(crate) backend: Arc<dyn AnyBackend>,
    pub(crate) ttl: Option<DefaultTtl>,
}

/// A [`StateBackend`] behind a pointer.
pub(crate) trait AnyBackend: Send + Sync {
    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError>;
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError>;
    fn read(&self, key: &[u8], read: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), StateError>;
    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a>;
    fn scan_from<'a>(&'a self, prefix: &[u8], from: &[u8]) -> Scan<'a>;
    fn for_each(&self, prefix: &[u8], each: &mut Each<'_>) -> Result<(), StateError>;
    fn write(&self, batch: WriteBatch) -> Result<(), StateError>;
    fn add_retention(&self, rule: Arc<dyn Retention>);
    fn is_exclusive(&self) -> bool;
    fn merges(&self) -> bool;
    fn longest_key(&self) -> usize;
}

impl<B: StateBackend> AnyBackend for B {
    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        StateBackend::multi_get(self, keys)
    }
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        StateBackend::get(self, key)
    }
    fn read(&self, key: &[u8], read: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), StateError> {
        StateBackend::read(self, key, read)
    }
    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        StateBackend::scan(self, prefix)
    }
    fn scan_from<'a>(&'a self, prefix: &[u8], from: &[u8]) -> Scan<'a> {
        StateBackend::scan_from(self, prefix, from)
    }
    fn for_each(&self, prefix: &[u8], each: &mut Each<'_>) -> Result<(), StateError> {
        StateBackend::for_each(self, prefix, each)
    }
    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        StateBackend::write(self, batch)
    }
    fn add_retention(&self, rule: Arc<dyn Retention>) {
        StateBackend::add_retention(self, rule);
    }
    fn is_exclusive(&self) -> bool {
        B::EXCLUSIVE
    }
    fn merges(&self) -> bool {
        B::MERGES
    }
    fn longest_key(&self) -> usize {
        B::LONGEST_KEY
    }
}
