//! The command line.

use clap::{Parser, ValueEnum};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Compares the library with hand-written code, case by case, and prints one table.
///
/// Ours and the peer run in turn in one process, their results are compared, and the ratio is the median of the
/// ratios of the pairs. How each figure is measured is in docs/performance.md.
#[derive(Debug, Parser)]
#[command(name = "krishiv-benches", version)]
pub(crate) struct Args {
    /// Few events and runs: all cases in some five minutes on two cores (the default)
    #[arg(long, conflicts_with = "full")]
    pub(crate) quick: bool,

    /// More events and runs
    #[arg(long)]
    pub(crate) full: bool,

    /// Only cases whose name contains this
    #[arg(long, value_name = "SUBSTRING")]
    pub(crate) case: Option<String>,

    /// Pairs of runs of every case [default: 5, or 9 with --full; fewer, but at least 3, where a run takes seconds]
    #[arg(long, value_name = "N")]
    pub(crate) runs: Option<NonZeroUsize>,

    /// Print the table as Markdown
    #[arg(long)]
    pub(crate) markdown: bool,

    /// Where the databases are made and removed again, on a real disk [default: beside this program]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// A few events of every case, to see that both sides compute the same
    #[arg(long, hide = true)]
    pub(crate) tiny: bool,

    /// Builds one side, prints the resident memory it took in bytes, and exits: what the program starts as a child
    #[arg(long, hide = true, value_name = "SIDE")]
    pub(crate) measure_memory: Option<Subject>,
}

/// What a child process measures the resident memory of.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Subject {
    /// Live keys in a store of the library.
    Ours,
    /// Live keys in the hand-written map.
    Peer,
    /// A store with rows of very different sizes and a memory budget.
    Budget,
    /// Stores of one kind of rows each, and a memory budget.
    Zeros,
    Empty,
    Absent,
    Texts,
    Tables,
    Tagged,
    Entries,
    LongKeys,
}
