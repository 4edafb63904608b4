//! How fast the library is, side by side with what its user would have written by hand.
//!
//! `cases` holds one family of cases a file, each with its peer. `measure` runs the two sides in turn and compares
//! what they computed; `table` says whether the target is met.

mod args;
mod bench;
mod cases;
mod error;
mod input;
mod large;
mod measure;
mod raw;
mod resident;
mod table;

use args::Args;
use bench::Bench;
use clap::Parser;
use error::Error;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(report) => {
            // A reader that closes the pipe early wants no more.
            let _ = writeln!(std::io::stdout(), "{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<String, Error> {
    let bench = Bench::new(args)?;
    if let Some(subject) = args.measure_memory {
        return cases::measure_memory(subject, &bench).map(|bytes| bytes.to_string());
    }
    let chosen = cases::all().into_iter().filter(|case| case.matches(args.case.as_deref()));
    let chosen: Vec<_> = chosen.collect();
    if chosen.is_empty() {
        return Err(Error::NoCase { names: cases::all().iter().map(|case| case.name).collect() });
    }
    bench.bar.set_length(chosen.len() as u64);
    let mut rows = Vec::new();
    for case in chosen {
        bench.bar.set_message(case.name);
        rows.extend(case.run(&bench)?);
        bench.bar.inc(1);
    }
    bench.bar.finish_and_clear();
    Ok(table::render(&rows, args.markdown))
}
