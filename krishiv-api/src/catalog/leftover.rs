//! Ids under which only remains are stored.
//!
//! A migration of keys writes all of an operator anew under a second id, and which of the two counts is one record. The other id is
//! left over, and the catalog says so as long as anything may be stored under it: it belongs to nobody, nobody gets it, and what is
//! there is deleted by the next migration, or a piece at a time by commits.

use crate::backend::{AnyBackend, WriteBatch};
use crate::catalog::backend::BackendHub;
use crate::catalog::records::{self, LeftoverRecord};
use crate::codec::keys::operator_prefix;
use crate::error::StateError;
use crate::lock::lock;
use std::collections::BTreeSet;

/// Records that one write deletes.
const PORTION: u64 = 4_096;

/// An id that a migration fills. Dropped, it is left over.
pub(crate) struct Filling<'a> {
    backend: &'a BackendHub,
    id: u16,
    /// Whether it is still nobody's: once an operator may have it, only the catalog knows.
    is_leftover: bool,
}

impl Filling<'_> {
    pub(crate) fn id(&self) -> u16 {
        self.id
    }

    /// Takes note that an operator may have it from now on.
    pub(super) fn may_be_taken(&mut self) {
        self.is_leftover = false;
    }
}

impl Drop for Filling<'_> {
    fn drop(&mut self) {
        let mut ids = lock(&self.backend.ids);
        ids.filling.remove(&self.id);
        if self.is_leftover {
            ids.leftover.insert(self.id, Vec::new());
        }
    }
}

impl BackendHub {
    /// Takes an id to be filled, and has the catalog say that it is left over.
    pub(crate) fn fill_id(&self) -> Result<Filling<'_>, StateError> {
        let id = lock(&self.ids).fill()?;
        let filling = Filling { backend: self, id, is_leftover: true };
        let mut batch = WriteBatch::default();
        batch.put(&records::leftover_key(id), &records::write(&LeftoverRecord { id })?);
        self.write_alone(batch, false)?;
        Ok(filling)
    }

    /// Deletes what is stored under ids that are left over, and tells after each write how many records that were.
    pub(crate) fn delete_leftovers(&self, mut tell: impl FnMut(u64)) -> Result<(), StateError> {
        self.find_leftovers()?;
        loop {
            self.owner.check(&*self.backend)?;
            let turn = lock(&self.commit);
            let mut batch = WriteBatch::default();
            let Some(portion) = self.leftover_portion(&mut batch)? else { return Ok(()) };
            self.write_in_turn(batch, false)?;
            let records = portion.records;
            self.is_deleted(portion);
            drop(turn);
            tell(records);
        }
    }

    /// Adds the deletion of some of what is left over to `batch`, if anything is. Under the lock of commits, until it is written.
    pub(super) fn leftover_portion(&self, batch: &mut WriteBatch) -> Result<Option<Portion>, StateError> {
        let first = lock(&self.ids).leftover.first_key_value().map(|(id, from)| (*id, from.clone()));
        let Some((id, from)) = first else { return Ok(None) };
        let mut portion = Portion { id, records: 0, is_last: true, last: from };
        // From where the last portion ended: to come to what is there past all that was deleted takes longer each time.
        for record in self.backend.scan_from(&operator_prefix(id), &portion.last.clone()) {
            if portion.records == PORTION {
                portion.is_last = false;
                break;
            }
            portion.last = record?.0;
            batch.delete(&portion.last);
            portion.records += 1;
        }
        if portion.is_last {
            batch.delete(&records::leftover_key(id));
        }
        Ok(Some(portion))
    }

    /// Takes note that a portion is deleted.
    pub(super) fn is_deleted(&self, portion: Portion) {
        let leftover = &mut lock(&self.ids).leftover;
        if portion.is_last {
            leftover.remove(&portion.id);
        } else {
            leftover.insert(portion.id, portion.last);
        }
    }

    /// Reads again which ids are left over: where a write has failed only the catalog knows.
    fn find_leftovers(&self) -> Result<(), StateError> {
        let stored = leftovers(&*self.backend).collect::<Result<BTreeSet<_>, _>>()?;
        let mut ids = lock(&self.ids);
        ids.leftover = stored.difference(&ids.filling).map(|id| (*id, Vec::new())).collect();
        ids.used.extend(stored);
        Ok(())
    }
}

/// What one write deletes of what is left over.
pub(super) struct Portion {
    id: u16,
    records: u64,
    /// Whether nothing remains after it.
    is_last: bool,
    /// The key of the last record.
    last: Vec<u8>,
}

fn leftovers(backend: &dyn AnyBackend) -> impl Iterator<Item = Result<u16, StateError>> {
    let records = backend.scan(&records::leftovers_prefix());
    records.map(|record| Ok(records::read::<LeftoverRecord>("record of what is left over", &record?.1)?.id))
}
