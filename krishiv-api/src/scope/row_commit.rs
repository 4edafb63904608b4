//! What a commit writes of one row.

use crate::backend::WriteBatch;
use crate::codec::keys::{ROW_SLOT, RowKey};
use crate::codec::row::{Parts, Place};

/// What a commit writes of one row: records of lists and maps one by one, and those of its values as one.
pub struct RowCommit<'a> {
    pub(crate) row: &'a RowKey,
    pub(crate) batch: &'a mut WriteBatch,
    /// What the record of the row comes to be; `None` where no value has changed, so that it stays.
    pub(crate) values: Option<Values<'a>>,
}

/// The record of a row on its way.
pub(crate) struct Values<'a> {
    pub(crate) next: &'a mut Parts,
    /// Only what has changed is in it: the row was not read, and the backend puts both together.
    pub(crate) changes_only: bool,
    /// What is stored and no cell has: a cell that knows better takes it out.
    pub(crate) stored: &'a mut Parts,
}

impl RowCommit<'_> {
    /// Whether what has not changed stays out of the record.
    pub(crate) fn is_of_changes(&self) -> bool {
        self.values.as_ref().is_some_and(|values| values.changes_only)
    }

    /// Removes the record of a value that lies apart.
    pub(crate) fn remove_apart(&mut self, place: Place) {
        let Self { row, batch, .. } = self;
        batch.delete_with(|bytes| row.append(place.slot, &[], bytes));
    }

    /// Adds the record of the row, when all its cells have been there; returns what of it no cell has.
    pub(crate) fn finish(self) -> Option<Box<[u8]>> {
        let Self { row, batch, values } = self;
        let Values { next, stored, changes_only } = values?;
        if changes_only {
            next.sort();
            batch.merge_with(|bytes| row.append(ROW_SLOT, &[], bytes), |bytes| next.write(bytes));
            next.keep_all(stored);
            return Some(next.write_kept());
        }
        // States that the store has no handle for.
        next.keep_all(stored);
        if next.is_empty() {
            batch.delete_with(|bytes| row.append(ROW_SLOT, &[], bytes));
        } else {
            batch.append_with(|bytes| row.append(ROW_SLOT, &[], bytes), |bytes| next.write(bytes));
        }
        Some(next.write_kept())
    }
}
