//! The catalog: which operator and state has which id, kind, shape and TTL, stored as JSON beside the rows.

use crate::catalog::clocks::{NO_TIMER, StoreTime, UNKNOWN};
use crate::catalog::declared::{Declared, KeyRecord, Name, check_name};
use crate::catalog::expiry::{Expiry, FirstWatermark, Moment, Now};
use crate::catalog::judge::judge;
use crate::catalog::retention::CommittedClock;
use crate::catalog::state::StateRecord;
use crate::codec::keys::{CATALOG, STAMPED, operator_prefix};
use crate::codec::record::FIRST_VERSION;
use crate::error::{Cause, StateError};
use crate::names::{self, TIMERS};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// The newest format of stored bytes that this library writes and reads.
///
/// 2: the timers of an operator, and the state that holds them per key. 3: one record for several list elements.
/// 4: values and keys in MessagePack, and records that tell how often the TTL of their state had been switched. 5: one record for the
/// values of a row. 6: changes of rows, which the backend merges, and the timers of a key in its row. 7: several versions of the type of a
/// state, and records that tell which of them has written them.
pub(crate) const FORMAT: u32 = 7;

/// Says in which format everything beside it is written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct FormatRecord {
    pub(crate) format: u32,
}

/// Says which backend object writes: each takes the next number with its first commit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct OwnerRecord {
    pub(crate) owner: u64,
}

/// Names an id under which there are only remains: no operator has it, and what is stored under it is to be deleted.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct LeftoverRecord {
    pub(crate) id: u16,
}

/// An operator and its states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OperatorRecord {
    pub(crate) id: u16,
    pub(crate) name: String,
    pub(crate) max_parallelism: u16,
    pub(crate) key: KeyRecord,
    pub(crate) next_slot: u16,
    /// Shared with the drafts of it, so that declaring one state more does not copy all others.
    #[serde(with = "shared")]
    pub(crate) states: Vec<Arc<StateRecord>>,
    /// Whether the values of a row have been one record from its first commit on; before format 5 they were one each.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) one_record: bool,
    /// The states of which a value was ever so long that it lies in a record of its own.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) apart_states: BTreeSet<u16>,
    /// Format 5: there is such a state, and it is not known which.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) apart: bool,
    /// The states that the program has given up: what is stored of them is deleted by and by, and nothing else gets their ids.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) dropped: BTreeSet<u16>,
    /// The names that it had before, the last one last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) former_names: Vec<String>,
    /// The migrations of keys that it has behind it, as far as they had a name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) migrations: Vec<String>,
    /// Whether the timers of a key have been in its row from the first on; before format 6 all were in records of their own.
    #[serde(default, skip_serializing_if = "is_false")]
    timers_in_row: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Writes and reads shared records as what they are.
mod shared {
    use super::{Arc, StateRecord};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(states: &[Arc<StateRecord>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(states.iter().map(|state| &**state))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Arc<StateRecord>>, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().map(Arc::new).collect())
    }
}

/// What was committed under one range of key groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PositionRecord {
    pub(crate) start: u16,
    pub(crate) end: u16,
    /// Grows with every commit of the operator; tells which of two overlapping ranges is the newer.
    pub(crate) sequence: u64,
    pub(crate) position: Vec<u8>,
    pub(crate) watermark: Option<i64>,
    pub(crate) first_watermark: Option<FirstWatermark>,
    /// The next free list position.
    pub(crate) next_position: u64,
    /// How far the clocks of state had come; of the event clock `None` is as far as the watermark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_clock: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) processing_clock: Option<i64>,
    /// The processing timer that is next, [`NO_TIMER`] where there is none; `None`: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_timer: Option<i64>,
}

impl PositionRecord {
    /// What the store of `range` is to go on from; `timers` says whether the operator may have any.
    pub(crate) fn new(range: &Range<u16>, position: &[u8], time: &StoreTime, timers: bool, next_position: u64) -> Self {
        let watermark = time.watermark();
        Self {
            start: range.start,
            end: range.end,
            sequence: 0,
            position: position.to_vec(),
            watermark,
            first_watermark: time.first_watermark(),
            next_position,
            event_clock: time.event_clock().filter(|clock| Some(*clock) != watermark),
            processing_clock: time.processing().reached(),
            next_timer: time.processing().next_timer().filter(|_| timers),
        }
    }

    /// How far event time had come for state.
    pub(crate) fn event_clock(&self) -> Option<i64> {
        self.event_clock.or(self.watermark)
    }

    /// What compaction may judge by; `timers` says whether the operator may have any.
    pub(crate) fn processing(&self, timers: bool) -> CommittedClock {
        let next_timer = self.next_timer.unwrap_or(if timers { UNKNOWN } else { NO_TIMER });
        CommittedClock { reached: self.processing_clock, next_timer }
    }

    pub(crate) fn range(&self) -> Range<u16> {
        self.start..self.end
    }
}

impl OperatorRecord {
    /// Finds or adds a state, after checking that what is stored fits; changes nothing when it does not. Returns it with the version
    /// of the type that the program has for it. `now` is the moment at which it gets another TTL, if it does.
    pub(crate) fn declare(
        &mut self,
        declared: &Declared<'_>,
        now: impl FnOnce() -> Moment,
    ) -> Result<(&Arc<StateRecord>, u64), StateError> {
        let Name { name, own, .. } = declared.name;
        let (known, plan) = judge(&self.states, declared);
        if let Some(refusal) = plan.refusal() {
            return Err(refusal);
        }
        if !own {
            check_name("a state", name, known.is_some())?;
        }
        let (index, version) = match known {
            Some(index) => (index, None),
            None => {
                let slot = self.next_slot;
                self.next_slot =
                    Some(slot + 1).filter(|next| *next < STAMPED).ok_or(Cause::Exhausted { what: "state" })?;
                self.timers_in_row |= name == TIMERS;
                self.states.push(Arc::new(StateRecord::new(slot, declared)));
                (self.states.len() - 1, Some(FIRST_VERSION))
            }
        };
        let Some(state) = self.states.get_mut(index) else {
            return Err(Cause::Exhausted { what: "state" }.into());
        };
        if let Some(version) = version {
            return Ok((state, version));
        }
        let mut taken = StateRecord::clone(state);
        let version = taken.take(declared, now)?;
        if taken != **state {
            *state = Arc::new(taken);
        }
        Ok((state, version))
    }
}

impl OperatorRecord {
    /// That of an operator without a state.
    pub(super) fn new(id: u16, name: &str, max_parallelism: u16, key: KeyRecord) -> Self {
        Self {
            id,
            name: name.to_owned(),
            max_parallelism,
            key,
            next_slot: 1,
            states: Vec::new(),
            one_record: true,
            apart_states: BTreeSet::new(),
            apart: false,
            dropped: BTreeSet::new(),
            former_names: Vec::new(),
            migrations: Vec::new(),
            timers_in_row: false,
        }
    }

    /// Reads that of the catalog.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, StateError> {
        let record: Self = read("operator record", bytes)?;
        record.states.iter().try_for_each(|state| state.check()).map_err(|error| error.at_operator(&record.name))?;
        Ok(record)
    }

    /// The same as today's format has it.
    pub(super) fn of_today(mut self) -> Self {
        let apart = |state: &StateRecord| {
            (self.apart && state.kind.is_value()) || (!self.timers_in_row && state.name == TIMERS)
        };
        let more: Vec<_> = self.states.iter().filter(|state| apart(state)).map(|state| state.slot).collect();
        self.apart_states.extend(more);
        self.apart = false;
        self
    }

    /// Gives up the states of these names.
    pub(super) fn drop_states(&mut self, names: &[&str]) {
        let dropped = &mut self.dropped;
        self.states.retain(|state| {
            let stays = !names.contains(&&*state.name) || names::is_reserved(&state.name);
            if !stays {
                dropped.insert(state.slot);
            }
            stays
        });
    }

    /// Takes another name.
    pub(super) fn rename(&mut self, name: &str) {
        let former = std::mem::replace(&mut self.name, name.to_owned());
        self.former_names.retain(|other| *other != former && other != name);
        self.former_names.push(former);
    }

    /// When the records of each state end.
    pub(crate) fn lives(&self) -> HashMap<u16, Expiry> {
        self.states.iter().map(|state| (state.slot, state.expiry())).collect()
    }
}

/// What all records of the catalog begin with.
pub(crate) fn prefix() -> [u8; 2] {
    operator_prefix(CATALOG)
}

pub(crate) fn format_key() -> Vec<u8> {
    key(b'f', &[])
}

pub(crate) fn owner_key() -> Vec<u8> {
    key(b'w', &[])
}

pub(crate) fn operators_prefix() -> Vec<u8> {
    key(b'o', &[])
}

pub(crate) fn operator_key(name: &str) -> Vec<u8> {
    key(b'o', name.as_bytes())
}

pub(crate) fn leftovers_prefix() -> Vec<u8> {
    key(b'x', &[])
}

pub(crate) fn leftover_key(id: u16) -> Vec<u8> {
    key(b'x', &id.to_be_bytes())
}

pub(crate) fn positions_prefix(operator: u16) -> Vec<u8> {
    key(b'p', &operator.to_be_bytes())
}

pub(crate) fn position_key(operator: u16, range: &Range<u16>) -> Vec<u8> {
    let mut key = positions_prefix(operator);
    key.extend_from_slice(&range.start.to_be_bytes());
    key.extend_from_slice(&range.end.to_be_bytes());
    key
}

fn key(kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut key = operator_prefix(CATALOG).to_vec();
    key.push(kind);
    key.extend_from_slice(rest);
    key
}

/// Reads a record of the catalog.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &str, bytes: &'a [u8]) -> Result<T, StateError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let reason = format!("the catalog's {what} is damaged ({error})");
        Cause::Damaged { reason }.into()
    })
}

/// Writes a record of the catalog.
pub(crate) fn write<T: Serialize>(record: &T) -> Result<Vec<u8>, StateError> {
    serde_json::to_vec(record).map_err(|error| Cause::Encode { reason: error.to_string() }.into())
}
