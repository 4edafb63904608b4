//! How an event on a map is undone.

use super::cell::Cell;
use super::known::Known;
use super::table::Spare;
use crate::codec::Plan;
use crate::codec::record::Stamp;

/// One step back. The values that a step has taken out lie in a [`Spare`] beside the steps, those of the last step last.
pub(super) enum Undo {
    /// This was known of the entry at this place.
    Known(usize, Known),
    /// Nothing was known of the entry, and the map may have been complete without it.
    Unknown(usize, bool),
    /// The stamp was renewed.
    Renew(usize, bool, Stamp),
    /// The whole map was this.
    Clear(Box<Cell>),
}

impl Undo {
    /// Follows the entries to their new places.
    pub(super) fn reorder(steps: &mut [Self], places: &[usize]) {
        // What is in front of a cleared map is about another one.
        for step in steps.iter_mut().rev().take_while(|step| !matches!(step, Self::Clear(_))) {
            if let Self::Known(place, _) | Self::Unknown(place, _) | Self::Renew(place, ..) = step {
                *place = places.get(*place).copied().unwrap_or(*place);
            }
        }
    }

    /// Takes it in `cell`; returns what is left over.
    pub(super) fn take(
        self,
        cell: &mut Box<Cell>,
        added: &mut Vec<usize>,
        spare: &mut dyn Spare,
        plan: &Plan,
    ) -> Option<Self> {
        match self {
            Self::Known(place, known) => {
                cell.restore(place, known);
                cell.table.put_back(place, spare);
            }
            Self::Unknown(place, complete) => {
                cell.take_out(place, added, spare, plan);
                // Loading the whole map since has left out what lies under this key in the backend.
                cell.complete = complete;
            }
            Self::Renew(place, dirty, stamp) => {
                if let Some(known) = cell.known(place) {
                    cell.restore(place, known.renewed(dirty, stamp));
                }
            }
            Self::Clear(before) => {
                // What was noted is about the map that goes.
                added.clear();
                return Some(Self::Clear(std::mem::replace(cell, before)));
            }
        }
        None
    }
}
