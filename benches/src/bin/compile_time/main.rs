//! What the derive costs to compile: 50 structs of 10 fields, against serde's derives on plain structs of the same
//! inner types.
//!
//! Each is a crate of its own, checked the way a user would after a change: by `cargo check`, with the dependencies
//! built before. The time is that of the whole process. Run it on an idle machine:
//! `cargo run --release -p krishiv-benches --bin compile_time`.

mod project;
mod sources;

use comfy_table::Table;
use project::Project;
use std::error::Error;
use std::time::Duration;

/// Runs of each side, in turns, so that what slows the machine slows both.
const RUNS: usize = 21;

/// At most as slow as serde.
const TARGET: f64 = 1.0;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let ours = Project::create(folder.path(), "ours", sources::OUR_DEPENDENCIES, &sources::ours())?;
    let peer = Project::create(folder.path(), "peer", sources::PEER_DEPENDENCIES, &sources::peer())?;
    let (mut our_times, mut peer_times) = (Vec::new(), Vec::new());
    for project in [&ours, &peer] {
        project.check()?;
    }
    for _ in 0..RUNS {
        our_times.push(ours.check_again()?);
        peer_times.push(peer.check_again()?);
    }
    let (ours, peer) = (median(our_times), median(peer_times));
    let ratio = ours.as_secs_f64() / peer.as_secs_f64();

    let mut table = Table::new();
    table.set_header(["case", "ours", "serde", "ratio", "target", "met"]);
    table.add_row([
        format!("cargo check, {} structs of {} fields", sources::STRUCTS, sources::FIELDS),
        milliseconds(ours),
        milliseconds(peer),
        format!("{ratio:.2}"),
        format!("{TARGET:.2}"),
        (if ratio <= TARGET { "yes" } else { "no" }).to_owned(),
    ]);
    println!("{table}");
    println!("whole processes, medians of {RUNS} runs in turns");
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1_000.0)
}
