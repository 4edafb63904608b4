//! A migration from its beginning to its end.
//!
//! All is written anew under an id that belongs to nobody. Then one write makes it the operator's, and the old one nobody's. What is
//! stored under an id of nobody is deleted, now or by whoever comes next.

use crate::backend::Rows;
use crate::catalog::backend::BackendHub;
use crate::catalog::clocks::{Reached, StoreTime};
use crate::catalog::declared::{KeyRecord, mismatch};
use crate::catalog::operator::OperatorHub;
use crate::catalog::records::OperatorRecord;
use crate::catalog::state::StateRecord;
use crate::catalog::stored::find_renamed;
use crate::catalog::verdict::StatePlan;
use crate::codec::Codec;
use crate::error::{Cause, StateError};
use crate::keyed::{KeyedState, Plan};
use crate::names::TIMERS;
use crate::rekey::copying::{Copying, State};
use crate::rekey::function::KeyFunction;
use crate::rekey::progress::{Migrated, Tell};
use crate::rekey::setting::KeyMigration;
use crate::rekey::target::Target;
use crate::scope::shared::Shared;
use crate::time::{Clock, SystemClock};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

impl<Old: KeyedState, New: KeyedState> KeyMigration<Old, New> {
    pub(super) fn run_on(self, rows: Rows, tell: Tell<'_>) -> Result<Migrated, StateError> {
        let backend = BackendHub::of(&rows.backend)?;
        let mut migrated = Migrated::default();
        delete_leftovers(&backend, &mut migrated, tell)?;
        let Some(stored) = self.find(&rows)? else { return Ok(migrated) };
        if self.is_done(&stored)? {
            return Ok(migrated);
        }
        let operator = backend.operator((&stored.name, Vec::new()), &self.key.old, None)?;
        // Never given back: by then what this hub knows is of before.
        operator.claim(&(0..operator.max_parallelism()))?;
        self.switch(&rows, &backend, operator, stored.key.codec, (&mut migrated, tell))?;
        delete_leftovers(&backend, &mut migrated, tell)?;
        Ok(migrated)
    }

    /// Writes everything anew, and makes that the operator's.
    fn switch(
        self,
        rows: &Rows,
        backend: &BackendHub,
        operator: Arc<OperatorHub>,
        key_codec: Codec,
        (migrated, tell): (&mut Migrated, Tell<'_>),
    ) -> Result<(), StateError> {
        let (name, time) = (self.name.clone(), self.time(rows, &operator));
        let (key, states) = self.prepare(&operator, time)?;
        let mut next = next_record(operator.record(), &key.new, &states);
        refuse::<New>(&next)?;
        let mut filling = backend.fill_id()?;
        let mut copying = Copying {
            operator: &operator,
            target: Target::new(backend, &rows.backend),
            to: filling.id(),
            max_parallelism: operator.max_parallelism(),
            key: &key,
            key_codec,
            states,
            next_position: operator.next_position()?,
            apart: BTreeSet::new(),
            migrated,
            tell,
        };
        copying.run()?;
        next.apart_states.append(&mut copying.apart);
        next.migrations.extend(name);
        operator.become_filled(next, copying.next_position, &mut filling)
    }

    /// The operator as it is stored.
    fn find(&self, rows: &Rows) -> Result<Option<OperatorRecord>, StateError> {
        if let Some(name) = &self.operator {
            return find_renamed(&*rows.backend, name, &[]);
        }
        // Once it is done, the new program may have given it another name.
        let names = Old::RENAMED_FROM.iter().copied().chain([New::OPERATOR]);
        let names: Vec<_> = names.filter(|name| *name != Old::OPERATOR).collect();
        let stored = find_renamed(&*rows.backend, Old::OPERATOR, &names)?;
        if let Some(stored) = &stored
            && stored.name != New::OPERATOR
            && !New::RENAMED_FROM.contains(&&*stored.name)
        {
            let (new, old) = (New::OPERATOR, &stored.name);
            let reason = format!(
                "the new struct is of operator `{new}`, and would not find what is stored as `{old}`; give it that name, or `renamed_from = \"{old}\"`"
            );
            return Err(Cause::Setting { reason }.into());
        }
        Ok(stored)
    }

    /// Whether it has come to its end before.
    fn is_done(&self, stored: &OperatorRecord) -> Result<bool, StateError> {
        let is_named = self.name.as_ref().is_some_and(|name| stored.migrations.contains(name));
        let mut sides = vec![(stored.key.clone(), &self.key)];
        for (name, function) in &self.map_keys {
            let state = find_state::<New>(stored, name)?;
            let Some(stored) = state.map_key.clone() else {
                let reason = format!("the state is a {}, which has no map keys; take `map_keys` off", state.kind);
                return Err(StateError::from(Cause::Setting { reason }).at_state(name));
            };
            sides.push((stored, function));
        }
        let fits = |stored: &KeyRecord, side: &KeyRecord| stored.shape.compare(&side.shape).is_some();
        let is_old = sides.iter().all(|(stored, function)| fits(stored, &function.old));
        let is_new = sides.iter().all(|(stored, function)| fits(stored, &function.new));
        if is_old && is_new && self.name.is_none() {
            let reason = "old and new keys look the same, so that nobody could tell whether the migration is done; give it a name by `named`";
            return Err(Cause::Setting { reason: reason.to_owned() }.into());
        }
        if is_named || (is_new && !is_old) {
            return Ok(true);
        }
        for ((stored, function), (name, _)) in sides.iter().skip(1).zip(&self.map_keys) {
            if !fits(stored, &function.old) {
                let differs = mismatch("map key", &stored.shape, &function.old.shape);
                return differs.map_err(|error| error.at_state(name));
            }
        }
        Ok(false)
    }

    fn time(&self, rows: &Rows, operator: &OperatorHub) -> StoreTime {
        let backends = rows.ttl.as_ref().map(|ttl| Arc::clone(&ttl.time) as Arc<dyn Clock>);
        let clock = self.clock.clone().or(backends).unwrap_or_else(|| Arc::new(SystemClock));
        StoreTime::new(clock, rows.ttl.clone(), Reached::default(), operator.state(TIMERS).is_some(), false)
    }

    /// Makes ready what is done with the key, and with each state.
    fn prepare(
        self,
        operator: &Arc<OperatorHub>,
        time: StoreTime,
    ) -> Result<(KeyFunction, HashMap<u16, State>), StateError> {
        let record = operator.record();
        refuse::<Old>(&record)?;
        let shared = Arc::new(Shared::new(record.name.clone(), Arc::clone(operator), time, usize::MAX, 1));
        let (mut map_keys, mut merges) = (HashMap::new(), HashMap::new());
        for (name, function) in self.map_keys {
            map_keys.insert(find_state::<New>(&record, &name)?.slot, function);
        }
        let mut draft = operator.draft();
        for (name, asked) in self.merges {
            let state = find_state::<New>(&record, &name)?;
            merges.insert(state.slot, asked.bind(&mut draft, &shared, state)?);
        }
        draft.publish();
        operator.judge_all_by(&shared.time);
        let state = |record: Arc<StateRecord>| {
            let (map_keys, merge) = (map_keys.remove(&record.slot), merges.remove(&record.slot));
            (record.slot, State { record, map_keys, merge })
        };
        Ok((self.key, operator.record().states.into_iter().map(state).collect()))
    }
}

/// The stored state that the program calls `name`.
fn find_state<'a, New: KeyedState>(record: &'a OperatorRecord, name: &str) -> Result<&'a Arc<StateRecord>, StateError> {
    let former: Vec<_> = New::DESCRIPTORS.iter().filter(|field| field.name() == name).collect();
    let is_former = |stored: &str| former.iter().any(|field| field.renamed_from().contains(&stored));
    let found = record.states.iter().find(|state| state.name == name || is_former(&state.name));
    found.ok_or_else(|| {
        let all: Vec<_> = record.states.iter().map(|state| format!("`{}`", state.name)).collect();
        let reason = format!("the migration names a state that is not stored; stored are {}", all.join(", "));
        StateError::from(Cause::Setting { reason }).at_state(name)
    })
}

/// The operator as it is to be.
fn next_record(mut next: OperatorRecord, key: &KeyRecord, states: &HashMap<u16, State>) -> OperatorRecord {
    next.key = key.clone();
    for state in &mut next.states {
        if let Some(function) = states.get(&state.slot).and_then(|state| state.map_keys.as_ref()) {
            let mut changed = StateRecord::clone(state);
            changed.map_key = Some(function.new.clone());
            *state = Arc::new(changed);
        }
    }
    next.forget_dropped();
    next
}

fn delete_leftovers(backend: &BackendHub, migrated: &mut Migrated, tell: Tell<'_>) -> Result<(), StateError> {
    backend.delete_leftovers(|deleted| {
        migrated.deleted += deleted;
        tell(*migrated);
    })
}

/// Refuses what would keep a store of `S` from opening.
fn refuse<S: KeyedState>(record: &OperatorRecord) -> Result<(), StateError> {
    let (plan, _) = Plan::by::<S>(&record.name, Some(record))?;
    plan.states().iter().find_map(StatePlan::refusal).map_or(Ok(()), Err)
}
