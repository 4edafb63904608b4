//! What the programs say when they are done.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// Writes the report, which somebody waits for.
pub(crate) fn say(report: &str) -> ExitCode {
    match writeln!(std::io::stdout(), "{report}") {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that closes the pipe early wants no more; the work is done.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail(&format!("cannot write the report: {error}; the work is done")),
    }
}

/// Says why there is no report.
pub(crate) fn fail(reason: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {reason}");
    ExitCode::FAILURE
}
