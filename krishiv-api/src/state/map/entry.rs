//! What is known of one entry of a map.

use crate::codec::record::Stamp;
use crate::codec::{Codec, Plan, weigh};
use crate::scope::slot::Loaded;
use crate::state::sought::By;
use crate::time::TtlClock;
use crate::value::StateKey;
use smallvec::SmallVec;

/// An encoded map key: those of numbers and of short strings need no memory of their own.
pub(super) type Suffix = SmallVec<[u8; 16]>;

/// How the keys of a map are looked for, and what they take in memory.
#[derive(Clone, Copy)]
pub(super) struct Keys<'p> {
    pub(super) by: By,
    pub(super) plan: &'p Plan,
}

/// What is known of one map key.
pub(super) struct Entry<V> {
    pub(super) suffix: Suffix,
    pub(super) known: Known<V>,
}

impl<V> Entry<V> {
    /// Memory that it takes with its key, in bytes; the key is held twice, typed and encoded, and its hash beside it.
    pub(super) fn weight<K: StateKey>(&self, key: &K, keys: Keys<'_>) -> usize {
        let typed = match keys.by {
            By::Key => weigh(key, keys.plan),
            // What a type of the user takes is not asked for again and again, and never when an event is undone.
            By::Bytes if std::mem::needs_drop::<K>() => 32 + 2 * self.suffix.len(),
            By::Bytes => 0,
        };
        let encoded = if self.suffix.spilled() { self.suffix.len() } else { 0 };
        size_of::<(K, Self)>() + 2 * size_of::<usize>() + typed + encoded + self.known.heap as usize
    }
}

pub(super) struct Known<V> {
    /// `None`: it is known that there is none.
    pub(super) value: Option<V>,
    expires_at: i64,
    /// Memory of the value outside itself, in bytes.
    pub(super) heap: u32,
    clock: TtlClock,
    pub(super) codec: Codec,
    pub(super) dirty: bool,
}

impl<V> Known<V> {
    /// What is to be written.
    pub(super) fn dirty(value: Option<V>, codec: Codec, stamp: Stamp, heap: usize) -> Self {
        let Stamp { expires_at, clock } = stamp;
        Self { value, expires_at, heap: u32::try_from(heap).unwrap_or(u32::MAX), clock, codec, dirty: true }
    }

    /// What the backend has.
    pub(super) fn found(found: Loaded<V>) -> Self {
        let Loaded { value, codec, stamp, heap } = found;
        Self { dirty: false, ..Self::dirty(Some(value), codec, stamp, heap) }
    }

    /// That the backend has nothing.
    pub(super) fn absent(codec: Codec) -> Self {
        Self { dirty: false, ..Self::dirty(None, codec, Stamp::NEVER, 0) }
    }

    pub(super) fn stamp(&self) -> Stamp {
        Stamp { expires_at: self.expires_at, clock: self.clock }
    }

    pub(super) fn renew(&mut self, dirty: bool, stamp: Stamp) {
        (self.dirty, self.expires_at, self.clock) = (dirty, stamp.expires_at, stamp.clock);
    }
}
