//! What a pipeline of one operator and one input puts out, worked out with plain collections.

use crate::exactly_once::Job;
use crate::world::Rec;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Of `Fold` with 7 keys.
const KEYS: u8 = 7;

#[derive(Debug, Default)]
pub struct Model {
    pub records: Vec<Rec>,
    pub side: Vec<Rec>,
    pub late: Vec<Rec>,
    pub dead: usize,
    sums: BTreeMap<u8, u64>,
    /// The timer that a key set last.
    last: BTreeMap<u8, i64>,
    /// In the order in which they are due.
    timers: BTreeSet<(i64, u8)>,
    broadcasts: VecDeque<(i64, u64)>,
    rule: u64,
    watermark: Option<i64>,
}

impl Model {
    pub fn run(job: &Job, items: &[Option<Rec>]) -> Self {
        let mut model = Self { broadcasts: job.broadcasts.iter().copied().collect(), ..Self::default() };
        let behind = i64::try_from(job.behind_ms).unwrap();
        for event in items.iter().flatten() {
            if model.watermark.is_none_or(|watermark| watermark < event.time - behind) {
                model.advance(event.time - behind);
            }
            while model.next_broadcast().is_some_and(|from| from <= event.time) {
                model.broadcast();
            }
            if job.late && model.watermark.is_some_and(|watermark| event.time < watermark) {
                model.late.push(*event);
            } else if job.dead && event.n.is_multiple_of(13) {
                model.dead += 1;
            } else {
                model.event(event);
            }
        }
        if job.drain {
            model.advance(i64::MAX);
        }
        model
    }

    fn add(&mut self, key: u8, what: u64) -> u64 {
        let sum = self.sums.entry(key).or_insert(7);
        *sum = (*sum * 31 + what + self.rule) % 1_000_003;
        *sum
    }

    fn event(&mut self, event: &Rec) {
        let key = event.key % KEYS;
        let n = self.add(key, event.n);
        self.records.push(Rec { n, ..*event });
        if event.n.is_multiple_of(3) {
            self.side.push(Rec { key, time: event.time, n });
        }
        let at = event.time + 1 + (event.n % 23) as i64;
        if event.n.is_multiple_of(2) {
            if self.watermark.is_none_or(|watermark| at > watermark) {
                self.timers.insert((at, key));
                self.last.insert(key, at);
            }
        } else if event.n.is_multiple_of(5)
            && let Some(at) = self.last.remove(&key)
        {
            self.timers.remove(&(at, key));
        }
    }

    fn next_broadcast(&self) -> Option<i64> {
        self.broadcasts.front().map(|(from, _)| *from)
    }

    fn broadcast(&mut self) {
        if let Some((_, rule)) = self.broadcasts.pop_front() {
            self.rule = rule;
            self.records.push(Rec { key: 0, time: 0, n: rule });
        }
    }

    fn advance(&mut self, watermark: i64) {
        self.watermark = Some(watermark);
        while let Some(from) = self.next_broadcast().filter(|from| *from <= watermark) {
            self.fire(from - 1);
            self.broadcast();
        }
        self.fire(watermark);
    }

    fn fire(&mut self, watermark: i64) {
        while let Some((time, key)) = self.timers.first().copied().filter(|(time, _)| *time <= watermark) {
            self.timers.pop_first();
            let n = self.add(key, time.unsigned_abs() + 1_000);
            self.records.push(Rec { key, time, n });
            if n.is_multiple_of(3) {
                self.timers.insert((time + 7, key));
            }
            if n.is_multiple_of(5) {
                self.side.push(Rec { key, time, n });
            }
        }
    }
}
