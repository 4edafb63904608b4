//! The command line.

use crate::backend::Backend;
use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// One program in three versions, whose types have changed: run one after the other on the same folder.
///
/// Each says what becomes of the stored state before it opens it, shows what it reads, and takes two more orders.
#[derive(Debug, Parser)]
#[command(name = "evolution", version)]
pub(crate) struct Args {
    /// Which version of the program runs
    #[arg(value_enum)]
    pub(crate) program: Program,

    /// The folder of the state; not used with `--backend memory`
    #[arg(long, value_name = "DIR", default_value = "evolution-state")]
    pub(crate) state: PathBuf,

    /// Where the state lives; in memory there is nothing to go on from
    #[arg(long, value_enum, default_value_t)]
    pub(crate) backend: Backend,
}

/// A version of the program.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Program {
    /// Customers by the text of their number
    V1,
    /// A field was added, a state renamed, and a number is wider
    V2,
    /// A field was renamed, a state has another type, and customers have another key
    V3,
}
