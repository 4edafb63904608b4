//! The elements of one list, behind a pointer: what a list does with them beside handing them to the user is there once, and
//! not for each type.

use crate::codec::record::Head;
use crate::codec::{Codec, Payload, encode_run};
use crate::error::StateError;
use crate::quiet::drop_quietly;
use crate::scope::slot::Slot;
use crate::value::StateValue;
use std::any::Any;
use std::collections::VecDeque;
use std::ops::Range;

/// The elements of one list, first to last. Columns that change elements with each other are of one type.
pub trait Column: Any + Send {
    fn len(&self) -> usize;

    /// Memory of all elements in place, and of the room for more, in bytes.
    fn room(&self) -> usize;

    /// Memory of one element in place, in bytes.
    fn size(&self) -> usize;

    /// Whether nothing happens when an element is dropped.
    fn is_plain(&self) -> bool;

    /// Moves the first `count` behind those of `to`.
    fn move_front(&mut self, count: usize, to: &mut dyn Column);

    /// Drops the first `count`; those of the user's types may panic, and no other suffers for it.
    fn drop_front(&mut self, count: usize);

    /// Takes the last `count` of `from` to the front.
    fn return_front(&mut self, count: usize, from: &mut dyn Column);

    /// Moves the last `count` behind those of `to`, the last one first.
    fn move_back(&mut self, count: usize, to: &mut dyn Column);

    /// Moves those that `goes` names by their places behind those of `to`; returns their places.
    fn extract(&mut self, goes: &mut dyn FnMut(usize) -> bool, to: &mut dyn Column) -> Vec<usize>;

    /// Takes the last of `from` to these places, where they were extracted.
    fn return_to(&mut self, places: &[usize], from: &mut dyn Column);

    /// A column without elements.
    fn fresh(&self) -> Box<dyn Column>;

    /// Drops all of them; those of the user's types may panic, and no other suffers for it.
    fn sweep(&mut self);

    /// Puts the elements of a record behind the others; returns their number. If it fails, some of them may be there.
    fn read(&mut self, head: &Head<'_>, slot: &Slot) -> Result<u16, StateError>;

    /// Memory of those from `start` on outside themselves, in bytes.
    fn weigh(&self, start: usize, slot: &Slot) -> usize;

    /// Appends these to `out` as one payload, in this codec only.
    fn write_run(&self, places: Range<usize>, codec: Codec, out: &mut Vec<u8>) -> Result<(), String>;

    /// The one at this place, to be written.
    fn payload(&self, place: usize) -> Option<&dyn Payload>;
}

impl dyn Column {
    /// The elements as what they are.
    #[inline]
    pub(super) fn of<T: StateValue>(&self) -> &VecDeque<T> {
        let any: &dyn Any = self;
        any.downcast_ref().unwrap_or_else(|| other_type())
    }

    #[inline]
    pub(super) fn of_mut<T: StateValue>(&mut self) -> &mut VecDeque<T> {
        let any: &mut dyn Any = self;
        any.downcast_mut().unwrap_or_else(|| other_type())
    }
}

#[cold]
fn other_type() -> ! {
    unreachable!("a list makes its columns itself, all of the type of its handle")
}

impl<T: StateValue> Column for VecDeque<T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn room(&self) -> usize {
        self.capacity() * size_of::<T>()
    }

    fn size(&self) -> usize {
        size_of::<T>()
    }

    fn is_plain(&self) -> bool {
        !std::mem::needs_drop::<T>()
    }

    fn move_front(&mut self, count: usize, to: &mut dyn Column) {
        let to = to.of_mut::<T>();
        for _ in 0..count {
            let Some(value) = self.pop_front() else { return };
            to.push_back(value);
        }
    }

    fn drop_front(&mut self, count: usize) {
        for _ in 0..count {
            let Some(value) = self.pop_front() else { return };
            drop_quietly(value);
        }
    }

    fn return_front(&mut self, count: usize, from: &mut dyn Column) {
        let from = from.of_mut::<T>();
        if self.is_empty() && count == from.len() {
            return std::mem::swap(self, from);
        }
        for _ in 0..count {
            let Some(value) = from.pop_back() else { return };
            self.push_front(value);
        }
    }

    fn move_back(&mut self, count: usize, to: &mut dyn Column) {
        let to = to.of_mut::<T>();
        for _ in 0..count {
            let Some(value) = self.pop_back() else { return };
            to.push_back(value);
        }
    }

    fn extract(&mut self, goes: &mut dyn FnMut(usize) -> bool, to: &mut dyn Column) -> Vec<usize> {
        let (to, mut places) = (to.of_mut::<T>(), Vec::new());
        for place in 0..self.len() {
            let Some(value) = self.pop_front() else { break };
            if goes(place) {
                places.push(place);
                to.push_back(value);
            } else {
                self.push_back(value);
            }
        }
        places
    }

    fn return_to(&mut self, places: &[usize], from: &mut dyn Column) {
        let (from, mut own) = (from.of_mut::<T>(), self.len());
        let mut places = places;
        // The last one first. What was in front may have ended since: then some places lie behind the end.
        for place in (0..own + places.len()).rev() {
            let value = match places.split_last() {
                Some((last, others)) if *last >= place || own == 0 => {
                    places = others;
                    from.pop_back()
                }
                _ => {
                    own = own.saturating_sub(1);
                    self.pop_back()
                }
            };
            let Some(value) = value else { return };
            self.push_front(value);
        }
    }

    fn fresh(&self) -> Box<dyn Column> {
        Box::new(Self::new())
    }

    fn sweep(&mut self) {
        self.drop_front(self.len());
    }

    fn read(&mut self, head: &Head<'_>, slot: &Slot) -> Result<u16, StateError> {
        slot.elements(head, self)
    }

    fn weigh(&self, start: usize, slot: &Slot) -> usize {
        let mut heap = 0;
        if std::mem::needs_drop::<T>() {
            for value in self.range(start..self.len()) {
                heap += slot.weigh(value);
            }
        }
        heap
    }

    fn write_run(&self, places: Range<usize>, codec: Codec, out: &mut Vec<u8>) -> Result<(), String> {
        encode_run(self.range(places), codec, out)
    }

    fn payload(&self, place: usize) -> Option<&dyn Payload> {
        match self.get(place) {
            Some(value) => Some(value),
            None => None,
        }
    }
}
