//! A timer and its key.

use crate::codec::keys::EncodedKey;

/// Memory that a timer takes, in bytes, roughly: itself, and room to grow.
pub(super) const WEIGHT: usize = size_of::<Due>() * 3 / 2;

/// A timer of a key; they sort as they are due, ties by the encoded key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Due {
    pub(crate) time: i64,
    pub(crate) key: EncodedKey,
}

impl Due {
    /// Memory that it takes in a list, in bytes, roughly.
    pub(super) fn weight(&self) -> usize {
        WEIGHT + self.outside()
    }

    /// The same outside itself.
    pub(super) fn outside(&self) -> usize {
        if self.key.spilled() { self.key.len() } else { 0 }
    }
}
