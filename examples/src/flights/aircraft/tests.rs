use super::*;
use jiff::civil::{DateTime, datetime};
use krishiv_api::{Harness, TimerKind};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn january(day: i8, hour: i8, minute: i8) -> DateTime {
    datetime(2013, 1, day, hour, minute, 0, 0)
}

fn rule(carrier: &str, minutes: i32) -> Rule {
    Rule { effective: january(1, 0, 0), carrier: carrier.to_owned(), minutes }
}

/// An aircraft of UA leaves for IAH.
fn leaves(tailnum: &str, departed: DateTime, dep_delay: i32) -> Departure {
    let [tailnum, carrier, dest] = [tailnum, "UA", "IAH"].map(str::to_owned);
    Departure { tailnum, carrier, dest, dep_delay, departed }
}

/// A harness in which 15 minutes are late.
fn harness() -> Harness<Flights> {
    let mut harness = Harness::new(|| Flights).unwrap();
    harness.broadcast(rule(EVERY_CARRIER, 15)).unwrap();
    harness
}

fn depart(harness: &mut Harness<Flights>, departure: Departure) {
    let departed = millis(departure.departed);
    harness.event_at(departure, departed).unwrap();
}

/// The streaks of all alerts.
fn streaks(harness: &Harness<Flights>) -> Vec<u32> {
    let alerts = harness.emitted().iter();
    alerts.filter_map(|line| if let Line::Alert { streak, .. } = line { Some(*streak) } else { None }).collect()
}

/// Who is idle since when.
fn idle(harness: &Harness<Flights>) -> Vec<(&str, &str)> {
    let idle = harness.side(IDLE).iter();
    idle.filter_map(|line| {
        if let Line::Idle { tailnum, idle_since } = line { Some((&**tailnum, &**idle_since)) } else { None }
    })
    .collect()
}

#[test]
fn every_third_late_departure_in_a_row_is_an_alert() {
    let mut harness = harness();
    for (hour, delay) in [15, 15, 15, 15, 15, 20, 14, 15, 15].into_iter().enumerate() {
        depart(&mut harness, leaves("N1", january(1, hour as i8, 0), delay));
        // Another aircraft's delays are its own affair.
        depart(&mut harness, leaves("N2", january(1, hour as i8, 0), 0));
    }
    assert_eq!(streaks(&harness), [3, 6]);
    let Some(Line::Alert { tailnum, departed, worst_delay, recent_delays, destinations, .. }) =
        harness.emitted().last()
    else {
        panic!("no alert");
    };
    assert_eq!((tailnum.as_str(), departed.as_str()), ("N1", "2013-01-01T05:00"));
    assert_eq!((*worst_delay, *destinations), (20, 1));
    assert_eq!(*recent_delays, [15, 15, 15, 15, 15, 20]);
}

#[test]
fn a_delay_is_recent_for_seven_days_of_event_time() {
    let mut harness = harness();
    for (departed, delay) in [(january(1, 0, 0), 15), (january(8, 0, 0), 16), (january(8, 0, 0), 17)] {
        harness.watermark(millis(departed)).unwrap();
        depart(&mut harness, leaves("N1", departed, delay));
    }
    assert!(matches!(harness.emitted(), [Line::Alert { recent_delays, .. }] if *recent_delays == [16, 17]));
}

#[test]
fn the_rule_of_a_carrier_comes_before_that_of_every_carrier() {
    let mut harness = Harness::new(|| Flights).unwrap();
    let late = |harness: &mut Harness<Flights>, delay| {
        depart(harness, leaves("N1", january(1, 0, 0), delay));
        harness.state(&"N1".to_owned(), |aircraft| aircraft.late_streak.get()).unwrap() > Some(0)
    };
    assert!(!late(&mut harness, 99), "without a rule nothing is late");
    harness.broadcast(rule(EVERY_CARRIER, 15)).unwrap();
    assert!(late(&mut harness, 15) && !late(&mut harness, 14));
    harness.broadcast(rule("UA", 30)).unwrap();
    assert!(late(&mut harness, 30) && !late(&mut harness, 29));
    harness.broadcast(rule("UA", 10)).unwrap();
    assert!(late(&mut harness, 10) && !late(&mut harness, 9));
}

#[test]
fn fourteen_days_after_its_last_departure_an_aircraft_is_idle_once() {
    let mut harness = harness();
    let departed = january(1, 5, 17);
    depart(&mut harness, leaves("N1", departed, 0));
    harness.watermark(millis(departed) + 14 * DAY - 1).unwrap();
    assert!(idle(&harness).is_empty());
    harness.watermark(millis(departed) + 14 * DAY).unwrap();
    assert_eq!(idle(&harness), [("N1", "2013-01-01T05:17")]);
    harness.watermark(millis(departed) + 99 * DAY).unwrap();
    assert_eq!(idle(&harness).len(), 1);
    assert!(harness.emitted().is_empty(), "it is no alert");
}

#[test]
fn each_departure_replaces_the_timer_of_the_one_before() {
    let mut harness = harness();
    // The second left earlier, and comes later; the third left when the second did.
    for departed in [january(3, 0, 0), january(2, 0, 0), january(2, 0, 0)] {
        depart(&mut harness, leaves("N1", departed, 0));
        let timers = harness.timers().unwrap();
        let due = Timer { kind: TimerKind::Event, time_ms: millis(departed) + 14 * DAY };
        assert_eq!(timers, [("N1".to_owned(), due)]);
    }
    harness.watermark(millis(january(31, 0, 0))).unwrap();
    assert_eq!(idle(&harness), [("N1", "2013-01-02T00:00")]);

    // It is not idle for ever.
    depart(&mut harness, leaves("N1", january(31, 0, 0), 0));
    harness.watermark(millis(january(31, 0, 0)) + 14 * DAY).unwrap();
    assert_eq!(idle(&harness), [("N1", "2013-01-02T00:00"), ("N1", "2013-01-31T00:00")]);
}

#[test]
fn of_those_idle_together_the_shorter_tail_number_comes_first() {
    let mut harness = harness();
    for tailnum in ["N22", "N3", "N11", "N4"] {
        depart(&mut harness, leaves(tailnum, january(1, 0, 0), 0));
    }
    depart(&mut harness, leaves("N999", january(1, 0, 0).saturating_sub(jiff::Span::new().minutes(1)), 0));
    harness.watermark(millis(january(20, 0, 0))).unwrap();
    let order: Vec<_> = idle(&harness).into_iter().map(|(tailnum, _)| tailnum).collect();
    assert_eq!(order, ["N999", "N3", "N4", "N11", "N22"]);
}

#[test]
fn a_crash_forgets_what_was_not_committed_and_nothing_else() {
    let mut harness = harness();
    depart(&mut harness, leaves("N1", january(1, 0, 0), 15));
    depart(&mut harness, leaves("N1", january(1, 1, 0), 15));
    harness.commit().unwrap();
    depart(&mut harness, leaves("N1", january(1, 2, 0), 15));
    harness.broadcast(rule("UA", 99)).unwrap();
    assert_eq!(streaks(&harness), [3]);

    harness.crash_and_reopen().unwrap();
    assert!(streaks(&harness).is_empty());
    depart(&mut harness, leaves("N1", january(1, 2, 0), 15));
    assert_eq!(streaks(&harness), [3]);

    harness.commit().unwrap();
    harness.watermark(millis(january(15, 2, 0))).unwrap();
    assert_eq!(idle(&harness), [("N1", "2013-01-01T02:00")]);
    harness.crash_and_reopen().unwrap();
    assert!(idle(&harness).is_empty());
    harness.watermark(millis(january(15, 2, 0))).unwrap();
    harness.commit().unwrap();
    harness.crash_and_reopen().unwrap();
    harness.watermark(millis(january(16, 0, 0))).unwrap();
    assert_eq!(idle(&harness), [("N1", "2013-01-01T02:00")]);
}

#[test]
fn aircraft_keep_their_streaks_and_timers_when_instances_are_added() {
    let tailnums: Vec<_> = (0..50).map(|number| format!("N{number}")).collect();
    let all_leave = |harness: &mut Harness<Flights>, hour| {
        for tailnum in &tailnums {
            depart(harness, leaves(tailnum, january(1, hour, 0), 15));
        }
    };
    let mut harness = harness();
    all_leave(&mut harness, 0);
    harness.rescale(4).unwrap();
    all_leave(&mut harness, 1);
    harness.rescale(3).unwrap();
    all_leave(&mut harness, 2);
    assert_eq!(streaks(&harness), [3; 50]);
    assert_eq!(harness.timers().unwrap().len(), 50);

    harness.rescale(1).unwrap();
    harness.watermark(millis(january(15, 2, 0)) - 1).unwrap();
    assert!(idle(&harness).is_empty());
    harness.watermark(millis(january(15, 2, 0))).unwrap();
    assert_eq!(idle(&harness).len(), 50);
    assert!(idle(&harness).iter().all(|(_, since)| *since == "2013-01-01T02:00"));
}
