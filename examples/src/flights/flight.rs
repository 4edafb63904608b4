//! One row of the input: what it says, and when the aircraft left.

use csv::StringRecord;
use jiff::civil::{Date, DateTime, datetime};
use jiff::{SignedDuration, Span};

/// The columns that the job reads; the input may have more, in any order.
const COLUMNS: [&str; 8] = ["year", "month", "day", "sched_dep_time", "dep_delay", "carrier", "tailnum", "dest"];

/// Where the clock of the state begins.
const EPOCH: DateTime = datetime(1970, 1, 1, 0, 0, 0, 0);

/// Where the columns of an input are.
#[derive(Debug)]
pub(crate) struct Columns([usize; COLUMNS.len()]);

impl Columns {
    /// Finds the columns in the header.
    ///
    /// # Errors
    ///
    /// Names every column that is missing.
    pub(crate) fn find(header: &StringRecord) -> Result<Self, String> {
        let mut missing = Vec::new();
        let at = COLUMNS.map(|name| {
            header.iter().position(|field| field.trim() == name).unwrap_or_else(|| {
                missing.push(name);
                usize::MAX
            })
        });
        if missing.is_empty() {
            Ok(Self(at))
        } else {
            Err(format!("the header has no column `{}`", missing.join("`, `")))
        }
    }
}

/// What a row of the input is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// It names no aircraft, whether the flight left or not.
    NoAircraft,
    /// It names an aircraft that did not leave.
    Cancelled,
    /// An aircraft left.
    Departure(Departure),
}

/// An aircraft that left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Departure {
    /// The aircraft.
    pub(crate) tailnum: String,
    /// The airline.
    pub(crate) carrier: String,
    /// The airport it left for.
    pub(crate) dest: String,
    /// Minutes behind schedule; negative is early.
    pub(crate) dep_delay: i32,
    /// When it left, on the clock in New York.
    pub(crate) departed: DateTime,
}

impl Row {
    /// Reads a row. All that the job reads is checked, also in rows that it only counts.
    ///
    /// # Errors
    ///
    /// Says which field is wrong, and how.
    pub(crate) fn parse(record: &StringRecord, columns: &Columns) -> Result<Self, String> {
        let [year, month, day, sched_dep_time, dep_delay, carrier, tailnum, dest] =
            columns.0.map(|at| record.get(at).unwrap_or_default().trim());

        let (year, month, day) = (number("year", year)?, number("month", month)?, number("day", day)?);
        let date =
            Date::new(year, month, day).map_err(|_| format!("{year}-{month}-{day} is not a day of the calendar"))?;
        let scheduled = scheduled(date, sched_dep_time)?;
        let dep_delay: Option<i32> = known(dep_delay).map(|text| number("dep_delay", text)).transpose()?;
        let carrier = known(carrier).ok_or("`carrier` is empty")?;
        let dest = known(dest).ok_or("`dest` is empty")?;

        let Some(tailnum) = known(tailnum) else {
            return Ok(Self::NoAircraft);
        };
        let Some(dep_delay) = dep_delay else {
            return Ok(Self::Cancelled);
        };
        let departed = scheduled
            .checked_add(Span::new().minutes(dep_delay))
            .map_err(|_| format!("`dep_delay` of {dep_delay} minutes leads out of the calendar"))?;
        let (tailnum, carrier, dest) = (tailnum.to_owned(), carrier.to_owned(), dest.to_owned());
        Ok(Self::Departure(Departure { tailnum, carrier, dest, dep_delay, departed }))
    }
}

/// The text of a field, unless it is empty or `NA`.
fn known(text: &str) -> Option<&str> {
    (!text.is_empty() && text != "NA").then_some(text)
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{name}` is {text:?}, expected a whole number"))
}

/// The moment that `HHMM` means on `date`; 2400 is the midnight at its end.
fn scheduled(date: Date, text: &str) -> Result<DateTime, String> {
    let hhmm: u16 = number("sched_dep_time", text)?;
    let outside = || format!("`sched_dep_time` is {text:?}, expected a time from 0 to 2400 as HHMM");
    if hhmm == 2400 {
        let next = date.tomorrow().map_err(|_| outside())?;
        return Ok(next.at(0, 0, 0, 0));
    }
    let (hour, minute) = (hhmm / 100, hhmm % 100);
    if hour > 23 || minute > 59 {
        return Err(outside());
    }
    // Both fit: they are below 60.
    Ok(date.at(hour as i8, minute as i8, 0, 0))
}

/// A civil time in milliseconds since 1970, as the clock of the state counts.
///
/// Civil times have no zone here, so the day has 24 hours all year.
pub(crate) fn millis(time: DateTime) -> i64 {
    // Times of flights are whole minutes, and jiff's calendar is 20,000 years long.
    time.duration_since(EPOCH).as_secs() * 1000
}

/// The way back.
pub(crate) fn civil(millis: i64) -> DateTime {
    EPOCH.saturating_add(SignedDuration::from_millis(millis))
}

/// A civil time as the outputs write it, to the minute.
pub(crate) fn text(time: DateTime) -> String {
    time.strftime("%Y-%m-%dT%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "tailnum,year,month,day,sched_dep_time,dep_delay,carrier,dest";

    fn record(line: &str) -> StringRecord {
        StringRecord::from(line.split(',').collect::<Vec<_>>())
    }

    fn departed(line: &str) -> Result<DateTime, String> {
        let (columns, record) = (Columns::find(&record(HEADER))?, record(line));
        match Row::parse(&record, &columns)? {
            Row::Departure(departure) => Ok(departure.departed),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn a_delay_may_cross_midnight_either_way() {
        assert_eq!(departed("N1,2013,12,31,2359,2,UA,IAH"), Ok(datetime(2014, 1, 1, 0, 1, 0, 0)));
        assert_eq!(departed("N1,2013,3,1,0,-1,UA,IAH"), Ok(datetime(2013, 2, 28, 23, 59, 0, 0)));
        assert_eq!(departed("N1,2013,2,28,2400,0,UA,IAH"), Ok(datetime(2013, 3, 1, 0, 0, 0, 0)));
        assert_eq!(departed("N1,2013,1,1,515,1301,UA,IAH"), Ok(datetime(2013, 1, 2, 2, 56, 0, 0)));
    }

    #[test]
    fn the_clock_counts_milliseconds_since_1970() {
        assert_eq!(millis(datetime(1970, 1, 2, 0, 1, 0, 0)), 86_460_000);
        assert_eq!(millis(datetime(1969, 12, 31, 23, 59, 0, 0)), -60_000);
        assert_eq!(millis(DateTime::MAX), 253_402_300_799_000);
        assert_eq!(text(civil(86_460_000)), "1970-01-02T00:01");
        assert_eq!(text(civil(-60_000)), "1969-12-31T23:59");
    }

    #[test]
    fn no_aircraft_comes_before_cancelled() {
        for (line, want) in [
            (",2013,1,1,515,,UA,IAH", "NoAircraft"),
            ("NA,2013,1,1,515,2,UA,IAH", "NoAircraft"),
            ("N1,2013,1,1,515,,UA,IAH", "Cancelled"),
            ("N1,2013,1,1,515,NA,UA,IAH", "Cancelled"),
        ] {
            assert_eq!(departed(line), Err(want.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_wrong_field_is_named() {
        for (line, want) in [
            ("N1,2013,2,29,515,2,UA,IAH", "2013-2-29 is not a day of the calendar"),
            ("N1,2013,1,1,560,2,UA,IAH", "`sched_dep_time` is \"560\", expected a time from 0 to 2400 as HHMM"),
            ("N1,2013,1,1,515,2.5,UA,IAH", "`dep_delay` is \"2.5\", expected a whole number"),
            ("N1,x,1,1,515,2,UA,IAH", "`year` is \"x\", expected a whole number"),
            ("N1,9999,12,31,515,2147483647,UA,IAH", "`dep_delay` of 2147483647 minutes leads out of the calendar"),
            ("N1,2013,1,1,515,2,,IAH", "`carrier` is empty"),
            // Also where the row would only be counted.
            (",2013,13,1,515,,UA,IAH", "2013-13-1 is not a day of the calendar"),
            ("N1,2013,1,1,515,2,UA,", "`dest` is empty"),
        ] {
            assert_eq!(departed(line), Err(want.to_owned()), "{line}");
        }
    }

    #[test]
    fn every_missing_column_is_named() {
        let error = Columns::find(&record("year,month,day,carrier,dest,sched_dep_time")).err();
        assert_eq!(error.as_deref(), Some("the header has no column `dep_delay`, `tailnum`"));
    }
}
