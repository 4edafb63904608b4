//! The source: every row of the input counts, and those of a departure go to the operator.

use crate::flight::{Columns, Departure, Row as Flight};
use crate::report::grouped;
use csv::StringRecord;
use indicatif::ProgressBar;
use krishiv_pipeline::{BoxError, CsvSource, FileError, Polled, Progress, Row, RowPosition, Source};
use serde::{Deserialize, Serialize};
use std::cell::{Cell, OnceCell};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The departures among the rows of a file.
pub(crate) struct Departures {
    rows: CsvSource<Flight>,
    seen: Rc<Seen>,
    /// The row after which an earlier run had committed, until that is said on the bar.
    resumed: Option<u64>,
    bar: ProgressBar,
}

/// What a commit stores of the source.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    rows: RowPosition,
    counts: Counts,
}

/// What the rows done were, earlier runs included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counts {
    pub(crate) departures: u64,
    pub(crate) cancelled: u64,
    pub(crate) no_aircraft: u64,
}

impl Counts {
    /// All rows.
    pub(crate) fn rows(&self) -> u64 {
        self.departures + self.cancelled + self.no_aircraft
    }
}

/// How far the source has come, for those who do not own it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) counts: Cell<Counts>,
    /// When this run came to its first row.
    pub(crate) began: OnceCell<Instant>,
}

impl Departures {
    /// Opens the file and reads its header; says on `bar` after which row it goes on.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or lacks a column.
    pub(crate) fn open(path: &Path, bar: &ProgressBar) -> Result<Self, FileError> {
        let rows = CsvSource::open_with(path, |header| {
            let columns = Columns::find(header)?;
            Ok(move |record: &StringRecord| Flight::parse(record, &columns))
        })?;
        bar.set_length(rows.bytes_total());
        Ok(Self { rows, seen: Rc::default(), resumed: None, bar: bar.clone() })
    }

    /// Follows the source while the pipeline owns it.
    pub(crate) fn seen(&self) -> Rc<Seen> {
        Rc::clone(&self.seen)
    }

    /// Follows the bytes read.
    pub(crate) fn progress(&self) -> Progress {
        self.rows.progress()
    }
}

impl Source for Departures {
    type Item = Departure;
    type Position = Position;

    fn poll(&mut self, wait: Duration) -> Result<Polled<Departure>, BoxError> {
        self.seen.began.get_or_init(Instant::now);
        // Only now: by the first poll nothing has refused to go on.
        if let Some(rows) = self.resumed.take() {
            self.bar.suspend(|| eprintln!("going on after row {}", grouped(rows)));
        }
        let mut counts = self.seen.counts.get();
        let polled = self.rows.poll(wait)?.and_then(|row| match row {
            Flight::Departure(departure) => {
                counts.departures += 1;
                Polled::Item(departure)
            }
            Flight::Cancelled => {
                counts.cancelled += 1;
                Polled::Skipped
            }
            Flight::NoAircraft => {
                counts.no_aircraft += 1;
                Polled::Skipped
            }
        });
        self.seen.counts.set(counts);
        Ok(polled)
    }

    fn row(&self) -> Option<Row<'_>> {
        self.rows.row()
    }

    fn position(&self) -> Position {
        Position { rows: self.rows.position(), counts: self.seen.counts.get() }
    }

    fn seek(&mut self, Position { rows, counts }: Position) -> Result<(), BoxError> {
        self.rows.seek(rows)?;
        self.seen.counts.set(counts);
        self.resumed = Some(counts.rows());
        Ok(())
    }
}
