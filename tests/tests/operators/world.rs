//! What an operator must do: its keys in plain collections, undone by cloning, and timers found by looking at all of them.

use super::script::{Act, Event, Processing, Rules, Side, at, fired, record, shown, times_of};
use krishiv_api::{Timer, TimerKind};
use std::collections::{BTreeMap, BTreeSet};

/// All that is kept of one key.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub count: u64,
    pub timers: BTreeSet<Timer>,
    plans: BTreeMap<Timer, Vec<Act>>,
}

/// All that came out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Out {
    pub main: Vec<String>,
    pub audit: Vec<String>,
    pub rejects: Vec<String>,
    pub dead_letters: usize,
}

/// All that is durable once it is committed.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    pub rows: BTreeMap<String, Row>,
    pub rules: BTreeMap<String, i64>,
    /// Of each key group.
    pub watermarks: Vec<Option<i64>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Policy {
    Stop,
    Skip,
    DeadLetter,
}

pub struct World {
    pub stored: Stored,
    pub out: Out,
    pub skipped: u64,
    pub policy: Policy,
    pub clock: i64,
    /// Key groups of each instance, and its watermark.
    pub instances: Vec<(std::ops::Range<u16>, Option<i64>)>,
    /// The key group of a key.
    pub group: Box<dyn Fn(&str) -> u16>,
}

/// Keys sort as they are encoded: short ones first.
fn encoded(key: &str) -> (usize, &str) {
    (key.len(), key)
}

impl World {
    /// Opens the stored state with so many instances.
    pub fn open(&mut self, instances: u16) {
        let groups = self.stored.watermarks.len() as u32;
        let bound = |index: u16| (groups * u32::from(index) / u32::from(instances)) as u16;
        self.instances = (0..instances)
            .map(|index| {
                let range = bound(index)..bound(index + 1);
                let watermarks = &self.stored.watermarks[usize::from(range.start)..usize::from(range.end)];
                (range, watermarks.iter().copied().min().flatten())
            })
            .collect();
    }

    /// What a commit of all instances would store.
    pub fn to_store(&self) -> Stored {
        let mut stored = self.stored.clone();
        for (range, watermark) in &self.instances {
            stored.watermarks[usize::from(range.start)..usize::from(range.end)].fill(*watermark);
        }
        stored
    }

    fn owner(&self, key: &str) -> usize {
        let group = (self.group)(key);
        self.instances.iter().position(|(range, _)| range.contains(&group)).unwrap()
    }

    /// One event, or one timer with its plan; whether it went well.
    fn run(&mut self, key: &str, event_time: Option<i64>, timer: Option<Timer>, acts: &[Act]) -> bool {
        let watermark = self.instances[self.owner(key)].1;
        let mut row = self.stored.rows.get(key).cloned().unwrap_or_default();
        let before = [self.out.main.len(), self.out.audit.len(), self.out.rejects.len()];
        let mut acts = acts.to_vec();
        if let Some(timer) = timer {
            row.timers.remove(&timer);
            self.out.main.push(fired(key, timer));
            acts = row.plans.remove(&timer).unwrap_or_default();
        }
        row.count += 1;
        let times = times_of(event_time, watermark, self.clock);
        let mut well = true;
        for act in acts {
            match act {
                Act::Set(timer) => drop(row.timers.insert(timer)),
                Act::SetMany(Timer { kind, time_ms }, many) => {
                    row.timers.extend((0..i64::from(many)).map(|n| at(kind, time_ms.saturating_add(n))));
                }
                Act::Delete(timer) => drop(row.timers.remove(&timer)),
                Act::Plan(timer, acts) => drop(row.plans.insert(timer, acts)),
                Act::Emit => self.out.main.push(record(key, &times, row.count)),
                Act::EmitTo(Side::Audit) => self.out.audit.push(record(key, &times, row.count)),
                Act::EmitTo(Side::Rejects) => self.out.rejects.push(record(key, &times, row.count)),
                Act::Timers => self.out.main.push(shown(&row.timers)),
                Act::Latch => well = false,
                Act::Err | Act::Panic => {
                    well = false;
                    break;
                }
            }
        }
        match well {
            true => drop(self.stored.rows.insert(key.to_owned(), row)),
            false => {
                let outputs = [&mut self.out.main, &mut self.out.audit, &mut self.out.rejects];
                outputs.into_iter().zip(before).for_each(|(output, length)| output.truncate(length));
            }
        }
        well
    }

    /// What the policy makes of a failure: whether it goes on.
    fn failed(&mut self) -> bool {
        match self.policy {
            Policy::Stop => return false,
            Policy::Skip => self.skipped += 1,
            Policy::DeadLetter => self.out.dead_letters += 1,
        }
        true
    }

    /// Whether the caller hears of no failure.
    pub fn event(&mut self, key: &str, event_time: Option<i64>, acts: &[Act]) -> bool {
        self.run(key, event_time, None, acts) || self.failed()
    }

    pub fn broadcast(&mut self, (rules, failure): &Rules) -> bool {
        if failure.is_some() {
            return self.failed();
        }
        for (name, value) in rules {
            self.out.main.push(format!("rule {name}"));
            self.out.audit.push(format!("rule {name}"));
            self.stored.rules.insert(name.clone(), *value);
        }
        true
    }

    pub fn watermark(&mut self, ms: i64) -> bool {
        (0..self.instances.len()).all(|instance| {
            let watermark = &mut self.instances[instance].1;
            *watermark = (*watermark).max(Some(ms).filter(|ms| *ms > i64::MIN));
            let now = watermark.unwrap_or(i64::MIN);
            self.fire(instance, Event, now)
        })
    }

    pub fn tick(&mut self) -> bool {
        let now = self.clock;
        (0..self.instances.len()).all(|instance| self.fire(instance, Processing, now))
    }

    fn fire(&mut self, instance: usize, kind: TimerKind, now: i64) -> bool {
        while let Some((key, timer)) = self.first_timer(instance, kind) {
            if timer.time_ms > now || now == i64::MIN {
                break;
            }
            let event_time = (kind == Event).then_some(timer.time_ms);
            if !self.run(&key, event_time, Some(timer), &[]) {
                if !self.failed() {
                    return false;
                }
                self.stored.rows.get_mut(&key).unwrap().timers.remove(&timer);
            }
        }
        true
    }

    fn first_timer(&self, instance: usize, kind: TimerKind) -> Option<(String, Timer)> {
        let mine = self.stored.rows.iter().filter(|(key, _)| self.owner(key) == instance);
        let first = |row: &Row| row.timers.range(at(kind, i64::MIN)..=at(kind, i64::MAX)).next().copied();
        let firsts = mine.filter_map(|(key, row)| first(row).map(|timer| (key, timer)));
        let first = firsts.min_by_key(|(key, timer)| (timer.time_ms, encoded(key)));
        first.map(|(key, timer)| (key.clone(), timer))
    }

    /// All of them, in the order in which they are due, event time first.
    pub fn timers(&self) -> Vec<(String, Timer)> {
        let rows = self.stored.rows.iter();
        let all = rows.flat_map(|(key, row)| row.timers.iter().map(move |timer| (key.clone(), *timer)));
        let mut all: Vec<_> = all.collect();
        all.sort_by(|(a_key, a), (b_key, b)| (a, encoded(a_key)).cmp(&(b, encoded(b_key))));
        all
    }
}
