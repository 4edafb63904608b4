//! Which positions of an operator are in force.

use crate::backend::AnyBackend;
use crate::catalog::cover::cover;
use crate::catalog::records::{self, PositionRecord};
use crate::error::StateError;
use std::ops::Range;

/// The position records of an operator that the backend has.
pub(super) fn stored_positions(backend: &dyn AnyBackend, operator: u16) -> Result<Vec<PositionRecord>, StateError> {
    let records = backend.scan(&records::positions_prefix(operator));
    records.map(|record| records::read("position record", &record?.1)).collect()
}

/// Splits positions into those in force, newest first, and those that newer ones cover wholly.
pub(super) fn in_force(positions: &[PositionRecord]) -> (Vec<PositionRecord>, Vec<PositionRecord>) {
    in_force_for(positions, &(0..u16::MAX))
}

/// The same as far as `groups` are concerned: in force is what has some of them that no newer one has.
pub(crate) fn in_force_for(
    positions: &[PositionRecord],
    groups: &Range<u16>,
) -> (Vec<PositionRecord>, Vec<PositionRecord>) {
    let mut newest_first = positions.to_vec();
    newest_first.sort_by_key(|position| std::cmp::Reverse(position.sequence));
    let mut covered = Vec::new();
    newest_first.into_iter().partition(|position| {
        let Range { start, end } = position.range();
        cover(&mut covered, start.max(groups.start)..end.min(groups.end))
    })
}
