//! Timers in memory, sorted no further than it takes to know which are due next.
//!
//! An incremental quicksort (R. Paredes and G. Navarro, Optimal Incremental Sorting, ALENEX 2006): those due next are in order, the
//! others in heaps without an order, one after the other, of which the next is halved until it is small enough to be sorted.

use super::due::Due;
use foldhash::fast::RandomState;
use std::collections::{HashSet, VecDeque};

/// About so many are in order.
const FRONT: usize = 64;

/// Timers in memory. One that is there twice counts once.
#[derive(Default)]
pub(super) struct Near {
    /// Those due next, in order; empty only if there is none at all.
    front: VecDeque<Due>,
    /// The others, those due last first.
    heaps: Vec<Heap>,
    /// Those that are deleted, and may still be in a heap.
    dead: HashSet<Due, RandomState>,
    len: usize,
    /// Memory of keys outside, in bytes, roughly.
    outside: usize,
    /// Timers have come to the front since anybody asked.
    has_advanced: bool,
}

/// Timers without an order, of which none is due before `from`, nor after any of the heap in front of it.
struct Heap {
    from: Due,
    all: Vec<Due>,
}

impl Near {
    /// The timer that is due first.
    #[inline]
    pub(super) fn first(&self) -> Option<&Due> {
        self.front.front()
    }

    /// Some that are due next, in order, if others than when this was last asked.
    pub(super) fn advanced(&mut self) -> Option<&VecDeque<Due>> {
        std::mem::take(&mut self.has_advanced).then_some(&self.front)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.front.is_empty()
    }

    /// Memory in bytes, roughly: lists have room to grow.
    pub(super) fn weight(&self) -> usize {
        (self.len + self.dead.len()) * size_of::<Due>() * 3 / 2 + self.outside
    }

    pub(super) fn insert(&mut self, due: Due) {
        if !self.dead.is_empty() {
            self.dead.remove(&due);
        }
        let is_next = self.front.back().is_none_or(|last| due <= *last);
        if !is_next && (!self.heaps.is_empty() || self.front.len() >= 2 * FRONT) {
            return self.insert_behind(due);
        }
        let Err(place) = self.front.binary_search(&due) else { return };
        self.enter(&due);
        self.front.insert(place, due);
        if self.front.len() > 2 * FRONT {
            let all: Vec<_> = self.front.split_off(FRONT).into();
            self.heaps.extend(all.first().cloned().map(|from| Heap { from, all }));
        }
    }

    fn insert_behind(&mut self, due: Due) {
        self.enter(&due);
        let place = self.heaps.partition_point(|heap| heap.from > due);
        match self.heaps.get_mut(place) {
            Some(heap) => heap.all.push(due),
            // In front of all heaps.
            None => match self.heaps.last_mut() {
                Some(heap) => {
                    heap.from = due.clone();
                    heap.all.push(due);
                }
                None => self.heaps.push(Heap { from: due.clone(), all: vec![due] }),
            },
        }
    }

    fn enter(&mut self, due: &Due) {
        self.len += 1;
        self.outside += due.outside();
    }

    /// Takes note that a timer is out: `false`, it is not there any more.
    fn leave(&mut self, due: &Due) -> bool {
        self.len -= 1;
        self.outside -= due.outside();
        false
    }

    pub(super) fn remove(&mut self, due: Due) {
        if let Ok(place) = self.front.binary_search(&due) {
            self.front.remove(place);
            self.leave(&due);
            if self.front.is_empty() {
                self.advance();
            }
        } else if self.front.back().is_some_and(|last| *last < due) && !self.heaps.is_empty() {
            self.dead.insert(due);
            if self.dead.len() > self.len / 2 {
                self.bury();
            }
        }
    }

    /// Puts those due next in order, when all that were are gone.
    fn advance(&mut self) {
        while self.front.is_empty()
            && let Some(Heap { mut all, .. }) = self.heaps.pop()
        {
            while all.len() > 2 * FRONT {
                let half = all.len() / 2;
                all.select_nth_unstable(half);
                let later = all.split_off(half);
                let Some(from) = later.first().cloned() else { break };
                // What is there twice lies in one heap.
                all.retain(|due| *due != from || self.leave(due));
                self.heaps.push(Heap { from, all: later });
            }
            all.sort_unstable();
            let mut buried = Vec::new();
            for due in all {
                if self.dead.contains(&due) {
                    self.leave(&due);
                    buried.push(due);
                } else if self.front.back() == Some(&due) {
                    self.leave(&due);
                } else {
                    self.front.push_back(due);
                }
            }
            for due in &buried {
                self.dead.remove(due);
            }
            self.has_advanced = true;
        }
    }

    /// Takes all dead ones out of the heaps.
    #[cold]
    fn bury(&mut self) {
        let dead = std::mem::take(&mut self.dead);
        for mut heap in std::mem::take(&mut self.heaps) {
            heap.all.retain(|due| !dead.contains(due) || self.leave(due));
            if !heap.all.is_empty() {
                self.heaps.push(heap);
            }
        }
    }

    /// Leaves about as many of those due first as take `budget` bytes, and no fewer than `least`; hands out the others.
    pub(super) fn shrink(&mut self, budget: usize, least: usize) -> Vec<Due> {
        let mut others = Vec::new();
        if self.weight() <= budget || self.len <= least {
            return others;
        }
        self.bury();
        let keep = (budget / (self.weight() / self.len.max(1)).max(1)).max(least);
        let mut excess = self.len.saturating_sub(keep);
        for heap in &mut self.heaps {
            let stay = heap.all.len().saturating_sub(excess);
            if (1..heap.all.len()).contains(&stay) {
                heap.all.select_nth_unstable(stay);
            }
            excess -= heap.all.len() - stay;
            others.extend(heap.all.drain(stay..));
            heap.all.shrink_to_fit();
        }
        self.heaps.retain(|heap| !heap.all.is_empty());
        others.extend(self.front.split_off(self.front.len() - excess.min(self.front.len())));
        for due in &others {
            self.leave(due);
        }
        others
    }

    /// All of them, in no order; some may be there twice.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Due> {
        let behind = self.heaps.iter().flat_map(|heap| &heap.all).filter(|due| !self.dead.contains(*due));
        self.front.iter().chain(behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::keys::EncodedKey;
    use std::collections::BTreeSet;

    fn random(seed: &mut u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *seed >> 33
    }

    fn due(number: u64, times: u64) -> Due {
        // Some of the keys own memory.
        let key = EncodedKey::from_slice(&vec![(number / times % 3) as u8; 20 * (number / times % 2) as usize]);
        Due { time: (number % times) as i64, key }
    }

    /// Against a tree, by any inserts and removals, also of what is there twice or not at all.
    #[test]
    fn it_is_what_a_tree_is() {
        for (times, steps) in [(3, 2_000), (100, 6_000), (5_000, 20_000)] {
            let (mut near, mut tree, mut seed) = (Near::default(), BTreeSet::new(), times);
            for step in 0..steps {
                let due = due(random(&mut seed), times);
                // First it grows, then it shrinks.
                let grows = step < steps / 2;
                match random(&mut seed) % 8 {
                    0 | 1 => {
                        near.remove(due.clone());
                        tree.remove(&due);
                    }
                    2..=5 if !grows => {
                        if let Some(first) = near.first().cloned() {
                            near.remove(first);
                            tree.pop_first();
                        }
                    }
                    6 => {
                        let _ = near.shrink(near.weight() * 9 / 10, 10).iter().all(|due| tree.remove(due));
                    }
                    _ => {
                        near.insert(due.clone());
                        tree.insert(due);
                    }
                }
                assert_eq!(near.first(), tree.first(), "{step}");
                assert_eq!(near.is_empty(), tree.is_empty());
                if step % 50 == 0 {
                    assert_eq!(near.iter().cloned().collect::<BTreeSet<_>>(), tree, "{step}");
                    assert!(near.dead.len() <= near.len, "the dead do not pile up");
                    let outside: usize =
                        near.front.iter().chain(near.heaps.iter().flat_map(|heap| &heap.all)).map(Due::outside).sum();
                    assert_eq!(near.outside, outside);
                }
            }
            while let Some(first) = near.first().cloned() {
                assert_eq!(tree.pop_first().as_ref(), Some(&first));
                near.remove(first);
            }
            assert!(tree.is_empty());
            assert_eq!((near.len, near.outside, near.heaps.len()), (0, 0, 0));
        }
    }

    #[test]
    fn it_keeps_those_that_are_due_first() {
        let at = |time| Due { time, key: EncodedKey::new() };
        let mut near = Near::default();
        (0..1_000).rev().for_each(|time| near.insert(at(time)));
        near.remove(at(3));
        let each = near.weight() / near.len;
        assert!(near.shrink(each * 2_000, 1).is_empty());
        assert!(near.shrink(0, 1_000).is_empty());
        let others: BTreeSet<_> = near.shrink(each * 100, 1).into_iter().map(|due| due.time).collect();
        assert_eq!(near.iter().map(|due| due.time).max(), Some(100));
        assert_eq!(others, (101..1_000).collect());
        assert!(near.weight() <= each * 100);
        assert_eq!(near.shrink(each * 10, 1).len(), 90, "of the front too");
        assert_eq!(near.iter().count(), 10);
    }

    #[test]
    fn it_says_when_others_have_come_to_the_front() {
        let at = |time| Due { time, key: EncodedKey::new() };
        let mut near = Near::default();
        (0..1_000).for_each(|time| near.insert(at(time * 7 % 1_000)));
        let mut told = Vec::new();
        while let Some(first) = near.first().cloned() {
            told.extend(near.advanced().into_iter().flatten().map(|due| due.time));
            near.remove(first);
        }
        assert!(told.len() > 800 && told.is_sorted());
    }
}
