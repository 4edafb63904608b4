//! Payments of many cards, from files as they really are: every hundredth row is broken, each in another way.
//!
//! `card.rs` is what a user of the library writes. Below it is tied to its files, and what is broken is put aside; `dirty.rs` makes
//! the files.

#[path = "../backend.rs"]
mod backend;
mod card;
mod dirty;
mod payment;
#[path = "../say.rs"]
mod say;

use backend::Backend;
use card::Fraud;
use clap::Parser;
use dirty::Dirty;
#[cfg(feature = "fjall")]
use krishiv_api::FjallStateBackend;
#[cfg(feature = "rocksdb")]
use krishiv_api::RocksDbStateBackend;
use krishiv_api::{InMemoryStateBackend, StateBackend, WatermarkStrategy};
use krishiv_pipeline::{BoxError, CsvSource, Input, JsonLinesSink, JsonLinesSource, Pipeline, Summary};
use payment::Payment;
use say::{fail, say};
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

/// Finds cards that spend too much within an hour, and puts every broken row aside.
#[derive(Debug, Parser)]
#[command(name = "fraud")]
struct Args {
    /// Where files, state and outputs are.
    #[arg(long, default_value = "fraud-state")]
    folder: PathBuf,

    /// Rows of both files together, when they are made.
    #[arg(long, default_value_t = 200_000)]
    rows: u64,

    /// Makes files without what is broken.
    #[arg(long)]
    clean: bool,

    /// Where the state lives; a run in memory starts with an empty folder.
    #[arg(long, value_enum, default_value_t)]
    backend: Backend,

    /// Commits after so many rows.
    #[arg(long, default_value = "10000")]
    commit_every: NonZeroU64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match open_and_run(&args) {
        Ok(summary) => say(&report(&args, &summary)),
        Err(error) => fail(&error.to_string()),
    }
}

fn open_and_run(args: &Args) -> Result<Summary, BoxError> {
    Dirty { rows: args.rows, clean: args.clean }.make(&args.folder)?;
    match args.backend {
        #[cfg(feature = "fjall")]
        Backend::Fjall => run(FjallStateBackend::open(args.folder.join("state"))?, args),
        #[cfg(feature = "rocksdb")]
        Backend::Rocksdb => run(RocksDbStateBackend::open(args.folder.join("state"))?, args),
        Backend::Memory => run(InMemoryStateBackend::new(), args),
    }
}

fn run(backend: impl StateBackend, args: &Args) -> Result<Summary, BoxError> {
    let at = |name: &str| args.folder.join(name);

    // Times are of the past, so they are measured against each other, not against the clock.
    let strategy = WatermarkStrategy::bounded_out_of_orderness(MINUTE).at_most_ahead_of_events(DAY);
    let cards = JsonLinesSource::<Payment>::open(at("cards.jsonl"))?;
    let transfers = CsvSource::<Payment>::open(at("transfers.csv"))?;
    let summary = Pipeline::new(Arc::new(backend))
        .input(Input::new(cards).try_event_time(Payment::millis, strategy))
        .input(Input::new(transfers).try_event_time(Payment::millis, strategy))
        .operator(Fraud)
        .sink(JsonLinesSink::open(at("alerts.jsonl"))?)
        .dead_letters_to(JsonLinesSink::open(at("rejects.jsonl"))?)
        .commit_every(args.commit_every.get())
        // After so many rows and at no other time, so that rows of the two files meet in the same order in every run.
        .commit_after_ms(None)
        .run()?;
    Ok(summary)
}

fn report(args: &Args, summary: &Summary) -> String {
    let folder = args.folder.display();
    let items = |output: &str| summary.outputs.get(output).copied().unwrap_or_default();
    if summary.stopped {
        return format!("stopped after {} payments; the same command goes on from there", summary.events);
    }
    format!(
        "{} payments, {} of them done before\n\
         {} more alerts are in {folder}/alerts.jsonl,\n\
         {} rows that were broken in {folder}/rejects.jsonl",
        summary.events,
        summary.events_before,
        items("sink"),
        items("dead-letters"),
    )
}
