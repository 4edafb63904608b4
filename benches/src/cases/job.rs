//! A whole job: the example `flights` against the same job with plain maps, `flights-by-hand`, as programs.

use super::family::Cases;
use crate::bench::{Bench, Size};
use crate::error::Error;
use crate::measure::Sample;
use crate::table::{Row, Target};
use krishiv_benches::cpu_of_children;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(super) const CASES: Cases = &[
    ("CPU of the job `flights`, a departure, in memory", |name, bench| run(name, bench, "memory")),
    ("CPU of the job `flights`, a departure, RocksDB", |name, bench| run(name, bench, "rocksdb")),
    ("CPU of the job `flights`, a departure, fjall", |name, bench| run(name, bench, "fjall")),
];

const TARGET: Target = Target::Time(2.5);

/// Departures of the year.
const DEPARTURES: usize = 327_346;

fn run(name: &str, bench: &Bench, backend: &str) -> Result<Vec<Row>, Error> {
    let (Some(ours), Some(by_hand)) = (program("flights")?, program("flights-by-hand")?) else {
        return Ok(vec![Row::without_figures(name, TARGET, "build the examples first, as `make bench` does")]);
    };
    if bench.size == Size::Tiny {
        return Ok(vec![Row::without_figures(name, TARGET, "a job is as large as it is")]);
    }
    let pairs = bench.compare(
        DEPARTURES,
        || in_a_child(bench, &ours, &["--backend".as_ref(), backend.as_ref(), "--state".as_ref(), "state".as_ref()]),
        || in_a_child(bench, &by_hand, &[]),
    )?;
    Ok(vec![Row::new(name, TARGET, pairs)])
}

/// An example that was built beside this program.
fn program(name: &str) -> Result<Option<PathBuf>, Error> {
    let own = env::current_exe().map_err(Error::io("finding this program's own folder"))?;
    let path = own.with_file_name(name).with_extension(env::consts::EXE_EXTENSION);
    Ok(path.exists().then_some(path))
}

/// Runs `program` in a folder of its own; the checksum is that of its two files.
fn in_a_child(bench: &Bench, program: &Path, args: &[&OsStr]) -> Result<Sample, Error> {
    let folder = bench.folder()?;
    let (alerts, idle) = (folder.path().join("alerts.jsonl"), folder.path().join("idle.jsonl"));
    let told = || cpu_of_children().map_err(Error::io("asking for the CPU time of an example"));
    let before = told()?;
    let mut command = Command::new(program);
    command.args(args).arg("--alerts").arg(&alerts).arg("--idle").arg(&idle).current_dir(folder.path());
    let output = command.stdout(Stdio::null()).stderr(Stdio::piped()).output();
    let output = output.map_err(Error::io("starting an example"))?;
    if !output.status.success() {
        return Err(Error::Child(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let time = told()?.saturating_sub(before);
    let mut checksum = DefaultHasher::new();
    for file in [alerts, idle] {
        fs::read(file).map_err(Error::io("reading what an example has written"))?.hash(&mut checksum);
    }
    Ok(Sample::of(time, checksum.finish()))
}
