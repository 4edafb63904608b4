//! Puts something at one place of the sample that the type takes there, led by what the errors say.

use super::super::sample::Sample;
use super::state::{Choice, Kind, Path, Seed};
use super::{MARK, MAX_ASKED, MAX_PLACES, Search, TAKEN};
use crate::codec::shape::probe::TEXTS;
use crate::codec::unreadable::Note;

const MAX_DEPTH: usize = 40;

impl Search<'_> {
    /// Puts a sample at `path` that the type accepts there.
    pub(super) fn fill(&mut self, path: &Path) -> bool {
        if path.len() > MAX_DEPTH || self.asked > MAX_ASKED {
            return false;
        }
        self.forget(path);
        let mark = Sample::text(MARK);
        let odd = [Sample::Bool(true), Sample::Bytes(5), Sample::Map(vec![(mark.clone(), Sample::Unit)])];
        for sample in odd {
            let whole = self.state.sample.with(path, sample);
            let answer = self.ask(&whole);
            if let Some(name) = self.untagged(path, &answer) {
                self.state.expected.insert(path.clone(), name);
                return self.fill_untagged(path, &answer);
            }
        }
        let answer = self.ask_with(path, mark.clone());
        match answer.complaint(&mark) {
            // In an untagged enum, other variants may well complain.
            Some(_) if answer.accepted && !self.state.slots.is_empty() => {
                self.put(path, mark);
                true
            }
            Some(Note::Variant { known, .. }) => {
                let seeds = known.iter().map(|name| Sample::name(name).into()).collect();
                self.state.expected.insert(path.clone(), format!("{known:?}"));
                self.fill_variant(path, seeds)
            }
            Some(Note::Invalid { expected, .. }) => {
                let expected = expected.clone();
                self.state.expected.insert(path.clone(), expected.clone());
                self.fill_kind(path, &expected)
            }
            _ if answer.moved_on() => {
                self.put(path, Sample::text(TAKEN));
                let flag = Sample::Bool(true);
                match self.ask_with(path, flag.clone()).complaint(&flag) {
                    // Text that names no variant is the variant for all others; those are found by their place.
                    Some(Note::Invalid { expected, .. }) if expected == "variant identifier" => {
                        self.fill_variant(path, (0..MAX_PLACES).map(|place| Sample::Integer(place).into()).collect())
                    }
                    Some(Note::Invalid { expected, .. }) if expected == "string or map" => {
                        let place = |at| Sample::Map(vec![(Sample::Integer(at), Sample::Unit)]).into();
                        self.fill_variant(path, (0..MAX_PLACES).map(place).collect())
                    }
                    _ if self.ask_with(path, Sample::text(TAKEN)).moved_on() => true,
                    _ => {
                        self.put(path, Sample::text(MARK));
                        true
                    }
                }
            }
            _ => self.fill_kind(path, ""),
        }
    }

    fn fill_kind(&mut self, path: &Path, expected: &str) -> bool {
        let starts = |words: &[&str]| words.iter().any(|word| expected.starts_with(word));
        let likely = if starts(&["unit"]) {
            vec![Sample::Unit]
        } else if starts(&["a boolean"]) {
            vec![Sample::Bool(false), Sample::Bool(true)]
        } else if starts(&["a char"]) {
            vec![Sample::text("A"), Sample::text("0")]
        } else if starts(&["a seq", "a tuple", "tuple", "an array", "an empty array"]) {
            vec![Sample::Seq(Vec::new())]
        } else if starts(&["a map", "struct", "internally tagged", "adjacently tagged"]) {
            vec![Sample::Map(Vec::new())]
        } else {
            vec![Sample::Integer(1), Sample::Integer(0)]
        };
        likely.into_iter().any(|sample| self.try_sample(path, sample)) || self.fill_any(path)
    }

    fn fill_any(&mut self, path: &Path) -> bool {
        let texts = TEXTS.iter().map(|text| Sample::text(text));
        let bytes = [0, 16, 4, 8, 12, 20, 24, 32, 64].map(Sample::Bytes);
        let others = [
            Sample::Integer(1),
            Sample::Integer(0),
            Sample::Negative(-1),
            Sample::Float(1.0),
            Sample::Bool(false),
            Sample::Map(Vec::new()),
            Sample::Seq(Vec::new()),
            Sample::Unit,
        ];
        texts.chain(others).chain(bytes).any(|sample| self.try_sample(path, sample))
    }

    pub(super) fn try_sample(&mut self, path: &Path, sample: Sample) -> bool {
        let answer = self.ask_with(path, sample.clone());
        let compound = matches!(sample, Sample::Map(_) | Sample::Seq(_));
        let refused = match answer.complaint(&sample) {
            _ if self.state.untagged.contains_key(path) || answer.accepted && !self.state.slots.is_empty() => false,
            Some(note) if compound => answer.notes.last() == Some(note),
            Some(_) => true,
            None => false,
        };
        if refused || !answer.moved_on() {
            return false;
        }
        self.put(path, sample);
        if self.grow(path) {
            return true;
        }
        self.put(path, Sample::text(MARK));
        false
    }

    /// A key, in front of a value that is not known yet: any complaint about the value will do.
    pub(super) fn fill_key(&mut self, path: &Path) -> bool {
        let flags =
            [Sample::text(MARK), Sample::Integer(1), Sample::text("A"), Sample::Bool(false), Sample::Negative(-1)];
        let texts = TEXTS.iter().map(|text| Sample::text(text));
        let mark = Sample::text(MARK);
        let answer = self.ask_with(path, mark.clone());
        if let Some(Note::Variant { known, .. }) = answer.complaint(&mark) {
            let seeds: Vec<Seed> = known.iter().map(|name| Sample::name(name).into()).collect();
            self.state.expected.insert(path.clone(), format!("{known:?}"));
            self.state.choices.insert(path.clone(), Choice { seeds: seeds.clone(), kind: Kind::Named });
            if let Some(first) = seeds.into_iter().next() {
                self.put(path, first.sample);
                return true;
            }
        }
        let value = Sample::Unit.described();
        for key in flags.into_iter().chain(texts) {
            let answer = self.ask_with(path, key.clone());
            let about_value = matches!(answer.notes.last(), Some(Note::Invalid { got, .. }) if *got == value);
            if answer.complaint(&key).is_none() && (answer.moved_on() || about_value) {
                self.put(path, key);
                return true;
            }
        }
        // A key in parts.
        self.fill(path)
    }
}
