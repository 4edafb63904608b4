//! What an event does with each handle of a struct and its cell.

use crate::state::handle::{Calls, Core, Handle, Visitor};

/// Enters a row into the handles, or leaves them again.
pub(super) struct Swap;

impl Visitor for Swap {
    #[inline]
    fn visit<H: Handle>(&mut self, handle: &H, cell: &mut H::Cell) {
        if let Some(core) = handle.core() {
            core.swap(cell);
        }
    }
}

/// Ends an event that succeeded.
pub(super) struct Settle {
    /// Whether cells that were read together with others may be kept.
    pub(super) adopt: bool,
    pub(super) wrote: bool,
    pub(super) complete: bool,
    pub(super) weight: usize,
}

impl Visitor for Settle {
    #[inline]
    fn visit<H: Handle>(&mut self, handle: &H, _: &mut H::Cell) {
        if let Some(core) = handle.core() {
            if self.adopt {
                core.adopt();
            }
            self.wrote |= core.settle();
            self.complete &= core.is_complete();
            self.weight += core.weight();
        }
    }
}

/// Ends an event that failed.
pub(super) struct Undo;

impl Visitor for Undo {
    fn visit<H: Handle>(&mut self, handle: &H, _: &mut H::Cell) {
        if let Some(core) = handle.core() {
            core.undo();
        }
    }
}
