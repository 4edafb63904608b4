//! What is another in one shape than in another, by name.

mod forms;
mod layouts;
mod rounding;
mod words;

use super::change::Change;
use super::trial::Heard;
use crate::codec::shape::{Form, Layout, Shape};
use rounding::Part;
use std::collections::BTreeSet;

/// The differences of two shapes.
#[derive(Default)]
pub(super) struct Diff {
    pub(super) changes: Vec<Change>,
    /// Whether it takes the type itself to say that it reads what was.
    pub(super) is_unsure: bool,
    /// Whether something is another thing altogether.
    pub(super) is_retyped: bool,
    /// What would be read as something else, and nobody would know.
    pub(super) lossy: Option<String>,
    /// Whether there is a part of which the stored shape does not say what it is, so that no sample shows it.
    pub(super) is_blank: bool,
}

/// Said of a field that is new, as long as nothing speaks against it.
pub(super) const NEW: &str = "is new: its default";

/// A type may contain itself, by as many names as there are.
const MAX_DEPTH: usize = 128;

/// Compares what was `written` with what is `declared`; what the type has `heard` of tells its aliases.
pub(super) fn diff(written: &Shape, declared: &Shape, heard: &Heard) -> Diff {
    let mut pair =
        Pair { written, declared, heard, met: BTreeSet::new(), found: Diff::default(), depth: 0, buffered: false };
    pair.forms("", written.root(), declared.root());
    if pair.found.changes.is_empty() {
        pair.say(
            "",
            "is the same by name: types are called otherwise, or parts are in another order".to_owned(),
            false,
        );
    }
    pair.found
}

struct Pair<'s> {
    written: &'s Shape,
    declared: &'s Shape,
    heard: &'s Heard,
    met: BTreeSet<(&'s str, &'s str, bool)>,
    found: Diff,
    depth: usize,
    /// Serde reads it from a copy, of which it does not ask what it wants.
    buffered: bool,
}

/// What a form is, once newtypes are seen through.
enum Seen<'s> {
    Form(&'s Form),
    Named(&'s str, &'s Layout),
}

fn see<'s>(shape: &'s Shape, mut form: &'s Form) -> Seen<'s> {
    for _ in 0..MAX_DEPTH {
        let Form::Type(name) = form else { return Seen::Form(form) };
        match shape.layout(name) {
            Some(Layout::Newtype(of)) => form = of,
            Some(layout) => return Seen::Named(name, layout),
            None => return Seen::Form(&Form::Unknown),
        }
    }
    Seen::Form(&Form::Unknown)
}

impl<'s> Pair<'s> {
    fn say(&mut self, path: &str, what: String, checked: bool) {
        let change = Change { path: path.to_owned(), what, checked };
        if !self.found.changes.contains(&change) {
            self.found.changes.push(change);
        }
    }

    /// Another thing altogether, as far as can be seen.
    fn retyped(&mut self, path: &str, was: &str, is: &str) {
        self.found.is_unsure = true;
        self.found.is_retyped = true;
        self.say(path, format!("was {was}, and is {is}: what does not fit is refused when it is read"), true);
    }

    /// Looks whether serde itself might round a number of what was written, where the two are not compared part by part.
    fn guard(&mut self, path: &str, written: impl Into<Part<'s>>, declared: impl Into<Part<'s>>) {
        let (written, declared) = (written.into(), declared.into());
        if rounding::rounds((self.written, written), (self.declared, declared), self.buffered) {
            self.lossy(path, "a number", "a float");
        }
    }

    fn deeper(&mut self, go: impl FnOnce(&mut Self)) {
        if self.depth >= MAX_DEPTH {
            self.found.lossy.get_or_insert_with(|| "the types are nested too deeply; write a migration".to_owned());
            return;
        }
        self.depth += 1;
        go(self);
        self.depth -= 1;
    }

    fn lossy(&mut self, path: &str, was: &str, is: &str) {
        let place = if path.is_empty() { "it".to_owned() } else { format!("`{path}`") };
        let reason = format!(
            "{place} was {was}, and is {is}: serde reads a tagged, untagged or flattened type from a copy, and rounds what it takes \
             from there without a word; write a migration"
        );
        self.found.lossy.get_or_insert(reason);
    }
}
