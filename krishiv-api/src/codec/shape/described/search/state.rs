//! The sample so far, what is known of its parts, and the small changes that are made to both.

use super::super::known::Known;
use super::super::sample::{Sample, Step};
use super::{MARK, Search};
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

impl Search<'_> {
    pub(super) fn put(&mut self, path: &[Step], sample: Sample) {
        if let Some(place) = self.state.sample.at_mut(path) {
            *place = sample;
        }
    }

    pub(super) fn push(&mut self, map: &[Step], key: Sample) -> Option<Path> {
        let Some(Sample::Map(entries)) = self.state.sample.at_mut(map) else {
            return None;
        };
        entries.push((key, Sample::text(MARK)));
        let at = entries.len() - 1;
        let path = below(map, Step::Value(at));
        self.forget(&path);
        Some(path)
    }

    /// Cuts a map or list back to `length`.
    pub(super) fn cut(&mut self, path: &[Step], length: usize) {
        match self.state.sample.at_mut(path) {
            Some(Sample::Map(entries)) => entries.truncate(length),
            Some(Sample::Seq(items)) => items.truncate(length),
            _ => {}
        }
    }

    /// Forgets what was known of a part that is made anew.
    pub(super) fn forget(&mut self, path: &[Step]) {
        let State { choices, expected, marks, unseen, untagged, slots, .. } = &mut self.state;
        untagged.retain(|known, _| !known.starts_with(path));
        slots.retain(|known, _| !known.starts_with(path));
        unseen.retain(|known, _| !known.starts_with(path));
        choices.retain(|known, _| !known.starts_with(path));
        expected.retain(|known, _| !known.starts_with(path));
        marks.retain(|known, _| !known.starts_with(path));
    }

    pub(super) fn length(&self, path: &[Step]) -> usize {
        match self.state.sample.at(path) {
            Some(Sample::Map(entries)) => entries.len(),
            Some(Sample::Seq(items)) => items.len(),
            _ => 0,
        }
    }

    /// The name of the entry of `map` that `path` is the value of.
    pub(super) fn key(&self, map: &[Step], path: &[Step]) -> Option<String> {
        let (Some(Sample::Map(entries)), Some(Step::Value(at))) = (self.state.sample.at(map), path.last()) else {
            return None;
        };
        entries.get(*at)?.0.as_text().map(str::to_owned)
    }
}
