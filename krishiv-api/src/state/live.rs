//! What the handles of lists and maps hold of the key being processed.

use crate::quiet::drop_quietly;
use crate::scope::left::Left;

/// What a row holds of a list or a map: nothing, before the first call that needs it.
///
/// Most rows have nothing in most of their lists and maps. Two words for each are what they take, in memory and in each event.
pub(super) type Held<C> = Option<Box<C>>;

/// The cell of the key being processed, and the steps that undo the event on it.
pub(super) struct Live<C: ?Sized, U> {
    entered: bool,
    cell: Held<C>,
    /// Makes a cell of which nothing is known.
    fresh: fn() -> Box<C>,
    undo: Vec<U>,
    /// What an event has left behind, to be dropped when all cells are back: that may panic.
    waste: Vec<U>,
}

impl<C: ?Sized, U> Live<C, U> {
    pub(super) fn new(fresh: fn() -> Box<C>) -> Self {
        Self { entered: false, cell: None, fresh, undo: Vec::new(), waste: Vec::new() }
    }

    /// A cell of which nothing is known.
    pub(super) fn fresh(&self) -> Box<C> {
        (self.fresh)()
    }

    /// Whether a key is being processed.
    pub(super) fn is_entered(&self) -> bool {
        self.entered
    }

    /// The cell, if there is anything to know of it.
    pub(super) fn cell(&self) -> Option<&C> {
        self.cell.as_deref()
    }

    /// The same, to change what is not to be undone.
    pub(super) fn cell_mut(&mut self) -> Option<&mut C> {
        self.cell.as_deref_mut()
    }

    /// The cell and the steps back, for a call that may change them.
    pub(super) fn parts(&mut self) -> (&mut Box<C>, &mut Vec<U>) {
        (self.cell.get_or_insert_with(self.fresh), &mut self.undo)
    }

    #[inline]
    pub(super) fn enter(&mut self, cell: &mut Held<C>) {
        std::mem::swap(&mut self.cell, cell);
        self.entered = true;
    }

    /// Gives the cell back; returns whether the event has written. What it leaves behind is dropped at once if no `Drop` of a
    /// user is in it.
    #[inline]
    pub(super) fn leave(&mut self, cell: &mut Held<C>, harmless: bool) -> bool {
        let wrote = !self.undo.is_empty();
        if harmless {
            self.undo.clear();
            self.waste.clear();
        } else if wrote {
            self.waste.append(&mut self.undo);
        }
        std::mem::swap(&mut self.cell, cell);
        self.entered = false;
        wrote
    }

    /// Goes back to before the event, by `take` for each step, the last one first; `take` returns what is left over.
    pub(super) fn undo(&mut self, mut take: impl FnMut(&mut Box<C>, U) -> Option<U>) {
        while let Some(step) = self.undo.pop() {
            let left = take(self.cell.get_or_insert_with(self.fresh), step);
            self.waste.extend(left);
        }
    }

    #[inline]
    pub(super) fn has_waste(&self) -> bool {
        !self.waste.is_empty()
    }

    /// Drops what an event has left behind.
    pub(super) fn sweep(&mut self) {
        while let Some(left) = self.waste.pop() {
            drop_quietly(left);
        }
    }
}

/// What has become of a cell that holds `weight` bytes outside itself.
pub(super) fn left<C: ?Sized>(wrote: bool, cell: &Held<C>, weight: impl FnOnce(&C) -> usize) -> Left {
    Left { wrote, weight: cell.as_deref().map_or(0, |cell| size_of_val(cell) + weight(cell)), entries: wrote }
}
