//! What is stored of the values of rows: one record a row, or, as before format 5, one a value.

use crate::catalog::operator::OperatorHub;
use crate::codec::keys::ROW_SLOT;
use crate::codec::row::Parts;
use crate::error::StateError;
use crate::lock::lock;
use std::sync::atomic::Ordering;

/// What is stored of the values of a row.
#[derive(Default)]
pub(crate) struct StoredRow {
    pub(crate) parts: Parts,
    /// Whether they have a record each, by an older format.
    pub(crate) older: bool,
}

impl OperatorHub {
    /// Whether a store that has handles for the states `known` can write a row of which it has read nothing, once it has all their
    /// values: nothing else can be stored of it.
    pub(crate) fn has_only(&self, known: &[u16]) -> bool {
        let state = lock(&self.state);
        if state.has_timers() {
            return false;
        }
        let mut values = state.record.states.iter().filter(|state| state.kind.is_value());
        state.record.one_record
            && state.record.apart_states.is_empty()
            && values.all(|state| known.contains(&state.slot))
    }

    /// Whether the values of a row are one record, in all rows.
    pub(crate) fn has_one_record(&self) -> bool {
        self.one_record
    }

    /// Whether a commit may hand the backend what has changed of a row, without having read it.
    pub(crate) fn merges(&self) -> bool {
        self.one_record && self.backend().merges()
    }

    /// Whether a value of the state `id` may lie apart.
    pub(crate) fn has_apart(&self, id: u16) -> bool {
        lock(&self.state).record.apart_states.contains(&id)
    }

    /// Takes note that a value of the state `id` lies apart, which the commit that is being made writes down.
    pub(crate) fn note_apart(&self, id: u16) {
        let mut state = lock(&self.state);
        if state.record.apart_states.insert(id) {
            state.revision += 1;
        }
    }

    /// Reads the values of the row whose records begin with `prefix`.
    pub(crate) fn read_row(&self, prefix: &[u8]) -> Result<StoredRow, StateError> {
        let mut row = None;
        self.backend().read(&record(prefix, ROW_SLOT), &mut |found| row = found.map(Parts::read))?;
        match row {
            Some(parts) => Ok(StoredRow { parts: self.without_dropped(parts?), older: false }),
            None if self.one_record => Ok(StoredRow::default()),
            None => Ok(self.read_older(&[prefix])?.pop().unwrap_or_default()),
        }
    }

    /// The same of several rows, read together; each may be damaged by itself.
    pub(crate) fn read_rows(&self, prefixes: &[Vec<u8>]) -> Result<Vec<Result<StoredRow, StateError>>, StateError> {
        let found = self.multi_get(prefixes.iter().map(|prefix| record(prefix, ROW_SLOT)))?;
        let missing = prefixes.iter().zip(&found).filter(|(_, row)| row.is_none() && !self.one_record);
        let missing: Vec<_> = missing.map(|(prefix, _)| prefix.as_slice()).collect();
        let mut older = self.read_older(&missing)?.into_iter();
        let row = |row: Option<Vec<u8>>| match row {
            Some(row) => Ok(StoredRow { parts: self.without_dropped(Parts::read(&row)?), older: false }),
            None => Ok(older.next().unwrap_or_default()),
        };
        Ok(found.into_iter().map(row).collect())
    }

    /// Reads the values of such a row by `get`, as they are, those that were given up too.
    pub(crate) fn row_by(
        &self,
        prefix: &[u8],
        mut get: impl FnMut(&[u8]) -> Result<Option<Vec<u8>>, StateError>,
    ) -> Result<StoredRow, StateError> {
        if let Some(row) = get(&record(prefix, ROW_SLOT))? {
            return Ok(StoredRow { parts: Parts::read(&row)?, older: false });
        }
        let slots = if self.one_record { Vec::new() } else { self.older_slots() };
        let found = slots.iter().map(|slot| get(&record(prefix, *slot))).collect::<Result<Vec<_>, _>>()?;
        Ok(StoredRow { parts: older_parts(&slots, &found), older: !self.one_record })
    }

    /// What is left of a row without the states that were given up.
    fn without_dropped(&self, mut parts: Parts) -> Parts {
        if self.has_dropped.load(Ordering::Relaxed) {
            let state = lock(&self.state);
            state.record.dropped.iter().for_each(|id| while parts.take(*id).is_some() {});
        }
        parts
    }

    /// Reads rows that have no record: what they have is of an older format.
    fn read_older(&self, prefixes: &[&[u8]]) -> Result<Vec<StoredRow>, StateError> {
        let slots = if prefixes.is_empty() { Vec::new() } else { self.older_slots() };
        if slots.is_empty() {
            return Ok(prefixes.iter().map(|_| StoredRow { older: true, ..StoredRow::default() }).collect());
        }
        let keys = prefixes.iter().flat_map(|prefix| slots.iter().map(|slot| record(prefix, *slot)));
        let found = self.multi_get(keys)?;
        let rows = found.chunks(slots.len()).map(|found| StoredRow { parts: older_parts(&slots, found), older: true });
        Ok(rows.collect())
    }

    fn multi_get(&self, keys: impl Iterator<Item = Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let keys: Vec<_> = keys.collect();
        let keys: Vec<_> = keys.iter().map(Vec::as_slice).collect();
        if keys.is_empty() { Ok(Vec::new()) } else { self.backend().multi_get(&keys) }
    }

    /// The slots of records of before format 5; of two of one state the first is the newer.
    fn older_slots(&self) -> Vec<u16> {
        let state = lock(&self.state);
        let values = state.record.states.iter().filter(|state| state.kind.is_value());
        let slots = values.map(|state| state.disk_slots());
        slots.flat_map(|(current, other)| std::iter::once(current).chain(other)).collect()
    }
}

/// Key of the record of `slot` in the row whose records begin with `prefix`.
fn record(prefix: &[u8], slot: u16) -> Vec<u8> {
    [prefix, &slot.to_be_bytes()].concat()
}

fn older_parts(slots: &[u16], records: &[Option<Vec<u8>>]) -> Parts {
    let mut parts = Parts::default();
    for (slot, record) in slots.iter().zip(records) {
        if let Some(record) = record
            && !parts.has(*slot)
        {
            parts.adopt(*slot, record);
        }
    }
    parts.sort();
    parts
}
