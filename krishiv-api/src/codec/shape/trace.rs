//! Finds the shape of a type by deserializing it from nothing and writing down what it asks for.
//!
//! One pass sees one variant of each enum it meets, so passes are repeated until no variant is unseen. What is known
//! about the type is a [graph](super::graph) of spots, which all passes share. A type that rejects the sample value it is given gets
//! another one in the next pass.

use super::graph::Spot;
use super::probe::Probe;
use super::tracer::{MAX_PASSES, Tracer};
use super::{Shape, Traced, described};
use crate::codec::payload::{self, Codec, Payload};
use crate::codec::pull::pull;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// Traces a type once: its shape, and the codec that gives its values back.
///
/// The codec is postcard only if the type could be followed to its end without a call that needs a self-describing
/// format, and if the values made on the way survive postcard.
pub(crate) fn trace<T: Serialize + DeserializeOwned>() -> Traced {
    let mut survival = Survival::default();
    let mut pass = |probe: &mut Probe<'_>| pull(probe, PhantomData::<T>).map(|value| survival.test(&value)).is_ok();
    let (tracer, root, complete) = follow(&mut pass);
    let seen = if complete { tracer.graph.shape(root) } else { None };
    let described = if seen.is_none() || tracer.buffered { described::trace::<T>() } else { None };
    conclude(&tracer, root, (seen, described), complete && survival.survives())
}

/// Makes passes over a type until all of it is known, or no pass finds out more.
fn follow(pass: &mut dyn FnMut(&mut Probe<'_>) -> bool) -> (Tracer, Spot, bool) {
    let mut tracer = Tracer::default();
    let root = tracer.graph.spot();
    let mut before = None;
    let complete = loop {
        let passed = pass(&mut Probe::new(&mut tracer, root));
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
    (tracer, root, complete)
}

/// What is known of a type by what its passes have seen and its samples have described.
fn conclude(
    tracer: &Tracer,
    root: Spot,
    (seen, described): (Option<Shape>, Option<Shape>),
    survives_postcard: bool,
) -> Traced {
    // What is behind a buffer, if all else is as it was seen.
    let fits = |shape: &Shape| seen.as_ref().is_none_or(|seen| seen.compare(shape).is_some());
    let described = described.filter(fits);
    let buffered = tracer.buffered && described.is_none();
    let shape = described.or(seen).unwrap_or_else(|| Shape::opaque(tracer.graph.name(root)));
    let untraced = shape.untraced(buffered);
    let postcard = survives_postcard && !tracer.self_describing;
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
            self.lost |= Payload::survives(value, Codec::Postcard, &bytes).is_err();
        }
    }

    fn survives(&self) -> bool {
        self.written && !self.lost
    }
}
