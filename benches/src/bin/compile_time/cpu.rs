//! What child processes took of the CPUs.

use rustix::param::clock_ticks_per_second;
use std::error::Error;
use std::fs;
use std::time::Duration;

/// Where `cutime` comes after the name of the program, which `cstime` follows: see proc_pid_stat(5).
const CHILDREN_USER: usize = 13;

/// User and system time of all children that ended so far, and of theirs.
pub(crate) fn of_children() -> Result<Duration, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat").map_err(|error| format!("/proc/self/stat: {error}"))?;
    // The name stands in parentheses, and may have spaces and parentheses of its own.
    let (_, fields) = stat.rsplit_once(')').ok_or("/proc/self/stat names no program")?;
    let times = fields.split_ascii_whitespace().skip(CHILDREN_USER).take(2);
    let ticks = times.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 1_000 / clock_ticks_per_second()))
}
