//! The metrics of a store: their names, and how what was counted reaches the `metrics` facade.

use crate::scope::meter::Meter;
use metrics::{Key, Label, Level, Metadata, Unit, with_recorder};
use std::ops::Range;

const METADATA: &Metadata<'static> = &Metadata::new("krishiv_api", Level::INFO, Some("krishiv_api"));

/// A metric, and how it is read off a store; `docs/observability.md` has the same table for people.
struct Metric<F> {
    name: &'static str,
    unit: Unit,
    help: &'static str,
    of: F,
}

/// Grows; recorders get what was added.
type Counter = Metric<fn(&Work<'_>) -> u64>;
/// Goes up and down.
type Gauge = Metric<fn(&Size) -> usize>;
/// Has a value for every commit.
type Histogram = Metric<fn(&Written) -> f64>;

const COUNTERS: &[Counter] = &[
    Metric {
        name: "krishiv_events_total",
        unit: Unit::Count,
        help: "Events that ran, undone ones included",
        of: |work| work.events,
    },
    Metric {
        name: "krishiv_undone_total",
        unit: Unit::Count,
        help: "Events that failed or panicked and were undone",
        of: |work| work.meter.undone.get(),
    },
    Metric {
        name: "krishiv_row_hits_total",
        unit: Unit::Count,
        help: "Events less misses: events that found the row of their key in memory",
        // A batch that fails brings in rows for events that are never tried.
        of: |work| work.events.saturating_sub(work.meter.misses.get()),
    },
    Metric {
        name: "krishiv_row_misses_total",
        unit: Unit::Count,
        help: "Rows that were not in memory and came in for an event or a batch",
        of: |work| work.meter.misses.get(),
    },
    Metric {
        name: "krishiv_evictions_total",
        unit: Unit::Count,
        help: "Clean rows dropped from memory to keep within the budget",
        of: |work| work.evicted,
    },
    Metric {
        name: "krishiv_loads_total",
        unit: Unit::Count,
        help: "Reads of the backend: all plain values of a row, one map entry, a whole list or a whole map",
        of: |work| work.meter.loads.get(),
    },
    Metric {
        name: "krishiv_expired_total",
        unit: Unit::Count,
        help: "Values, list elements and map entries that were found expired",
        of: |work| work.meter.expired.get(),
    },
    Metric {
        name: "krishiv_catch_ups_total",
        unit: Unit::Count,
        help: "Times that changes of broadcast state were taken in",
        of: |work| work.meter.catch_ups.get(),
    },
    Metric {
        name: "krishiv_commit_failures_total",
        unit: Unit::Count,
        help: "Commits that returned an error",
        of: |work| work.meter.failed_commits.get(),
    },
    Metric {
        name: "krishiv_timers_fired_total",
        unit: Unit::Count,
        help: "Timers that fired and were not undone",
        of: |work| work.meter.fired.get(),
    },
    Metric {
        name: "krishiv_skipped_total",
        unit: Unit::Count,
        help: "Events, timers and broadcasts that failed and were skipped",
        of: |work| work.meter.skipped.get(),
    },
    Metric {
        name: "krishiv_dead_letters_total",
        unit: Unit::Count,
        help: "Events, timers and broadcasts that failed and became dead letters",
        of: |work| work.meter.dead_letters.get(),
    },
    Metric {
        name: "krishiv_late_total",
        unit: Unit::Count,
        help: "Late events that were dropped or went to an output of their own",
        of: |work| work.meter.late.get(),
    },
];

const GAUGES: &[Gauge] = &[
    Metric {
        name: "krishiv_memory_bytes",
        unit: Unit::Bytes,
        help: "Memory of all rows and timers, roughly, after the last commit",
        of: |size| size.memory,
    },
    Metric {
        name: "krishiv_dirty_bytes",
        unit: Unit::Bytes,
        help: "Memory of the rows and timers that the last commit had to write, roughly",
        of: |size| size.dirty,
    },
    Metric {
        name: "krishiv_live_rows",
        unit: Unit::Count,
        help: "Rows in memory after the last commit",
        of: |size| size.rows,
    },
];

const HISTOGRAMS: &[Histogram] = &[
    Metric {
        name: "krishiv_commit_seconds",
        unit: Unit::Seconds,
        help: "Time of a commit, from encoding the first row to making the last one clean",
        of: |commit| commit.seconds,
    },
    Metric {
        name: "krishiv_commit_bytes",
        unit: Unit::Bytes,
        help: "Keys and values of the rows that a commit wrote",
        of: |commit| commit.bytes as f64,
    },
    Metric {
        name: "krishiv_commit_rows",
        unit: Unit::Count,
        help: "Rows that a commit wrote",
        of: |commit| commit.rows as f64,
    },
];

/// A gauge that is known only when somebody has counted: that takes a look at every record.
const ENDED: &str = "krishiv_ended_records";

/// What a store has done since it was opened.
pub(super) struct Work<'a> {
    pub(super) events: u64,
    pub(super) meter: &'a Meter,
    /// Rows dropped from memory.
    pub(super) evicted: u64,
}

/// What a store holds in memory; nothing once it is dropped.
#[derive(Default)]
pub(super) struct Size {
    /// Of all rows, in bytes.
    pub(super) memory: usize,
    /// Of the rows that there was to write, in bytes.
    pub(super) dirty: usize,
    pub(super) rows: usize,
}

/// What a commit that succeeded did.
pub(super) struct Written {
    pub(super) seconds: f64,
    pub(super) bytes: usize,
    pub(super) rows: usize,
}

/// The metrics of one store, made once, so that a commit builds no label.
pub(super) struct Report {
    /// With what was handed over so far.
    counters: Vec<(Key, u64)>,
    gauges: Vec<Key>,
    histograms: Vec<Key>,
    ended: Key,
    has_counted: bool,
}

impl Report {
    /// The metrics of the `operator`'s instance of `range`, described to whatever recorder is there.
    pub(super) fn new(operator: &str, range: &Range<u16>) -> Self {
        with_recorder(|recorder| {
            for Metric { name, unit, help, .. } in COUNTERS {
                recorder.describe_counter((*name).into(), Some(*unit), (*help).into());
            }
            for Metric { name, unit, help, .. } in GAUGES {
                recorder.describe_gauge((*name).into(), Some(*unit), (*help).into());
            }
            let help =
                "Values, list records and map entries that had ended and were still stored when they were last counted";
            recorder.describe_gauge(ENDED.into(), Some(Unit::Count), help.into());
            for Metric { name, unit, help, .. } in HISTOGRAMS {
                recorder.describe_histogram((*name).into(), Some(*unit), (*help).into());
            }
        });
        let labels = [("operator", operator.to_owned()), ("key_groups", format!("{range:?}"))];
        let labels: Vec<Label> = labels.into_iter().map(|(name, value)| Label::new(name, value)).collect();
        let key = |name| Key::from_parts(name, labels.clone());
        Self {
            counters: COUNTERS.iter().map(|metric| (key(metric.name), 0)).collect(),
            gauges: GAUGES.iter().map(|metric| key(metric.name)).collect(),
            histograms: HISTOGRAMS.iter().map(|metric| key(metric.name)).collect(),
            ended: key(ENDED),
            has_counted: false,
        }
    }

    /// Hands over how much has ended and is still stored, now that it was counted.
    pub(super) fn ended(&mut self, ended: u64) {
        self.has_counted = true;
        with_recorder(|recorder| recorder.register_gauge(&self.ended, METADATA).set(ended as f64));
    }

    /// Takes back what was counted: it is no longer this store's.
    pub(super) fn forget_ended(&mut self) {
        if self.has_counted {
            self.ended(0);
        }
    }

    /// Hands over what has been done since the last time, what is in memory now, and a commit that succeeded.
    pub(super) fn hand_over(&mut self, work: &Work<'_>, size: &Size, commit: Option<&Written>) {
        with_recorder(|recorder| {
            for ((key, before), metric) in self.counters.iter_mut().zip(COUNTERS) {
                let now = (metric.of)(work).max(*before);
                recorder.register_counter(key, METADATA).increment(now - *before);
                *before = now;
            }
            for (key, metric) in self.gauges.iter().zip(GAUGES) {
                recorder.register_gauge(key, METADATA).set((metric.of)(size) as f64);
            }
            let Some(commit) = commit else { return };
            for (key, metric) in self.histograms.iter().zip(HISTOGRAMS) {
                recorder.register_histogram(key, METADATA).record((metric.of)(commit));
            }
        });
    }
}
