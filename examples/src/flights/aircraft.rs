//! What is known of each aircraft, and what a departure changes in it.

use crate::flight::Departure;
use crate::rules::EVERY_CARRIER;
use krishiv_api::{BroadcastState, KeyedState, ListState, MapState, ReducingState, ValueState};
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
    /// At how many minutes a departure of a carrier is late: the same for all aircraft.
    pub(crate) rules: BroadcastState<String, i32>,
}

/// A number of late departures in a row, and who flew the last of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Streak {
    pub(crate) length: u32,
    pub(crate) carrier: String,
}

/// A line of the alerts file: the order of the fields is that of the keys.
#[derive(Debug, Serialize)]
pub(crate) struct Alert<'a> {
    tailnum: &'a str,
    carrier: &'a str,
    departed: String,
    streak: u32,
    worst_delay: i32,
    recent_delays: Vec<i32>,
    destinations: usize,
}

/// A streak is worth an alert each time that it has grown by so many.
const ALERT_EVERY: u32 = 3;

impl Aircraft {
    /// Takes note of a departure. Every third late one in a row is an alert.
    pub(crate) fn depart<'a>(&self, departure: &Departure<'a>) -> Option<Alert<'a>> {
        let Departure { tailnum, carrier, dest, dep_delay, departed } = *departure;

        self.recent_delays.add(dep_delay);
        self.worst_delay.merge(dep_delay);
        let dest = dest.to_owned();
        let flown = self.destinations.get(&dest).unwrap_or(0);
        self.destinations.put(dest, flown.saturating_add(1));

        if !self.is_late(carrier, dep_delay) {
            self.late_streak.set(0);
            return None;
        }
        let streak = self.late_streak.get().unwrap_or(0).saturating_add(1);
        self.late_streak.set(streak);
        if self.longest_streak.with(|longest| longest.is_none_or(|longest| streak > longest.length)) {
            self.longest_streak.set(Streak { length: streak, carrier: carrier.to_owned() });
        }
        streak.is_multiple_of(ALERT_EVERY).then(|| Alert {
            tailnum,
            carrier,
            departed: departed.strftime("%Y-%m-%dT%H:%M").to_string(),
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
