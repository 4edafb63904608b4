//! The small changes that a search makes to its sample and to what is known of its parts.

use super::super::sample::{Sample, Step};
use super::state::{Path, State, below};
use super::{MARK, Search};

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
