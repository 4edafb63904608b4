//! What a migration of keys changes of an operator in the catalog: all of it in one write.

use crate::backend::WriteBatch;
use crate::catalog::clocks::StoreTime;
use crate::catalog::leftover::Filling;
use crate::catalog::operator::OperatorHub;
use crate::catalog::positions::stored_positions;
use crate::catalog::records::{self, LeftoverRecord, OperatorRecord};
use crate::error::StateError;
use crate::lock::lock;
use std::sync::Arc;

impl OperatorHub {
    /// The operator as the catalog has it, with what has been declared since.
    pub(crate) fn record(&self) -> OperatorRecord {
        lock(&self.state).record.clone()
    }

    /// The next free list position in any of its instances.
    pub(crate) fn next_position(&self) -> Result<u64, StateError> {
        Ok(self.positions()?.iter().map(|position| position.next_position).max().unwrap_or(1))
    }

    /// Lets [`remains`](Self::remains) judge the records of all states, by `time`.
    pub(crate) fn judge_all_by(&self, time: &StoreTime) {
        let expiries: Vec<_> =
            self.record().states.iter().map(|state| (state.slot, Arc::new(state.expiry()))).collect();
        self.retain(&expiries);
        self.use_time(time);
    }

    /// Makes the operator what `next` says, under the id that has been filled. From then on what it was is left over, and this hub
    /// knows nothing any more.
    pub(crate) fn become_filled(
        &self,
        mut next: OperatorRecord,
        next_position: u64,
        filling: &mut Filling<'_>,
    ) -> Result<(), StateError> {
        let (old, new) = (self.id(), filling.id());
        next.id = new;
        let mut batch = WriteBatch::default();
        for mut position in stored_positions(&*self.backend.backend, old)? {
            batch.delete(&records::position_key(old, &position.range()));
            position.next_position = position.next_position.max(next_position);
            batch.put(&records::position_key(new, &position.range()), &records::write(&position)?);
        }
        lock(&self.state).old_names.iter().for_each(|name| batch.delete(&records::operator_key(name)));
        batch.put(&records::operator_key(&next.name), &records::write(&next)?);
        batch.delete(&records::leftover_key(new));
        batch.put(&records::leftover_key(old), &records::write(&LeftoverRecord { id: old })?);
        filling.may_be_taken();
        self.backend.write_alone(batch, true)
    }
}

impl OperatorRecord {
    /// Forgets the states that were given up, of which nothing is stored any more.
    pub(crate) fn forget_dropped(&mut self) {
        self.dropped.clear();
    }
}
