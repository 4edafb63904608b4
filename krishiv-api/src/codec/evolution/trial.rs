//! Tries whether a type reads a sample.

use super::described::Reader;
use super::plan::{Id, Node, Plan};
use super::source::ByName;
use super::tree::Tree;
use crate::codec::pull::{Ask, Asker, Source, Token};
use crate::codec::unreadable::{Note, Result, listen};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why a sample was refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) reason: String,
    /// The parts of the sample of which another one may help, the likeliest first.
    pub(super) suspects: [Option<Id>; 2],
    /// What the first suspect may be left out of.
    pub(super) around: Option<Id>,
    /// The names that the type was asked about last.
    pub(super) names: Names,
    /// The field that is not there.
    pub(super) missing: Option<&'static str>,
    pub(super) about: About,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Value,
    /// No other value would help: a field is not there, or is one too many.
    Field,
    /// The type has no variant of this name.
    Variant,
    /// There was no sample to refuse.
    Shape,
}

/// Reads a value from a source, and forgets it.
pub(super) type Read = dyn for<'de> Fn(&mut dyn Source<'de>) -> Result<()>;

/// All names that a type has said that it knows, list by list.
pub(super) type Heard = BTreeSet<Names>;

/// Names of fields or variants.
pub(super) type Names = &'static [&'static str];

/// Tries whether a type reads a sample.
pub(super) fn attempt(
    plan: &Plan,
    read: &Read,
    sample: &Tree<'_>,
    is_text: bool,
    heard: &mut Heard,
) -> std::result::Result<(), Refusal> {
    let mut source = Listening { of: ByName(Reader::new(plan, plan.root(), sample, is_text)), heard, last: &[] };
    // A type may not be ready for samples that no program makes.
    let (done, notes) = listen(|| catch_unwind(AssertUnwindSafe(|| read(&mut source))));
    let reason = match done {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => source.of.explain(&error),
        Err(panic) => {
            // What a panic carries may panic when it is dropped.
            std::mem::forget(panic);
            "the type panics when it is read".to_owned()
        }
    };
    let met = source.of.0.met();
    let (about, suspect) = match notes.last() {
        // Nobody knows which fields were written there.
        Some(Note::Missing(_)) if matches!(met.map, Some(Node::Untold)) => (About::Value, met.map),
        Some(Note::Missing(_)) => (About::Field, met.map),
        Some(Note::Duplicate(_) | Note::Field) => (About::Field, None),
        Some(Note::Variant { .. }) => (About::Variant, met.variant.or(met.leaf)),
        Some(Note::Length { .. }) => (About::Value, met.list.or(met.leaf)),
        // Too many of them are found when a list is closed, and serde does not say so.
        None => (About::Value, met.list.or(met.leaf)),
        _ => (About::Value, met.leaf),
    };
    let alternative = met.variant.filter(|node| matches!(node, Node::OneOf(_)));
    let suspects = [suspect, alternative].map(|node| node.and_then(|node| plan.place(node)));
    let missing = if let Some(Note::Missing(name)) = notes.last() { Some(*name) } else { None };
    let around = met.around.and_then(|node| plan.place(node));
    Err(Refusal { reason, suspects, around, names: source.last, missing, about })
}

/// Notes what names a type asks for.
struct Listening<'h, S> {
    of: S,
    heard: &'h mut Heard,
    last: Names,
}

impl<'de, S: Source<'de>> Source<'de> for Listening<'_, S> {
    fn next(&mut self, ask: Ask, asker: &Asker<'_>) -> Result<Token<'de>> {
        if let Ask::Struct(_, names) | Ask::Enum(_, names) | Ask::StructVariant(names) = ask {
            self.heard.insert(names);
            self.last = names;
        }
        self.of.next(ask, asker)
    }

    fn depth(&self) -> usize {
        self.of.depth()
    }

    fn part(&mut self, depth: usize) -> Result<bool> {
        self.of.part(depth)
    }

    fn value(&mut self, depth: usize) -> Result<()> {
        self.of.value(depth)
    }

    fn left(&self, depth: usize) -> Option<usize> {
        self.of.left(depth)
    }

    fn close(&mut self, depth: usize) -> Result<()> {
        self.of.close(depth)
    }

    fn is_human_readable(&self) -> bool {
        self.of.is_human_readable()
    }
}
