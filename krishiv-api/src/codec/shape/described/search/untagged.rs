//! Untagged enums: the variant that is wanted is told by how many others were tried before it.

use super::super::sample::{Sample, Step};
use super::state::{Choice, Kind, Path, Seed, below};
use super::{Answer, MARK, Search, TAKEN};
use crate::codec::shape::probe::TEXTS;
use crate::codec::unreadable::Note;

/// Variants of an untagged enum.
pub(super) const MAX_SLOTS: usize = 64;

impl Search<'_> {
    /// Of the errors of an untagged enum around `path`, that of the variant that is wanted.
    pub(super) fn view(&self, path: &[Step], answer: Answer) -> Answer {
        let Some(slot) = self.slot(path) else {
            return answer;
        };
        // Each variant in front of the one that takes it has one error.
        let refused = if answer.accepted { answer.notes.len() != slot } else { answer.is_untagged() };
        if !refused {
            return answer;
        }
        Answer { accepted: false, notes: answer.notes.get(slot).cloned().into_iter().collect(), ..answer }
    }

    /// The place among its variants of what is to become of the innermost untagged enum around `path`.
    pub(super) fn slot(&self, path: &[Step]) -> Option<usize> {
        let around = self.state.slots.iter().filter(|(around, _)| path.starts_with(around));
        around.map(|(_, slot)| *slot).next_back()
    }

    /// The words of an untagged enum at `path` that none of its variants fits; none if it is one around this.
    pub(super) fn untagged(&self, path: &[Step], answer: &Answer) -> Option<String> {
        let words = |note: &Note| match note {
            Note::Custom(text) if text.starts_with("data did not match any variant of untagged") => Some(text.clone()),
            _ => None,
        };
        // The innermost is the first to give up.
        let mut all = answer.notes.iter().filter_map(words);
        let inner = all.next()?;
        let unnamed = |choice: &Choice| matches!(choice.kind, Kind::Untagged | Kind::Beside(_));
        let choices = self.state.choices.iter();
        let around = choices.filter(|(around, choice)| path.starts_with(around) && unnamed(choice)).count();
        (all.count() + 1 > around).then_some(inner)
    }

    /// Fills an untagged enum, and notes what its variants are to begin with.
    pub(super) fn fill_untagged(&mut self, path: &Path, answer: &Answer) -> bool {
        let name = self.state.expected.get(path).cloned().unwrap_or_default();
        let end = answer.notes.iter().position(|note| *note == Note::Custom(name.clone()));
        let count = end.unwrap_or_default();
        self.state.untagged.insert(path.clone(), count);
        let mut seeds: Vec<Seed> = [
            Sample::Unit,
            Sample::Bool(true),
            Sample::Integer(1),
            Sample::Integer(300),
            Sample::Integer(1 << 40),
            Sample::Negative(-1),
            Sample::Float(0.5),
            Sample::text(TAKEN),
        ]
        .into_iter()
        .map(Seed::from)
        .collect();
        seeds.extend(TEXTS.iter().map(|text| Sample::text(text).into()));
        let whole = self.state.sample.with(path, Sample::text(MARK));
        for note in self.ask(&whole).notes {
            if let Note::Variant { known, .. } = note {
                seeds.extend(known.iter().map(|name| Sample::name(name).into()));
                seeds.extend(
                    known.iter().map(|name| Sample::Map(vec![(Sample::name(name), Sample::text(MARK))]).into()),
                );
            }
        }
        for empty in [Sample::Seq(Vec::new()), Sample::Map(Vec::new())] {
            let whole = self.state.sample.with(path, empty.clone());
            let answer = self.ask(&whole);
            if answer.accepted {
                seeds.push(Seed { sample: empty.clone(), slot: Some(answer.notes.len()) });
            }
            let slots = answer.notes.iter().enumerate().take(MAX_SLOTS);
            let wanting = slots.filter(|(_, note)| matches!(note, Note::Missing(_) | Note::Length { .. }));
            seeds.extend(wanting.map(|(slot, _)| Seed { sample: empty.clone(), slot: Some(slot) }));
        }
        self.state.choices.insert(path.clone(), Choice { seeds: seeds.clone(), kind: Kind::Untagged });
        seeds.iter().any(|seed| self.plant(path, seed))
    }

    /// Puts a variant of an untagged enum at `path`.
    pub(super) fn plant(&mut self, path: &Path, seed: &Seed) -> bool {
        match seed.slot {
            Some(slot) => self.state.slots.insert(path.clone(), slot),
            None => self.state.slots.remove(path),
        };
        let content = below(path, Step::Value(0));
        match &seed.sample {
            Sample::Map(entries) if !entries.is_empty() => {
                self.put(path, seed.sample.clone());
                self.fill(&content)
            }
            sample => self.try_sample(path, sample.clone()),
        }
    }
}
