//! All of an operator's records under new keys, one by one, as they are read.

use crate::backend::AnyBackend;
use crate::catalog::operator::OperatorHub;
use crate::catalog::retention::Remains;
use crate::catalog::state::StateRecord;
use crate::codec::Codec;
use crate::codec::keys::{
    OPERATOR_GROUP, Parts, RowKey, STAMPED, TIMER_SLOT, check_length, group_prefix, key_group, longest_key,
    operator_prefix, parse, row_prefix,
};
use crate::error::{Cause, StateError};
use crate::rekey::function::KeyFunction;
use crate::rekey::merge::Merge;
use crate::rekey::progress::{Migrated, Tell};
use crate::rekey::target::{Target, record};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Bytes that are written at once.
const PART: usize = 4 << 20;

/// Bytes of a timer's suffix in front of its key: the kind, and the time.
const TIMER_HEAD: usize = 9;

/// What is done with the records of one state.
pub(super) struct State {
    pub(super) record: Arc<StateRecord>,
    pub(super) map_keys: Option<KeyFunction>,
    pub(super) merge: Option<Merge>,
}

/// A copy under way.
pub(super) struct Copying<'a> {
    pub(super) operator: &'a OperatorHub,
    pub(super) target: Target<'a>,
    /// The new id.
    pub(super) to: u16,
    pub(super) max_parallelism: u16,
    pub(super) key: &'a KeyFunction,
    /// How old keys are written.
    pub(super) key_codec: Codec,
    pub(super) states: HashMap<u16, State>,
    /// The next free list position.
    pub(super) next_position: u64,
    /// The states of which a value has come to lie apart.
    pub(super) apart: BTreeSet<u16>,
    pub(super) migrated: &'a mut Migrated,
    pub(super) tell: Tell<'a>,
}

/// A record that comes by.
pub(super) struct Found<'a> {
    key: &'a [u8],
    pub(super) parts: Parts<'a>,
}

impl<'a> Found<'a> {
    /// What the keys of all records of its row begin with.
    pub(super) fn row(&self) -> &'a [u8] {
        self.key.get(..self.parts.row_len).unwrap_or_default()
    }
}

/// A row whose records come by.
pub(super) struct Row {
    /// The old key.
    key: Vec<u8>,
    /// What its old records and its new ones begin with.
    pub(super) old: Vec<u8>,
    pub(super) new: Vec<u8>,
    /// Whether another old key has become this new one before.
    is_shared: bool,
}

impl Copying<'_> {
    pub(super) fn backend(&self) -> Arc<dyn AnyBackend> {
        Arc::clone(self.operator.backend())
    }

    /// Copies all records.
    pub(super) fn run(&mut self) -> Result<(), StateError> {
        let mut row = None;
        for record in self.backend().scan(&operator_prefix(self.operator.id())) {
            let (key, value) = record?;
            let parts = parse(&key).ok_or_else(|| {
                let reason = format!("a stored key is damaged: {}", key.escape_ascii());
                StateError::from(Cause::Decode { reason })
            })?;
            self.take(&mut row, &Found { key: &key, parts }, value)?;
            self.migrated.records += 1;
            self.migrated.bytes += key.len() as u64;
            if self.target.size() >= PART {
                self.write()?;
            }
        }
        self.write()
    }

    fn write(&mut self) -> Result<(), StateError> {
        self.target.write()?;
        (self.tell)(*self.migrated);
        Ok(())
    }

    fn take(&mut self, row: &mut Option<Row>, found: &Found<'_>, value: Vec<u8>) -> Result<(), StateError> {
        let parts = &found.parts;
        self.migrated.bytes += value.len() as u64;
        if parts.is_timer() {
            return self.take_timer(parts);
        }
        let value = match self.operator.remains(found.key, &value) {
            Remains::All => value,
            Remains::Less(left, _) => left,
            Remains::Nothing(_) => return Ok(()),
        };
        if parts.group == OPERATOR_GROUP {
            return self.move_to(RowKey::of_operator(self.to).prefix(), found, value);
        }
        let row = match row {
            Some(same) if same.old == found.row() => same,
            _ => row.insert(self.begin(found)?),
        };
        let taken = if row.is_shared { self.share(row, found, value) } else { self.move_to(&row.new, found, value) };
        taken.map_err(|error| error.at_key(|| self.key.show(self.key_codec, &row.key)))
    }

    /// Begins the row of a key of which something is stored.
    fn begin(&mut self, found: &Found<'_>) -> Result<Row, StateError> {
        let key = found.parts.key;
        let new_key = self.new_key(key)?;
        let new = row_prefix(self.to, self.max_parallelism, &new_key);
        let is_shared = self.target.has_row(&new)?;
        let row = Row { key: key.to_vec(), old: found.row().to_vec(), new, is_shared };
        self.migrated.keys += 1;
        if is_shared {
            let begun = self.may_share(&row.key, &new_key).and_then(|()| self.share_values(&row));
            begun.map_err(|error| error.at_key(|| self.key.show(self.key_codec, key)))?;
        }
        Ok(row)
    }

    /// Refuses an encoded key that the backend has no room for.
    pub(super) fn fits(&self, what: &'static str, made: Vec<u8>) -> Result<Vec<u8>, StateError> {
        check_length(what, made.len(), longest_key(self.operator.backend().longest_key())).map(|()| made)
    }

    pub(super) fn new_key(&self, key: &[u8]) -> Result<Vec<u8>, StateError> {
        let made = self.key.apply(self.key_codec, key);
        let made = made.and_then(|made| self.fits("the new key", made));
        made.map_err(|error| error.at_key(|| self.key.show(self.key_codec, key)))
    }

    /// Moves a timer in the order of time.
    fn take_timer(&mut self, parts: &Parts<'_>) -> Result<(), StateError> {
        let Some((head, key)) = parts.suffix.split_at_checked(TIMER_HEAD) else {
            let reason = format!("a stored timer is cut short: {:02x?}", parts.suffix);
            return Err(Cause::Decode { reason }.into());
        };
        let new = self.new_key(key)?;
        let mut to = group_prefix(self.to, key_group(&new, self.max_parallelism)).to_vec();
        to.push(0);
        self.target.put(record(&to, TIMER_SLOT, &[head, &new].concat()), Vec::new());
        Ok(())
    }

    /// The state of a slot.
    pub(super) fn state(&self, disk_slot: u16) -> Option<&State> {
        self.states.get(&(disk_slot & !STAMPED))
    }

    /// Moves a record to the row whose records begin with `prefix`; an entry of a map under a new map key, if those change.
    fn move_to(&mut self, prefix: &[u8], found: &Found<'_>, value: Vec<u8>) -> Result<(), StateError> {
        let Parts { slot, suffix, .. } = found.parts;
        if self.state(slot).is_some_and(|state| state.map_keys.is_some()) {
            return self.put_entry(prefix, found, value);
        }
        self.target.put(record(prefix, slot, suffix), value);
        Ok(())
    }
}
