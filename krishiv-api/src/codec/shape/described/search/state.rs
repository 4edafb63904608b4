//! The sample so far, and what is known of its parts.

use super::super::known::Known;
use super::super::sample::{Sample, Step};
use std::collections::BTreeMap;

pub(super) type Path = Vec<Step>;

/// A place where one of several variants is.
#[derive(Clone)]
pub(super) struct Choice {
    pub(super) seeds: Vec<Seed>,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is named.
    Named,
    /// It is named, and the other fields of its map depend on it.
    Tag,
    /// It is the first that fits.
    Untagged,
    /// The same, of a map whose first entries, so many, are not its own.
    Beside(usize),
}

/// What a sample of a variant begins as.
#[derive(Clone)]
pub(super) struct Seed {
    pub(super) sample: Sample,
    /// Of an untagged enum, the place of the variant among the errors.
    pub(super) slot: Option<usize>,
}

impl From<Sample> for Seed {
    fn from(sample: Sample) -> Self {
        Self { sample, slot: None }
    }
}

/// The sample so far, and what is known of its parts.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) sample: Sample,
    pub(super) choices: BTreeMap<Path, Choice>,
    /// What serde says that it expects.
    pub(super) expected: BTreeMap<Path, String>,
    /// Parts that are anything, or one thing or another.
    pub(super) marks: BTreeMap<Path, Known>,
    /// Variants that are listed, and of which no sample was found.
    pub(super) unseen: BTreeMap<Path, Vec<String>>,
    /// Untagged enums, by the number of their variants.
    pub(super) untagged: BTreeMap<Path, usize>,
    /// The variants that these are to become.
    pub(super) slots: BTreeMap<Path, usize>,
}

pub(super) fn below(path: &[Step], step: Step) -> Path {
    let mut path = path.to_vec();
    path.push(step);
    path
}

/// How many of the parts around this one expect the same.
pub(super) fn around(state: &State, path: &[Step], text: &str) -> usize {
    let outer = |(known, expected): &(&Path, &String)| {
        path.starts_with(known) && known.len() < path.len() && expected.as_str() == text
    };
    state.expected.iter().filter(outer).count()
}
