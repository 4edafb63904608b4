//! The command line.

use crate::backend::Backend;
use crate::outputs::{Output, Outputs};
use clap::Parser;
use std::num::NonZeroU64;
use std::path::PathBuf;

/// Finds aircraft that leave late again and again, and those that do not leave for 14 days, in a year of flights
/// from New York.
///
/// The state of every aircraft is kept on disk. Stopped or killed at any moment and started again, the job
/// goes on where it last committed, and its two files end up as if it had never stopped.
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
    #[arg(long, value_enum, default_value_t)]
    pub(crate) backend: Backend,

    /// The file of the alerts, one JSON object a line [default: alerts.jsonl in the folder of the state;
    /// with `--backend memory` flights-alerts.jsonl]
    #[arg(long, value_name = "FILE")]
    alerts: Option<PathBuf>,

    /// The file of the aircraft that did not leave for 14 days, one JSON object a line [default: idle.jsonl in the
    /// folder of the state; with `--backend memory` flights-idle.jsonl]
    #[arg(long, value_name = "FILE")]
    idle: Option<PathBuf>,

    /// Commit after so many rows
    #[arg(long, value_name = "N", default_value = "10000")]
    pub(crate) commit_every: NonZeroU64,

    /// Delete the state, the alerts and the idle aircraft of earlier runs first
    #[arg(long)]
    pub(crate) fresh: bool,
}

impl Args {
    /// The files that the job writes.
    pub(crate) fn outputs(&self) -> Outputs {
        let place = |named: &Option<PathBuf>, name: &str| match (named, self.backend) {
            (Some(file), _) => file.clone(),
            (None, Backend::Memory) => PathBuf::from(format!("flights-{name}")),
            (None, _) => self.state.join(name),
        };
        Outputs {
            alerts: Output {
                path: place(&self.alerts, "alerts.jsonl"),
                holds: "alerts",
                field: "streak",
                option: "--alerts",
            },
            idle: Output {
                path: place(&self.idle, "idle.jsonl"),
                holds: "idle aircraft",
                field: "idle_since",
                option: "--idle",
            },
        }
    }
}
