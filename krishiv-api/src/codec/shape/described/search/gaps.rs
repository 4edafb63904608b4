//! What an accepted sample does not show, and how the next sample comes to show it.

use super::super::known::{Known, REST};
use super::super::sample::{Sample, Step};
use super::super::written::Written;
use super::state::{Path, below};
use super::{MARK, Search};

/// Something that an accepted sample does not show.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// The inside of an option.
    Inside(Path),
    /// The elements of a list, the entries of a map.
    Item(Path),
    Entry(Path),
    /// A field that the sample leaves out.
    Field(Path, String),
    /// Whether text is all that this takes.
    Kind(Path),
    /// Fields that are neither needed nor written when they are empty.
    Hidden(Path),
    /// Whether a map takes what no field takes.
    Rest(Path),
}

impl Gap {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Inside(path) | Self::Item(path) | Self::Entry(path) | Self::Field(path, _) => path,
            Self::Kind(path) | Self::Hidden(path) | Self::Rest(path) => path,
        }
    }
}

impl Search<'_> {
    pub(super) fn close(&mut self, gap: Gap, written: &Written) -> bool {
        match gap {
            Gap::Inside(path) => {
                self.put(&path, Sample::text(MARK));
                self.fill(&path)
            }
            Gap::Item(path) => self.close_item(&path),
            Gap::Entry(path) => self.close_entry(&path),
            Gap::Field(path, name) => self.push(&path, Sample::name(&name)).is_some_and(|part| self.fill(&part)),
            Gap::Rest(path) => self.push(&path, Sample::text(REST)).is_some_and(|part| self.fill(&part)),
            Gap::Kind(path) => self.kind(&path),
            Gap::Hidden(path) => self.hidden(&path, written),
        }
    }

    /// Whether what takes text takes other kinds too.
    fn kind(&mut self, path: &Path) -> bool {
        let kinds = [Sample::Bool(true), Sample::Integer(7), Sample::Seq(Vec::new()), Sample::Map(Vec::new())];
        let mut taken = 0;
        let mut untagged = false;
        for kind in &kinds {
            let answer = self.ask_with(path, kind.clone());
            // What takes anything has nothing to complain of.
            untagged |= answer.is_untagged()
                || answer.accepted && self.slot(path).is_none() && answer.complaint(kind).is_some();
            taken += usize::from(answer.accepted);
        }
        let known = match taken {
            0 if !untagged => return true,
            4 if !untagged => Known::Any,
            _ => Known::Varies,
        };
        self.state.marks.insert(path.clone(), known);
        true
    }

    /// Puts something in the place of what may count as empty, and so not be written.
    pub(super) fn fill_more(&mut self, path: &Path) -> bool {
        match self.state.sample.at(path) {
            Some(Sample::Bool(false)) => self.try_sample(path, Sample::Bool(true)),
            Some(Sample::Seq(items)) if items.is_empty() => self.close_item(path),
            Some(Sample::Map(entries)) if entries.is_empty() => self.close_entry(path),
            _ => false,
        }
    }

    fn close_item(&mut self, path: &Path) -> bool {
        self.put(path, Sample::Seq(vec![Sample::text(MARK)]));
        self.fill(&below(path, Step::Item(0)))
    }

    fn close_entry(&mut self, path: &Path) -> bool {
        self.put(path, Sample::Map(vec![(Sample::text(MARK), Sample::Unit)]));
        let (key, value) = (below(path, Step::Key(0)), below(path, Step::Value(0)));
        self.fill_key(&key) && self.fill(&value)
    }
}
