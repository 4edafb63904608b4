//! The command line.

use clap::{Parser, ValueEnum};
use std::num::NonZeroU64;
use std::path::PathBuf;

/// Finds aircraft that leave late again and again, in a year of flights from New York.
///
/// The state of every aircraft is kept on disk. Stopped or killed at any moment and started again, the job
/// goes on where it last committed, and the alerts file ends up as if it had never stopped.
#[derive(Debug, Parser)]
#[command(name = "flights", version)]
pub(crate) struct Args {
    /// The flights, one a row
    #[arg(long, value_name = "F.csv[.gz]", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/nyc-flights-2013.csv.gz"))]
    pub(crate) input: PathBuf,

    /// How late is late: rows of `effective,carrier,minutes`
    #[arg(long, value_name = "F", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/rules.csv"))]
    pub(crate) rules: PathBuf,

    /// The folder of the state; not used with `--backend memory`
    #[arg(long, value_name = "DIR", default_value = "flights-state")]
    pub(crate) state: PathBuf,

    /// Where the state lives
    #[arg(long, value_enum, default_value_t = Backend::Rocksdb)]
    pub(crate) backend: Backend,

    /// The file of the alerts, one JSON object a line [default: alerts.jsonl in the folder of the state;
    /// with `--backend memory` flights-alerts.jsonl]
    #[arg(long, value_name = "FILE")]
    alerts: Option<PathBuf>,

    /// Commit after so many rows
    #[arg(long, value_name = "N", default_value = "10000")]
    pub(crate) commit_every: NonZeroU64,

    /// Delete the state and the alerts of earlier runs first
    #[arg(long)]
    pub(crate) fresh: bool,
}

/// Where the state lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// On disk: a run goes on where the last one committed
    Rocksdb,
    /// In memory: every run starts at the first row
    Memory,
}

impl Args {
    /// The alerts file, where none is named.
    pub(crate) fn alerts(&self) -> PathBuf {
        match (&self.alerts, self.backend) {
            (Some(file), _) => file.clone(),
            (None, Backend::Rocksdb) => self.state.join("alerts.jsonl"),
            (None, Backend::Memory) => PathBuf::from("flights-alerts.jsonl"),
        }
    }
}
