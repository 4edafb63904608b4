//! Runs `sessions` in a folder of its own.

#![allow(dead_code, reason = "each test file uses its own part")]

mod run;

pub use run::Run;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A folder to run the job in.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("sessions").join(name)
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sessions"));
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

    /// The sessions, and the views that came too late.
    pub fn outputs(&self) -> [String; 2] {
        ["sessions.jsonl", "late.jsonl"].map(|name| fs::read_to_string(self.path(name)).unwrap())
    }

    /// How much of the sessions is written, committed or not.
    pub fn written(&self) -> u64 {
        fs::metadata(self.path("sessions.jsonl")).map_or(0, |file| file.len())
    }
}

impl Run {
    /// Checks that the run stopped before it had said anything else.
    #[track_caller]
    pub fn fails_at_once(self, reason: &str) {
        assert!(self.stderr.starts_with("error: "), "{}", self.stderr);
        self.fails(reason);
    }
}
