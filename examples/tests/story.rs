//! A few flights, with the alerts and the idle aircraft worked out by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

mod common;

use common::{HEADER, Place, cell};

const RULES: &str = "effective,carrier,minutes\n2013-01-01T00:00,*,15\n2013-01-05T00:00,EV,30\n";

/// Each flight, and what it does.
const FLIGHTS: &[&str] = &[
    // N1 left at 05:30 on the 1st, so this delay lives until the watermark is 05:30 on the 7th: a departure at
    // 05:30 on the 8th takes it there.
    "2013,1,1,510,20,UA,N1,IAH", // late, 1
    // Exactly 15 minutes is late; it left at 00:05 on the 2nd.
    "2013,1,1,2350,15,UA,N1,ORD", // late, 2
    "2013,1,2,600,-5,UA,N2,IAH",  // not late
    "2013,1,2,700,,UA,N1,LAX",    // cancelled: neither ends the streak nor adds a destination
    "2013,1,2,800,60,UA,,IAH",    // no aircraft
    "2013,1,2,810,,UA,NA,IAH",    // no aircraft, although cancelled too
    "2013,1,2,845,15,UA,N1,IAH",  // late, 3: the first alert
    // EV has no rule of its own yet: by that of all, 29 minutes is late.
    "2013,1,4,2300,29,EV,N3,BOS", // late, 1
    // Scheduled before the rule for EV takes effect, but it left 28 minutes after: 29 is not late any more.
    "2013,1,4,2359,29,EV,N1,BOS", // not late
    // The rule stays in effect for a flight that left earlier and comes later in the file.
    "2013,1,4,1200,29,EV,N3,BOS", // not late
    "2013,1,7,600,30,EV,N1,IAH",  // late, 1: exactly 30
    "2013,1,7,800,15,UA,N1,IAH",  // late, 2: the rule of all still stands for UA
    // Left at 05:29 on the 8th: the first delay has one minute to live.
    "2013,1,8,500,29,UA,N1,BOS", // late, 3: the second alert
    // All three left at 05:30, when the first delay has just expired.
    "2013,1,8,515,15,UA,N1,BOS", // late, 4
    "2013,1,8,514,16,UA,N1,BOS", // late, 5
    "2013,1,8,513,17,UA,N1,BOS", // late, 6: the third alert
];

const ALERTS: &str = r#"{"tailnum":"N1","carrier":"UA","departed":"2013-01-02T09:00","streak":3,"worst_delay":20,"recent_delays":[20,15,15],"destinations":2}
{"tailnum":"N1","carrier":"UA","departed":"2013-01-08T05:29","streak":3,"worst_delay":30,"recent_delays":[20,15,15,29,30,15,29],"destinations":3}
{"tailnum":"N1","carrier":"UA","departed":"2013-01-08T05:30","streak":6,"worst_delay":30,"recent_delays":[15,15,29,30,15,29,15,16,17],"destinations":3}
"#;

/// Flights of aircraft that stay away for 14 days, none late: the watermark is a day behind the last of them.
const AWAY: &[&str] = &[
    "2013,1,1,510,7,UA,N1,IAH",     // left at 05:17
    "2013,1,1,600,0,UA,N22222,IAH", // at the same time as the next one
    "2013,1,1,600,0,UA,N3,IAH",
    "2013,1,2,700,,UA,N1,LAX",   // cancelled: it has not left
    "2013,1,10,600,0,UA,N4,IAH", // replaced by the next one, which left earlier and comes later in the file
    "2013,1,9,600,0,UA,N4,IAH",
    "2013,1,16,516,0,UA,N5,IAH", // not yet 14 days since N1 left
    "2013,1,16,517,0,UA,N5,IAH", // N1 is idle
    "2013,1,16,559,0,UA,N1,IAH", // and leaves again
    // N3 and N22222 are idle, the shorter one first: what the watermark makes due comes before the departure.
    "2013,1,16,600,0,UA,N3,IAH",
    "2013,1,24,600,0,UA,N4,IAH", // N4 itself is idle, since the 9th
    "2013,1,3,600,0,UA,N6,IAH",  // it has long been idle, which tells as soon as the watermark moves
    "2013,1,2,600,0,UA,N7,IAH",  // so has this one, but it leaves again before
    "2013,1,23,600,0,UA,N7,IAH",
    "2013,1,24,601,0,UA,N4,IAH", // N6 is idle
    "2013,1,2,600,0,UA,N8,IAH",  // the watermark does not move any more
];

const IDLE: &str = r#"{"tailnum":"N1","idle_since":"2013-01-01T05:17"}
{"tailnum":"N3","idle_since":"2013-01-01T06:00"}
{"tailnum":"N22222","idle_since":"2013-01-01T06:00"}
{"tailnum":"N4","idle_since":"2013-01-09T06:00"}
{"tailnum":"N6","idle_since":"2013-01-03T06:00"}
"#;

fn told() -> Place {
    place_of(FLIGHTS)
}

fn place_of(flights: &[&str]) -> Place {
    let place = Place::new();
    place.write("rules.csv", RULES);
    place.write("flights.csv", format!("{HEADER}{}\n", flights.join("\n")));
    place
}

#[test]
fn the_alerts_are_those_of_the_story() {
    for args in ["", "--commit-every 1", "--commit-every 3", "--backend memory", "--backend memory --commit-every 1"] {
        let place = told();
        let run = place.run(&format!("--input flights.csv --rules rules.csv --alerts alerts.jsonl {args}"));
        let stdout = run.ok();
        assert_eq!(std::fs::read_to_string(place.path("alerts.jsonl")).unwrap(), ALERTS, "{args}");
        let counts = ["rows", "departures", "cancelled", "no aircraft", "aircraft", "alerts", "idle"];
        assert_eq!(counts.map(|name| cell(&stdout, name)), [16, 13, 1, 2, 3, 3, 0], "{stdout}");
        let first = stdout.lines().position(|line| line.contains("longest streaks")).unwrap() + 2;
        let longest: Vec<_> = stdout.lines().skip(first).take(2).collect();
        assert_eq!(
            longest,
            [
                "│ N1              ┆ UA      ┆             6 ┆          30 │",
                "│ N3              ┆ EV      ┆             1 ┆          29 │",
            ]
        );
    }
}

#[test]
fn the_idle_aircraft_are_those_of_the_story() {
    for args in ["", "--commit-every 1", "--commit-every 3", "--backend memory", "--backend memory --commit-every 1"] {
        let place = place_of(AWAY);
        let run = place.run(&format!("--input flights.csv --rules rules.csv --idle away.jsonl {args}"));
        let stdout = run.ok();
        assert_eq!(std::fs::read_to_string(place.path("away.jsonl")).unwrap(), IDLE, "{args}");
        let counts = ["rows", "departures", "cancelled", "aircraft", "alerts", "idle"];
        assert_eq!(counts.map(|name| cell(&stdout, name)), [16, 15, 1, 8, 0, 5], "{stdout}");
    }
}

#[test]
fn the_story_told_in_parts_ends_the_same() {
    for (flights, alerts, idle) in [(FLIGHTS, ALERTS, ""), (AWAY, "", IDLE)] {
        for parts in [1, 2, 5] {
            let place = place_of(flights);
            for rows in (parts..flights.len()).step_by(parts).chain([flights.len(), flights.len()]) {
                // An input that grew: each run takes up where the last one ended.
                place.write("flights.csv", format!("{HEADER}{}\n", flights[..rows].join("\n")));
                place.run("--input flights.csv --rules rules.csv").ok();
            }
            assert_eq!(place.alerts(), alerts, "{parts} rows a run");
            assert_eq!(place.idle(), idle, "{parts} rows a run");
        }
    }
}

#[test]
fn columns_are_found_by_name() {
    let place = told();
    let reversed = |line: &str| format!("more,{}", line.trim().rsplit(',').collect::<Vec<_>>().join(","));
    let lines: Vec<_> = [HEADER].iter().chain(FLIGHTS).map(|line| reversed(line)).collect();
    place.write("flights.csv", lines.join("\n"));
    place.run("--input flights.csv --rules rules.csv").ok();
    assert_eq!(place.alerts(), ALERTS);
}

#[test]
fn without_a_rule_nothing_is_late() {
    let place = told();
    place.write("rules.csv", "effective,carrier,minutes\n2013-01-01T00:00,EV,15\n");
    let stdout = place.run("--input flights.csv --rules rules.csv").ok();
    assert_eq!((place.alerts().as_str(), cell(&stdout, "departures")), ("", 13));
}
