//! Pipelines in processes of their own, which signals stop and kills end anywhere.

#![cfg(unix)]

use crate::world::{Fold, Rec, rec};
use krishiv_api::{Keyed, RocksDbStateBackend, WatermarkStrategy};
use krishiv_pipeline::{CsvSource, Input, IterSource, JsonLinesSink, MemorySink, Pipeline, Step, StopSignal, Summary};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

const ROWS: i64 = 30_000;

/// A folder with an input.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = "key,time,n\n".to_owned();
    for row in 0..ROWS {
        writeln!(csv, "{},{},{}", row % 97, row * 2 - (row % 5) * 3, row * 31 % 1_000).unwrap();
    }
    std::fs::write(folder.path().join("in.csv"), csv).unwrap();
    folder
}

/// Two operators from a CSV file to JSON lines, plain and packed; says so at every commit.
fn run(folder: &Path, stop: Option<StopSignal>) -> Summary {
    let path = |name: &str| folder.join(name);
    let step = |name: &str, keys| Step::new(Fold::new(keys)).store(Keyed::builder().operator(name));
    let input = Input::new(CsvSource::<Rec>::open(path("in.csv")).unwrap());
    let pipeline = Pipeline::new(Arc::new(RocksDbStateBackend::open(path("state")).unwrap()))
        .input(input.event_time(|rec| rec.time, WatermarkStrategy::bounded_out_of_orderness(7)))
        .step(step("first", 50).side("side", JsonLinesSink::open(path("first.jsonl.gz")).unwrap()))
        .step(step("second", 7).side("side", JsonLinesSink::open(path("second.jsonl")).unwrap()))
        .sink(JsonLinesSink::open(path("out.jsonl")).unwrap())
        .commit_every(500)
        .commit_after_ms(None)
        .drain_at_end()
        .on_commit(|summary| println!("\ncommit {}", summary.events));
    match stop {
        Some(stop) => pipeline.stop_on(stop).run(),
        None => pipeline.run(),
    }
    .unwrap()
}

/// All outputs; the packed one is read to its end.
fn outputs(folder: &Path) -> [Vec<u8>; 3] {
    ["first.jsonl.gz", "second.jsonl", "out.jsonl"].map(|name| std::fs::read(folder.join(name)).unwrap())
}

fn undisturbed() -> [Vec<u8>; 3] {
    let folder = folder();
    let summary = run(folder.path(), Some(StopSignal::manual()));
    assert_eq!(summary.events, ROWS as u64);
    outputs(folder.path())
}

/// This test binary again, with one of the tests below that are ignored.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(test: &str, folder: &Path) -> Self {
        let test = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &test, "--ignored", "--nocapture", "--test-threads=1"])
            .env("FOLDER", folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The rest of the next line that begins with `word`.
    fn says(&mut self, word: &str) -> Option<String> {
        loop {
            let line = self.lines.next()?.ok()?;
            if let Some(rest) = line.strip_prefix(word) {
                return Some(rest.trim().to_owned());
            }
        }
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    fn end(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A test that failed leaves no process behind; one that has ended is no error.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder_of_the_child() -> std::path::PathBuf {
    std::env::var_os("FOLDER").expect("only another test runs this one").into()
}

#[test]
#[ignore = "a process of the tests below"]
fn runs() {
    let summary = run(&folder_of_the_child(), None);
    println!("\ndone {} {}", summary.stopped, summary.events);
}

#[test]
fn what_is_killed_anywhere_and_run_again_leaves_what_one_run_does() {
    let expected = undisturbed();
    let folder = folder();
    let mut seed = 12_345_u64;
    let (mut kills, mut commits) = (0, Vec::new());
    loop {
        let mut process = Process::start("runs", folder.path());
        // Some die before the first commit, others a little after one.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for _ in 0..(seed >> 33) % 9 {
            let Some(events) = process.says("commit ") else { break };
            commits.push(events);
        }
        let steps = (seed >> 40) % 300_000;
        assert_eq!((0..steps).map(std::hint::black_box).count() as u64, steps);
        process.signal("-KILL");
        match process.end().signal() {
            Some(9) => kills += 1,
            _ => break,
        }
        assert!(kills < 200, "it gets nowhere");
        if kills == 15 {
            let mut process = Process::start("runs", folder.path());
            assert_eq!(process.says("done ").as_deref(), Some("false 30000"));
            assert!(process.end().success());
            break;
        }
    }
    assert!(kills >= 8, "{kills} kills, {commits:?}");
    let found = outputs(folder.path());
    assert_eq!(unpacked(&found[0]), unpacked(&expected[0]));
    assert!(found[1..] == expected[1..]);
    // Nothing is left to do.
    assert_eq!(run(folder.path(), Some(StopSignal::manual())).commits, 0);
}

/// The lines of a packed file: where its members end says where commits were.
fn unpacked(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("packed.jsonl.gz");
    std::fs::write(&path, bytes).unwrap();
    let mut source = krishiv_pipeline::JsonLinesSource::<Rec>::open(&path).unwrap();
    let mut text = String::new();
    while let Some(rec) = krishiv_pipeline::Source::next_item(&mut source).unwrap() {
        writeln!(text, "{rec:?}").unwrap();
    }
    assert!(text.len() > 10_000);
    text
}

#[test]
fn a_signal_commits_and_stops() {
    let expected = undisturbed();
    for signal in ["-TERM", "-INT"] {
        let folder = folder();
        let mut process = Process::start("runs", folder.path());
        for _ in 0..4 {
            process.says("commit ").unwrap();
        }
        process.signal(signal);
        let done = process.says("done true ").expect("it is told to stop, and does");
        assert!(process.end().success());
        let events: u64 = done.parse().unwrap();
        assert!((1_500..ROWS as u64).contains(&events), "{events}");
        // The files end where the commit is: nothing has to be cut off.
        let before = outputs(folder.path());
        let rest = run(folder.path(), Some(StopSignal::manual()));
        assert_eq!((rest.events_before, rest.events), (events, ROWS as u64));
        let found = outputs(folder.path());
        assert!(found.iter().zip(&before).all(|(found, before)| found.starts_with(before)));
        assert!(found[1..] == expected[1..]);
        assert_eq!(unpacked(&found[0]), unpacked(&expected[0]));
    }
}

#[test]
#[ignore = "a process of the test below"]
fn runs_one_and_then_another() {
    let small = IterSource::new([rec(1, 0, 1)]);
    let pipeline = Pipeline::new(Arc::new(krishiv_api::InMemoryStateBackend::new())).source(small);
    pipeline.step(Step::new(Fold::new(1))).sink(MemorySink::new()).run().unwrap();
    runs();
}

#[test]
fn a_signal_commits_and_stops_the_second_pipeline_of_a_process_too() {
    let folder = folder();
    let mut process = Process::start("runs_one_and_then_another", folder.path());
    for _ in 0..4 {
        process.says("commit ").unwrap();
    }
    process.signal("-TERM");
    assert!(process.says("done true ").is_some());
    assert!(process.end().success());
}
