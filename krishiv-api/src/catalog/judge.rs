//! What becomes of stored states in a program: one judgement, for who opens, for who only asks, and for a lock file.

use crate::catalog::declared::{Declared, Name, describe};
use crate::catalog::state::StateRecord;
use crate::catalog::today::NoWay;
use crate::catalog::verdict::{Refused, StatePlan, TypeChange, Verdict};
use crate::descriptor::StateDescriptor;
use crate::names;
use std::sync::Arc;

/// Where among `states` the one is that a program declares, and what becomes of it.
pub(crate) fn judge(states: &[Arc<StateRecord>], declared: &Declared<'_>) -> (Option<usize>, StatePlan) {
    let name = declared.name;
    let at = |name: &str| states.iter().position(|state| state.name == name);
    let mut candidates = std::iter::once(&name.name).chain(name.renamed_from).filter_map(|name| at(name));
    let found = candidates.next();
    let found = found.or_else(|| states.iter().position(|state| name.is_former_of(state)));
    let Some((index, state)) = found.and_then(|index| Some((index, states.get(index)?))) else {
        return (None, declared.plan());
    };
    let mut plan = state.judge(declared);
    if let Some(other) = candidates.find_map(|other| states.get(other)) {
        let reason = "there is a state of each name, and one cannot be both".to_owned();
        plan.verdict = Verdict::Impossible { reason };
        let stored = format!("both `{}` and `{}`", state.name, other.name);
        plan.refused = Some(Refused { what: "name", stored, declared: format!("`{}`", name.name) });
    }
    (Some(index), plan)
}

impl Name<'_> {
    /// Whether a stored state is this one, as far as names tell.
    fn is_of(&self, stored: &StateRecord) -> bool {
        self.name == stored.name || self.renamed_from.contains(&&*stored.name) || self.is_former_of(stored)
    }

    /// Whether the state that is stored as `name`, and was called like this one before, is this one: in the program of before the rename.
    fn is_former_of(&self, stored: &StateRecord) -> bool {
        let known =
            |field: &StateDescriptor| field.name() == stored.name || field.renamed_from().contains(&&*stored.name);
        !self.beside.is_empty()
            && stored.former_names.iter().any(|former| former == self.name)
            && !self.beside.iter().any(known)
    }
}

impl StateRecord {
    /// Says what becomes of it in a program that declares it so.
    fn judge(&self, declared: &Declared<'_>) -> StatePlan {
        let refused = |what, stored: &dyn ToString, declared: &dyn ToString| {
            Some(Refused { what, stored: stored.to_string(), declared: declared.to_string() })
        };
        let impossible = |reason: &str| Verdict::Impossible { reason: reason.to_owned() };
        let mut plan = declared.plan();
        plan.stored = Some(self.describe());
        plan.renamed_from = Some(self.name.clone()).filter(|name| name != declared.name.name);
        if self.kind != declared.kind {
            plan.verdict = impossible("a state keeps its kind");
            plan.refused = refused("kind", &self.kind, &declared.kind);
            return plan;
        }
        if let (Some(stored), Some(declared)) = (&self.map_key, &declared.map_key)
            && stored.shape.compare(&declared.shape).is_none()
        {
            plan.verdict = impossible(
                "entries are found by the bytes of their keys, and `KeyMigration::map_keys` gives them others",
            );
            plan.refused = refused("map key", &stored.shape, &declared.shape);
            return plan;
        }
        let own = self.own_version(&declared.value.shape).map(|(version, _)| version);
        let (mut all, mut any): (Vec<TypeChange>, _) = (Vec::new(), false);
        for (_, stored, codec) in self.types().filter(|(version, ..)| Some(*version) != own) {
            any = true;
            match declared.value.way(stored, codec) {
                Ok((_, changes)) => {
                    for change in changes {
                        if !all.contains(&change) {
                            all.push(change);
                        }
                    }
                }
                Err(NoWay { changes, reason }) => {
                    plan.verdict = Verdict::NeedsMigration { changes, reason };
                    plan.refused = refused("value", stored, &declared.value.shape);
                    return plan;
                }
            }
        }
        plan.verdict = if any { Verdict::Readable { changes: all } } else { Verdict::Same };
        plan
    }

    /// What becomes of it in a program that does not declare it.
    fn judge_undeclared(&self, is_dropped: bool) -> StatePlan {
        StatePlan {
            state: self.name.clone(),
            verdict: if is_dropped { Verdict::Dropped } else { Verdict::Undeclared },
            renamed_from: None,
            stored: Some(self.describe()),
            declared: None,
            refused: None,
        }
    }
}

impl Declared<'_> {
    /// What becomes of it where nothing is stored.
    fn plan(&self) -> StatePlan {
        let map_key = self.map_key.as_ref().map(|key| &key.shape);
        StatePlan {
            state: self.name.name.to_owned(),
            verdict: Verdict::New,
            renamed_from: None,
            stored: None,
            declared: Some(describe(self.kind, map_key, &self.value.shape)),
            refused: None,
        }
    }
}

/// What becomes of those of `states` that a program with these does not declare, and of those that it drops.
pub(crate) fn judge_others(
    states: &[Arc<StateRecord>],
    declared: &[StateDescriptor],
    dropped: &[&str],
) -> Vec<StatePlan> {
    let has = |field: &StateDescriptor, state: &StateRecord| {
        Name { name: field.name(), own: false, renamed_from: field.renamed_from(), beside: declared }.is_of(state)
    };
    let is_known =
        |state: &StateRecord| names::is_reserved(&state.name) || declared.iter().any(|field| has(field, state));
    let mut others: Vec<_> = states.iter().filter(|state| !is_known(state)).collect();
    others.sort_by_key(|state| &state.name);
    others.into_iter().map(|state| state.judge_undeclared(dropped.contains(&&*state.name))).collect()
}
