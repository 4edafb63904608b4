//! From when on a departure counts as late at how many minutes.

use crate::error::Error;
use csv::{ErrorKind, StringRecord};
use flate2::Crc;
use jiff::civil::DateTime;
use std::path::Path;

/// The carrier of a rule for every carrier without one of its own.
pub(crate) const EVERY_CARRIER: &str = "*";

const HEADER: [&str; 3] = ["effective", "carrier", "minutes"];

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    effective: DateTime,
    /// The carrier it is for, or [`EVERY_CARRIER`].
    pub(crate) carrier: String,
    /// A departure so many minutes behind schedule is late.
    pub(crate) minutes: i32,
}

/// All rules, the earliest first; those of the same moment in the order of the file.
#[derive(Debug)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    /// Reads a file of rules.
    ///
    /// # Errors
    ///
    /// Names the line that is wrong.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let at = |line, reason| Error::Line { file: path.to_owned(), line, reason };
        let text = std::fs::read(path).map_err(Error::io(path, "cannot read the rules"))?;
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_slice());
        let header = reader.headers().map_err(|error| at(1, error.to_string()))?;
        if header.iter().ne(HEADER) {
            return Err(at(1, format!("the header is not `{}`", HEADER.join(","))));
        }

        let mut rules = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| {
                let line = error.position().map_or(0, csv::Position::line);
                let reason = match error.into_kind() {
                    ErrorKind::UnequalLengths { len, .. } => {
                        format!("{len} fields, expected {}", HEADER.len())
                    }
                    other => format!("{other:?}"),
                };
                at(line, reason)
            })?;
            let line = record.position().map_or(0, csv::Position::line);
            rules.push(parse(&record).map_err(|reason| at(line, reason))?);
        }
        rules.sort_by_key(|rule| rule.effective);
        Ok(Self(rules))
    }

    /// The rules that take effect when the greatest departure so far goes from `before` to `now`.
    pub(crate) fn taking_effect(&self, before: Option<DateTime>, now: DateTime) -> &[Rule] {
        let in_force = |time: DateTime| self.0.partition_point(|rule| rule.effective <= time);
        let (from, to) = (before.map_or(0, in_force), in_force(now));
        self.0.get(from..to).unwrap_or_default()
    }

    /// Checksum of what the rules say.
    pub(crate) fn checksum(&self) -> u32 {
        let mut checksum = Crc::new();
        for Rule { effective, carrier, minutes } in &self.0 {
            checksum.update(format!("{effective},{carrier},{minutes}\n").as_bytes());
        }
        checksum.sum()
    }
}

fn parse(record: &StringRecord) -> Result<Rule, String> {
    let field = |at| record.get(at).unwrap_or_default();
    let (effective, carrier, minutes) = (field(0), field(1), field(2));
    let effective = effective
        .parse()
        .map_err(|_| format!("`effective` is {effective:?}, expected a time like 2013-07-01T00:00"))?;
    if carrier.is_empty() {
        return Err("`carrier` is empty, expected a carrier or *".to_owned());
    }
    let minutes = minutes.parse().map_err(|_| format!("`minutes` is {minutes:?}, expected a whole number"))?;
    Ok(Rule { effective, carrier: carrier.to_owned(), minutes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;

    fn read(text: &str) -> Result<Rules, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Rules::read(file.path()).map_err(|error| {
            let path = file.path().display().to_string();
            error.to_string().replace(&path, "rules.csv")
        })
    }

    fn carriers(rules: &[Rule]) -> Vec<&str> {
        rules.iter().map(|rule| rule.carrier.as_str()).collect()
    }

    #[test]
    fn a_rule_takes_effect_once_at_its_moment() {
        let rules =
            read("effective,carrier,minutes\n2013-07-01T00:00,EV,30\n2013-01-01T00:00,*,15\n2013-07-01T00:00,UA,9\n")
                .unwrap();
        let new_year = datetime(2013, 1, 1, 0, 0, 0, 0);
        let june = datetime(2013, 6, 30, 23, 59, 0, 0);
        let july = datetime(2013, 7, 1, 0, 0, 0, 0);
        assert_eq!(carriers(rules.taking_effect(None, datetime(2012, 12, 31, 23, 59, 0, 0))), [""; 0]);
        assert_eq!(carriers(rules.taking_effect(None, new_year)), ["*"]);
        assert_eq!(carriers(rules.taking_effect(Some(new_year), june)), [""; 0]);
        assert_eq!(carriers(rules.taking_effect(Some(june), july)), ["EV", "UA"]);
        assert_eq!(carriers(rules.taking_effect(Some(july), july)), [""; 0]);
        assert_eq!(carriers(rules.taking_effect(None, july)), ["*", "EV", "UA"]);
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, want) in [
            ("effective,minutes\n", "rules.csv:1: the header is not `effective,carrier,minutes`"),
            ("", "rules.csv:1: the header is not `effective,carrier,minutes`"),
            ("effective,carrier,minutes\n2013-01-01T00:00,*\n", "rules.csv:2: 2 fields, expected 3"),
            (
                "effective,carrier,minutes\n2013-01-01T00:00,*,15\nsoon,*,15\n",
                "rules.csv:3: `effective` is \"soon\", expected a time like 2013-07-01T00:00",
            ),
            (
                "effective,carrier,minutes\n2013-01-01T00:00,,15\n",
                "rules.csv:2: `carrier` is empty, expected a carrier or *",
            ),
            (
                "effective,carrier,minutes\n2013-01-01T00:00,*,late\n",
                "rules.csv:2: `minutes` is \"late\", expected a whole number",
            ),
        ] {
            assert_eq!(read(text).err().as_deref(), Some(want));
        }
    }
}
