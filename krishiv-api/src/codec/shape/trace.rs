//! Finds the shape of a type by deserializing it from nothing and writing down what it asks for.
//!
//! One pass sees one variant of each enum it meets, so passes are repeated until no variant is unseen. What is known
//! about the type is a [graph](super::graph) of spots, which all passes share. A type that rejects the sample value it is given gets
//! another one in the next pass.

use super::probe::Probe;
use super::tracer::{MAX_PASSES, Tracer};
use super::{Shape, Traced, described};
use crate::codec::payload::{self, Codec};
use serde::Serialize;
use serde::de::DeserializeOwned;

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
