//! How the entries of maps and broadcast states are looked for: a key is its encoded form, and for most types that need not be
//! written to be compared.

use crate::codec::is_exact;
use foldhash::fast::RandomState;
use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

/// What entries are looked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The key itself, where it is [exact](is_exact).
    Key,
    /// The encoded key.
    Bytes,
}

impl By {
    pub(super) fn of_keys<K: 'static>() -> Self {
        if is_exact::<K>() { Self::Key } else { Self::Bytes }
    }

    pub(super) fn sought<'a, Q: ?Sized>(self, key: &'a Q, encoded: &'a [u8]) -> Sought<'a, Q> {
        match self {
            Self::Key => Sought::Key(key),
            Self::Bytes => Sought::Bytes(encoded),
        }
    }
}

/// What an entry is looked for by.
pub(super) enum Sought<'a, Q: ?Sized> {
    Key(&'a Q),
    Bytes(&'a [u8]),
}

impl<Q: Hash + Eq + ?Sized> Sought<'_, Q> {
    /// Whether an entry of this key is meant.
    #[inline]
    pub(super) fn is<K: Borrow<Q>>(&self, key: &K, encoded: &[u8]) -> bool {
        match self {
            Self::Key(sought) => key.borrow() == *sought,
            Self::Bytes(sought) => encoded == *sought,
        }
    }

    #[inline]
    pub(super) fn hash(&self, hasher: &RandomState) -> u64 {
        match self {
            Self::Key(sought) => hasher.hash_one(sought),
            Self::Bytes(sought) => hasher.hash_one(sought),
        }
    }
}
