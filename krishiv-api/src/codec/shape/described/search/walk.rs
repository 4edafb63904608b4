//! Goes through a sample and what it has written side by side, for what is known and what is still to be found.

use super::super::known::Seen;
use super::super::sample::{Sample, Step};
use super::super::written::{Content, Written};
use super::gaps::Gap;
use super::state::{Kind, Path, State, around, below};
use crate::codec::unreadable::Note;

/// Goes through a sample and what it has written side by side.
pub(super) struct Walk<'a> {
    state: &'a State,
    pub(super) gaps: Vec<Gap>,
    pub(super) seen: Seen,
    /// Errors of an accepted sample: what an optional struct is missing, for one.
    lost: &'a [Note],
}

impl<'a> Walk<'a> {
    pub(super) fn new(state: &'a State, lost: &'a [Note]) -> Self {
        Self { state, gaps: Vec::new(), seen: Seen::default(), lost }
    }

    pub(super) fn part(&mut self, written: &Written, sample: &Sample, path: &Path, place: &mut Vec<usize>) {
        // What is known of a part is known of what is inside of options and newtypes.
        match written {
            Written::Option(of) if **of != Written::Nothing => return self.inside(of, sample, path, 0, place),
            Written::Named(_, Content::Newtype(of)) => return self.inside(of, sample, path, 0, place),
            Written::Option(_) => {
                if self.state.choices.contains_key(path) {
                    self.notice(path, &[place.as_slice(), &[0]].concat());
                } else {
                    self.gaps.push(Gap::Inside(path.clone()));
                }
                return;
            }
            _ => {}
        }
        if self.notice(path, place) {
            return;
        }
        if self.state.expected.get(path).is_some_and(|text| is_named(text) && around(self.state, path, text) > 1) {
            return;
        }
        match (written, sample) {
            (Written::Text(_), Sample::Text(_)) if !self.state.choices.contains_key(path) => {
                self.gaps.push(Gap::Kind(path.clone()));
            }
            (Written::Seq(items), Sample::Seq(samples)) if items.is_empty() && samples.is_empty() => {
                self.gaps.push(Gap::Item(path.clone()));
            }
            (Written::Seq(items) | Written::Tuple(items), Sample::Seq(samples)) => {
                self.items(items, samples, path, place)
            }
            (Written::Map { entries, counted: true }, Sample::Map(samples))
                if entries.is_empty() && samples.is_empty() =>
            {
                self.gaps.push(Gap::Entry(path.clone()));
            }
            (Written::Map { entries, counted: true }, Sample::Map(samples)) if self.pairs(entries, samples, path) => {
                for (at, ((key, value), (key_sample, value_sample))) in entries.iter().zip(samples).enumerate() {
                    self.inside(key, key_sample, &below(path, Step::Key(at)), 2 * at, place);
                    self.inside(value, value_sample, &below(path, Step::Value(at)), 2 * at + 1, place);
                }
            }
            (Written::Map { entries, counted }, Sample::Map(_)) => {
                for (at, (key, value)) in entries.iter().enumerate() {
                    if let Some(name) = key.text() {
                        self.field(name, value, sample, path, 2 * at + 1, place);
                    }
                }
                self.gaps.push(Gap::Rest(path.clone()));
                for note in self.lost {
                    if let (Note::Missing(name), false) = (note, *counted) {
                        self.gaps.push(Gap::Field(path.clone(), (*name).to_owned()));
                    }
                }
                self.gaps.push(Gap::Hidden(path.clone()));
            }
            (Written::Named(_, content), _) => self.content(content, sample, path, place),
            (Written::Variant { content, .. }, Sample::Map(entries)) => {
                if let [(_, sample)] = entries.as_slice() {
                    self.content(content, sample, &below(path, Step::Value(0)), place);
                }
            }
            _ => {}
        }
    }

    /// Takes over what is known of the part at `path` for what is written at `place`; tells whether that is all there is to know.
    fn notice(&mut self, path: &[Step], place: &[usize]) -> bool {
        if let Some(count) = self.state.untagged.get(path) {
            self.seen.untagged.insert(place.to_vec(), *count);
        }
        if let Some(unseen) = self.state.unseen.get(path) {
            self.seen.unseen.insert(place.to_vec(), unseen.clone());
        }
        let mark = self.state.marks.get(path);
        self.seen.marks.extend(mark.map(|mark| (place.to_vec(), mark.clone())));
        mark.is_some()
    }

    /// Whether the entries of a map are those of its sample, and none of them is a tag.
    fn pairs(&self, entries: &[(Written, Written)], samples: &[(Sample, Sample)], path: &[Step]) -> bool {
        let tag =
            |at| self.state.choices.get(&below(path, Step::Value(at))).is_some_and(|choice| choice.kind == Kind::Tag);
        entries.len() == samples.len() && !entries.is_empty() && !(0..samples.len()).any(tag)
    }

    fn inside(&mut self, written: &Written, sample: &Sample, path: &Path, at: usize, place: &mut Vec<usize>) {
        place.push(at);
        self.part(written, sample, path, place);
        place.pop();
    }

    fn items(&mut self, items: &[Written], samples: &[Sample], path: &Path, place: &mut Vec<usize>) {
        for (at, (item, sample)) in items.iter().zip(samples).enumerate() {
            self.inside(item, sample, &below(path, Step::Item(at)), at, place);
        }
    }

    fn content(&mut self, content: &Content, sample: &Sample, path: &Path, place: &mut Vec<usize>) {
        match (content, sample) {
            (Content::Newtype(of), _) => self.inside(of, sample, path, 0, place),
            (Content::Tuple(items), Sample::Seq(samples)) => self.items(items, samples, path, place),
            (Content::Struct(fields), Sample::Map(_)) => {
                for (at, (name, value)) in fields.iter().enumerate() {
                    self.field(name, value, sample, path, at, place);
                }
                self.gaps.push(Gap::Hidden(path.clone()));
            }
            _ => {}
        }
    }

    fn field(&mut self, name: &str, value: &Written, sample: &Sample, path: &Path, at: usize, place: &mut Vec<usize>) {
        match (sample.entry(name), sample) {
            (Some(entry), Sample::Map(entries)) => {
                if let Some((_, sample)) = entries.get(entry) {
                    self.inside(value, sample, &below(path, Step::Value(entry)), at, place);
                }
            }
            _ if !matches!(value, Written::Leaf(_)) => self.gaps.push(Gap::Field(path.clone(), name.to_owned())),
            _ => {}
        }
    }
}

/// Whether serde's words name a type, and not just a kind of value.
pub(super) fn is_named(text: &str) -> bool {
    ["struct ", "tuple struct ", "internally tagged", "adjacently tagged", "data did not match", "["]
        .iter()
        .any(|word| text.starts_with(word))
}
