//! A year of departures from New York, aircraft by aircraft: who leaves late again and again.
//!
//! `aircraft.rs` is what a user of the library writes: a struct of state handles, and what one event does to
//! them. The rest is what any job has: an input, an output, and commits that tie the two to the state.

mod aircraft;
mod alerts;
mod args;
mod error;
mod flight;
mod folder;
mod input;
mod job;
mod position;
mod report;
mod rules;

use args::Args;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    let bar = progress_bar();
    let outcome = job::run(&args, &bar);
    bar.finish_and_clear();
    match outcome {
        Ok(report) => {
            // A reader that closes the pipe early wants no more; the work is done either way.
            let _ = writeln!(std::io::stdout(), "{report}\nalerts are in {}", args.alerts().display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A bar over the bytes of the input, on a terminal only.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3}%  {msg}") {
        bar.set_style(style);
    }
    bar
}
