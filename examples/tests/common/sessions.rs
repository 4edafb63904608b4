//! Runs `sessions` in a folder of its own.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A folder to run the job in.
pub struct Place(TempDir);

/// What a run left on its terminal.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

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

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Run {
    /// The output of a run that went well.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    /// Checks that the run stopped with exit code 1 and one error that holds `reason`.
    #[track_caller]
    pub fn fails(self, reason: &str) {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert!(self.stderr.starts_with("error: "), "{}", self.stderr);
        assert!(self.stderr.contains(reason), "{}", self.stderr);
        assert_eq!(self.stdout, "");
    }
}
