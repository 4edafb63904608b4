//! The table at the end.

use crate::aircraft::Aircraft;
use crate::departures::Counts;
use crate::error::Error;
use comfy_table::{CellAlignment, Table, presets};
use krishiv_api::Keyed;
use std::cmp::Reverse;
use std::fmt;

/// How many of the longest streaks are shown.
const LONGEST: usize = 10;

/// What the job has done, earlier runs included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Totals {
    pub(crate) rows: Counts,
    pub(crate) alerts: u64,
    pub(crate) idle: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, alerts, idle } = self;
        write!(f, "{} rows, {} alerts, {} idle", grouped(rows.rows()), grouped(*alerts), grouped(*idle))
    }
}

/// What is known at the end of the input.
#[derive(Debug)]
pub(crate) struct Report {
    totals: Totals,
    aircraft: u64,
    longest: Vec<Longest>,
    /// Departures a second in this run; none where an earlier run had done all rows.
    rate: Option<f64>,
}

/// The longest streak of an aircraft.
#[derive(Debug)]
struct Longest {
    tailnum: String,
    carrier: String,
    streak: u32,
    worst_delay: Option<i32>,
}

impl Report {
    /// Looks through all aircraft.
    pub(crate) fn new(keyed: &mut Keyed<Aircraft>, totals: Totals, rate: Option<f64>) -> Result<Self, Error> {
        let mut aircraft = 0;
        let mut longest = Vec::new();
        keyed.for_each_key(|tailnum, state| {
            aircraft += 1;
            let Some(streak) = state.longest_streak.get() else {
                return;
            };
            longest.push(Longest {
                tailnum: tailnum.clone(),
                carrier: streak.carrier,
                streak: streak.length,
                worst_delay: state.worst_delay.get(),
            });
            // Few are kept at a time, however many aircraft there are; equal streaks go by tail number.
            longest.sort_by(|a, b| (Reverse(a.streak), &a.tailnum).cmp(&(Reverse(b.streak), &b.tailnum)));
            longest.truncate(LONGEST);
        })?;

        Ok(Self { totals, aircraft, longest, rate })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { rows: counts, alerts, idle } = self.totals;
        let rows = counts.rows();
        if self.rate.is_none() {
            writeln!(f, "finished before: the state has done all {} rows of the input", grouped(rows))?;
        }

        let mut totals = table();
        for (name, number) in [
            ("rows", rows),
            ("departures", counts.departures),
            ("cancelled", counts.cancelled),
            ("no aircraft", counts.no_aircraft),
            ("aircraft", self.aircraft),
            ("alerts", alerts),
            ("idle", idle),
        ] {
            totals.add_row([name.to_owned(), grouped(number)]);
        }
        let rate = self.rate.map_or_else(|| "-".to_owned(), |rate| grouped(rate as u64));
        totals.add_row(["events per second".to_owned(), rate]);
        align_right(&mut totals, 1..2);
        writeln!(f, "{totals}")?;

        let mut longest = table();
        longest.set_header(["longest streaks", "carrier", "late in a row", "worst (min)"]);
        for Longest { tailnum, carrier, streak, worst_delay } in &self.longest {
            let worst_delay = worst_delay.map(|minutes| minutes.to_string()).unwrap_or_default();
            longest.add_row([tailnum.clone(), carrier.clone(), streak.to_string(), worst_delay]);
        }
        align_right(&mut longest, 2..4);
        write!(f, "{longest}")
    }
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table
}

fn align_right(table: &mut Table, columns: std::ops::Range<usize>) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// A number with a comma before every third digit from the end.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn commas_stand_before_every_third_digit() {
        let want = ["0", "999", "1,000", "336,776", "1,000,000"];
        assert_eq!([0, 999, 1000, 336_776, 1_000_000].map(grouped), want);
    }
}
