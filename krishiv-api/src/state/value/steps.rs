//! What the store does with a value: the steps of an event, how it is undone, and its commit.

use crate::codec::record::Stamp;
use crate::codec::row::Parts;
use crate::error::StateError;
use crate::quiet::drop_quietly;
use crate::scope::left::Left;
use crate::scope::row_commit::RowCommit;
use crate::scope::slot::Slot;
use crate::state::handle::Core;
use crate::state::value::cell::Cell;
use crate::state::value::core::{Before, Live, Value};
use crate::value::StateValue;

impl<T: StateValue> Core for Value<T> {
    type Cell = Cell<T>;

    fn slot(&self) -> &Slot {
        &self.slot
    }

    #[inline]
    fn enter(&mut self, cell: &mut Cell<T>) {
        std::mem::swap(&mut self.live.get_mut().cell, cell);
    }

    #[inline]
    fn rest(&mut self, cell: &mut Cell<T>) {
        let live = &mut self.live.get_mut().0;
        if !std::mem::needs_drop::<T>() {
            live.before = Before::Same;
        }
        std::mem::swap(&mut live.cell, cell);
    }

    #[inline]
    fn leave(&mut self, cell: &mut Cell<T>) -> Left {
        let live = &mut self.live.get_mut().0;
        let wrote = !matches!(live.before, Before::Same | Before::Gone(_));
        if !std::mem::needs_drop::<T>() {
            live.before = Before::Same;
        }
        std::mem::swap(&mut live.cell, cell);
        let weight = match cell {
            Cell::Hot { heap, .. } | Cell::Timed { heap, .. } | Cell::Present { heap, .. }
                if std::mem::needs_drop::<T>() =>
            {
                *heap as usize
            }
            _ => 0,
        };
        Left { wrote, weight, entries: false }
    }

    fn undo(&mut self) {
        let Live { cell, before } = &mut self.live.get_mut().0;
        let old = match std::mem::replace(before, Before::Same) {
            Before::Same => return,
            Before::Stamp { dirty, stamp } => {
                let renewed = std::mem::replace(cell, Cell::Unloaded);
                *cell = renewed.with_stamp(dirty, stamp);
                return;
            }
            Before::Hot { heap, value } => Cell::Hot { heap, value },
            Before::Timed { heap, expires_at, value } => Cell::Timed { heap, expires_at, value },
            Before::Cell(old) => old,
            gone @ Before::Gone(_) => {
                *before = gone;
                return;
            }
        };
        let gone = std::mem::replace(cell, old);
        if std::mem::needs_drop::<T>() {
            *before = Before::Gone(gone);
        }
    }

    #[inline]
    fn has_waste(&mut self) -> bool {
        std::mem::needs_drop::<T>() && !matches!(self.live.get_mut().before, Before::Same)
    }

    fn sweep(&mut self) {
        drop_quietly(std::mem::replace(&mut self.live.get_mut().before, Before::Same));
    }

    /// Keeps the value if it was read together with another one.
    fn adopt(&mut self, stored: &mut Parts) {
        let Self { slot, live, .. } = self;
        read(slot, &mut live.get_mut().cell, stored);
    }

    #[inline]
    fn wants_preload(&self, cell: &Cell<T>) -> bool {
        matches!(cell, Cell::Unloaded)
    }

    fn preload(&self, cell: &mut Cell<T>, stored: &mut Parts) {
        read(&self.slot, cell, stored);
    }

    fn changes_row(&self, cell: &Cell<T>) -> Option<bool> {
        Some(match cell {
            Cell::Hot { .. } | Cell::Timed { .. } => true,
            Cell::Absent { dirty } | Cell::Present { dirty, .. } => *dirty,
            Cell::Outside | Cell::Unloaded => false,
        })
    }

    fn flush(&self, cell: &mut Cell<T>, to: &mut RowCommit<'_>) -> Result<(), StateError> {
        if to.is_of_changes() && self.changes_row(cell) != Some(true) {
            return Ok(());
        }
        match cell {
            Cell::Present { dirty, codec, clock, expires_at, value, .. } => {
                let stamp = Stamp { expires_at: *expires_at, clock: *clock };
                if !*dirty && (self.slot.keep_value(to) || self.slot.is_expired(stamp)) {
                    return Ok(());
                }
                self.slot.put_value(to, value, (*codec, stamp))
            }
            Cell::Hot { value, .. } => self.slot.put_value(to, value, (self.slot.codec, Stamp::NEVER)),
            Cell::Timed { expires_at, value, .. } => {
                self.slot.put_value(to, value, (self.slot.codec, self.slot.counted(*expires_at)))
            }
            Cell::Absent { .. } => {
                self.slot.remove_value(to);
                Ok(())
            }
            Cell::Outside | Cell::Unloaded => {
                self.slot.keep_value(to);
                Ok(())
            }
        }
    }

    fn committed(&self, cell: &mut Cell<T>) {
        let (heap, stamp, value) = match std::mem::replace(cell, Cell::Unloaded) {
            Cell::Hot { heap, value } => (heap, Stamp::NEVER, value),
            Cell::Timed { heap, expires_at, value } => (heap, self.slot.counted(expires_at), value),
            mut other => {
                if let Cell::Absent { dirty } | Cell::Present { dirty, .. } = &mut other {
                    *dirty = false;
                }
                *cell = other;
                return;
            }
        };
        let Stamp { expires_at, clock } = stamp;
        *cell = Cell::Present { dirty: false, codec: self.slot.codec, clock, heap, expires_at, value };
    }

    fn holds(&self, cell: &Cell<T>, stored: &[(u16, &[u8])]) -> bool {
        match cell {
            Cell::Outside | Cell::Unloaded => stored.iter().any(|(slot, _)| self.slot.owns(*slot)),
            _ => self.stamp_of(cell).is_some_and(|stamp| !self.slot.is_expired(stamp)),
        }
    }
}

/// Makes `cell` what is `stored` of it, if it has not been read.
fn read<T: StateValue>(slot: &Slot, cell: &mut Cell<T>, stored: &mut Parts) {
    let lies_apart = stored.get(slot.id()).is_some_and(|(place, _)| place.apart);
    if matches!(cell, Cell::Unloaded)
        && !lies_apart
        // Damage is reported when the value is asked for: until then it stays unread.
        && let Ok(found) = slot.read_value(stored)
    {
        *cell = Cell::found(found);
    }
    if !matches!(cell, Cell::Unloaded) {
        slot.claim(stored);
    }
}
