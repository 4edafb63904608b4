//! States being declared: the catalog takes all of them, or none.

use crate::catalog::clocks::StoreTime;
use crate::catalog::declared::Declared;
use crate::catalog::expiry::{Expiry, Ttl};
use crate::catalog::operator::OperatorHub;
use crate::catalog::records::OperatorRecord;
use crate::catalog::state::StateRecord;
use crate::error::{Cause, StateError};
use crate::lock::lock;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

impl OperatorHub {
    /// Starts declaring states; one store at a time does.
    pub(crate) fn draft(&self) -> Draft<'_> {
        let turn = lock(&self.declaring);
        let record = lock(&self.state).record.clone();
        Draft { hub: self, record, expiries: Vec::new(), _turn: turn }
    }
}

/// States being declared: the catalog takes all of them, or none if one does not fit.
pub(crate) struct Draft<'a> {
    hub: &'a OperatorHub,
    record: OperatorRecord,
    expiries: Vec<(u16, Arc<Expiry>)>,
    _turn: MutexGuard<'a, ()>,
}

impl Draft<'_> {
    /// The TTL that the catalog has for the state called `name`, if it has that state.
    pub(crate) fn ttl(&self, name: &str) -> Option<Option<Ttl>> {
        self.record.states.iter().find(|state| state.name == name).map(|state| state.ttl)
    }

    /// Gives up the states of these names, unless a store of this process uses one of them.
    pub(crate) fn drop_states(&mut self, names: &[&str]) -> Result<(), StateError> {
        let state = lock(&self.hub.state);
        let in_use =
            |record: &&Arc<StateRecord>| names.contains(&&*record.name) && state.expiries.contains_key(&record.slot);
        if let Some(used) = self.record.states.iter().find(in_use) {
            let reason =
                "another open store of this process uses the state, so it cannot be dropped; close that one first";
            return Err(StateError::from(Cause::Setting { reason: reason.to_owned() }).at_state(&used.name));
        }
        self.record.drop_states(names);
        Ok(())
    }

    /// Finds or adds a state, after checking that what is stored fits; says which version of its type the program has.
    pub(crate) fn declare(
        &mut self,
        declared: &Declared<'_>,
        time: &StoreTime,
    ) -> Result<(Arc<StateRecord>, u64, Arc<Expiry>), StateError> {
        let hub = self.hub;
        let (found, version) = self.record.declare(declared, || hub.moment(time))?;
        let found = Arc::clone(found);
        let known = lock(&self.hub.state).expiries.get(&found.slot).map(Arc::clone);
        let expiry = found.expiry();
        let expiry = match known {
            Some(known) if *known == expiry => known,
            _ => Arc::new(expiry),
        };
        self.expiries.push((found.slot, Arc::clone(&expiry)));
        Ok((found, version, expiry))
    }

    /// Makes the draft the catalog of all stores; the next commit of any of them writes it.
    pub(crate) fn publish(mut self) {
        let mut state = lock(&self.hub.state);
        // A commit of another store may have found that out meanwhile.
        self.record.apart_states.extend(&state.record.apart_states);
        if self.record != state.record {
            state.record = self.record;
            state.revision += 1;
        }
        self.hub.has_dropped.store(!state.record.dropped.is_empty(), Ordering::Relaxed);
        self.hub.retain(&self.expiries);
        state.expiries.extend(self.expiries);
        self.hub.publish_retention(&state);
    }
}
