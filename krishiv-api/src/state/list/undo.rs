//! How an event on a list is undone.

use super::cell::{Cell, Front, Shape};
use super::run::Run;

/// One step back.
pub(super) enum Undo<T> {
    Append(Appended),
    PutFront(Front<T>),
    Restore(Shape<T>),
    /// The whole list was replaced.
    Replace(Cell<T>),
}

/// What was appended, counted from the end: what is in front of it may yet be read, or expire.
pub(super) struct Appended {
    values: usize,
    runs: usize,
    /// The run that took some of it in, as it was.
    joined: Option<Run>,
}

impl<T> Undo<T> {
    /// Takes note of what `append` appends to `cell`.
    pub(super) fn append(undo: &mut Vec<Self>, cell: &mut Cell<T>, append: impl FnOnce(&mut Cell<T>)) {
        let (values, runs, last) = (cell.values.len(), cell.runs.len(), cell.runs.back().copied());
        append(cell);
        let joined = last.filter(|last| cell.runs.get(runs - 1).is_some_and(|run| run.len() > last.len()));
        let (values, runs) = (cell.values.len() - values, cell.runs.len() - runs);
        match undo.last_mut() {
            Some(Self::Append(before)) => {
                before.values += values;
                before.runs += runs;
            }
            _ => undo.push(Self::Append(Appended { values, runs, joined })),
        }
    }

    /// Takes it in `cell`; returns what is left over.
    pub(super) fn take(self, cell: &mut Cell<T>) -> Option<Self> {
        match self {
            Self::Append(Appended { values, runs, joined }) => {
                let appended = cell.values.split_off(cell.values.len() - values.min(cell.values.len()));
                cell.runs.truncate(cell.runs.len() - runs.min(cell.runs.len()));
                if let (Some(joined), Some(last)) = (joined, cell.runs.back_mut()) {
                    *last = joined;
                }
                cell.reshaped();
                return Some(Self::Replace(Cell { values: appended, ..Cell::default() }));
            }
            Self::PutFront(front) => cell.put_front(front),
            Self::Restore(shape) => cell.restore(shape),
            Self::Replace(before) => return Some(Self::Replace(std::mem::replace(cell, before))),
        }
        None
    }
}
