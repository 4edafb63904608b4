//! What is known of one entry of a map, besides its key and its value.

use crate::codec::Codec;
use crate::codec::record::Stamp;
use crate::time::TtlClock;
use smallvec::SmallVec;

/// An encoded map key: those of numbers and of short strings need no memory of their own.
pub(super) type Suffix = SmallVec<[u8; 16]>;

/// One entry: what its key is encoded as, and what is known of it.
pub struct Meta {
    pub(super) suffix: Suffix,
    pub(super) known: Known,
}

impl Meta {
    /// Memory of the encoded key outside itself, in bytes.
    pub(super) fn spilled(&self) -> usize {
        if self.suffix.spilled() { self.suffix.len() } else { 0 }
    }
}

/// Whether there is a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    There,
    Absent,
    /// It is absent, and the backend was told so: of no use any more but to be found absent.
    Spent,
}

#[derive(Clone, Copy)]
pub(super) struct Known {
    expires_at: i64,
    /// Memory of the value outside itself, in bytes.
    pub(super) heap: u32,
    clock: TtlClock,
    pub(super) codec: Codec,
    presence: Presence,
    pub(super) dirty: bool,
}

impl Known {
    /// What is to be written: a value, or that there is none.
    pub(super) fn dirty(is_there: bool, codec: Codec, stamp: Stamp, heap: usize) -> Self {
        let Stamp { expires_at, clock } = stamp;
        let presence = if is_there { Presence::There } else { Presence::Absent };
        Self { expires_at, heap: u32::try_from(heap).unwrap_or(u32::MAX), clock, codec, presence, dirty: true }
    }

    /// A value that the backend has.
    pub(super) fn found(codec: Codec, stamp: Stamp, heap: usize) -> Self {
        Self { dirty: false, ..Self::dirty(true, codec, stamp, heap) }
    }

    /// That the backend has nothing.
    pub(super) fn absent(codec: Codec) -> Self {
        Self { dirty: false, ..Self::dirty(false, codec, Stamp::NEVER, 0) }
    }

    /// The same with a value that is to be written by `codec`, and takes so much memory outside itself, in bytes.
    pub(super) fn with(self, codec: Codec, heap: usize) -> Self {
        Self { codec, heap: u32::try_from(heap).unwrap_or(u32::MAX), ..self }
    }

    pub(super) fn is_there(&self) -> bool {
        self.presence == Presence::There
    }

    pub(super) fn is_spent(&self) -> bool {
        self.presence == Presence::Spent
    }

    /// Whether the backend surely has nothing.
    pub(super) fn is_nowhere(&self) -> bool {
        self.is_spent() || (self.presence == Presence::Absent && !self.dirty)
    }

    /// The same without the value, which has ended; the record goes with the next write of the row, but no row is written for
    /// this alone.
    pub(super) fn ended(self) -> Self {
        Self { presence: Presence::Absent, dirty: true, heap: 0, ..self }
    }

    /// The same, when all that there was to write is durable.
    pub(super) fn settled(self) -> Self {
        let presence = if self.is_there() { Presence::There } else { Presence::Spent };
        Self { presence, dirty: false, ..self }
    }

    pub(super) fn stamp(&self) -> Stamp {
        Stamp { expires_at: self.expires_at, clock: self.clock }
    }

    /// The same with another stamp.
    pub(super) fn renewed(self, dirty: bool, stamp: Stamp) -> Self {
        Self { dirty, expires_at: stamp.expires_at, clock: stamp.clock, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_takes_40_bytes_beside_its_key_and_value() {
        assert_eq!(size_of::<Meta>(), 40);
    }
}
