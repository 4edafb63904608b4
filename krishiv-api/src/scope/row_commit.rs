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
    /// What is stored and no cell has: a cell that knows better takes it out.
    pub(crate) stored: &'a mut Parts,
}

impl RowCommit<'_> {
    /// Removes the record of a value that lies apart.
    pub(crate) fn remove_apart(&mut self, place: Place) {
        let Self { row, batch, .. } = self;
        batch.delete_with(|bytes| row.append(place.slot, &[], bytes));
    }

    /// Adds the record of the row, when all its cells have been there; returns what of it no cell has.
    pub(crate) fn finish(self) -> Option<Box<[u8]>> {
        let Self { row, batch, values } = self;
        let Values { next, stored } = values?;
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
