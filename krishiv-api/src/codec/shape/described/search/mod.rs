//! Looks for samples that a type accepts, until what they write shows all of it.
//!
//! A sample begins as text that no type takes. The error says what was expected, the next sample has that, and so on: a map gets
//! the fields that are missing, a tag each of the variants that are listed. What an accepted sample writes shows the names and
//! kinds; where it shows an empty option or list, the next sample has something there.

mod edits;
mod fill;
mod gaps;
mod grow;
mod hidden;
mod state;
mod untagged;
mod variants;
mod walk;
mod widen;

use super::known::{Known, Tags};
use super::sample::{Sample, Step};
use super::written::Written;
use crate::codec::unreadable::Note;
use state::{Path, State};
use std::collections::BTreeSet;

/// Samples that are tried: far beyond what a type written by hand needs, and done in a fraction of a second.
const MAX_ASKED: usize = 20_000;
/// Fields of one struct that are looked for by their place.
const MAX_PLACES: u64 = 128;

/// Text that no type takes but those that take any.
const MARK: &str = "\u{1}what are you?";
const TAKEN: &str = "\u{1}text";

/// What came of a sample.
pub(super) struct Answer {
    pub(super) accepted: bool,
    pub(super) written: Option<Written>,
    pub(super) notes: Vec<Note>,
}

impl Answer {
    /// What is said about this part of the sample.
    fn complaint(&self, sample: &Sample) -> Option<&Note> {
        let described = sample.described();
        self.notes
            .iter()
            .find(|note| matches!(note, Note::Invalid { got, .. } | Note::Variant { got, .. } if *got == described))
    }

    /// Whether it is accepted, or fails for want of something that comes later.
    fn moved_on(&self) -> bool {
        let missing = |note: &Note| matches!(note, Note::Missing(_) | Note::Length { .. });
        // An untagged enum says at last that none of its variants fits.
        let untagged = self.is_untagged() && self.notes.iter().any(missing);
        self.accepted || untagged || self.notes.last().is_some_and(missing)
    }

    /// An untagged enum has tried all its variants.
    fn is_untagged(&self) -> bool {
        self.notes.iter().any(
            |note| matches!(note, Note::Custom(text) if text.starts_with("data did not match any variant of untagged")),
        )
    }
}

pub(super) struct Search<'a> {
    ask: &'a mut dyn FnMut(&Sample) -> Answer,
    asked: usize,
    state: State,
    tags: Tags,
    fixed: BTreeSet<Path>,
    known: Known,
}

impl<'a> Search<'a> {
    /// What is known when all is tried; none if no sample is accepted.
    pub(super) fn run(ask: &'a mut dyn FnMut(&Sample) -> Answer) -> Option<Known> {
        let state = State::default();
        let tags = Tags::new();
        let mut search = Self { ask, asked: 0, state, tags, fixed: BTreeSet::new(), known: Known::Nothing };
        if !search.fill(&Vec::new()) || !search.resume(&Vec::new()) {
            return None;
        }
        search.widen(&Vec::new());
        (search.asked < MAX_ASKED).then_some(search.known)
    }

    fn ask(&mut self, sample: &Sample) -> Answer {
        self.asked += 1;
        if self.asked > MAX_ASKED {
            return Answer { accepted: false, written: None, notes: Vec::new() };
        }
        (self.ask)(sample)
    }

    /// Asks with another sample at `path`.
    fn ask_with(&mut self, path: &[Step], sample: Sample) -> Answer {
        let whole = self.state.sample.with(path, sample);
        let answer = self.ask(&whole);
        self.view(path, answer)
    }

    /// Asks with the sample so far, on behalf of the part at `path`.
    fn ask_for(&mut self, path: &[Step]) -> Answer {
        let whole = self.state.sample.clone();
        let answer = self.ask(&whole);
        self.view(path, answer)
    }

    fn is_accepted(&mut self) -> bool {
        let whole = self.state.sample.clone();
        self.ask(&whole).accepted
    }
}
