//! All that came out of the instances, and how much of it was committed.

use crate::operator::{DeadLetter, Driver, Emitted, Operator};
use std::collections::BTreeMap;

/// What a sink that can be cut back would hold.
pub(super) struct Output<O: Operator> {
    pub(super) main: Vec<O::Out>,
    pub(super) sides: BTreeMap<&'static str, Vec<O::Out>>,
    pub(super) late: Vec<O::In>,
    pub(super) dead_letters: Vec<DeadLetter<O::In>>,
    committed: Committed,
}

/// How much of it was there at the last commit.
#[derive(Default)]
struct Committed {
    main: usize,
    sides: BTreeMap<&'static str, usize>,
    late: usize,
    dead_letters: usize,
}

impl<O: Operator> Default for Output<O> {
    fn default() -> Self {
        Self {
            main: Vec::new(),
            sides: BTreeMap::new(),
            late: Vec::new(),
            dead_letters: Vec::new(),
            committed: Committed::default(),
        }
    }
}

impl<O: Operator> Output<O> {
    /// Takes what `driver` has put out.
    pub(super) fn take(&mut self, driver: &mut Driver<O>) {
        for Emitted { side, value, .. } in driver.drain() {
            side.map_or(&mut self.main, |side| self.sides.entry(side).or_default()).push(value);
        }
        self.late.extend(driver.drain_late().map(|(event, _)| event));
        self.dead_letters.extend(driver.drain_dead_letters());
    }

    /// All that is there stays.
    pub(super) fn commit(&mut self) {
        let Self { main, sides, late, dead_letters, committed } = self;
        *committed = Committed {
            main: main.len(),
            sides: sides.iter().map(|(side, records)| (*side, records.len())).collect(),
            late: late.len(),
            dead_letters: dead_letters.len(),
        };
    }

    /// Drops what came after the last commit.
    pub(super) fn cut_back(&mut self) {
        let Self { main, sides, late, dead_letters, committed } = self;
        main.truncate(committed.main);
        for (side, records) in sides {
            records.truncate(committed.sides.get(side).copied().unwrap_or(0));
        }
        late.truncate(committed.late);
        dead_letters.truncate(committed.dead_letters);
    }
}
