//! What is known of each aircraft, and what a departure changes in it.

use crate::flight::{Departure, civil, millis, text};
use crate::rules::{EVERY_CARRIER, Rule};
use krishiv_api::{
    BoxError, BroadcastContext, BroadcastOperator, BroadcastState, EventContext, KeyedState, ListState, MapState,
    Operator, ReducingState, Timer, ValueState,
};
use serde::{Deserialize, Serialize};

/// The state of one aircraft; the key is its tail number.
#[derive(KeyedState)]
#[state(key = String)]
pub(crate) struct Aircraft {
    /// Late departures in a row, up to the last one.
    late_streak: ValueState<u32>,
    /// The longest of all its streaks.
    pub(crate) longest_streak: ValueState<Streak>,
    /// The delay of every departure of the last seven days.
    #[state(ttl = "7d", clock = "event")]
    recent_delays: ListState<i32>,
    /// Departures to each airport.
    destinations: MapState<String, u32>,
    /// The greatest delay of all.
    #[state(reduce = i32::max)]
    pub(crate) worst_delay: ReducingState<i32>,
    /// When it left last, in milliseconds.
    last_departure: ValueState<i64>,
    /// At how many minutes a departure of a carrier is late: the same for all aircraft.
    rules: BroadcastState<String, i32>,
}

/// A number of late departures in a row, and who flew the last of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Streak {
    pub(crate) length: u32,
    pub(crate) carrier: String,
}

/// A line of either file: the order of the fields is that of the keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Line {
    /// It left late again and again.
    Alert {
        tailnum: String,
        carrier: String,
        departed: String,
        streak: u32,
        worst_delay: i32,
        recent_delays: Vec<i32>,
        destinations: usize,
    },
    /// It has not left for long.
    Idle { tailnum: String, idle_since: String },
}

/// The side output of idle aircraft.
pub(crate) const IDLE: &str = "idle";

/// A streak is worth an alert each time that it has grown by so many.
const ALERT_EVERY: u32 = 3;

/// An aircraft that has not left for so long is idle: 14 days.
const IDLE_MS: i64 = 14 * 24 * 60 * 60 * 1000;

/// Every third late departure in a row is an alert; an aircraft that does not leave for 14 days is idle.
pub(crate) struct Flights;

impl Operator for Flights {
    type State = Aircraft;
    type In = Departure;
    type Out = Line;

    fn key(&self, departure: &Departure) -> String {
        departure.tailnum.clone()
    }

    fn on_event(
        &mut self,
        aircraft: &Aircraft,
        departure: Departure,
        ctx: &mut EventContext<'_, Self>,
    ) -> Result<(), BoxError> {
        let departed = millis(departure.departed);
        if let Some(last) = aircraft.last_departure.get() {
            ctx.delete_event_timer(last + IDLE_MS);
        }
        aircraft.last_departure.set(departed);
        ctx.register_event_timer(departed + IDLE_MS);

        if let Some(alert) = aircraft.depart(departure) {
            ctx.emit(alert);
        }
        Ok(())
    }

    fn on_timer(&mut self, _: &Aircraft, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let tailnum = ctx.current_key().clone();
        ctx.emit_to(IDLE, Line::Idle { tailnum, idle_since: text(civil(timer.time_ms - IDLE_MS)) });
        Ok(())
    }
}

impl BroadcastOperator for Flights {
    type Broadcast = Rule;

    fn on_broadcast(
        &mut self,
        aircraft: &Aircraft,
        rule: Rule,
        ctx: &mut BroadcastContext<'_, Self>,
    ) -> Result<(), BoxError> {
        aircraft.rules.put(ctx.scope(), rule.carrier, rule.minutes);
        Ok(())
    }
}

impl Aircraft {
    /// Takes note of a departure, which may be worth an alert.
    fn depart(&self, departure: Departure) -> Option<Line> {
        let Departure { tailnum, carrier, dest, dep_delay, departed } = departure;

        self.recent_delays.add(dep_delay);
        self.worst_delay.merge(dep_delay);
        let flown = self.destinations.get(&dest).unwrap_or(0);
        self.destinations.put(dest, flown.saturating_add(1));

        if !self.is_late(&carrier, dep_delay) {
            self.late_streak.set(0);
            return None;
        }
        let streak = self.late_streak.get().unwrap_or(0).saturating_add(1);
        self.late_streak.set(streak);
        if self.longest_streak.with(|longest| longest.is_none_or(|longest| streak > longest.length)) {
            self.longest_streak.set(Streak { length: streak, carrier: carrier.clone() });
        }
        streak.is_multiple_of(ALERT_EVERY).then(|| Line::Alert {
            tailnum,
            carrier,
            departed: text(departed),
            streak,
            worst_delay: self.worst_delay.get().unwrap_or(dep_delay),
            recent_delays: self.recent_delays.get(),
            destinations: self.destinations.length(),
        })
    }

    /// Whether `dep_delay` is late by the rule of `carrier`, else by that of every carrier; nothing is without one.
    fn is_late(&self, carrier: &str, dep_delay: i32) -> bool {
        let minutes = self.rules.get(carrier).or_else(|| self.rules.get(EVERY_CARRIER));
        minutes.is_some_and(|minutes| dep_delay >= minutes)
    }
}

#[cfg(test)]
mod tests;
