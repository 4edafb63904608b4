//! The case of a user's own build: a program on our states, and the same by hand.

use crate::program::{hand, ours, types};
use crate::project::{Project, run};
use crate::{table, turns};
use comfy_table::Table;
use krishiv_benches::cpu_of_children;
use std::error::Error;
use std::fs;
use std::time::Duration;

/// Runs of each side, few since each takes up to a minute.
pub(crate) const RUNS: usize = 3;

const RELEASE_TARGET: f64 = 2.5;
const DEBUG_TARGET: f64 = 2.0;
const SIZE_TARGET: f64 = 2.5;

pub(crate) fn compare() -> Result<Table, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let create =
        |name, dependencies, source: String| Project::create(folder.path(), name, "main.rs", dependencies, source);
    let ours = create("ours", ours::DEPENDENCIES, ours::source())?;
    let hand = create("hand", hand::DEPENDENCIES, hand::source())?;
    let release = turns::medians(RUNS, [&ours, &hand], |project| cpu_time(project, "release"))?;
    let debug = turns::medians(RUNS, [&ours, &hand], |project| cpu_time(project, "dev"))?;

    let mut table = table::beside("by hand");
    let case = |what: &str| format!("{what}, {} states of {} types", types::STATES, types::TYPES);
    table.add_row(table::row(case("release build"), release.map(|time| time.as_secs_f64()), seconds, RELEASE_TARGET));
    table.add_row(table::row(case("debug build"), debug.map(|time| time.as_secs_f64()), seconds, DEBUG_TARGET));
    let sizes = [release_size(&ours)?, release_size(&hand)?];
    table.add_row(table::row(case("release binary"), sizes, bytes, SIZE_TARGET));
    Ok(table)
}

/// What building the crate takes of the CPUs: a build has more threads than there may be CPUs for.
fn cpu_time(project: &Project, profile: &str) -> Result<Duration, Box<dyn Error>> {
    let mut build = project.cargo(&["build", "--profile", profile]);
    build.env("CARGO_INCREMENTAL", "0");
    let before = cpu_of_children()?;
    run(build)?;
    Ok(cpu_of_children()?.saturating_sub(before))
}

/// Bytes of the binary as `cargo build --release` leaves it.
fn release_size(project: &Project) -> Result<f64, Box<dyn Error>> {
    Ok(fs::metadata(project.release_binary())?.len() as f64)
}

fn seconds(figure: f64) -> String {
    format!("{figure:.2} s")
}

fn bytes(figure: f64) -> String {
    format!("{figure:.0} bytes")
}
