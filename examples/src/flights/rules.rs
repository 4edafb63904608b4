//! From when on a departure counts as late at how many minutes.

use crate::error::Error;
use crate::flight::millis;
use csv::StringRecord;
use jiff::civil::DateTime;
use krishiv_pipeline::{BoxError, CsvSource, FileError, IterSource, Polled, RowPosition, Source};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::vec::IntoIter;

/// The carrier of a rule for every carrier without one of its own.
pub(crate) const EVERY_CARRIER: &str = "*";

const HEADER: [&str; 3] = ["effective", "carrier", "minutes"];

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) effective: DateTime,
    /// The carrier it is for, or [`EVERY_CARRIER`].
    pub(crate) carrier: String,
    /// A departure so many minutes behind schedule is late.
    pub(crate) minutes: i32,
}

impl Rule {
    /// From when on it holds, as the clock of the state counts.
    pub(crate) fn starts(&self) -> i64 {
        millis(self.effective)
    }
}

/// All rules of a file, the earliest first; those of the same moment in the order of the file.
pub(crate) struct Rules {
    path: PathBuf,
    rules: IterSource<IntoIter<Rule>>,
    /// The end of the file, with its checksum.
    file: RowPosition,
}

/// How many rules were broadcast, and of which file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    file: RowPosition,
    broadcast: u64,
}

impl Rules {
    /// Reads all of the file, so that what is wrong with it is found before anything is written.
    ///
    /// # Errors
    ///
    /// Names the line that is wrong.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let mut file = CsvSource::open_with(path, |header| {
            let named = header.iter().map(str::trim).eq(HEADER);
            if named { Ok(parse) } else { Err(format!("the header is not `{}`", HEADER.join(","))) }
        })
        .map_err(|error| match error {
            FileError::Io { source, .. } => Error::io(path, "cannot read the rules")(source),
            other => Error::File(other),
        })?;
        let mut rules = Vec::new();
        while let Some(rule) = file.next_item().map_err(Error::Stream)? {
            rules.push(rule);
        }
        rules.sort_by_key(|rule: &Rule| rule.effective);
        Ok(Self { path: path.to_owned(), rules: IterSource::new(rules), file: file.position() })
    }
}

impl Source for Rules {
    type Item = Rule;
    type Position = Position;

    fn poll(&mut self, wait: Duration) -> Result<Polled<Rule>, BoxError> {
        self.rules.poll(wait)
    }

    fn position(&self) -> Position {
        Position { file: self.file, broadcast: self.rules.position() }
    }

    fn seek(&mut self, position: Position) -> Result<(), BoxError> {
        if position.file != self.file {
            let reason =
                "these are not the rules that the state was made with; give the same rules, or start over with --fresh";
            return Err(Error::refused(&self.path, reason).into());
        }
        self.rules.seek(position.broadcast)
    }
}

fn parse(record: &StringRecord) -> Result<Rule, String> {
    let field = |at| record.get(at).unwrap_or_default().trim();
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

    fn read(text: &str) -> Result<Rules, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Rules::read(file.path()).map_err(|error| {
            let path = file.path().display().to_string();
            error.to_string().replace(&path, "rules.csv")
        })
    }

    #[test]
    fn the_earliest_comes_first() {
        let mut rules = read(
            "effective, carrier ,minutes\n2013-07-01T00:00,EV,30\n2013-01-01T00:00, * , 15\n2013-07-01T00:00,UA,9\n",
        )
        .unwrap();
        let mut carriers = Vec::new();
        while let Some(rule) = rules.next_item().unwrap() {
            carriers.push(rule.carrier);
        }
        assert_eq!(carriers, ["*", "EV", "UA"]);
    }

    #[test]
    fn the_same_rules_go_on_and_others_are_refused() {
        let text = "effective,carrier,minutes\n2013-01-01T00:00,*,15\n2013-07-01T00:00,EV,30\n";
        let mut first = read(text).unwrap();
        first.poll(Duration::ZERO).unwrap();
        let mut same = read(text).unwrap();
        same.seek(first.position()).unwrap();
        assert!(matches!(same.poll(Duration::ZERO).unwrap(), Polled::Item(Rule { minutes: 30, .. })));

        let error = read(&text.replace("15", "16")).unwrap().seek(first.position()).unwrap_err().to_string();
        assert!(error.contains("these are not the rules that the state was made with"), "{error}");
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, want) in [
            ("effective,minutes\n", "rules.csv:1: the header is not `effective,carrier,minutes`"),
            ("", "rules.csv:1: the header is not `effective,carrier,minutes`"),
            ("effective,carrier,minutes\n2013-01-01T00:00,*\n", "rules.csv:2: 2 fields, expected 3 as in the header"),
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
