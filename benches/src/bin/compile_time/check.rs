//! The case of `cargo check`: a library of structs with our derive, and one with serde's.

use crate::project::{Project, run};
use crate::{sources, table, turns};
use comfy_table::Table;
use std::error::Error;
use std::time::{Duration, Instant};

/// Runs of each side.
pub(crate) const RUNS: usize = 21;

/// At most as slow as serde.
const TARGET: f64 = 1.0;

pub(crate) fn compare() -> Result<Table, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let create =
        |name, dependencies, source: String| Project::create(folder.path(), name, "lib.rs", dependencies, source);
    let ours = create("ours", sources::OUR_DEPENDENCIES, sources::ours())?;
    let peer = create("peer", sources::PEER_DEPENDENCIES, sources::peer())?;
    let times = turns::medians(RUNS, [&ours, &peer], time)?;

    let mut table = table::beside("serde");
    let case = format!("cargo check, {} structs of {} fields", sources::STRUCTS, sources::FIELDS);
    table.add_row(table::row(case, times.map(|time| time.as_secs_f64()), milliseconds, TARGET));
    Ok(table)
}

/// What checking the crate takes.
fn time(project: &Project) -> Result<Duration, Box<dyn Error>> {
    let check = project.cargo(&["check"]);
    let start = Instant::now();
    run(check)?;
    Ok(start.elapsed())
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.0} ms", seconds * 1_000.0)
}
