//! Fields that are neither needed nor written when they are empty: they are found by their place.

use super::super::sample::Sample;
use super::super::written::{Content, Written};
use super::state::Path;
use super::{MAX_PLACES, Search};
use crate::codec::unreadable::Note;

impl Search<'_> {
    /// Looks for fields by their place, where serde's derive finds them without their names.
    pub(super) fn hidden(&mut self, path: &Path, written: &Written) -> bool {
        let mut before = written.clone();
        let mut idle = 0;
        for place in 0..MAX_PLACES {
            let (key, length) = (Sample::Integer(place), self.length(path));
            let Some(part) = self.push(path, key.clone()) else {
                return true;
            };
            let answer = self.ask_for(path);
            if matches!(answer.notes.last(), Some(Note::Duplicate(_))) {
                self.cut(path, length);
                continue;
            }
            let known = !answer.accepted || answer.written.as_ref() != Some(&before);
            let after = answer.complaint(&key).is_none() && known && self.fill(&part);
            let mut shown = if after { self.ask_for(path) } else { answer };
            if after && shown.accepted && shown.written.as_ref() == Some(&before) && self.fill_more(&part) {
                shown = self.ask_for(path);
            }
            match shown.written.filter(|_| after && shown.accepted) {
                Some(written) if written != before => {
                    // By its name from now on, so that it is found again.
                    if let Some(name) = new_name(&before, &written)
                        && let Some(Sample::Map(entries)) = self.state.sample.at_mut(path)
                        && let Some(entry) = entries.last_mut()
                    {
                        entry.0 = Sample::Text(name.into());
                    }
                    before = written;
                    idle = 0;
                }
                _ => {
                    self.cut(path, length);
                    self.forget(&part);
                    idle += 1;
                    if idle > 2 {
                        break;
                    }
                }
            }
        }
        true
    }
}

/// The name of the one field that only `after` has.
fn new_name(before: &Written, after: &Written) -> Option<String> {
    let names = |written: &Written| {
        let mut all = Vec::new();
        written.names(&mut all);
        all
    };
    let mut left = names(before);
    names(after).into_iter().find(|name| match left.iter().position(|known| known == name) {
        Some(at) => {
            left.remove(at);
            false
        }
        None => true,
    })
}

impl Written {
    fn names(&self, all: &mut Vec<String>) {
        match self {
            Self::Nothing | Self::Leaf(_) | Self::Text(_) => {}
            Self::Option(of) => of.names(all),
            Self::Seq(of) | Self::Tuple(of) => of.iter().for_each(|of| of.names(all)),
            Self::Map { entries, .. } => {
                for (key, value) in entries {
                    all.extend(key.text().map(str::to_owned));
                    value.names(all);
                }
            }
            Self::Named(_, content) | Self::Variant { content, .. } => match content {
                Content::Unit => {}
                Content::Newtype(of) => of.names(all),
                Content::Tuple(of) => of.iter().for_each(|of| of.names(all)),
                Content::Struct(fields) => {
                    for (name, value) in fields {
                        all.push(name.clone());
                        value.names(all);
                    }
                }
            },
        }
    }
}
