//! What the passes over one type share: the graph of what was seen, and the limits.

use super::Form;
use super::graph::{Graph, Seen, Spot};
use crate::codec::unreadable::{Result, unreadable};

/// Passes, steps of all passes together, and nesting: far beyond what a type written by hand needs, and reached in
/// a fraction of a second.
pub(super) const MAX_PASSES: usize = 4096;
const MAX_STEPS: usize = 10_000_000;
const MAX_DEPTH: usize = 200;

#[derive(Default)]
pub(super) struct Tracer {
    pub(super) graph: Graph,
    pub(super) passes: usize,
    pub(super) depth: usize,
    /// The last spot that was given a sample: the first suspect when a pass is rejected.
    pub(super) last_sample: Option<Spot>,
    samples_changed: usize,
    /// The pass met an enum all of whose variants contain it.
    pub(super) stuck: bool,
    pub(super) self_describing: bool,
    /// It met a value that is kept for an untagged or tagged enum.
    pub(super) buffered: bool,
    /// The limits are reached, or one type asked for two things in one place.
    pub(super) hopeless: bool,
}

impl Tracer {
    pub(super) fn begin(&mut self) {
        self.passes += 1;
        self.depth = 0;
        self.stuck = false;
        self.graph.rest();
    }

    pub(super) fn progress(&self) -> (usize, usize) {
        (self.graph.known(), self.samples_changed)
    }

    pub(super) fn other_sample(&mut self) -> bool {
        let changed = self.last_sample.take().is_some_and(|spot| self.graph.next_sample(spot));
        self.samples_changed += usize::from(changed);
        changed
    }

    pub(super) fn hopeless<T>(&mut self) -> Result<T> {
        self.hopeless = true;
        unreadable("this type cannot be traced")
    }

    pub(super) fn visit<R>(
        &mut self,
        spot: Spot,
        expected: impl Fn(&Seen) -> Option<R>,
        make: impl FnOnce(&mut Graph) -> Seen,
    ) -> Result<R> {
        if self.graph.steps() > MAX_STEPS || self.depth > MAX_DEPTH {
            return self.hopeless();
        }
        match self.graph.see(spot, expected, make) {
            Some(seen) => Ok(seen),
            None => self.hopeless(),
        }
    }

    pub(super) fn leaf(&mut self, spot: Spot, leaf: Form) -> Result<()> {
        let same = |seen: &Seen| matches!(seen, Seen::Leaf(seen) if *seen == leaf).then_some(());
        self.visit(spot, same, |_| Seen::Leaf(leaf.clone()))
    }

    /// The sample to answer with in a spot that asked for this; of `count` there are.
    pub(super) fn sample(&mut self, spot: Spot, leaf: Form, count: usize) -> Result<usize> {
        self.leaf(spot, leaf)?;
        self.last_sample = Some(spot);
        Ok(self.graph.sample(spot, count))
    }

    /// Enters spots if there is something new in them, but never into themselves; says whether it did.
    pub(super) fn enter(&mut self, spots: &[Spot]) -> bool {
        let busy = spots.iter().any(|spot| self.graph.is_busy(*spot));
        if busy || !spots.iter().any(|spot| self.graph.is_open(*spot)) {
            return false;
        }
        self.graph.set_busy(spots, true);
        true
    }

    pub(super) fn leave(&mut self, spots: &[Spot]) {
        self.graph.set_busy(spots, false);
    }
}
