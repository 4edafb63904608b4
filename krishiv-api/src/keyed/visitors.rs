//! What an event does with each handle of a struct and its cell.

use crate::codec::row::Parts;
use crate::quiet::quietly;
use crate::scope::left::Left;
use crate::state::calls::Calls;
use crate::state::handle::{Core, Handle, Visitor};

/// Enters a row into the handles.
pub(super) struct Enter;

impl Visitor for Enter {
    #[inline]
    fn visit<H: Handle>(&mut self, handle: &mut H, cell: &mut H::Cell) {
        if let Some(core) = handle.core_mut() {
            core.enter(cell);
        }
    }
}

/// Keeps what was read of each cell together with others.
pub(super) struct Adopt<'a>(pub(super) &'a mut Parts);

impl Visitor for Adopt<'_> {
    fn visit<H: Handle>(&mut self, handle: &mut H, _: &mut H::Cell) {
        if let Some(core) = handle.core_mut() {
            quietly(|| core.adopt(self.0));
        }
    }
}

/// Whether something of a row is worth reading ahead of its event.
pub(super) struct Wanting(pub(super) bool);

impl Visitor for Wanting {
    #[inline]
    fn visit<H: Handle>(&mut self, handle: &mut H, cell: &mut H::Cell) {
        if let Some(core) = handle.core() {
            self.0 |= core.wants_preload(cell);
        }
    }
}

/// Whether cells of a row have something to write in its record, and whether all of those that lie there do.
pub(super) struct Changes {
    pub(super) any: bool,
    pub(super) all: bool,
}

impl Changes {
    pub(super) const NONE: Self = Self { any: false, all: true };

    #[inline]
    pub(super) fn and(&mut self, changes_row: Option<bool>) {
        self.any |= changes_row.unwrap_or(false);
        self.all &= changes_row.unwrap_or(true);
    }
}

impl Visitor for Changes {
    #[inline]
    fn visit<H: Handle>(&mut self, handle: &mut H, cell: &mut H::Cell) {
        if let Some(core) = handle.core() {
            self.and(core.changes_row(cell));
        }
    }
}

/// Takes what was read for a row ahead of its event.
pub(super) struct Preload<'a>(pub(super) &'a mut Parts);

impl Visitor for Preload<'_> {
    fn visit<H: Handle>(&mut self, handle: &mut H, cell: &mut H::Cell) {
        if let Some(core) = handle.core() {
            quietly(|| core.preload(cell, self.0));
        }
    }
}

/// Undoes an event.
pub(super) struct Undo;

impl Visitor for Undo {
    fn visit<H: Handle>(&mut self, handle: &mut H, _: &mut H::Cell) {
        if let Some(core) = handle.core_mut() {
            core.undo();
        }
    }
}

/// Lets a row leave the handles, and sums up what has become of it.
pub(super) struct Leave(pub(super) Left);

impl Visitor for Leave {
    #[inline]
    fn visit<H: Handle>(&mut self, handle: &mut H, cell: &mut H::Cell) {
        if let Some(core) = handle.core_mut() {
            self.0 = self.0.and(&core.leave(cell));
        }
    }
}

/// Lets a row leave the handles after an event that has touched nothing of what the store knows of it.
pub(super) struct Rest;

impl Visitor for Rest {
    #[inline]
    fn visit<H: Handle>(&mut self, handle: &mut H, cell: &mut H::Cell) {
        if let Some(core) = handle.core_mut() {
            core.rest(cell);
        }
    }
}

/// Whether any handle has something to drop.
pub(super) struct Waste(pub(super) bool);

impl Visitor for Waste {
    #[inline]
    fn visit<H: Handle>(&mut self, handle: &mut H, _: &mut H::Cell) {
        if let Some(core) = handle.core_mut() {
            self.0 |= core.has_waste();
        }
    }
}

/// Drops what the event has left behind.
pub(super) struct Sweep;

impl Visitor for Sweep {
    fn visit<H: Handle>(&mut self, handle: &mut H, _: &mut H::Cell) {
        if let Some(core) = handle.core_mut() {
            core.sweep();
        }
    }
}
