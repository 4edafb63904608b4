//! How far a migration is.

/// How much of a migration is done.
///
/// ```
/// # use krishiv_api::*;
/// # use std::sync::Arc;
/// # #[derive(KeyedState)]
/// # #[state(key = u32, name = "visits")]
/// # struct Old { seen: ValueState<u64> }
/// # #[derive(KeyedState)]
/// # #[state(key = String, name = "visits")]
/// # struct New { seen: ValueState<u64> }
/// let nothing = migrate::<Old, New>(&Arc::new(InMemoryStateBackend::new()), |id| id.to_string())?;
/// assert_eq!((nothing.keys, nothing.records, nothing.bytes, nothing.deleted), (0, 0, 0, 0));
/// # Ok::<(), StateError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migrated {
    /// Old keys of which something is stored.
    pub keys: u64,
    /// Records that were read.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Records that were deleted: the old ones, once all new ones are there, and what a migration that was cut short has left.
    pub deleted: u64,
}

/// Who is told of it.
pub(super) type Tell<'a> = &'a mut dyn FnMut(Migrated);
