//! Rows that several old keys come to have together.

use crate::catalog::retention::Remains;
use crate::catalog::rows::StoredRow;
use crate::codec::keys::{OPERATOR_GROUP, Parts, ROW_SLOT, STAMPED, operator_prefix, parse};
use crate::codec::row::{self, Place, TIMERS, timers};
use crate::descriptor::StateKind;
use crate::error::{Cause, StateError};
use crate::names;
use crate::rekey::copying::{Copying, Found, Row};
use crate::rekey::merge::Merge;
use crate::rekey::target::record;
use crate::scope::timers as timers_of_key;
use crate::time::Timer;
use std::collections::BTreeSet;

/// List positions that a record takes: more than a run has elements.
const POSITIONS: u64 = 1 << 16;

impl Copying<'_> {
    /// Refuses to let an old key have what another one has become, unless the program has said of each state what that makes.
    pub(super) fn may_share(&self, key: &[u8], new: &[u8]) -> Result<(), StateError> {
        let mut open: Vec<_> =
            self.states.values().filter(|state| state.merge.is_none()).map(|state| &state.record).collect();
        open.retain(|state| state.kind != StateKind::Broadcast && !names::is_reserved(&state.name));
        open.sort_by_key(|state| state.slot);
        let Some(state) = open.first() else { return Ok(()) };
        let show = |key: &[u8]| self.key.show(self.key_codec, key);
        let other = self.first_key(key, new)?.map_or_else(|| "another one".to_owned(), |key| show(&key));
        let (one, name) = (show(key), &state.name);
        let say = if state.kind == StateKind::List { "append" } else { "merge" };
        let reason = format!(
            "the keys {other} and {one} become one, and it is not said what becomes of state `{name}` then; keep them apart, or say it by `{say}(\"{name}\"{})`",
            if state.kind == StateKind::List { "" } else { ", …" }
        );
        Err(StateError::from(Cause::KeyMigration { reason }).at_state(name))
    }

    /// The first old key that becomes `new` and is not `key`.
    fn first_key(&self, key: &[u8], new: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let mut last = None;
        for record in self.backend().scan(&operator_prefix(self.operator.id())) {
            let (bytes, _) = record?;
            let Some(parts) = parse(&bytes).filter(|parts| !parts.is_timer() && parts.group != OPERATOR_GROUP) else {
                continue;
            };
            if last.as_deref() == Some(parts.key) {
                continue;
            }
            if parts.key != key && self.new_key(parts.key).is_ok_and(|made| made == new) {
                return Ok(Some(parts.key.to_vec()));
            }
            last = Some(parts.key.to_vec());
        }
        Ok(None)
    }

    /// Puts the values and timers of a row together with those of the row that it is to share.
    pub(super) fn share_values(&mut self, row: &Row) -> Result<(), StateError> {
        let StoredRow { parts: mut there, older } = self.operator.row_by(&row.new, |key| self.target.get(key))?;
        if older {
            for (place, _) in there.iter().filter(|(place, _)| !place.apart) {
                self.target.delete(record(&row.new, place.slot, &[]));
            }
        }
        let (coming, mut next) = (self.coming(row)?, row::Parts::default());
        let both: BTreeSet<Timer> = of_row(&there)?.into_iter().chain(of_row(&coming)?).collect();
        next.put_timers(both.iter().copied(), false);
        while there.take(TIMERS).is_some() {}
        let mut seen = BTreeSet::from([TIMERS]);
        for (place, front) in coming.iter() {
            // Of a state whose form is in doubt there may be both; the first is the one that counts.
            if seen.insert(place.slot & !STAMPED) {
                self.share_value(row, (place, front), &mut there, &mut next)?;
            }
        }
        there.iter().for_each(|(place, front)| next.keep(place, front));
        next.sort();
        let mut bytes = Vec::new();
        next.write(&mut bytes);
        if !bytes.is_empty() {
            self.target.put(record(&row.new, ROW_SLOT, &[]), bytes);
        }
        Ok(())
    }

    /// The values of an old row that have not ended.
    fn coming(&self, row: &Row) -> Result<row::Parts, StateError> {
        let backend = self.backend();
        let stored = self.operator.row_by(&row.old, |key| backend.get(key))?.parts;
        let mut bytes = Vec::new();
        stored.write(&mut bytes);
        match self.operator.remains(&record(&row.old, ROW_SLOT, &[]), &bytes) {
            Remains::All => Ok(stored),
            Remains::Less(left, _) => row::Parts::read(&left),
            Remains::Nothing(_) => Ok(row::Parts::default()),
        }
    }

    fn share_value(
        &mut self,
        row: &Row,
        (place, front): (Place, &[u8]),
        there: &mut row::Parts,
        next: &mut row::Parts,
    ) -> Result<(), StateError> {
        let id = place.slot & !STAMPED;
        let backend = self.backend();
        let coming = whole(place, front, || backend.get(&record(&row.old, place.slot, &[])))?;
        let Some((place_there, front_there)) = there.take(id) else {
            if place.apart {
                self.target.put(record(&row.new, place.slot, &[]), coming);
            }
            next.keep(place, front);
            return Ok(());
        };
        let key_there = record(&row.new, place_there.slot, &[]);
        let value_there = whole(place_there, front_there, || self.target.get(&key_there))?;
        while there.take(id).is_some() {}
        let Some(Merge::By(merge)) = self.state(id).and_then(|state| state.merge.as_ref()) else {
            return Err(unknown(id));
        };
        let (slot, merged) = merge((place_there.slot, &value_there), (place.slot, &coming))?;
        if place_there.apart {
            self.target.delete(key_there);
        }
        let (target, key) = (&mut self.target, record(&row.new, slot, &[]));
        let write = |out: &mut Vec<u8>| {
            out.extend_from_slice(&merged);
            Ok::<(), StateError>(())
        };
        if next.put(slot, write, |apart| target.put(key, apart.to_vec()))?.apart {
            self.apart.insert(id);
        }
        Ok(())
    }

    /// Puts a record of a row to those of the row that it shares.
    pub(super) fn share(&mut self, row: &Row, found: &Found<'_>, value: Vec<u8>) -> Result<(), StateError> {
        let Parts { slot, suffix, .. } = found.parts;
        if found.parts.is_row() {
            return Ok(());
        }
        let Some(state) = self.state(slot) else { return Err(unknown(slot & !STAMPED)) };
        match state.record.kind {
            // Put together when the row began.
            StateKind::Value | StateKind::Reducing => Ok(()),
            StateKind::List => {
                // Behind all that were ever added, in their own order.
                let position = self.next_position;
                self.next_position = position.saturating_add(POSITIONS);
                self.target.put(record(&row.new, slot, &position.to_be_bytes()), value);
                Ok(())
            }
            // One that the other row has, in its record or in one of its own, is the same timer.
            StateKind::Map if state.record.name == names::TIMERS => {
                self.target.put(record(&row.new, slot, suffix), value);
                Ok(())
            }
            StateKind::Map | StateKind::Broadcast => self.put_entry(&row.new, found, value),
        }
    }
}

/// The error of a record of a state that the catalog does not have.
fn unknown(id: u16) -> StateError {
    Cause::Decode { reason: format!("a record is of state {id}, which the catalog does not have") }.into()
}

/// A value with its payload, wherever it lies.
fn whole(
    place: Place,
    front: &[u8],
    get: impl FnOnce() -> Result<Option<Vec<u8>>, StateError>,
) -> Result<Vec<u8>, StateError> {
    if !place.apart {
        return Ok(front.to_vec());
    }
    get()?.ok_or_else(|| Cause::Decode { reason: "a value that lies apart from its row is missing".to_owned() }.into())
}

fn of_row(parts: &row::Parts) -> Result<Vec<Timer>, StateError> {
    let Some(stored) = timers_of_key::stored(parts) else { return Ok(Vec::new()) };
    timers::read(stored).ok_or_else(|| {
        let reason = "the timers in the record of the row are damaged".to_owned();
        Cause::Decode { reason }.into()
    })
}
