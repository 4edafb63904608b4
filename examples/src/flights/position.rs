//! How far the job has come: what each commit stores beside the state.

use crate::alerts::Mark;
use crate::report::grouped;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

/// The format of [`Position`]; a change to its fields or to their meaning makes it another.
const FORMAT: u32 = 1;

/// The source position of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    format: u32,
    /// Rows done, and their checksum: the input must begin with these.
    pub(crate) rows: u64,
    pub(crate) rows_checksum: u32,
    /// Checksum of the rules in use.
    pub(crate) rules_checksum: u32,
    /// Length and checksum of the alerts file.
    pub(crate) alerts: Mark,
    /// The greatest departure so far; it tells the watermark and the rules that are in effect.
    pub(crate) latest: Option<DateTime>,
    pub(crate) counts: Counts,
}

/// What the rows done were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counts {
    pub(crate) departures: u64,
    pub(crate) cancelled: u64,
    pub(crate) no_aircraft: u64,
    pub(crate) alerts: u64,
}

impl Position {
    /// Before the first row.
    pub(crate) fn start(header_checksum: u32, rules_checksum: u32) -> Self {
        Self {
            format: FORMAT,
            rows: 0,
            rows_checksum: header_checksum,
            rules_checksum,
            alerts: Mark::default(),
            latest: None,
            counts: Counts::default(),
        }
    }

    /// The bytes to commit.
    pub(crate) fn encode(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// A few words for the progress bar.
    pub(crate) fn summary(&self) -> String {
        format!("{} rows, {} alerts", grouped(self.rows), grouped(self.counts.alerts))
    }

    /// The position in committed bytes.
    ///
    /// # Errors
    ///
    /// Says why the bytes are no position of this program.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let position: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if position.format == FORMAT {
            Ok(position)
        } else {
            Err(format!("its format is {}, expected {FORMAT}", position.format))
        }
    }
}
