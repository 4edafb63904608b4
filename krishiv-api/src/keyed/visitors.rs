//! What an event does with each handle of a struct and its cell.

use crate::state::handle::{Calls, Core, Handle, Left, Visitor};

/// Enters a row into the handles.
pub(super) struct Enter;

impl Visitor for Enter {
    #[inline]
    fn visit<H: Handle>(&mut self, handle: &H, cell: &mut H::Cell) {
        if let Some(core) = handle.core() {
            core.enter(cell);
        }
    }
}

/// Keeps what was read of each cell together with others.
pub(super) struct Adopt;

impl Visitor for Adopt {
    fn visit<H: Handle>(&mut self, handle: &H, _: &mut H::Cell) {
        if let Some(core) = handle.core() {
            core.adopt();
        }
    }
}

/// Undoes an event.
pub(super) struct Undo;

impl Visitor for Undo {
    fn visit<H: Handle>(&mut self, handle: &H, _: &mut H::Cell) {
        if let Some(core) = handle.core() {
            core.undo();
        }
    }
}

/// Lets a row leave the handles, and sums up what has become of it.
pub(super) struct Leave(pub(super) Left);

impl Leave {
    #[inline]
    pub(super) fn add(&mut self, left: Left) {
        self.0.wrote |= left.wrote;
        self.0.complete &= left.complete;
        self.0.weight += left.weight;
    }
}

impl Visitor for Leave {
    #[inline]
    fn visit<H: Handle>(&mut self, handle: &H, cell: &mut H::Cell) {
        if let Some(core) = handle.core() {
            self.add(core.leave(cell));
        }
    }
}
