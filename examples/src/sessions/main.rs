//! Page views of many users, put into sessions.
//!
//! `session.rs` is what a user of the library writes: the state of a key, and what a view and a timer do to it.
//! Below it is tied to a source and to two files.

mod args;
#[path = "../backend.rs"]
mod backend;
mod generator;
#[path = "../say.rs"]
mod say;
mod session;
mod view;

use args::Args;
use backend::Backend;
use clap::Parser;
use generator::{DISORDER_MS, Generator, Stream};
use indicatif::{ProgressBar, ProgressStyle};
#[cfg(feature = "fjall")]
use krishiv_api::FjallStateBackend;
#[cfg(feature = "rocksdb")]
use krishiv_api::RocksDbStateBackend;
use krishiv_api::{InMemoryStateBackend, Keyed, StateBackend, WatermarkStrategy};
use krishiv_pipeline::{BoxError, Input, JsonLinesSink, Pipeline, Step, Summary};
use say::{fail, say};
use session::{LATE, SessionWindows};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

fn main() -> ExitCode {
    let args = Args::parse();
    let start = Instant::now();
    match open_and_run(&args) {
        Ok(summary) => {
            let rate = (summary.events - summary.events_before) as f64 / start.elapsed().as_secs_f64();
            say(&report(&args, &summary, rate))
        }
        Err(error) => fail(&error.to_string()),
    }
}

fn open_and_run(args: &Args) -> Result<Summary, BoxError> {
    std::fs::create_dir_all(&args.folder).map_err(|error| {
        format!("{}: cannot make the folder: {error}; name another with --folder", args.folder.display())
    })?;
    match args.backend {
        #[cfg(feature = "fjall")]
        Backend::Fjall => run(FjallStateBackend::open(args.folder.join("state"))?, args),
        #[cfg(feature = "rocksdb")]
        Backend::Rocksdb => run(RocksDbStateBackend::open(args.folder.join("state"))?, args),
        Backend::Memory => run(InMemoryStateBackend::new(), args),
    }
}

fn run(backend: impl StateBackend, args: &Args) -> Result<Summary, BoxError> {
    let Args { users, views, seed, .. } = *args;
    let views = Input::new(Generator::new(Stream { users, views, seed }))
        .event_time(|view| view.time, WatermarkStrategy::bounded_out_of_orderness(DISORDER_MS));
    let windows = Step::new(SessionWindows { gap_ms: i64::from(args.gap_minutes) * 60_000 })
        .store(Keyed::builder().memory_budget((args.memory_budget as usize) << 20))
        .side(LATE, JsonLinesSink::open(args.folder.join("late.jsonl"))?);
    let progress = progress_bar(args.views);

    let summary = Pipeline::new(Arc::new(backend))
        .input(views)
        .step(windows)
        .sink(JsonLinesSink::open(args.folder.join("sessions.jsonl"))?)
        .commit_every(args.commit_every.get())
        .on_commit(move |summary| progress.set_position(summary.events))
        .drain_at_end()
        .run()?;
    Ok(summary)
}

fn report(args: &Args, summary: &Summary, rate: f64) -> String {
    let Summary { events, events_before, stopped, ref outputs, .. } = *summary;
    let items = |output: &str| outputs.get(output).copied().unwrap_or_default();
    let folder = args.folder.display();
    if stopped {
        format!("stopped after {events} of {} views; the same command goes on from there", args.views)
    } else if events == events_before {
        format!("finished before: all {events} views are done; the sessions are in {folder}/sessions.jsonl")
    } else {
        format!(
            "{events} views, {events_before} of them done before; {rate:.0} views a second\n\
             {} more sessions are in {folder}/sessions.jsonl, {} views that came too late in {folder}/late.jsonl",
            items("sink"),
            items("user/side/late"),
        )
    }
}

/// A bar over the views, on a terminal only.
fn progress_bar(views: u64) -> ProgressBar {
    let bar = ProgressBar::new(views);
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent:>3}%  {human_pos} views") {
        bar.set_style(style);
    }
    bar
}
