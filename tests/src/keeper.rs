//! An operator whose state ends by both clocks and whose timers look at it, and what it must put out.

use krishiv_api::{
    BoxError, EventContext, KeyedState, ListState, MapState, Operator, ReducingState, Timer, TimerKind, ValueState,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How long everything lives, in milliseconds.
const TTL: i64 = 10;

fn sum(a: i64, b: i64) -> i64 {
    a + b
}

/// State of every kind by event time, and some by the clock.
#[derive(KeyedState)]
#[state(key = u8)]
pub struct Kept {
    #[state(ttl = "10ms", clock = "event")]
    value: ValueState<i64>,
    #[state(ttl = "10ms", clock = "event")]
    list: ListState<i64>,
    #[state(ttl = "10ms", clock = "event")]
    map: MapState<i64, i64>,
    #[state(ttl = "10ms", clock = "event", reduce = sum)]
    total: ReducingState<i64>,
    #[state(ttl = "10ms", clock = "event", ttl_update = "read_and_write")]
    read: ValueState<i64>,
    #[state(ttl = "10ms")]
    by_clock: ValueState<i64>,
    #[state(ttl = "10ms")]
    list_by_clock: ListState<i64>,
}

/// Something that an event does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Act {
    /// Writes to all states.
    Write(i64),
    /// Puts out what it sees.
    Look,
    Set(Timer),
    Delete(Timer),
}

/// What a timer does, by its time alone, once it has looked.
fn plan(Timer { kind, time_ms }: Timer) -> Vec<Act> {
    let timer = |ms: i64| Act::Set(Timer { kind, time_ms: time_ms.saturating_add(ms) });
    let is = |of: i64, rest: i64| time_ms.rem_euclid(of) == rest;
    let mut acts = Vec::new();
    acts.extend(is(3, 1).then_some(Act::Write(time_ms)));
    acts.extend(is(5, 2).then(|| timer(4)));
    acts.extend(is(7, 3).then(|| timer(-3)));
    acts
}

/// What an event is: its key, its time, if it has one, and what it does.
pub type Event = (u8, Option<i64>, Vec<Act>);

/// Puts out what its state looks like.
pub struct Keeper;

/// A key and what was seen of it.
pub type Seen = (u8, String);

impl Keeper {
    fn look(state: &Kept) -> String {
        let mut entries = state.map.entries();
        entries.sort_unstable();
        let events = (state.value.get(), state.list.get(), entries, state.total.get(), state.read.get());
        format!("{events:?} {:?}", (state.by_clock.get(), state.list_by_clock.get()))
    }

    fn run(state: &Kept, what: &str, acts: Vec<Act>, ctx: &mut EventContext<'_, Self>) {
        for act in acts {
            match act {
                Act::Write(n) => {
                    state.value.set(n);
                    state.list.add(n);
                    state.map.put(n % 3, n);
                    state.total.merge(n);
                    state.read.set(n);
                    state.by_clock.set(n);
                    state.list_by_clock.add(n);
                }
                Act::Look => ctx.emit((*ctx.current_key(), format!("{what}: {}", Self::look(state)))),
                Act::Set(Timer { kind: TimerKind::Event, time_ms }) => ctx.register_event_timer(time_ms),
                Act::Set(Timer { time_ms, .. }) => ctx.register_processing_timer(time_ms),
                Act::Delete(Timer { kind: TimerKind::Event, time_ms }) => ctx.delete_event_timer(time_ms),
                Act::Delete(Timer { time_ms, .. }) => ctx.delete_processing_timer(time_ms),
            }
        }
    }
}

impl Operator for Keeper {
    type State = Kept;
    type In = Event;
    type Out = Seen;

    fn key(&self, (key, ..): &Event) -> u8 {
        *key
    }

    fn on_event(&mut self, state: &Kept, (.., acts): Event, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        Ok(Self::run(state, "event", acts, ctx))
    }

    fn on_timer(&mut self, state: &Kept, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        Self::run(state, &timer.to_string(), vec![Act::Look], ctx);
        Ok(Self::run(state, "", plan(timer), ctx))
    }
}

/// Something, and when it ends.
type Ending = (i64, i64);

#[derive(Clone, Debug, Default)]
struct Row {
    value: Option<Ending>,
    list: Vec<Ending>,
    map: BTreeMap<i64, Ending>,
    total: Option<Ending>,
    read: Option<Ending>,
    by_clock: Option<Ending>,
    list_by_clock: Vec<Ending>,
}

impl Row {
    fn forget(&mut self, event: i64, processing: i64) {
        let lives = |(_, ends): &Ending| *ends > event;
        self.value = self.value.filter(lives);
        self.list.retain(lives);
        self.map.retain(|_, entry| lives(entry));
        self.total = self.total.filter(lives);
        self.read = self.read.filter(lives);
        self.by_clock = self.by_clock.filter(|(_, ends)| *ends > processing);
        self.list_by_clock.retain(|(_, ends)| *ends > processing);
    }

    fn write(&mut self, n: i64, event: i64, processing: i64) {
        let entry = (n, event.saturating_add(TTL));
        self.value = Some(entry);
        self.list.push(entry);
        self.map.insert(n % 3, entry);
        self.total = Some((self.total.map_or(n, |(total, _)| total + n), entry.1));
        self.read = Some(entry);
        self.by_clock = Some((n, processing + TTL));
        self.list_by_clock.push((n, processing + TTL));
    }

    fn look(&mut self, event: Option<i64>) -> String {
        if let (Some((_, ends)), Some(now)) = (&mut self.read, event) {
            *ends = now.saturating_add(TTL);
        }
        let n = |ending: Option<Ending>| ending.map(|(n, _)| n);
        let all = |list: &[Ending]| list.iter().map(|(n, _)| *n).collect::<Vec<_>>();
        let entries: Vec<_> = self.map.iter().map(|(key, (n, _))| (*key, *n)).collect();
        let events = (n(self.value), all(&self.list), entries, n(self.total), n(self.read));
        format!("{events:?} {:?}", (n(self.by_clock), all(&self.list_by_clock)))
    }
}

/// What the operator must do: for a timer, time is the timer's.
#[derive(Clone, Debug, Default)]
pub struct Model {
    watermark: Option<i64>,
    clock: i64,
    /// What state goes by.
    event: Option<i64>,
    processing: i64,
    rows: BTreeMap<u8, Row>,
    timers: BTreeSet<(Timer, u8)>,
    out: Vec<Seen>,
}

impl Model {
    fn next(&self, kind: TimerKind) -> Option<(Timer, u8)> {
        self.timers.iter().find(|(timer, _)| timer.kind == kind).copied()
    }

    /// Lets time for state follow.
    fn follow(&mut self) {
        let next = |kind| self.next(kind).map_or(i64::MAX, |(timer, _)| timer.time_ms);
        let (event, processing) = (next(TimerKind::Event), next(TimerKind::Processing));
        self.event = self.event.max(self.watermark.map(|watermark| watermark.min(event)));
        self.processing = self.processing.max(self.clock.min(processing));
    }

    /// An event or a timer, which is no longer set.
    fn run(&mut self, key: u8, what: &str, event_time: Option<i64>, acts: &[Act]) {
        let (event, processing) = (self.event, self.processing);
        let row = self.rows.entry(key).or_default();
        row.forget(event.unwrap_or(i64::MIN), processing);
        for act in acts {
            match act {
                Act::Write(n) => row.write(*n, event.or(event_time).unwrap_or(i64::MAX), processing),
                Act::Look => self.out.push((key, format!("{what}: {}", row.look(event.or(event_time))))),
                Act::Set(timer) => drop(self.timers.insert((*timer, key))),
                Act::Delete(timer) => drop(self.timers.remove(&(*timer, key))),
            }
        }
    }

    fn fire(&mut self, kind: TimerKind, now: i64) {
        while let Some((timer, key)) = self.next(kind).filter(|(timer, _)| timer.time_ms <= now) {
            self.follow();
            self.timers.remove(&(timer, key));
            let mut acts = vec![Act::Look];
            acts.extend(plan(timer));
            let event_time = (kind == TimerKind::Event).then_some(timer.time_ms);
            self.run(key, &timer.to_string(), event_time, &acts);
        }
        self.follow();
    }

    /// An event; before the first watermark it must have a time.
    pub fn event(&mut self, key: u8, event_time: Option<i64>, acts: &[Act]) {
        self.follow();
        self.run(key, "event", event_time, acts);
    }

    pub fn watermark(&mut self, ms: i64) {
        self.watermark = self.watermark.max(Some(ms));
        self.fire(TimerKind::Event, self.watermark.unwrap_or(i64::MIN));
    }

    pub fn clock(&mut self, ms: i64) {
        self.clock = ms;
        self.fire(TimerKind::Processing, ms);
    }

    /// All that was put out, of each key by itself.
    pub fn seen(&self) -> BTreeMap<u8, Vec<String>> {
        by_key(&self.out)
    }
}

/// What was put out, of each key by itself.
pub fn by_key(seen: &[Seen]) -> BTreeMap<u8, Vec<String>> {
    let mut all = BTreeMap::<u8, Vec<String>>::new();
    for (key, what) in seen {
        all.entry(*key).or_default().push(what.clone());
    }
    all
}
