//! The types of an operator as a lock file has them: what a catalog would, without ids and times to live.

use crate::catalog::declared::KeyRecord;
use crate::catalog::records::OperatorRecord;
use crate::catalog::state::StateRecord;
use crate::codec::{Codec, Shape};
use crate::descriptor::StateKind;
use crate::error::StateError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedOperator {
    pub(crate) key: LockedType,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) former_names: Vec<String>,
    pub(crate) states: BTreeMap<String, LockedState>,
}

/// A state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedState {
    pub(crate) kind: StateKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) map_key: Option<LockedType>,
    /// The types that its values have had, the first one first.
    pub(crate) values: Vec<LockedType>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) former_names: Vec<String>,
    /// The program has it no more, and does not say that it is to be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) undeclared: bool,
}

/// A type, in words for people, and as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedType {
    #[serde(rename = "type")]
    words: String,
    codec: Codec,
    shape: Shape,
}

impl LockedType {
    fn new(shape: &Shape, codec: Codec) -> Self {
        Self { words: shape.to_string(), codec, shape: shape.clone() }
    }

    /// Refuses one of which only one side was changed.
    fn check(&self) -> Result<&Self, String> {
        let words = self.shape.to_string();
        if words == self.words {
            return Ok(self);
        }
        Err(format!("the type `{}` has the shape of `{words}`", self.words))
    }

    fn key(&self) -> Result<KeyRecord, String> {
        Ok(KeyRecord { shape: self.check()?.shape.clone(), codec: self.codec })
    }
}

impl LockedOperator {
    /// What a catalog would have of it.
    ///
    /// # Errors
    ///
    /// What makes no sense in it.
    pub(crate) fn record(&self, name: &str) -> Result<OperatorRecord, String> {
        let mut record = OperatorRecord::new(1, name, 1, self.key.key()?);
        record.former_names.clone_from(&self.former_names);
        for (slot, (name, state)) in (1..).zip(&self.states) {
            let types = state.values.iter().map(|value| value.check().map(|value| (value.shape.clone(), value.codec)));
            let types: Vec<_> =
                types.collect::<Result<_, _>>().map_err(|reason| format!("state `{name}`: {reason}"))?;
            let map_key = state.map_key.as_ref().map(LockedType::key).transpose()?;
            let stored = StateRecord::of_types((slot, name), state.kind, map_key, types);
            let mut stored = stored.ok_or_else(|| format!("state `{name}` has no type"))?;
            stored.former_names.clone_from(&state.former_names);
            record.states.push(Arc::new(stored));
            record.next_slot = slot + 1;
        }
        Ok(record)
    }

    /// What a lock file has of `record`; `is_declared` says which states the program has.
    pub(crate) fn of(record: &OperatorRecord, is_declared: impl Fn(&str) -> bool) -> Self {
        let key = |key: &KeyRecord| LockedType::new(&key.shape, key.codec);
        let state = |state: &Arc<StateRecord>| {
            let mut values: Vec<_> = state.types().map(|(_, shape, codec)| LockedType::new(shape, codec)).collect();
            values.reverse();
            let locked = LockedState {
                kind: state.kind,
                map_key: state.map_key.as_ref().map(key),
                values,
                former_names: state.former_names.clone(),
                undeclared: !is_declared(&state.name),
            };
            (state.name.clone(), locked)
        };
        Self {
            key: key(&record.key),
            former_names: record.former_names.clone(),
            states: record.states.iter().map(state).collect(),
        }
    }
}

impl OperatorRecord {
    /// Makes of what is `locked` what a program begins with: its names, without the states that it gives up.
    pub(crate) fn take_over(&mut self, name: &str, key: &KeyRecord, dropped: &[&str]) -> Result<(), StateError> {
        self.key.fit("key", key)?;
        if self.name != name {
            self.rename(name);
        }
        self.drop_states(dropped);
        Ok(())
    }

    /// That of an operator that no lock file has.
    pub(crate) fn unlocked(name: &str, key: KeyRecord) -> Self {
        Self::new(1, name, 1, key)
    }
}
