//! How an event on a list is undone.

use super::cell::{Cell, Front, Shape};
use super::column::Column;
use super::run::Run;

/// One step back. The values that a step has taken out lie in a column beside the steps, those of the last step last.
pub(super) enum Undo {
    Append(Appended),
    PutFront(Front),
    Restore(Shape),
    /// The whole list was replaced.
    Replace(Box<Cell>),
    /// No step: what is of no use any more.
    Gone(#[expect(dead_code, reason = "it is dropped where that can do no harm")] Box<dyn Column>),
}

/// What was appended, counted from the end: what is in front of it may yet be read, or expire.
pub(super) struct Appended {
    values: usize,
    runs: usize,
    /// The run that took some of it in, as it was.
    joined: Option<Run>,
}

impl Undo {
    /// Takes note of what has been appended to `cell` since it had so many `runs`, of which this was the `last`.
    #[inline]
    pub(super) fn append(undo: &mut Vec<Self>, cell: &Cell, values: usize, (runs, last): (usize, Option<Run>)) {
        let joined = last.filter(|last| cell.runs.get(runs - 1).is_some_and(|run| run.len() > last.len()));
        let runs = cell.runs.len() - runs;
        match undo.last_mut() {
            Some(Self::Append(before)) => {
                before.values += values;
                before.runs += runs;
            }
            _ => undo.push(Self::Append(Appended { values, runs, joined })),
        }
    }

    /// Takes it in `cell`; returns what is left over.
    pub(super) fn take(self, cell: &mut Box<Cell>, spare: &mut dyn Column) -> Option<Self> {
        match self {
            Self::Append(Appended { values, runs, joined }) => {
                let mut appended = cell.values.fresh();
                cell.cut_back((values, runs), joined, &mut *appended);
                return Some(Self::Gone(appended));
            }
            Self::PutFront(front) => cell.put_front(front, spare),
            Self::Restore(shape) => cell.restore(shape, spare),
            Self::Replace(before) => return Some(Self::Replace(std::mem::replace(cell, before))),
            Self::Gone(_) => return Some(self),
        }
        None
    }
}
