//! The elements of one list, and the runs that they are stored in.

use super::run::Run;
use crate::codec::record::Stamp;
use crate::scope::slot::Slot;
use std::collections::VecDeque;
use std::ops::Range;

/// The list of one key: all of it when `loaded`, else what was appended since the last commit, perhaps behind a run of
/// before.
pub struct Cell<T> {
    pub(super) loaded: bool,
    /// The backend has elements that are not listed here, and all of them go.
    pub(super) erase: bool,
    pub(super) values: VecDeque<T>,
    /// The runs of all values, in their order.
    pub(super) runs: VecDeque<Run>,
    /// None of these runs is dirty.
    pub(super) clean: Range<usize>,
    /// Stored runs of which nothing is left; they go with the next write.
    pub(super) gone: Vec<u64>,
    /// Memory of all values outside themselves, in bytes.
    pub(super) heap: usize,
}

impl<T> Default for Cell<T> {
    fn default() -> Self {
        Self {
            loaded: false,
            erase: false,
            values: VecDeque::new(),
            runs: VecDeque::new(),
            clean: 0..0,
            gone: Vec::new(),
            heap: 0,
        }
    }
}

/// What was taken off the front of a list.
pub(super) struct Front<T> {
    values: Vec<T>,
    runs: Vec<Run>,
    /// The run that lost only some of its elements, as it was.
    cut: Option<Run>,
    /// Runs that were noted as gone by then.
    noted: usize,
}

/// What was taken out of a list anywhere, or written again, and the runs of before.
pub(super) struct Shape<T> {
    taken: Vec<(usize, T)>,
    runs: VecDeque<Run>,
    noted: usize,
}

impl<T> Cell<T> {
    /// Whether it is as good as none.
    pub(super) fn is_blank(&self) -> bool {
        !self.loaded && !self.erase && self.runs.is_empty() && self.gone.is_empty()
    }

    /// Memory that it takes outside itself, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.heap + self.values.capacity() * size_of::<T>() + self.runs.capacity() * size_of::<Run>()
    }

    /// Appends `value` as the run `new`, or to the last run if it may.
    pub(super) fn push(&mut self, value: T, new: Run) {
        self.heap += new.heap();
        self.values.push_back(value);
        if !self.runs.back_mut().is_some_and(|last| last.join(&new, size_of::<T>())) {
            self.runs.push_back(new);
        }
        let end = self.clean.end.min(self.runs.len() - 1);
        self.clean = self.clean.start.min(end)..end;
    }

    /// Puts `elements` in place of all that it has and the backend has; returns what it was.
    pub(super) fn replace(&mut self, elements: Vec<(T, Run)>) -> Self {
        let mut new = Self { loaded: true, erase: self.erase || !self.loaded, ..Self::default() };
        new.gone.clone_from(&self.gone);
        self.runs.iter().for_each(|run| new.lose(run));
        elements.into_iter().for_each(|(value, run)| new.push(value, run));
        std::mem::replace(self, new)
    }

    /// Takes note that runs were changed anywhere.
    pub(super) fn reshaped(&mut self) {
        self.clean = 0..0;
        self.heap = self.runs.iter().map(Run::heap).sum();
    }

    /// Takes note that all that it has is stored.
    pub(super) fn settle(&mut self) {
        let Range { start, end } = self.clean;
        self.runs.range_mut(end..).for_each(Run::clean);
        self.runs.range_mut(..start).for_each(Run::clean);
        self.clean = 0..self.runs.len();
    }

    /// Gives up, and returns, what the backend has now, behind runs that nobody has asked for; with `tail` all but a last run
    /// that may yet take in what is appended.
    pub(super) fn forget(&mut self, tail: bool) -> VecDeque<T> {
        let tail = self.runs.back().filter(|last| tail && last.is_short(size_of::<T>())).copied();
        let length = self.values.len() - tail.map_or(0, |tail| tail.len());
        let forgotten = if std::mem::needs_drop::<T>() {
            let kept = self.values.split_off(length);
            std::mem::replace(&mut self.values, kept)
        } else {
            self.values.drain(..length);
            VecDeque::new()
        };
        self.runs.clear();
        self.runs.extend(tail);
        self.reshaped();
        forgotten
    }

    /// Takes the first `surplus` elements, and touches no others.
    pub(super) fn cut_front(&mut self, surplus: usize) -> Front<T> {
        let noted = self.gone.len();
        let (mut whole, mut left) = (0, surplus);
        while let Some(run) = self.runs.get(whole).filter(|run| run.len() <= left) {
            (whole, left) = (whole + 1, left - run.len());
        }
        let runs: Vec<Run> = self.runs.drain(..whole).collect();
        runs.iter().for_each(|run| self.lose(run));
        self.clean = self.clean.start.saturating_sub(whole)..self.clean.end.saturating_sub(whole);
        let mut cut = None;
        if let Some(front) = self.runs.front_mut().filter(|_| left > 0) {
            cut = Some(*front);
            *front = front.shrunk(front.len() - left);
            self.heap -= cut.map_or(0, |cut| cut.heap() - front.heap());
            self.clean.start = self.clean.start.max(1);
        }
        self.clean.end = self.clean.end.max(self.clean.start);
        Front { values: self.values.drain(..surplus).collect(), runs, cut, noted }
    }

    /// Puts it back.
    pub(super) fn put_front(&mut self, front: Front<T>) {
        self.gone.truncate(front.noted);
        if let (Some(cut), Some(run)) = (front.cut, self.runs.front_mut()) {
            *run = cut;
        }
        front.runs.into_iter().rev().for_each(|run| self.runs.push_front(run));
        front.values.into_iter().rev().for_each(|value| self.values.push_front(value));
        self.reshaped();
    }

    /// Takes out the elements that `goes` names by their places and runs; returns them with their places.
    fn extract(&mut self, mut goes: impl FnMut(usize, &Run) -> bool) -> Vec<(usize, T)> {
        let mut taken = Vec::new();
        let mut places = std::mem::take(&mut self.values).into_iter().enumerate();
        for run in std::mem::take(&mut self.runs) {
            let before = self.values.len();
            for (place, value) in places.by_ref().take(run.len()) {
                if goes(place, &run) {
                    taken.push((place, value));
                } else {
                    self.values.push_back(value);
                }
            }
            match self.values.len() - before {
                0 => self.lose(&run),
                left => self.runs.push_back(run.shrunk(left)),
            }
        }
        self.reshaped();
        taken
    }

    /// Takes out the elements at the places that `goes` names.
    pub(super) fn remove(&mut self, mut goes: impl FnMut(usize) -> bool) -> Shape<T> {
        let (noted, runs) = (self.gone.len(), self.runs.clone());
        Shape { taken: self.extract(|place, _| goes(place)), runs, noted }
    }

    /// Gives all elements another stamp. Since all are written then, neighbours become one run.
    pub(super) fn renew(&mut self, stamp: Stamp) -> Shape<T> {
        let noted = self.gone.len();
        let runs = std::mem::take(&mut self.runs);
        for run in &runs {
            let run = run.renewed(stamp);
            if self.runs.back_mut().is_some_and(|last| last.join(&run, size_of::<T>())) {
                self.gone.extend(Some(run.position).filter(|position| *position != 0));
            } else {
                self.runs.push_back(run);
            }
        }
        self.reshaped();
        Shape { taken: Vec::new(), runs, noted }
    }

    /// Goes back to the runs of before, and puts back what was taken out.
    pub(super) fn restore(&mut self, shape: Shape<T>) {
        self.gone.truncate(shape.noted);
        self.runs = shape.runs;
        for (place, value) in shape.taken {
            self.values.insert(place.min(self.values.len()), value);
        }
        self.reshaped();
    }

    /// Takes out what has ended.
    pub(super) fn take_expired(&mut self, slot: &Slot) -> Vec<(usize, T)> {
        if !slot.can_expire() || !self.runs.iter().any(|run| slot.is_expired(run.stamp())) {
            return Vec::new();
        }
        let expired = self.extract(|_, run| slot.is_expired(run.stamp()));
        slot.shared.meter.expired.add(expired.len());
        expired
    }

    /// Takes note that nothing of `run` is left.
    fn lose(&mut self, run: &Run) {
        self.heap -= run.heap().min(self.heap);
        self.gone.extend(Some(run.position).filter(|position| *position != 0));
    }
}
