//! The command line.

use crate::backend::Backend;
use clap::Parser;
use std::num::NonZeroU64;
use std::path::PathBuf;

/// Puts page views into sessions: a session of a user is over after a gap without views.
///
/// The views are made up, the same ones for the same arguments. Stopped or killed at any moment and started again,
/// the job goes on where it last committed, and its files end up as if it had never stopped.
#[derive(Debug, Parser)]
#[command(name = "sessions", version)]
pub(crate) struct Args {
    /// So many users
    #[arg(long, value_name = "N", default_value_t = 300_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) users: u32,

    /// So many page views
    #[arg(long, value_name = "N", default_value_t = 3_000_000)]
    pub(crate) views: u64,

    /// Another seed makes other views
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// A session is over after so many minutes without a view
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) gap_minutes: u32,

    /// The folder of sessions.jsonl, late.jsonl and the state
    #[arg(long, value_name = "DIR", default_value = "sessions")]
    pub(crate) folder: PathBuf,

    /// Where the state lives; a run in memory starts with an empty folder
    #[arg(long, value_enum, default_value_t)]
    pub(crate) backend: Backend,

    /// Memory that the state may take, roughly, in MiB
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub(crate) memory_budget: u32,

    /// Commit after so many views, and after each second
    #[arg(long, value_name = "N", default_value = "100000")]
    pub(crate) commit_every: NonZeroU64,
}
