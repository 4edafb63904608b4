//! Gives maps and lists of the sample what is missing in them.

use super::super::sample::{Sample, Step};
use super::state::{Choice, Kind, Path, Seed, below};
use super::untagged::MAX_SLOTS;
use super::{Answer, MARK, Search};
use crate::codec::unreadable::Note;

impl Search<'_> {
    /// Gives a map the fields that are missing in it, a list its elements.
    pub(super) fn grow(&mut self, path: &Path) -> bool {
        loop {
            let answer = self.ask_for(path);
            let length = self.length(path);
            if answer.accepted {
                return true;
            }
            let last = answer.notes.last().cloned();
            let part = match (self.state.sample.at(path), &last) {
                (Some(Sample::Map(_)), Some(Note::Missing(name))) => {
                    if self.state.sample.at(path).is_some_and(|map| map.entry(name).is_some()) {
                        return true;
                    }
                    self.push(path, Sample::name(name))
                }
                (Some(Sample::Seq(_)), Some(Note::Length { got })) if *got == length => {
                    if let Some(Sample::Seq(items)) = self.state.sample.at_mut(path) {
                        items.push(Sample::text(MARK));
                    }
                    Some(below(path, Step::Item(length)))
                }
                (Some(Sample::Map(_)), Some(Note::Custom(_)))
                    if answer.is_untagged() && !self.state.choices.contains_key(path) =>
                {
                    // An untagged enum takes its fields from this map.
                    let notes = answer.notes.iter().enumerate().take(MAX_SLOTS);
                    let wanting = notes.filter(|(_, note)| matches!(note, Note::Missing(_)));
                    let seed = |(slot, _)| Seed { sample: Sample::Unit, slot: Some(slot) };
                    let (seeds, kind): (Vec<_>, _) = (wanting.map(seed).collect(), Kind::Beside(length));
                    self.state.choices.insert(path.to_vec(), Choice { seeds: seeds.clone(), kind });
                    return seeds.iter().any(|seed| self.choose_plain(path, seed, kind));
                }
                _ => return answer.moved_on(),
            };
            let Some(part) = part else {
                return false;
            };
            // It may be missing in something around this, and this may be a map that takes it, or refuses it as a key.
            let foreign = |answer: &Answer| {
                let now = answer.notes.last();
                let key = matches!((&last, now), (Some(Note::Missing(name)), Some(Note::Invalid { got, .. }))
                    if *got == Sample::name(name).described());
                !answer.accepted && (now == last.as_ref() || key)
            };
            let after = self.ask_for(path);
            let mark = Sample::text(MARK);
            if after.complaint(&mark).is_none() && foreign(&after) {
                self.cut(path, length);
                return true;
            }
            if !self.fill(&part) {
                self.cut(path, length);
                return false;
            }
            let after = self.ask_for(path);
            if foreign(&after) {
                self.cut(path, length);
                return true;
            }
        }
    }

    /// Grows all that is around `path`; tells whether the whole is accepted then.
    pub(super) fn resume(&mut self, path: &[Step]) -> bool {
        for length in (0..=path.len()).rev() {
            let around = path.get(..length).unwrap_or_default().to_vec();
            if !self.grow(&around) {
                return false;
            }
        }
        self.is_accepted()
    }
}
