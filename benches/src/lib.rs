//! What the programs of this package measure with.

use rustix::param::clock_ticks_per_second;
use std::fs;
use std::io;
use std::time::Duration;

/// Where `cutime` comes after the name of the program, which `cstime` follows: see proc_pid_stat(5).
const CHILDREN_USER: usize = 13;

/// User and system time of all child processes that ended so far, and of theirs.
///
/// ```
/// let before = krishiv_benches::cpu_of_children()?;
/// std::process::Command::new("true").status()?;
/// assert!(krishiv_benches::cpu_of_children()? >= before);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// Where the system does not tell it in `/proc/self/stat`, as only Linux does.
pub fn cpu_of_children() -> io::Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name stands in parentheses, and may have spaces and parentheses of its own.
    let (_, fields) = stat.rsplit_once(')').ok_or_else(|| io::Error::other("/proc/self/stat names no program"))?;
    let times = fields.split_ascii_whitespace().skip(CHILDREN_USER).take(2);
    let ticks: u64 = times.map(str::parse::<u64>).sum::<Result<_, _>>().map_err(io::Error::other)?;
    Ok(Duration::from_millis(ticks * 1_000 / clock_ticks_per_second()))
}
