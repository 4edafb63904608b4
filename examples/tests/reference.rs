//! The whole year against the same rules written down a second time, with nothing but the standard library.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

mod common;

use common::{Place, YEAR, cell, gunzip, table};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write;

/// What the reference knows of an aircraft.
#[derive(Default)]
struct Aircraft {
    streak: u32,
    longest: (u32, String),
    worst_delay: Option<i32>,
    /// Delays, each with the watermark at which it expires.
    recent_delays: Vec<(i64, i32)>,
    destinations: HashSet<String>,
    last_departure: Option<i64>,
}

#[derive(Default)]
struct Year {
    counts: [u64; 7],
    alerts: String,
    idle: String,
    longest: Vec<String>,
}

const DAY: i64 = 24 * 60;

/// Minutes since the first of March of the year 0, as days from civil are counted by everyone.
fn minutes(year: i64, month: i64, day: i64, hhmm: i64) -> i64 {
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    days * DAY + hhmm / 100 * 60 + hhmm % 100
}

/// The way back, by trying.
fn civil(moment: i64) -> String {
    for (year, month) in (2012..=2014).flat_map(|year| (1..=12).map(move |month| (year, month))) {
        for day in 1..=31 {
            let start = minutes(year, month, day, 0);
            // The 31st of a short month would be found here before the 1st of the next one.
            let length = if month == 2 { 28 + i64::from(year % 4 == 0) } else { 30 + (month + month / 8) % 2 };
            if day <= length && (start..start + DAY).contains(&moment) {
                let minute = moment - start;
                return format!("{year}-{month:02}-{day:02}T{:02}:{:02}", minute / 60, minute % 60);
            }
        }
    }
    panic!("{moment} is not near 2013");
}

fn reference() -> Year {
    let mut year = Year::default();
    let mut fleet: HashMap<String, Aircraft> = HashMap::new();
    // The moments at which an aircraft will have been away for 14 days; of those that come together, short names come first.
    let mut away: BTreeSet<(i64, usize, String)> = BTreeSet::new();
    let (mut latest, july) = (i64::MIN, minutes(2013, 7, 1, 0));
    for line in gunzip(YEAR).lines().skip(1) {
        let fields: Vec<_> = line.split(',').collect();
        let number = |at: usize| fields[at].parse::<i64>().unwrap();
        let (carrier, tailnum, dest) = (fields[7], fields[9], fields[11]);
        year.counts[0] += 1;
        if tailnum.is_empty() {
            year.counts[3] += 1;
            continue;
        }
        if fields[5].is_empty() {
            year.counts[2] += 1;
            continue;
        }
        year.counts[1] += 1;
        let delay = fields[5].parse::<i32>().unwrap();
        let departed = minutes(number(0), number(1), number(2), number(3)) + i64::from(delay);
        let watermark = latest.max(departed) - DAY;
        if departed > latest {
            latest = departed;
            while away.first().is_some_and(|(moment, ..)| *moment <= watermark) {
                let (moment, _, tailnum) = away.pop_first().unwrap();
                let since = civil(moment - 14 * DAY);
                writeln!(year.idle, r#"{{"tailnum":"{tailnum}","idle_since":"{since}"}}"#).unwrap();
                year.counts[6] += 1;
            }
        }

        let aircraft = fleet.entry(tailnum.to_owned()).or_default();
        let moment = |departed: i64| (departed + 14 * DAY, tailnum.len(), tailnum.to_owned());
        if let Some(before) = aircraft.last_departure.replace(departed) {
            away.remove(&moment(before));
        }
        away.insert(moment(departed));
        aircraft.recent_delays.retain(|(expires, _)| *expires > watermark);
        aircraft.recent_delays.push((watermark + 7 * DAY, delay));
        aircraft.worst_delay = aircraft.worst_delay.max(Some(delay));
        aircraft.destinations.insert(dest.to_owned());
        let threshold = if carrier == "EV" && latest >= july { 30 } else { 15 };
        aircraft.streak = if delay >= threshold { aircraft.streak + 1 } else { 0 };
        if aircraft.streak > aircraft.longest.0 {
            aircraft.longest = (aircraft.streak, carrier.to_owned());
        }
        if aircraft.streak > 0 && aircraft.streak.is_multiple_of(3) {
            year.counts[5] += 1;
            let recent: Vec<_> = aircraft.recent_delays.iter().map(|(_, delay)| delay.to_string()).collect();
            writeln!(
                year.alerts,
                r#"{{"tailnum":"{tailnum}","carrier":"{carrier}","departed":"{}","streak":{},"worst_delay":{},"recent_delays":[{}],"destinations":{}}}"#,
                civil(departed),
                aircraft.streak,
                aircraft.worst_delay.unwrap(),
                recent.join(","),
                aircraft.destinations.len(),
            )
            .unwrap();
        }
    }
    year.counts[4] = fleet.len() as u64;
    let mut longest: Vec<_> = fleet.into_iter().collect();
    longest.sort_by_key(|(tailnum, aircraft)| (u32::MAX - aircraft.longest.0, tailnum.clone()));
    year.longest = longest
        .into_iter()
        .take(10)
        .map(|(tailnum, Aircraft { longest: (streak, carrier), worst_delay, .. })| {
            format!("{tailnum} {carrier} {streak} {}", worst_delay.unwrap())
        })
        .collect();
    year
}

fn longest(stdout: &str) -> Vec<String> {
    let lines = stdout.lines().skip_while(|line| !line.contains("longest streaks")).skip(2);
    let rows = lines.take_while(|line| line.starts_with('│'));
    rows.map(|line| line.replace(['│', '┆'], " ").split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_year_is_that_of_the_reference() {
    let want = reference();
    let place = Place::new();
    // No arguments: the data of this package, and everything in the current folder.
    let stdout = place.run("").ok();
    assert!(place.alerts() == want.alerts, "the alerts differ");
    assert!(place.idle() == want.idle, "the idle aircraft differ");
    let names = ["rows", "departures", "cancelled", "no aircraft", "aircraft", "alerts", "idle"];
    assert_eq!(names.map(|name| cell(&stdout, name)), want.counts);
    assert_eq!(longest(&stdout), want.longest);

    // The backend makes no difference.
    let memory = place.run("--backend memory").ok();
    assert_eq!(table(&memory), table(&stdout));
    assert!(std::fs::read_to_string(place.path("flights-alerts.jsonl")).unwrap() == want.alerts);
    assert!(std::fs::read_to_string(place.path("flights-idle.jsonl")).unwrap() == want.idle);

    // A finished state says so, changes nothing and shows the same table.
    let again = place.run("").ok();
    assert!(again.starts_with("finished before: the state has done all 336,776 rows"), "{again}");
    assert_eq!(table(&again), table(&stdout));
    assert!(place.alerts() == want.alerts && place.idle() == want.idle);
}
