//! A year of departures from New York, aircraft by aircraft: who leaves late again and again, and who stays.
//!
//! `aircraft.rs` is what a user of the library writes: a struct of state handles, and an operator that says what an
//! event, a timer and a rule do to them. `job.rs` puts it into a pipeline. The rest is what any program has.

mod aircraft;
mod args;
#[path = "../backend.rs"]
mod backend;
mod departures;
mod error;
mod flight;
#[cfg(any(feature = "fjall", feature = "rocksdb"))]
mod folder;
mod job;
mod outputs;
mod report;
mod rules;
#[path = "../say.rs"]
mod say;

use args::Args;
use backend::Backend;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use job::Outcome;
use say::{fail, say};
use std::io::Write;
use std::process::ExitCode;

/// The exit code of a run that was told to stop: its output is good, but not that of the whole input.
const STOPPED: u8 = 130;

fn main() -> ExitCode {
    let args = Args::parse();
    let bar = progress_bar();
    let outcome = job::run(&args, &bar);
    bar.finish_and_clear();
    match outcome {
        Ok(Outcome::Finished(report)) => {
            let outputs = args.outputs();
            let (alerts, idle) = (outputs.alerts.path.display(), outputs.idle.path.display());
            say(&format!("{report}\nalerts are in {alerts},\nidle aircraft in {idle}"))
        }
        Ok(Outcome::Stopped(rows)) => {
            let next = match args.backend {
                Backend::Memory => "its state was in memory, so the next run starts over",
                #[cfg(any(feature = "fjall", feature = "rocksdb"))]
                _ => "run again to go on",
            };
            let _ = writeln!(std::io::stderr(), "stopped after row {}; {next}", report::grouped(rows));
            ExitCode::from(STOPPED)
        }
        Err(error) => fail(&error.to_string()),
    }
}

/// A bar over the bytes of the input, on a terminal only.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:12} {percent:>3}%  {msg}") {
        bar.set_style(style);
    }
    bar
}
