//! Few and many timers of a key, in rows that are read and in rows that are not, against a plain set.

use krishiv_api::{BoxError, Driver, EventContext, Keyed, KeyedState, Operator, Timer, TimerKind, ValueState};
use krishiv_tests::{Place, Reading, on_every_backend};
use std::collections::BTreeSet;

#[derive(KeyedState)]
#[state(key = u8, name = "many")]
struct Last {
    last: ValueState<u32>,
    text: ValueState<String>,
}

/// What is done to the timers of a key.
#[derive(Clone, Debug)]
enum Act {
    Set(Timer),
    Delete(Timer),
    /// Emits all of them.
    List,
    /// Sets a value without a look at any.
    Write(u32),
    Read,
    /// Sets a value that lies apart from the row.
    WriteLong,
}

/// Reads nothing by itself; a timer emits itself.
struct Blind;

impl Operator for Blind {
    type State = Last;
    type In = (u8, Vec<Act>, bool);
    type Out = (u8, Vec<Timer>);

    fn key(&self, (key, ..): &Self::In) -> u8 {
        *key
    }

    fn on_event(
        &mut self,
        state: &Last,
        (key, acts, fails): Self::In,
        ctx: &mut EventContext<'_, Self>,
    ) -> Result<(), BoxError> {
        for act in acts {
            match act {
                Act::Set(Timer { kind: TimerKind::Event, time_ms }) => ctx.register_event_timer(time_ms),
                Act::Set(Timer { time_ms, .. }) => ctx.register_processing_timer(time_ms),
                Act::Delete(Timer { kind: TimerKind::Event, time_ms }) => ctx.delete_event_timer(time_ms),
                Act::Delete(Timer { time_ms, .. }) => ctx.delete_processing_timer(time_ms),
                Act::List => {
                    let timers = ctx.timers();
                    ctx.emit((key, timers));
                }
                Act::Write(last) => state.last.set(last),
                Act::Read => drop(state.text.get()),
                Act::WriteLong => state.text.set("x".repeat(2_000)),
            }
        }
        if fails { Err("on purpose".into()) } else { Ok(()) }
    }

    fn on_timer(&mut self, _: &Last, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let key = *ctx.current_key();
        ctx.emit((key, vec![timer]));
        Ok(())
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn timer(&mut self) -> Timer {
        let kind = if self.below(3) == 0 { TimerKind::Processing } else { TimerKind::Event };
        Timer { kind, time_ms: 10 + self.below(90) as i64 }
    }

    fn acts(&mut self) -> Vec<Act> {
        let act = |random: &mut Self| match random.below(12) {
            0..6 => Act::Set(random.timer()),
            6..9 => Act::Delete(random.timer()),
            9 => Act::Write(random.below(100) as u32),
            10 if random.below(4) == 0 => Act::Read,
            10 if random.below(4) == 0 => Act::WriteLong,
            _ => Act::List,
        };
        (0..self.below(12)).map(|_| act(self)).collect()
    }
}

fn open<P: Place>(place: &P, budget: usize) -> Driver<Blind> {
    Driver::builder(Blind).store(Keyed::builder().memory_budget(budget)).open(place.open()).unwrap()
}

fn timers_are_those_of_a_plain_set<P: Place>(place: P) {
    run(&place, 1);
    (2..5).for_each(|seed| run(&P::new(), seed));
}

fn run<P: Place>(place: &P, seed: u64) {
    let mut random = Random(seed);
    let mut now: BTreeSet<(Timer, u8)> = BTreeSet::new();
    let mut committed = now.clone();
    let mut driver = open(place, 0);
    for step in 0..1_500 {
        match random.below(20) {
            0..12 => {
                let (key, acts, fails) = (random.below(3) as u8, random.acts(), random.below(8) == 0);
                let (mut after, mut listed) = (now.clone(), Vec::new());
                for act in &acts {
                    match act {
                        Act::Set(timer) => drop(after.insert((*timer, key))),
                        Act::Delete(timer) => drop(after.remove(&(*timer, key))),
                        Act::List => {
                            let own = after.iter().filter(|(_, of)| *of == key).map(|(timer, _)| *timer);
                            listed.push((key, own.collect::<Vec<_>>()));
                        }
                        Act::Write(_) | Act::Read | Act::WriteLong => {}
                    }
                }
                let done = driver.event((key, acts, fails), None);
                assert_eq!(done.is_err(), fails, "{step}");
                let emitted: Vec<_> = driver.drain().map(|record| record.value).collect();
                if !fails {
                    assert_eq!(emitted, listed, "{step}");
                    now = after;
                }
            }
            12..17 => {
                driver.commit("").unwrap();
                committed.clone_from(&now);
            }
            17 => {
                let mut told: Vec<_> = driver.timers().unwrap().into_iter().map(|(key, timer)| (timer, key)).collect();
                told.sort_unstable();
                assert_eq!(told, now.iter().copied().collect::<Vec<_>>(), "{step}");
                let keys: BTreeSet<u8> = driver.store_mut().keys().unwrap().into_iter().collect();
                assert!(now.iter().all(|(_, key)| keys.contains(key)), "{step}: a key with a timer has state");
            }
            18 => {
                driver.commit("").unwrap();
                committed.clone_from(&now);
                drop(driver);
                // A store by itself knows nothing of timers, and keeps them.
                let mut store = Keyed::<Last>::open(place.open()).unwrap();
                for key in 0..3 {
                    let read = random.below(2) == 0;
                    store
                        .with_key(&key, |state| if read { drop(state.text.get()) } else { state.text.clear() })
                        .unwrap();
                    store.with_key(&key, |state| state.last.set(step)).unwrap();
                }
                store.commit("").unwrap();
                drop(store);
                driver = open(place, 0);
            }
            _ => {
                if random.below(2) == 0 {
                    driver.commit("").unwrap();
                    committed.clone_from(&now);
                }
                drop(driver);
                now.clone_from(&committed);
                driver = open(place, [0, 2_000, usize::MAX][random.below(3) as usize]);
            }
        }
    }
    assert!(now.len() > 100, "{}", now.len());
    driver.advance(i64::MAX).unwrap();
    let fired: Vec<_> = driver.drain().flat_map(|record| record.value.1).collect();
    let event = now.iter().filter(|(timer, _)| timer.kind == TimerKind::Event).map(|(timer, _)| *timer);
    assert!(fired.into_iter().eq(event));
    driver.commit("").unwrap();
    drop(driver);
    let processing = now.iter().filter(|(timer, _)| timer.kind == TimerKind::Processing).count();
    assert_eq!(open(place, 0).timers().unwrap().len(), processing);
}

on_every_backend!(timers_are_those_of_a_plain_set);

/// A value apart is read with its row once more, when all of the row is known already.
#[test]
fn timers_that_were_deleted_stay_so_when_the_row_is_read_again() {
    let place = <krishiv_tests::Memory as Place>::new();
    let timer = Timer { kind: TimerKind::Event, time_ms: 5 };
    let mut driver = open(&place, usize::MAX);
    driver.event((1, vec![Act::WriteLong, Act::Set(timer)], false), None).unwrap();
    driver.commit("").unwrap();
    drop(driver);
    let mut driver = open(&place, usize::MAX);
    for act in [Act::List, Act::Read, Act::Delete(timer)] {
        driver.event((1, vec![act], false), None).unwrap();
    }
    driver.commit("").unwrap();
    drop(driver);
    let mut driver = open(&place, usize::MAX);
    driver.event((1, vec![Act::List], false), None).unwrap();
    let listed: Vec<_> = driver.drain().map(|record| record.value).collect();
    assert_eq!(listed, [(1, vec![])]);
}

#[test]
fn they_are_so_where_commits_read() {
    timers_are_those_of_a_plain_set(Reading::new());
}
