//! The ids of the operators of a backend.

use crate::error::{Cause, StateError};
use std::collections::{BTreeMap, BTreeSet};

/// The ids of one backend.
#[derive(Default)]
pub(super) struct Ids {
    /// Those that somebody has.
    pub(super) used: BTreeSet<u16>,
    /// Those under which there are only remains, each with the key from which on something may still be stored.
    pub(super) leftover: BTreeMap<u16, Vec<u8>>,
    /// Those that a migration of this process is filling: to everybody else they are left over.
    pub(super) filling: BTreeSet<u16>,
}

impl Ids {
    /// Takes one for an operator that is new.
    pub(super) fn take(&mut self) -> Result<u16, StateError> {
        self.take_first(1..u16::MAX)
    }

    /// Takes one for a migration to fill.
    ///
    /// From the other end: programs of before there were migrations do not know of it, and give it to no operator of theirs either.
    pub(super) fn fill(&mut self) -> Result<u16, StateError> {
        let id = self.take_first((1..u16::MAX).rev())?;
        self.filling.insert(id);
        Ok(id)
    }

    fn take_first(&mut self, mut all: impl Iterator<Item = u16>) -> Result<u16, StateError> {
        let id = all.find(|id| !self.used.contains(id)).ok_or(Cause::Exhausted { what: "operator" })?;
        self.used.insert(id);
        Ok(id)
    }
}
