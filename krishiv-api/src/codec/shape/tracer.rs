//! Finds the shape of a type by deserializing it from nothing and writing down what it asks for.
//!
//! One pass sees one variant of each enum it meets, so passes are repeated until no variant is unseen. What is known
//! about the type is a [graph](super::graph) of spots, which all passes share. A type that rejects the sample value it is given gets
//! another one in the next pass.

use super::graph::{Graph, Named, Seen, Spot};
use super::probe::{Parts, Probe};
use super::{Form, Shape, Traced, described};
use crate::codec::payload::{self, Codec};
use serde::Serialize;
use serde::de::{self, DeserializeOwned, Visitor};
use std::fmt;

/// Passes, steps of all passes together, and nesting: far beyond what a type written by hand needs, and reached in
/// a fraction of a second.
const MAX_PASSES: usize = 4096;
const MAX_STEPS: usize = 10_000_000;
const MAX_DEPTH: usize = 200;

/// Traces a type once: its shape, and the codec that gives its values back.
///
/// The codec is postcard only if the type could be followed to its end without a call that needs a self-describing
/// format, and if the values made on the way survive postcard.
pub(crate) fn trace<T: Serialize + DeserializeOwned>() -> Traced {
    let mut tracer = Tracer::default();
    let root = tracer.graph.spot();
    let mut survival = Survival::default();
    let mut before = None;
    let complete = loop {
        let pass = T::deserialize(Probe { tracer: &mut tracer, spot: root });
        let passed = pass.map(|value| survival.test(&value)).is_ok();
        let rejected = !passed && !tracer.stuck;
        tracer.begin();
        if tracer.hopeless || tracer.passes > MAX_PASSES {
            break false;
        }
        if passed && !tracer.graph.is_open(root) {
            break true;
        }
        if passed {
            tracer.last_sample = None;
        }
        if rejected && !tracer.other_sample() {
            break false;
        }
        // A pass that adds nothing to what was known will add nothing the next time either.
        let known = Some(tracer.progress());
        if known == before {
            break false;
        }
        before = known;
    };
    let seen = if complete { tracer.graph.shape(root) } else { None };
    let described = if seen.is_none() || tracer.buffered { described::trace::<T>() } else { None };
    // What is behind a buffer, if all else is as it was seen.
    let fits = |shape: &Shape| seen.as_ref().is_none_or(|seen| seen.compare(shape).is_some());
    let described = described.filter(fits);
    let buffered = tracer.buffered && described.is_none();
    let shape = described.or(seen).unwrap_or_else(|| Shape::opaque(tracer.graph.name(root)));
    let untraced = shape.untraced(buffered);
    let postcard = complete && !tracer.self_describing && survival.survives();
    Traced { shape, untraced, codec: if postcard { Codec::Postcard } else { Codec::MessagePack } }
}

/// Whether postcard gives back the values that the passes made. What a type reads is not always what it writes:
/// a field may only ever be written, or a variant be skipped on one side.
#[derive(Default)]
struct Survival {
    written: bool,
    lost: bool,
}

impl Survival {
    fn test<T: Serialize + DeserializeOwned>(&mut self, value: &T) {
        let mut bytes = Vec::new();
        if payload::write(value, Codec::Postcard, &mut bytes).is_ok() {
            self.written = true;
            self.lost |= payload::survives(value, Codec::Postcard, &bytes).is_err();
        }
    }

    fn survives(&self) -> bool {
        self.written && !self.lost
    }
}

#[derive(Default)]
pub(super) struct Tracer {
    pub(super) graph: Graph,
    passes: usize,
    depth: usize,
    /// The last spot that was given a sample: the first suspect when a pass is rejected.
    last_sample: Option<Spot>,
    samples_changed: usize,
    /// The pass met an enum all of whose variants contain it.
    pub(super) stuck: bool,
    pub(super) self_describing: bool,
    /// It met a value that is kept for an untagged or tagged enum.
    pub(super) buffered: bool,
    /// The limits are reached, or one type asked for two things in one place.
    hopeless: bool,
}

/// The end of a pass. Types may wrap errors in their own, so what went wrong is noted in the tracer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Halt(pub(super) String);

impl de::Error for Halt {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

pub(super) type Result<T> = std::result::Result<T, Halt>;

impl Tracer {
    fn begin(&mut self) {
        self.passes += 1;
        self.depth = 0;
        self.stuck = false;
        self.graph.rest();
    }

    fn progress(&self) -> (usize, usize) {
        (self.graph.known(), self.samples_changed)
    }

    fn other_sample(&mut self) -> bool {
        let changed = self.last_sample.take().is_some_and(|spot| self.graph.next_sample(spot));
        self.samples_changed += usize::from(changed);
        changed
    }

    pub(super) fn hopeless<T>(&mut self) -> Result<T> {
        self.hopeless = true;
        Err(Halt("this type cannot be traced".to_owned()))
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

    pub(super) fn probe(&mut self, spot: Spot) -> Probe<'_> {
        Probe { tracer: self, spot }
    }

    /// Hands out fields, and forgets those that the visitor leaves: they are aliases.
    pub(super) fn fields<'de, V: Visitor<'de>>(
        &mut self,
        named: Named,
        variant: Option<usize>,
        spots: &[Spot],
        visitor: V,
    ) -> Result<V::Value> {
        let mut parts = Parts::of(self, spots);
        let value = visitor.visit_seq(&mut parts)?;
        let left = parts.left();
        if left > 0 {
            self.graph.trim_fields(named, variant, left);
        }
        Ok(value)
    }

    pub(super) fn deeper<T>(&mut self, visit: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        let value = visit(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// The spots to go into: all, if there is something new in them, but never into themselves; else none.
    pub(super) fn enter<'s>(&mut self, spots: &'s [Spot]) -> &'s [Spot] {
        let busy = spots.iter().any(|spot| self.graph.is_busy(*spot));
        if busy || !spots.iter().any(|spot| self.graph.is_open(*spot)) {
            return &[];
        }
        self.graph.set_busy(spots, true);
        spots
    }

    pub(super) fn leave(&mut self, spots: &[Spot]) {
        self.graph.set_busy(spots, false);
    }
}
