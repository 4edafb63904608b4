//! The one error of the library: what went wrong, where, and what to do.
//!
//! `Debug` writes what `Display` does, here and in all errors of the library: `main`, `unwrap` and `expect` show an error by it,
//! and what a user reads there is to say what to do.

use std::error::Error as StdError;
use std::fmt;
use std::ops::Range;

/// What a caller can do about a [`StateError`].
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, Dynamic, ErrorKind, Keyed};
/// use std::sync::Arc;
///
/// let backend = Arc::new(InMemoryStateBackend::new());
/// let _first = Keyed::<Dynamic<String>>::open(backend.clone()).unwrap();
/// let second = Keyed::<Dynamic<String>>::open(backend).err().unwrap();
/// assert_eq!(second.kind(), ErrorKind::Invalid);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Stored bytes are damaged: restore from a copy, and report it.
    Corrupt,
    /// Stored state and program do not fit: change the program, or migrate.
    Incompatible,
    /// The call itself is wrong: a bug in the caller.
    Invalid,
    /// The storage below failed: the same call may succeed when tried again.
    Backend,
    /// A configured limit was reached, and the change was refused.
    Limit,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Corrupt => "corrupt",
            Self::Incompatible => "incompatible",
            Self::Invalid => "invalid",
            Self::Backend => "backend",
            Self::Limit => "limit",
        })
    }
}

type Source = Box<dyn StdError + Send + Sync + 'static>;

/// The exact reason of a [`StateError`].
///
/// Each variant says in its message what to do about it.
///
/// ```
/// use krishiv_api::{Cause, Dynamic, InMemoryStateBackend, Keyed};
/// use std::sync::Arc;
///
/// let backend = Arc::new(InMemoryStateBackend::new());
/// let _first = Keyed::<Dynamic<String>>::open(backend.clone()).unwrap();
/// let error = Keyed::<Dynamic<String>>::open(backend).err().unwrap();
/// assert!(matches!(error.cause(), Cause::RangeInUse { .. }));
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// A stored record does not decode.
    #[error("stored bytes do not decode: {reason}; restore the state from a copy and report how it was damaged")]
    #[non_exhaustive]
    Decode {
        /// What the decoder met.
        reason: String,
    },
    /// A stored value is whole, but its type does not read it.
    #[error(
        "the stored bytes are whole, but the type does not read them: {reason}; they are not damaged: read them by the type that wrote them, and see docs/derive.md for types that serde writes and does not read"
    )]
    #[non_exhaustive]
    Unreadable {
        /// What serde says.
        reason: String,
    },
    /// A function of the program did not make one of today's values of a stored one.
    #[error(
        "the function of `migrate` does not take the stored value: {reason}; the event is undone and the value stays as it is; let the function make something of it"
    )]
    #[non_exhaustive]
    Migration {
        /// What the function says.
        reason: String,
    },
    /// A migration of keys met what its functions do not settle.
    #[error("the keys cannot be migrated, and the state is as it was: {reason}")]
    #[non_exhaustive]
    KeyMigration {
        /// What it met, and what to do.
        reason: String,
    },
    /// A value of the program cannot be turned into bytes.
    #[error("the value cannot be stored: {reason}; give it a serde form that can be read back")]
    #[non_exhaustive]
    Encode {
        /// What the encoder met.
        reason: String,
    },
    /// Stored data has lost what had been made durable.
    #[error("{reason}; restore the folder from a copy")]
    #[non_exhaustive]
    Damaged {
        /// What is missing or wrong.
        reason: String,
    },
    /// The folder was written by a newer format than this program knows.
    #[error(
        "the state was written in format {found}, and this program reads up to format {supported}; use the newer program"
    )]
    NewerFormat {
        /// The format version that is stored.
        found: u32,
        /// The newest that this library reads.
        supported: u32,
    },
    /// What the program declares is not what is stored.
    #[error("the stored {what} is {stored}, but the program declares {declared}: {why}")]
    #[non_exhaustive]
    Mismatch {
        /// What differs: a kind, a shape, the max parallelism.
        what: &'static str,
        /// The stored side.
        stored: String,
        /// The side of the program.
        declared: String,
        /// Why they do not fit, and what to do.
        why: String,
    },
    /// A handle asks for a state as another type than it has in this store.
    #[error("the handle is a {asked}, but this store holds the state as {held}; use one type for one name")]
    #[non_exhaustive]
    HandleType {
        /// Type of the handle in use.
        asked: String,
        /// Type that the store holds.
        held: String,
    },
    /// A handle was used where no key is being processed.
    #[error(
        "no key is being processed on this thread; use the handle inside `with_key`, `try_with_key`, `for_each_event` or `for_each_key` of its store"
    )]
    OutsideEvent,
    /// A handle was used inside its own closure.
    #[error("the handle is in use by its own closure; finish that closure first, or do the work inside it")]
    Reentrant,
    /// The key does not belong to the key groups of this store.
    #[error(
        "the key belongs to key group {group}, but this store owns {owned:?}; route the event to the instance that owns it"
    )]
    ForeignKey {
        /// Key group of the key.
        group: u16,
        /// Key groups of the store.
        owned: Range<u16>,
    },
    /// Another open store owns some of the key groups.
    #[error(
        "key groups {asked:?} overlap {open:?}, which another open store of this operator owns; drop that store first, or give each instance its own range"
    )]
    RangeInUse {
        /// The range that was asked for.
        asked: Range<u16>,
        /// The range that is open.
        open: Range<u16>,
    },
    /// A commit began inside another one of the same thread and backend.
    #[error(
        "another commit on this backend is under way on this thread, and this one would be a write of its own; hand that `Commit` on by `commit_then`, or commit after it"
    )]
    NestedCommit,
    /// Another backend object over the same storage has committed since this one was opened.
    #[error(
        "another backend object over the same storage has committed since this one was opened, and nothing was written; open the state anew, and let all stores share one backend by clones of its `Arc`"
    )]
    Fenced,
    /// A setting is outside what is allowed.
    #[error("{reason}")]
    #[non_exhaustive]
    Setting {
        /// Which setting, its value, and what is allowed.
        reason: String,
    },
    /// A broadcast state would grow past its limit.
    #[error(
        "the update would make the broadcast state {size} bytes, and the limit is {limit}; the old content stays; keep such a table in a real source, or raise `broadcast_limit`"
    )]
    BroadcastLimit {
        /// Encoded size that the update would lead to, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A key takes more bytes than the backend has room for.
    #[error(
        "{what} takes {length} bytes, and this backend has room for {longest}; use a shorter one, such as a hash of it, or another backend"
    )]
    #[non_exhaustive]
    KeyTooLong {
        /// What it is the key of.
        what: &'static str,
        /// Its encoded size, in bytes.
        length: usize,
        /// The most that a key may take, in bytes.
        longest: usize,
    },
    /// No more ids are left in the catalog.
    #[error("the catalog has no id left for another {what}; use fewer names")]
    #[non_exhaustive]
    Exhausted {
        /// What there are too many of.
        what: &'static str,
    },
    /// The folder is open in another process or backend.
    #[error(
        "the folder is in use by another process or by another backend of this one; stop that one first ({reason})"
    )]
    Locked {
        /// What the storage said.
        reason: String,
    },
    /// The storage takes no more writes, because an earlier one failed.
    #[error(
        "the storage takes no writes since one has failed, even if the cause of that is gone; drop all its stores and the backend, and open the state anew ({reason})"
    )]
    #[non_exhaustive]
    Stopped {
        /// What the storage said.
        reason: String,
    },
    /// The storage below failed.
    #[error("the storage failed: {source}; try again, or open the state anew")]
    #[non_exhaustive]
    Backend {
        /// What the storage said.
        #[source]
        source: Source,
    },
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Cause {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Decode { .. } | Self::Damaged { .. } => ErrorKind::Corrupt,
            Self::NewerFormat { .. }
            | Self::Mismatch { .. }
            | Self::Unreadable { .. }
            | Self::Migration { .. }
            | Self::KeyMigration { .. } => ErrorKind::Incompatible,
            Self::Encode { .. }
            | Self::HandleType { .. }
            | Self::OutsideEvent
            | Self::Reentrant
            | Self::ForeignKey { .. }
            | Self::RangeInUse { .. }
            | Self::NestedCommit
            | Self::Fenced
            | Self::Setting { .. } => ErrorKind::Invalid,
            Self::BroadcastLimit { .. } | Self::KeyTooLong { .. } | Self::Exhausted { .. } => ErrorKind::Limit,
            Self::Locked { .. } | Self::Stopped { .. } | Self::Backend { .. } => ErrorKind::Backend,
        }
    }
}

struct Inner {
    cause: Cause,
    operator: Option<String>,
    state: Option<String>,
    key: Option<String>,
}

/// A failure, with the operator, state and key it happened at as far as they are known.
///
/// `Debug` writes the same sentence as `Display`, so that a `main` which returns the error, and `unwrap`, show it to be read.
///
/// ```
/// use krishiv_api::{ErrorKind, StateError};
///
/// let error = StateError::backend(std::io::Error::other("disk full"));
/// assert_eq!(error.kind(), ErrorKind::Backend);
/// assert_eq!(error.operator(), None);
/// assert_eq!(error.to_string(), "the storage failed: disk full; try again, or open the state anew");
/// assert_eq!(format!("{error:?}"), error.to_string());
/// ```
#[non_exhaustive]
pub struct StateError {
    // Boxed, so that a `Result` of the hot path stays one word.
    inner: Box<Inner>,
}

impl StateError {
    /// A failure of the storage below, for authors of a [`StateBackend`](crate::StateBackend).
    ///
    /// ```
    /// let error = krishiv_api::StateError::backend(std::io::Error::other("gone"));
    /// assert!(error.to_string().contains("gone"));
    /// ```
    pub fn backend(source: impl Into<Box<dyn StdError + Send + Sync + 'static>>) -> Self {
        Cause::Backend { source: source.into() }.into()
    }

    /// Damage found by the storage below, for authors of a [`StateBackend`](crate::StateBackend).
    ///
    /// ```
    /// let error = krishiv_api::StateError::damaged("page 7 fails its checksum");
    /// assert_eq!(error.kind(), krishiv_api::ErrorKind::Corrupt);
    /// ```
    pub fn damaged(reason: impl Into<String>) -> Self {
        Cause::Damaged { reason: reason.into() }.into()
    }

    /// What a caller can do about it.
    ///
    /// ```
    /// let error = krishiv_api::StateError::damaged("page 7 fails its checksum");
    /// assert_eq!(error.kind().to_string(), "corrupt");
    /// ```
    pub fn kind(&self) -> ErrorKind {
        self.inner.cause.kind()
    }

    /// The exact reason.
    ///
    /// ```
    /// let error = krishiv_api::StateError::damaged("page 7 fails its checksum");
    /// assert!(matches!(error.cause(), krishiv_api::Cause::Damaged { .. }));
    /// ```
    pub fn cause(&self) -> &Cause {
        &self.inner.cause
    }

    /// Name of the operator, where one is involved.
    ///
    /// ```
    /// assert_eq!(krishiv_api::StateError::damaged("torn").operator(), None);
    /// ```
    pub fn operator(&self) -> Option<&str> {
        self.inner.operator.as_deref()
    }

    /// Name of the state, where one is involved.
    ///
    /// ```
    /// assert_eq!(krishiv_api::StateError::damaged("torn").state(), None);
    /// ```
    pub fn state(&self) -> Option<&str> {
        self.inner.state.as_deref()
    }

    /// The key being processed, as JSON, where one is involved.
    ///
    /// ```
    /// assert_eq!(krishiv_api::StateError::damaged("torn").key(), None);
    /// ```
    pub fn key(&self) -> Option<&str> {
        self.inner.key.as_deref()
    }

    /// Names the operator, unless one is named already.
    pub(crate) fn at_operator(mut self, operator: &str) -> Self {
        self.inner.operator.get_or_insert_with(|| operator.to_owned());
        self
    }

    /// Names the state, unless one is named already.
    pub(crate) fn at_state(mut self, state: &str) -> Self {
        self.inner.state.get_or_insert_with(|| state.to_owned());
        self
    }

    /// Names the key, unless one is named already.
    pub(crate) fn at_key(mut self, key: impl FnOnce() -> String) -> Self {
        self.inner.key.get_or_insert_with(key);
        self
    }
}

impl From<Cause> for StateError {
    fn from(cause: Cause) -> Self {
        Self { inner: Box::new(Inner { cause, operator: None, state: None, key: None }) }
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        let mut separator = "";
        for (word, name) in [("operator", &inner.operator), ("state", &inner.state), ("key", &inner.key)] {
            if let Some(name) = name {
                write!(f, "{separator}{word} `{name}`")?;
                separator = ", ";
            }
        }
        if !separator.is_empty() {
            f.write_str(": ")?;
        }
        inner.cause.fmt(f)
    }
}

impl fmt::Debug for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for StateError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.cause.source()
    }
}

/// The event of a batch that failed, and why; those before it are applied, those after it were not tried.
///
/// ```
/// use krishiv_api::{Dynamic, InMemoryStateBackend, Keyed, StateError, ValueState};
/// use std::sync::Arc;
///
/// let mut store = Keyed::<Dynamic<u64>>::open(Arc::new(InMemoryStateBackend::new()))?;
/// let seen = ValueState::<u64>::new("seen");
/// let failed = store
///     .for_each_event([1_u64, 2, 3], |key| key, |_, key| {
///         seen.set(key);
///         if key == 2 { Err(StateError::backend("no")) } else { Ok(()) }
///     })
///     .unwrap_err();
/// assert_eq!(failed.index, 1);
/// # Ok::<(), StateError>(())
/// ```
#[derive(thiserror::Error)]
#[error("event {index} of the batch failed and was undone, those before it are applied: {error}")]
#[non_exhaustive]
pub struct BatchError<E = StateError> {
    /// Place of the failed event in the batch, from 0.
    pub index: usize,
    /// What the event failed with.
    pub error: E,
}

/// The sentence of `Display`, of an `E` that has only `Debug` too.
impl<E: fmt::Debug> fmt::Debug for BatchError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, error } = self;
        write!(f, "event {index} of the batch failed and was undone, those before it are applied: {error:?}")
    }
}

impl<E> BatchError<E> {
    pub(crate) fn new(index: usize, error: E) -> Self {
        Self { index, error }
    }
}
