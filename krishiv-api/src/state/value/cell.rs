//! What a row holds of one value.

use crate::codec::Codec;
use crate::codec::record::Stamp;
use crate::scope::slot::Loaded;
use crate::time::TtlClock;

/// A value of one key.
///
/// The small fields stand beside the tag, so that the cell of a `u64` is three words.
#[derive(Debug, Default)]
pub enum Cell<T> {
    /// In a handle at rest: no key is being processed.
    Outside,
    /// Nothing is known yet.
    #[default]
    Unloaded,
    /// There is no value; `dirty` when the backend may still have one.
    Absent { dirty: bool },
    /// There is one that the backend does not have, by the codec of the state, and it does not end: another one in its
    /// place changes nothing else, which is what makes most writes cheap.
    Hot { heap: u32, value: T },
    /// The same for one that ends, by a time that is [counted](crate::scope::slot::Slot::counted).
    Timed { heap: u32, expires_at: i64, value: T },
    /// There is one; `dirty` when the backend has another or none.
    Present { dirty: bool, codec: Codec, clock: TtlClock, heap: u32, expires_at: i64, value: T },
}

impl<T> Cell<T> {
    pub(super) fn found(found: Option<Loaded<T>>) -> Self {
        let Some(Loaded { value, codec, stamp, heap }) = found else { return Self::Absent { dirty: false } };
        let heap = u32::try_from(heap).unwrap_or(u32::MAX);
        Self::Present { dirty: false, codec, clock: stamp.clock, heap, expires_at: stamp.expires_at, value }
    }

    /// The value, if there is one.
    #[inline]
    pub(super) fn value(&self) -> Option<&T> {
        match self {
            Self::Hot { value, .. } | Self::Timed { value, .. } | Self::Present { value, .. } => Some(value),
            Self::Outside | Self::Unloaded | Self::Absent { .. } => None,
        }
    }

    /// The same with another stamp, if it has one.
    pub(super) fn with_stamp(self, dirty: bool, stamp: Stamp) -> Self {
        match self {
            Self::Present { codec, heap, value, .. } => {
                Self::Present { dirty, codec, clock: stamp.clock, heap, expires_at: stamp.expires_at, value }
            }
            other => other,
        }
    }
}
