//! A run: neighbours in a list that are one record.

use crate::codec::Codec;
use crate::codec::record::Stamp;
use crate::time::TtlClock;

/// What a run may have at most. More would make a removal from it dear, and reading no cheaper.
const MOST: Size = Size { elements: 256, bytes: 16 << 10 };

/// A last run with no more than this is written again with what is appended, if it is in memory: else a list that gets
/// an element a commit would be a record an element. More would write too much again.
const SHORT: Size = Size { elements: 64, bytes: 512 };

struct Size {
    elements: usize,
    /// In memory.
    bytes: usize,
}

const DIRTY: u8 = 1;
/// The backend has it as it was before the TTL was last switched.
const OLDER: u8 = 2;
const EVENT: u8 = 4;
/// Another version of the type has written it: whether its codec holds all of its elements is not known.
const UNSETTLED: u8 = 32;
/// The codec lies here, in two bits.
const CODEC: u32 = 3;

/// What is known of a run besides its elements. They all have one codec and one stamp.
#[derive(Clone, Copy)]
pub(super) struct Run {
    /// Where the backend has it or will have it, and the place of its first element in the order of the list; its
    /// other elements take the places that follow. 0 until a commit assigns one.
    pub(super) position: u64,
    expires_at: i64,
    /// Memory of all elements outside themselves, in bytes.
    heap: u32,
    length: u16,
    /// The flags above: a list of lone elements has one of these for each, so it is kept small.
    flags: u8,
}

impl Run {
    /// Of one element that the backend does not have.
    pub(super) fn new(codec: Codec, stamp: Stamp, heap: usize) -> Self {
        let new = Self::stored(0, 1, codec, stamp, heap);
        Self { flags: new.flags | DIRTY, ..new }
    }

    /// One that the backend has at `position`.
    pub(super) fn stored(position: u64, length: u16, codec: Codec, stamp: Stamp, heap: usize) -> Self {
        let event = if stamp.clock == TtlClock::Event { EVENT } else { 0 };
        let heap = u32::try_from(heap).unwrap_or(u32::MAX);
        Self { position, expires_at: stamp.expires_at, heap, length, flags: (codec.bits() as u8) << CODEC | event }
    }

    pub(super) fn codec(&self) -> Codec {
        Codec::from_bits((self.flags >> CODEC & 3).into()).unwrap_or(Codec::Postcard)
    }

    pub(super) fn stamp(&self) -> Stamp {
        let clock = if self.flags & EVENT == 0 { TtlClock::Processing } else { TtlClock::Event };
        Stamp { expires_at: self.expires_at, clock }
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.flags & DIRTY != 0
    }

    pub(super) fn clean(&mut self) {
        self.flags &= !(DIRTY | OLDER | UNSETTLED);
    }

    /// The same, written before the TTL was last switched: others are not written into it, since its own stamp would be lost.
    pub(super) fn older(self) -> Self {
        Self { flags: self.flags | OLDER, ..self }
    }

    /// The same, of elements of which it is not known whether its codec holds them.
    pub(super) fn unsettled(self) -> Self {
        Self { flags: self.flags | UNSETTLED, ..self }
    }

    /// Whether each of its elements has to be looked at before it is written.
    pub(super) fn is_unsettled(&self) -> bool {
        self.flags & UNSETTLED != 0
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.length)
    }

    pub(super) fn heap(&self) -> usize {
        self.heap as usize
    }

    /// The place behind its last element.
    pub(super) fn end(&self) -> u64 {
        self.position.saturating_add(u64::from(self.length))
    }

    /// Where the backend has it, if it does or a commit has tried to put it there.
    pub(super) fn stored_at(&self) -> Option<u64> {
        Some(self.position).filter(|position| *position != 0)
    }

    /// Whether one that is stored can take in more elements, of which each takes `size` bytes.
    pub(super) fn is_short(&self, size: usize) -> bool {
        self.len() < SHORT.elements && self.heap() + self.len() * size < SHORT.bytes
    }

    /// Takes the elements of `next` in, of which each takes `size` bytes, if that leaves it one that can be written.
    pub(super) fn join(&mut self, next: &Self, size: usize) -> bool {
        let most = if self.is_dirty() { MOST } else { SHORT };
        let (elements, heap) = (self.len() + next.len(), self.heap() + next.heap());
        let alike = (self.codec(), self.stamp()) == (next.codec(), next.stamp());
        let barred = self.flags & (OLDER | UNSETTLED) != 0 || next.is_unsettled();
        if !alike || barred || elements > most.elements || heap.saturating_add(elements * size) > most.bytes {
            return false;
        }
        self.resize(elements, heap);
        true
    }

    /// The first `length` of its elements, or as many others: whichever are left.
    pub(super) fn shrunk(mut self, length: usize) -> Self {
        if length < self.len() {
            self.resize(length, self.heap() * length / self.len());
        }
        self
    }

    /// `length` of its elements, without the first `skipped`, to be written by `codec`.
    pub(super) fn part(self, skipped: usize, length: usize, codec: Codec) -> Self {
        let position = self.position.saturating_add(skipped as u64);
        let part = self.shrunk(length);
        let whole = Self::stored(position, part.length, codec, self.stamp(), part.heap());
        Self { flags: whole.flags | DIRTY, ..whole }
    }

    /// The same with another stamp.
    pub(super) fn renewed(self, stamp: Stamp) -> Self {
        let renewed = Self::stored(self.position, self.length, self.codec(), stamp, self.heap());
        Self { flags: renewed.flags | DIRTY | (self.flags & UNSETTLED), ..renewed }
    }

    fn resize(&mut self, elements: usize, heap: usize) {
        self.length = u16::try_from(elements).unwrap_or(u16::MAX);
        self.heap = u32::try_from(heap).unwrap_or(u32::MAX);
        self.flags |= DIRTY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_24_bytes() {
        assert_eq!(size_of::<Run>(), 24);
    }
}
