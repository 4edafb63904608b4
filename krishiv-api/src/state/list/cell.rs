//! What a row holds of one list: its elements, and the runs that they are stored in.

use super::column::Column;
use super::run::Run;
use crate::codec::record::{PENDING_END, Stamp};
use crate::scope::slot::Slot;
use crate::state::horizon::Horizon;
use crate::value::StateValue;
use std::collections::VecDeque;
use std::ops::Range;

/// The list of one key: all of it when `loaded`, else what was appended since the last commit, perhaps behind a run of
/// before.
pub struct Cell<C: ?Sized = dyn Column> {
    pub(super) loaded: bool,
    /// The backend has elements that are not listed here, and all of them go.
    pub(super) erase: bool,
    /// The runs of all values, in their order.
    pub(super) runs: VecDeque<Run>,
    /// None of these runs is dirty.
    pub(super) clean: Range<usize>,
    /// Stored runs of which nothing is left; they go with the next write.
    pub(super) gone: Vec<u64>,
    /// Memory of all values outside themselves, in bytes.
    pub(super) heap: usize,
    /// Memory of all values in place, and of the room for more, in bytes.
    pub(super) room: usize,
    horizon: Horizon,
    /// Each run ends when the one before does, or later, and all by one clock.
    in_order: bool,
    pub(super) values: C,
}

/// A list of which nothing is known.
pub(super) fn fresh<T: StateValue>() -> Box<Cell> {
    Box::new(Cell {
        loaded: false,
        erase: false,
        runs: VecDeque::new(),
        clean: 0..0,
        gone: Vec::new(),
        heap: 0,
        room: 0,
        horizon: Horizon::default(),
        in_order: true,
        values: VecDeque::<T>::new(),
    })
}

/// What was moved off the front of a list.
pub(super) struct Front {
    values: usize,
    runs: Vec<Run>,
    /// The run that lost only some of its elements, as it was.
    cut: Option<Run>,
    /// Runs that were noted as gone by then.
    noted: usize,
}

/// What was moved out of a list anywhere, or written again, and the runs of before.
pub(super) struct Shape {
    places: Vec<usize>,
    runs: VecDeque<Run>,
    noted: usize,
}

impl Cell {
    /// Whether it is as good as none.
    pub(super) fn is_blank(&self) -> bool {
        !self.loaded && !self.erase && self.runs.is_empty() && self.gone.is_empty()
    }

    /// Memory that it takes outside itself, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.heap + self.room + self.runs.capacity() * size_of::<Run>()
    }

    /// Takes note of a value behind all others, as the run `new` or part of the last run if it may be.
    #[inline]
    pub(super) fn push(&mut self, new: Run, size: usize, can_end: bool) {
        self.heap += new.heap();
        if can_end {
            self.horizon.add(new.stamp());
            self.in_order &= self.runs.back().is_none_or(|last| is_in_order(last, &new));
        }
        if !self.runs.back_mut().is_some_and(|last| last.join(&new, size)) {
            self.runs.push_back(new);
        }
        let end = self.clean.end.min(self.runs.len() - 1);
        self.clean = self.clean.start.min(end)..end;
    }

    /// Makes it what takes the place of all that `before` has and the backend has.
    pub(super) fn take_over(&mut self, before: &Self) {
        (self.loaded, self.erase) = (true, before.erase || !before.loaded);
        self.gone.clone_from(&before.gone);
        before.runs.iter().for_each(|run| self.gone.extend(run.stored_at()));
    }

    /// Takes note that runs were changed anywhere.
    pub(super) fn reshaped(&mut self) {
        self.clean = 0..0;
        self.room = self.values.room();
        self.heap = self.runs.iter().map(Run::heap).sum();
        self.horizon = Horizon::of(self.runs.iter().map(Run::stamp));
        let mut all = self.runs.iter();
        let mut last = all.next();
        self.in_order = all.all(|run| last.replace(run).is_none_or(|last| is_in_order(last, run)));
    }

    /// Takes note that all that it has is stored.
    pub(super) fn settle(&mut self) {
        let Range { start, end } = self.clean;
        self.runs.range_mut(end..).for_each(Run::clean);
        self.runs.range_mut(..start).for_each(Run::clean);
        self.clean = 0..self.runs.len();
    }

    /// Gives up what the backend has now, behind runs that nobody has asked for; with `tail` all but a last run that may yet
    /// take in what is appended.
    pub(super) fn forget(&mut self, tail: bool) {
        let size = self.values.size();
        let tail = self.runs.back().filter(|last| tail && last.is_short(size)).copied();
        let length = self.values.len() - tail.map_or(0, |tail| tail.len());
        self.runs.clear();
        self.runs.extend(tail);
        self.reshaped();
        self.values.drop_front(length);
    }

    /// Moves the first `surplus` elements to `spare`, and touches no others.
    pub(super) fn cut_front(&mut self, surplus: usize, spare: &mut dyn Column) -> Front {
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
        self.values.move_front(surplus, spare);
        Front { values: surplus, runs, cut, noted }
    }

    /// Takes it back from `spare`.
    pub(super) fn put_front(&mut self, front: Front, spare: &mut dyn Column) {
        self.gone.truncate(front.noted);
        if let (Some(cut), Some(run)) = (front.cut, self.runs.front_mut()) {
            *run = cut;
        }
        front.runs.into_iter().rev().for_each(|run| self.runs.push_front(run));
        self.values.return_front(front.values, spare);
        self.reshaped();
    }

    /// Takes back that so many values and runs were appended, and that the last run before them was `joined` by some.
    pub(super) fn cut_back(&mut self, (values, runs): (usize, usize), joined: Option<Run>, to: &mut dyn Column) {
        self.values.move_back(values.min(self.values.len()), to);
        self.runs.truncate(self.runs.len() - runs.min(self.runs.len()));
        if let (Some(joined), Some(last)) = (joined, self.runs.back_mut()) {
            *last = joined;
        }
        self.reshaped();
    }

    /// Moves the elements that `goes` names by their places and runs to `to`; returns their places.
    fn extract(&mut self, goes: &mut dyn FnMut(usize, &Run) -> bool, to: &mut dyn Column) -> Vec<usize> {
        let runs = std::mem::take(&mut self.runs);
        let (mut all, mut end) = (runs.iter(), 0);
        let mut run = None;
        let mut kept: Vec<usize> = Vec::with_capacity(runs.len());
        let places = self.values.extract(
            &mut |place| {
                while place >= end {
                    let Some(next) = all.next() else { return false };
                    (run, end) = (Some(next), end + next.len());
                    kept.push(0);
                }
                let goes = run.is_some_and(|run| goes(place, run));
                if let Some(kept) = kept.last_mut().filter(|_| !goes) {
                    *kept += 1;
                }
                goes
            },
            to,
        );
        for (run, kept) in runs.iter().zip(kept) {
            match kept {
                0 => self.lose(run),
                left => self.runs.push_back(run.shrunk(left)),
            }
        }
        self.reshaped();
        places
    }

    /// Moves the elements at the places that `goes` names to `spare`.
    pub(super) fn remove(&mut self, goes: &mut dyn FnMut(usize) -> bool, spare: &mut dyn Column) -> Shape {
        let (noted, runs) = (self.gone.len(), self.runs.clone());
        Shape { places: self.extract(&mut |place, _| goes(place), spare), runs, noted }
    }

    /// Gives all elements another stamp. Since all are written then, neighbours become one run.
    pub(super) fn renew(&mut self, renewed: impl Fn(Stamp) -> Stamp) -> Shape {
        let (noted, size) = (self.gone.len(), self.values.size());
        let runs = std::mem::take(&mut self.runs);
        for run in &runs {
            let run = run.renewed(renewed(run.stamp()));
            if self.runs.back_mut().is_some_and(|last| last.join(&run, size)) {
                self.gone.extend(run.stored_at());
            } else {
                self.runs.push_back(run);
            }
        }
        self.reshaped();
        Shape { places: Vec::new(), runs, noted }
    }

    /// Goes back to the runs of before, and takes back from `spare` what was moved out.
    pub(super) fn restore(&mut self, shape: Shape, spare: &mut dyn Column) {
        self.gone.truncate(shape.noted);
        self.runs = shape.runs;
        self.values.return_to(&shape.places, spare);
        self.reshaped();
    }

    /// Whether nothing has ended.
    pub(super) fn is_current(&self, slot: &Slot) -> bool {
        self.horizon.is_ahead(slot)
    }

    /// Takes out what has ended, if anything has. Where elements end in their order, what has not ended is not looked at.
    pub(super) fn take_expired(&mut self, slot: &Slot) -> Option<Box<dyn Column>> {
        if self.is_current(slot) {
            return None;
        }
        let mut expired = self.values.fresh();
        if self.in_order {
            let ended = self.runs.iter().take_while(|run| slot.is_expired(run.stamp())).map(Run::len).sum();
            self.cut_front(ended, &mut *expired);
            self.horizon = Horizon::of(self.runs.front().map(Run::stamp).into_iter());
        } else if self.runs.iter().any(|run| slot.is_expired(run.stamp())) {
            self.extract(&mut |_, run| slot.is_expired(run.stamp()), &mut *expired);
        }
        slot.shared.meter.expired.add(expired.len());
        Some(expired)
    }

    /// Takes note that nothing of `run` is left.
    fn lose(&mut self, run: &Run) {
        self.heap -= run.heap().min(self.heap);
        self.gone.extend(run.stored_at());
    }
}

/// Whether `next` ends when `last` does, or later, by the same clock.
fn is_in_order(last: &Run, next: &Run) -> bool {
    let (last, next) = (last.stamp(), next.stamp());
    last.clock == next.clock && last.expires_at <= next.expires_at && last.expires_at >= PENDING_END
}
