//! An operator that does what its events say, so that a test is a list of events.

use krishiv_api::{
    BoxError, BroadcastContext, BroadcastOperator, BroadcastState, EventContext, Harness, HarnessBuilder, KeyedState,
    MapState, Operator, Timer, TimerKind, ValueState,
};
use krishiv_tests::Place;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

pub use TimerKind::{Event, Processing};

#[derive(KeyedState)]
#[state(key = String)]
pub struct Scripted {
    /// Grows with every event and timer.
    pub count: ValueState<u64>,
    /// What to do when a timer fires; it is done once.
    pub plans: MapState<Timer, Vec<Act>>,
    pub rules: BroadcastState<String, i64>,
}

/// Something that an operator does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Act {
    Set(Timer),
    /// So many timers, a millisecond apart.
    SetMany(Timer, u16),
    Delete(Timer),
    Plan(Timer, Vec<Act>),
    Emit,
    EmitTo(Side),
    /// Emits the timers of the key.
    Timers,
    Err,
    Panic,
    Latch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    Audit,
    Rejects,
}

impl Side {
    pub fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Rejects => "rejects",
        }
    }
}

pub fn at(kind: TimerKind, time_ms: i64) -> Timer {
    Timer { kind, time_ms }
}

pub type In = (String, Vec<Act>);

pub fn on(key: &str, acts: impl IntoIterator<Item = Act>) -> In {
    (key.to_owned(), acts.into_iter().collect())
}

/// What `key` emits at `count` under `cause`.
pub fn record(key: &str, what: &str, count: u64) -> String {
    format!("{key} {what} {count}")
}

pub fn fired(key: &str, timer: Timer) -> String {
    format!("{key} {timer}")
}

/// What the operator does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Script;

impl Script {
    fn run(state: &Scripted, acts: Vec<Act>, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let key = ctx.current_key().clone();
        let count = state.count.get_or(0) + 1;
        state.count.set(count);
        for act in acts {
            match act {
                Act::Set(timer) => set(ctx, timer),
                Act::SetMany(Timer { kind, time_ms }, many) => {
                    (0..i64::from(many)).for_each(|n| set(ctx, at(kind, time_ms.saturating_add(n))));
                }
                Act::Delete(Timer { kind: Event, time_ms }) => ctx.delete_event_timer(time_ms),
                Act::Delete(Timer { kind: Processing, time_ms }) => ctx.delete_processing_timer(time_ms),
                Act::Plan(timer, acts) => state.plans.put(timer, acts),
                Act::Emit => ctx.emit(record(&key, &times(ctx), count)),
                Act::EmitTo(side) => ctx.emit_to(side.name(), record(&key, &times(ctx), count)),
                Act::Timers => {
                    let timers = ctx.timers();
                    ctx.emit(shown(&timers));
                }
                Act::Err => return Err("on purpose".into()),
                Act::Panic => std::panic::resume_unwind(Box::new("on purpose")),
                Act::Latch => ValueState::<String>::new("count").set("no number".to_owned()),
            }
        }
        Ok(())
    }
}

fn set(ctx: &mut EventContext<'_, Script>, Timer { kind, time_ms }: Timer) {
    match kind {
        Event => ctx.register_event_timer(time_ms),
        Processing => ctx.register_processing_timer(time_ms),
    }
}

fn times(ctx: &EventContext<'_, Script>) -> String {
    times_of(ctx.event_time(), ctx.watermark(), ctx.processing_time())
}

pub fn times_of(event: Option<i64>, watermark: Option<i64>, processing: i64) -> String {
    format!("{event:?}/{watermark:?}/{processing}")
}

pub fn shown<'a>(timers: impl IntoIterator<Item = &'a Timer>) -> String {
    timers.into_iter().map(|timer| format!("[{timer}]")).collect()
}

impl Operator for Script {
    type State = Scripted;
    type In = In;
    type Out = String;

    fn key(&self, (key, _): &In) -> String {
        assert!(key != "no key", "on purpose");
        key.clone()
    }

    fn on_event(&mut self, state: &Scripted, (_, acts): In, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        Self::run(state, acts, ctx)
    }

    fn on_timer(&mut self, state: &Scripted, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let key = ctx.current_key().clone();
        ctx.emit(fired(&key, timer));
        let plan = state.plans.remove(&timer).unwrap_or_default();
        Self::run(state, plan, ctx)
    }
}

/// Some rules; the last act may make it fail.
pub type Rules = (Vec<(String, i64)>, Option<Act>);

impl BroadcastOperator for Script {
    type Broadcast = Rules;

    fn on_broadcast(
        &mut self,
        state: &Scripted,
        (rules, failure): Rules,
        ctx: &mut BroadcastContext<'_, Self>,
    ) -> Result<(), BoxError> {
        for (name, value) in rules {
            ctx.emit(format!("rule {name}"));
            ctx.emit_to("audit", format!("rule {name}"));
            state.rules.put(ctx.scope(), name, value);
        }
        match failure {
            None => Ok(()),
            Some(Act::Panic) => std::panic::resume_unwind(Box::new("on purpose")),
            Some(Act::Latch) => {
                state.rules.get("any");
                BroadcastState::<u8, u8>::new("rules").clear(ctx.scope());
                Ok(())
            }
            Some(_) => Err("on purpose".into()),
        }
    }
}

/// A harness of the script operator on `place`, which outlives what it opens.
pub fn on_place<P: Place + 'static>(place: P) -> HarnessBuilder<Script> {
    on_shared(&Rc::new(place))
}

pub fn on_shared<P: Place + 'static>(place: &Rc<P>) -> HarnessBuilder<Script> {
    let place = Rc::clone(place);
    Harness::builder(|| Script).shared_backend(move || Ok(place.open()))
}
