//! Resident memory, which only a process of its own can tell apart from everybody else's.

use crate::args::Subject;
use crate::bench::{Bench, Size};
use crate::error::Error;
use clap::ValueEnum;
use std::fs;
use std::process::Command;

/// Why there is no figure elsewhere.
pub(crate) const NOT_MEASURED: &str = "not measured: this system does not tell it in /proc/self/status";

/// Resident memory of this process in bytes, now and at its highest; `None` where the system does not tell.
pub(crate) fn resident() -> Option<(u64, u64)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
    };
    Some((field("VmRSS:")?, field("VmHWM:")?))
}

/// Starts this program again to measure `subject`; returns bytes.
pub(crate) fn in_a_child(bench: &Bench, subject: Subject) -> Result<u64, Error> {
    let program = std::env::current_exe().map_err(Error::io("finding this program"))?;
    let name = subject.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let mut command = Command::new(program);
    command.arg("--measure-memory").arg(name).arg("--dir").arg(bench.dir());
    if bench.size == Size::Tiny {
        command.arg("--tiny");
    }
    let output = command.output().map_err(Error::io("starting this program once more"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    match printed.trim().parse() {
        Ok(bytes) if output.status.success() => Ok(bytes),
        _ => Err(Error::Child(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
    }
}
