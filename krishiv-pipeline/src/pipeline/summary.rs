//! What a pipeline has done.

use std::collections::BTreeMap;

/// What a pipeline has done.
///
/// ```
/// let summary = krishiv_pipeline::Summary::default();
/// assert_eq!(summary.events, 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Events since the beginning, earlier runs included.
    pub events: u64,
    /// Those that earlier runs had committed.
    pub events_before: u64,
    /// Commits of this run.
    pub commits: u64,
    /// Items, events, timers, broadcasts and records of this run that came to nothing and were skipped.
    pub skipped: u64,
    /// Late events of this run that were dropped.
    pub dropped_late: u64,
    /// Items of this run that each output got, by its name: `sink`, and for the others operator and output, such as
    /// `visits/side/audit`, `visits/late` and `visits/dead-letters`; those of the whole pipeline are `dead-letters`.
    pub outputs: BTreeMap<String, u64>,
    /// Whether it was told to stop before the sources had ended.
    pub stopped: bool,
}
