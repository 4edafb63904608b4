//! What the store does with a map: the steps of an event, and its commit.

use super::cell::Cell;
use super::core::{Map, Working};
use super::known::Meta;
use crate::error::StateError;
use crate::scope::left::Left;
use crate::scope::row_commit::RowCommit;
use crate::scope::slot::Slot;
use crate::state::handle::Core;
use crate::state::live::{Held, left};

impl Core for Map {
    type Cell = Held<Cell>;

    fn slot(&self) -> &Slot {
        &self.slot
    }

    #[inline]
    fn enter(&mut self, cell: &mut Self::Cell) {
        self.working.get_mut().live.enter(cell);
    }

    #[inline]
    fn rest(&mut self, cell: &mut Self::Cell) {
        let is_plain = self.is_plain;
        self.working.get_mut().live.leave(cell, is_plain);
    }

    #[inline]
    fn leave(&mut self, cell: &mut Self::Cell) -> Left {
        let is_plain = self.is_plain;
        let Working { live, spare, is_spare_used } = &mut self.working.get_mut().0;
        let wrote = live.leave(cell, is_plain);
        if is_plain && std::mem::take(is_spare_used) {
            spare.sweep();
        }
        left(wrote, cell, |cell| cell.weight)
    }

    fn undo(&mut self) {
        let Working { live, spare, is_spare_used } = &mut self.working.get_mut().0;
        *is_spare_used = true;
        let (plan, mut added) = (self.slot.key_plan(), Vec::new());
        live.undo(|cell, step| step.take(cell, &mut added, &mut **spare, plan));
        if let Some(cell) = live.cell_mut() {
            cell.undone(added, &mut **spare, plan);
        }
    }

    #[inline]
    fn has_waste(&mut self) -> bool {
        let Working { live, is_spare_used, .. } = &mut self.working.get_mut().0;
        live.has_waste() || *is_spare_used
    }

    fn sweep(&mut self) {
        let Working { live, spare, is_spare_used } = &mut self.working.get_mut().0;
        live.sweep();
        spare.sweep();
        *is_spare_used = false;
    }

    fn flush(&self, cell: &mut Self::Cell, to: &mut RowCommit<'_>) -> Result<(), StateError> {
        let RowCommit { row, batch, .. } = to;
        let Some(cell) = cell else { return Ok(()) };
        if cell.erase {
            self.slot.delete_all(batch, row)?;
        }
        cell.gone_for_good().for_each(|suffix| self.slot.delete(batch, row, suffix));
        for (Meta { suffix, known }, value) in cell.dirty() {
            match value {
                Some(value) => self.slot.put(batch, row, suffix, value, (known.codec, known.stamp()))?,
                None => self.slot.delete(batch, row, suffix),
            }
        }
        Ok(())
    }

    fn committed(&self, held: &mut Self::Cell) {
        let Some(cell) = held else { return };
        cell.settle(self.slot.key_plan());
        if cell.is_blank() {
            *held = None;
        }
    }

    fn holds(&self, cell: &Self::Cell, stored: &[(u16, &[u8])]) -> bool {
        let stored = |shadowed: &dyn Fn(&[u8]) -> bool| {
            stored.iter().any(|(slot, suffix)| self.slot.owns(*slot) && !shadowed(suffix))
        };
        let Some(cell) = cell else { return stored(&|_| false) };
        let live = |meta: &Meta| meta.known.is_there() && !self.slot.is_expired(meta.known.stamp());
        let shadowed = |suffix: &[u8]| cell.metas().any(|meta| *meta.suffix == *suffix);
        cell.metas().any(live) || (!cell.complete && stored(&shadowed))
    }
}
