//! Runs the job in a folder of its own.

#![allow(dead_code, reason = "each test file uses its own part")]

mod run;

pub use run::Run;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub const YEAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/nyc-flights-2013.csv.gz");

/// The columns that the job needs, in an order of their own.
pub const HEADER: &str = "year,month,day,sched_dep_time,dep_delay,carrier,tailnum,dest\n";

/// A folder to run the job in.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flights"));
        command.args(args.split_whitespace()).current_dir(self.0.path());
        command
    }

    /// Runs the job; `args` are parted by spaces.
    pub fn run(&self, args: &str) -> Run {
        self.command(args).output().unwrap().into()
    }

    /// Starts the job and comes back at once.
    pub fn spawn(&self, args: &str) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The alerts of the default place.
    pub fn alerts(&self) -> String {
        fs::read_to_string(self.path("flights-state/alerts.jsonl")).unwrap()
    }

    /// The idle aircraft of the default place.
    pub fn idle(&self) -> String {
        fs::read_to_string(self.path("flights-state/idle.jsonl")).unwrap()
    }

    /// Every file below the folder, by name and content.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut files, mut folders) = (Vec::new(), vec![self.0.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    files.push((path.clone(), Vec::new()));
                    folders.push(path);
                } else {
                    let content = fs::read(&path).unwrap();
                    files.push((path, content));
                }
            }
        }
        files.sort();
        files
    }
}

/// The table without the one line that depends on the machine.
pub fn table(stdout: &str) -> String {
    let lines = stdout.lines().filter(|line| line.starts_with(['│', '┌', '└', '╞']));
    lines.filter(|line| !line.contains("events per second")).collect::<Vec<_>>().join("\n")
}

/// The number that the table shows for `name`.
pub fn cell(stdout: &str, name: &str) -> u64 {
    let line = stdout.lines().find(|line| line.trim_start_matches(['│', ' ']).starts_with(name)).unwrap();
    let number = line.rsplit('┆').next().unwrap();
    number.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub fn gunzip(path: impl AsRef<Path>) -> String {
    std::io::read_to_string(flate2::read::MultiGzDecoder::new(fs::File::open(path).unwrap())).unwrap()
}
