//! Widens what is known, by one sample after the other, until nothing new is shown.

use super::super::known::Known;
use super::super::sample::Step;
use super::super::written::Written;
use super::Search;
use super::gaps::Gap;
use super::state::{Path, around};
use super::walk::{Walk, is_named};
use crate::codec::unreadable::Note;
use std::collections::BTreeSet;

impl Search<'_> {
    /// What the sample writes, if it is accepted, and the errors on the way.
    pub(super) fn look(&mut self) -> Option<(Written, Vec<Note>)> {
        let whole = self.state.sample.clone();
        let answer = self.ask(&whole);
        Some((answer.written.filter(|_| answer.accepted)?, answer.notes))
    }

    /// Takes in what the sample writes.
    pub(super) fn record(&mut self) {
        let Some((written, _)) = self.look() else {
            return;
        };
        let mut walk = Walk::new(&self.state, &[]);
        walk.part(&written, &self.state.sample, &Vec::new(), &mut Vec::new());
        let known = Known::of(written, &self.tags, &walk.seen);
        self.known = std::mem::replace(&mut self.known, Known::Nothing).and(known);
    }

    /// Finds out what the accepted sample does not show, in the part at `scope`.
    pub(super) fn widen(&mut self, scope: &Path) {
        let mut tried = BTreeSet::new();
        while let Some((written, notes)) = self.look() {
            let mut walk = Walk::new(&self.state, &notes);
            walk.part(&written, &self.state.sample, &Vec::new(), &mut Vec::new());
            let gaps = walk.gaps;
            let near = |gap: &Gap| gap.path().starts_with(scope) && !tried.contains(gap);
            let Some(gap) = gaps.into_iter().find(near) else {
                break;
            };
            tried.insert(gap.clone());
            let before = self.state.clone();
            let part = gap.path().clone();
            if !self.close(gap, &written) || !self.ask_for(&part).accepted {
                self.state = before;
            }
        }
        self.record();
        let choices: Vec<_> = self.state.choices.iter().map(|(path, choice)| (path.clone(), choice.clone())).collect();
        for (path, choice) in choices {
            if !path.starts_with(scope) || self.fixed.contains(&path) || self.is_repeated(&path) {
                continue;
            }
            self.fixed.insert(path.clone());
            self.alternatives(&path, &choice);
            self.fixed.remove(&path);
        }
    }

    /// A type inside itself, inside itself, shows nothing new.
    fn is_repeated(&self, path: &[Step]) -> bool {
        let outer = self.state.expected.iter().filter(|(around, _)| path.starts_with(around));
        outer.into_iter().any(|(part, text)| is_named(text) && around(&self.state, part, text) > 1)
    }
}
