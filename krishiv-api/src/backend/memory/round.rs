//! Goes round the records, a few with each write, and drops what has ended.

use crate::backend::rules::Current;
use std::collections::BTreeMap;
use std::ops::Bound;

pub(super) type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// Records that each write lets be looked at, however little it writes: a look takes some 120 ns, and the commit of one row 3 µs.
const LOOKS: usize = 16;

/// Records that one which is new lets be looked at besides. Half as many come in a round as there are at its start, so that what
/// has ended is never more than what lives.
const LOOKS_PER_NEW: usize = 2;

/// Steps of a batch for one more look, so that what only writes again what is there comes round, too.
const STEPS_PER_LOOK: usize = 4;

/// Where it stands.
#[derive(Default)]
pub(super) struct Round {
    /// The last key that was looked at; none at the start of a round.
    last: Option<Vec<u8>>,
}

impl Round {
    /// Looks at a few more, after a batch of so many `steps`, of which some have brought `new` records.
    pub(super) fn go_on(&mut self, map: &mut Map, rules: &Current, steps: usize, new: usize) {
        let looks = LOOKS.saturating_add(new.saturating_mul(LOOKS_PER_NEW)).saturating_add(steps / STEPS_PER_LOOK);
        let from = self.last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let (mut looked, mut last, mut ended) = (0, None, Vec::new());
        for (key, value) in map.range::<[u8], _>((from, Bound::Unbounded)).take(looks) {
            looked += 1;
            last = Some(key);
            if rules.have_ended(key, value) {
                ended.push(key.clone());
            }
        }
        self.last = last.filter(|_| looked == looks).cloned();
        for key in ended {
            map.remove(&key);
        }
    }
}
