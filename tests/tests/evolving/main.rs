//! A program that was changed the way programs change goes on with what it had stored.

mod golden;
mod locks;
mod migrations;
mod names;
mod plans;
mod records;
mod versions;

use krishiv_api::{BroadcastState, KeyedState, ListState, MapState, ReducingState, ValueState};
use serde::{Deserialize, Serialize};

/// What is stored, as the first version of the program has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flight {
    pub carrier: String,
    pub delay: i32,
}

/// The same type later: a field has come, one has moved, one is wider.
pub mod later {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Flight {
        pub delay: i64,
        #[serde(default)]
        pub gate: Option<String>,
        pub carrier: String,
    }
}

pub fn worst(a: Flight, b: Flight) -> Flight {
    if b.delay > a.delay { b } else { a }
}

pub fn worst_later(a: later::Flight, b: later::Flight) -> later::Flight {
    if b.delay > a.delay { b } else { a }
}

#[derive(KeyedState)]
#[state(key = u32, name = "planes")]
pub struct Planes {
    pub last: ValueState<Flight>,
    #[state(reduce = worst)]
    pub worst: ReducingState<Flight>,
    pub all: ListState<Flight>,
    pub by_gate: MapState<u8, Flight>,
    pub rules: BroadcastState<u8, Flight>,
    pub count: ValueState<u32>,
}

#[derive(KeyedState)]
#[state(key = u32, name = "planes")]
pub struct LaterPlanes {
    pub last: ValueState<later::Flight>,
    #[state(reduce = worst_later)]
    pub worst: ReducingState<later::Flight>,
    pub all: ListState<later::Flight>,
    pub by_gate: MapState<u8, later::Flight>,
    pub rules: BroadcastState<u8, later::Flight>,
    pub count: ValueState<u32>,
}

pub fn flight(carrier: &str, delay: i32) -> Flight {
    Flight { carrier: carrier.to_owned(), delay }
}

pub fn later_flight(carrier: &str, delay: i64, gate: Option<&str>) -> later::Flight {
    later::Flight { carrier: carrier.to_owned(), delay, gate: gate.map(str::to_owned) }
}
