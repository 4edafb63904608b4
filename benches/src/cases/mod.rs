//! The cases, one family a file, each with the peer that its user would have written by hand.

mod budget;
mod cliffs;
mod commit;
pub(crate) mod counter;
mod evolution;
mod family;
mod fjall;
mod flink;
mod footprint;
mod in_budget;
mod job;
mod lists;
mod maps;
mod memory;
mod mixes;
mod open;
mod over_budget;
mod pipeline;
mod reducing;
mod rows;
mod rows_written;
mod strings;
mod threads;
mod timers;
mod ttl;
mod undo;
mod weight;

use crate::args::Subject;
use crate::bench::Bench;
use crate::error::Error;
use crate::table::Row;
use family::Run;

/// A comparison, or some that share what they are made on.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    run: Run,
}

impl Case {
    /// Measures it.
    pub(crate) fn run(&self, bench: &Bench) -> Result<Vec<Row>, Error> {
        (self.run)(self.name, bench).map_err(|error| error.in_case(self.name))
    }

    /// Whether the name contains `wanted`.
    pub(crate) fn matches(&self, wanted: Option<&str>) -> bool {
        wanted.is_none_or(|wanted| self.name.to_lowercase().contains(&wanted.to_lowercase()))
    }
}

/// All cases, in the order of the table.
pub(crate) fn all() -> Vec<Case> {
    [
        memory::CASES,
        strings::CASES,
        in_budget::CASES,
        over_budget::CASES,
        rows::CASES,
        rows_written::CASES,
        lists::CASES,
        maps::CASES,
        reducing::CASES,
        ttl::CASES,
        commit::CASES,
        cliffs::CASES,
        open::CASES,
        footprint::CASES,
        threads::CASES,
        undo::CASES,
        budget::CASES,
        mixes::CASES,
        pipeline::CASES,
        job::CASES,
        flink::CASES,
        timers::CASES,
        fjall::CASES,
        evolution::CASES,
    ]
    .into_iter()
    .flatten()
    .map(|(name, run)| Case { name, run: *run })
    .collect()
}

/// What a child process does: builds `subject`, and returns the bytes that it took.
pub(crate) fn measure_memory(subject: Subject, bench: &Bench) -> Result<u64, Error> {
    match subject {
        Subject::Ours | Subject::Peer => footprint::measure(subject, bench),
        Subject::Budget => budget::measure(bench),
        mix => mixes::measure(mix, bench),
    }
}
