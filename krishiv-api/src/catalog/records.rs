//! The catalog: which operator and state has which id, kind, shape and TTL, stored as JSON beside the rows.

use crate::catalog::clocks::{NO_TIMER, StoreTime, UNKNOWN};
use crate::catalog::expiry::{Era, Expiry, FirstWatermark, Moment, Now, Rule, Switches, Ttl};
use crate::catalog::retention::CommittedClock;
use crate::codec::keys::{CATALOG, STAMPED, operator_prefix};
use crate::codec::record::SCHEMA_VERSION;
use crate::codec::{Codec, News, Shape, trace};
use crate::descriptor::StateKind;
use crate::error::{Cause, StateError};
use crate::names::{self, TIMERS};
use crate::value::StateValue;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// The newest format of stored bytes that this library writes and reads.
///
/// 2: the timers of an operator, and the state that holds them per key. 3: one record for several list elements.
/// 4: values and keys in MessagePack, and records that tell how often the TTL of their state had been switched. 5: one record for the
/// values of a row. 6: changes of rows, which the backend merges, and the timers of a key in its row.
pub(crate) const FORMAT: u32 = 6;

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

/// A state: what it is, and how its records are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateRecord {
    pub(crate) slot: u16,
    pub(crate) name: String,
    pub(crate) kind: StateKind,
    pub(crate) version: u64,
    pub(crate) value: Shape,
    pub(crate) map_key: Option<KeyRecord>,
    pub(crate) ttl: Option<Ttl>,
    /// Whether records without an expiry stamp may be stored.
    pub(crate) plain: bool,
    /// Whether records with an expiry stamp may be stored.
    pub(crate) stamped: bool,
    pub(crate) switches: Switches,
    /// The times in which it had a TTL by another clock, or none, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) eras: Vec<Era>,
}

/// A key or map key: what it looks like, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyRecord {
    pub(crate) shape: Shape,
    pub(crate) codec: Codec,
}

impl KeyRecord {
    /// The record of a type, and the parts of it that its shape does not show.
    pub(crate) fn of<K: StateValue>() -> (Self, Vec<String>) {
        let traced = trace::<K>();
        (Self { shape: traced.shape, codec: traced.codec }, traced.untraced)
    }

    /// Takes over what `declared` knows and this, which was stored by an older version, does not; tells whether there is any.
    pub(crate) fn fit(&mut self, what: &'static str, declared: &Self) -> Result<bool, StateError> {
        // How keys are written stays: those that are stored are found by their bytes.
        fit(what, &mut self.shape, &declared.shape)
    }
}

/// Checks that a stored shape and the declared one are of one type, and takes over what only the latter knows.
fn fit(what: &'static str, stored: &mut Shape, declared: &Shape) -> Result<bool, StateError> {
    let Some(news) = stored.compare(declared) else {
        return mismatch(what, stored, declared);
    };
    if news == News::More {
        stored.clone_from(declared);
    }
    Ok(news == News::More)
}

/// The name of a state, and whether it is one that the library keeps for itself.
#[derive(Clone, Copy)]
pub(crate) struct Name<'a> {
    pub(crate) name: &'a str,
    pub(crate) own: bool,
}

/// A state as the program declares it.
pub(crate) struct Declared<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) kind: StateKind,
    pub(crate) value: Shape,
    pub(crate) map_key: Option<KeyRecord>,
    pub(crate) ttl: Option<Ttl>,
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
    /// Finds or adds a state, after checking that what is stored fits; changes nothing when it does not. `now` is the moment at
    /// which it gets another TTL, if it does.
    pub(crate) fn declare(
        &mut self,
        declared: Declared<'_>,
        now: impl FnOnce() -> Moment,
    ) -> Result<&Arc<StateRecord>, StateError> {
        let Name { name, own } = declared.name;
        let known = self.states.iter().position(|state| state.name == name);
        if !own {
            check_name("a state", name, known.is_some())?;
        }
        let stamped = declared.ttl.is_some();
        let index = match known {
            Some(index) => index,
            None => {
                let slot = self.next_slot;
                self.next_slot =
                    Some(slot + 1).filter(|next| *next < STAMPED).ok_or(Cause::Exhausted { what: "state" })?;
                self.timers_in_row |= name == TIMERS;
                self.states.push(Arc::new(StateRecord {
                    slot,
                    name: name.to_owned(),
                    kind: declared.kind,
                    version: SCHEMA_VERSION,
                    value: declared.value.clone(),
                    map_key: declared.map_key.clone(),
                    ttl: declared.ttl,
                    plain: !stamped,
                    stamped,
                    switches: Switches::default(),
                    eras: Vec::new(),
                }));
                self.states.len() - 1
            }
        };
        let Some(state) = self.states.get_mut(index) else {
            return Err(Cause::Exhausted { what: "state" }.into());
        };
        let mut fitted = StateRecord::clone(state);
        fitted.fit(&declared)?;
        if fitted.ttl != declared.ttl {
            let mut rule = fitted.rule();
            fitted.eras.extend(rule.switch(declared.ttl, now()));
            (fitted.ttl, fitted.switches) = (rule.ttl, rule.switches);
            fitted.plain |= !stamped;
            fitted.stamped |= stamped;
        }
        if fitted != **state {
            *state = Arc::new(fitted);
        }
        Ok(state)
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
            timers_in_row: false,
        }
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

    /// When the records of each state end.
    pub(crate) fn lives(&self) -> HashMap<u16, Expiry> {
        self.states.iter().map(|state| (state.slot, state.expiry())).collect()
    }
}

impl StateRecord {
    fn rule(&self) -> Rule {
        Rule { ttl: self.ttl, switches: self.switches }
    }

    /// The slot of what is written now, and the other one if older records may lie there.
    pub(crate) fn disk_slots(&self) -> (u16, Option<u16>) {
        let (plain, stamped) = (self.slot, self.slot | STAMPED);
        match self.ttl {
            Some(_) => (stamped, self.plain.then_some(plain)),
            None => (plain, self.stamped.then_some(stamped)),
        }
    }

    /// When its records end.
    pub(crate) fn expiry(&self) -> Expiry {
        Expiry::new(self.rule(), self.eras.clone())
    }

    fn fit(&mut self, declared: &Declared<'_>) -> Result<(), StateError> {
        if self.kind != declared.kind {
            return mismatch("kind", &self.kind, &declared.kind);
        }
        let mut map_key = self.map_key.clone();
        if let (Some(stored), Some(declared)) = (&mut map_key, &declared.map_key) {
            stored.fit("map key", declared)?;
        }
        fit("value", &mut self.value, &declared.value)?;
        self.map_key = map_key;
        Ok(())
    }
}

/// A state's type, as messages name it.
pub(crate) fn describe(kind: StateKind, map_key: Option<&Shape>, value: &Shape) -> String {
    match map_key {
        Some(key) => format!("{kind}<{key}, {value}>"),
        None => format!("{kind}<{value}>"),
    }
}

/// The error of two sides that do not fit.
pub(crate) fn mismatch<T>(
    what: &'static str,
    stored: &impl ToString,
    declared: &impl ToString,
) -> Result<T, StateError> {
    Err(Cause::Mismatch { what, stored: stored.to_string(), declared: declared.to_string() }.into())
}

/// Refuses names that break the rule of [`names`]; what was stored before there was a rule is still found.
pub(crate) fn check_name(what: &str, name: &str, known: bool) -> Result<(), StateError> {
    let refused = names::refuse(name, what).filter(|_| !known || names::is_reserved(name));
    refused.map_or(Ok(()), |reason| Err(Cause::Setting { reason }.into()))
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
