//! Writes, commits, failures and crashes in any order leave exactly the lines that were committed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

mod common;

use common::{Place, all};
use krishiv_pipeline::{FileMark, JsonLinesSink, JsonLinesSource, Sink};
use proptest::prelude::*;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

#[derive(Clone, Debug)]
enum Step {
    /// So many lines of so many bytes; a few large ones reach the file before a sync.
    Write(usize, usize),
    Sync,
    /// The mark of the last sync is committed.
    Commit,
    CutBack,
    /// The process dies, and its file system leaves this behind what it had written.
    Crash(Vec<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..20_usize, prop_oneof![0..100_usize, 20_000..50_000_usize]).prop_map(|(count, size)| Step::Write(count, size)),
        2 => Just(Step::Sync),
        3 => Just(Step::Commit),
        1 => Just(Step::CutBack),
        2 => proptest::collection::vec(any::<u8>(), 0..50).prop_map(Step::Crash),
    ];
    proptest::collection::vec(step, 1..30)
}

/// What a pipeline knows: the lines, and how many of them are safe by what.
struct Run {
    sink: JsonLinesSink<String>,
    lines: Vec<String>,
    synced: (FileMark, usize),
    /// Committed, and so what a crash goes back to.
    committed: (FileMark, usize),
}

impl Run {
    fn new(path: &Path) -> Self {
        let mut sink = JsonLinesSink::open(path).unwrap();
        sink.resume(None).unwrap();
        let start = (sink.sync().unwrap(), 0);
        Self { sink, lines: Vec::new(), synced: start, committed: start }
    }

    fn sync(&mut self) {
        self.synced = (self.sink.sync().unwrap(), self.lines.len());
    }

    /// Dropping writes nothing, so it is what a crash is.
    fn crash(self, path: &Path, garbage: &[u8]) -> Self {
        let Self { sink, mut lines, committed, .. } = self;
        drop(sink);
        OpenOptions::new().append(true).open(path).unwrap().write_all(garbage).unwrap();
        let mut sink = JsonLinesSink::open(path).unwrap();
        sink.resume(Some(committed.0)).unwrap();
        lines.truncate(committed.1);
        Self { sink, lines, synced: committed, committed }
    }
}

fn check(name: &str, steps: Vec<Step>) {
    let place = Place::new();
    let path = place.path(name);
    let mut run = Run::new(&path);
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Write(count, size) => {
                for line in 0..count {
                    // Hard to pack, so that a gzip file grows too.
                    let noise = (number * 31 + line) as u32;
                    let line = (0..size as u32)
                        .map(|at| char::from(33 + (crc32c::crc32c(&(at ^ noise << 16).to_le_bytes()) % 90) as u8));
                    let line: String = line.collect();
                    run.sink.write(line.clone()).unwrap();
                    run.lines.push(line);
                }
            }
            Step::Sync => run.sync(),
            Step::Commit => {
                run.sync();
                run.committed = run.synced;
            }
            Step::CutBack => {
                run.sink.cut_back(Some(run.committed.0)).unwrap();
                run.lines.truncate(run.committed.1);
                run.synced = run.committed;
            }
            // What looks like no line of the run's own would be refused where nothing is committed yet.
            Step::Crash(garbage) if run.committed.0.length > 0 => run = run.crash(&path, &garbage),
            Step::Crash(_) => run = run.crash(&path, b""),
        }
        assert_eq!(run.sink.records(), run.lines.len() as u64);
    }
    let run = run.crash(&path, b"");
    drop(run.sink);
    let lines = all(&mut JsonLinesSource::<String>::open(&path).unwrap());
    assert!(lines == run.lines, "{} lines, expected {}", lines.len(), run.lines.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exactly_the_committed_lines_stay(steps in steps()) {
        check("late.jsonl", steps);
    }

    #[test]
    fn exactly_the_committed_lines_stay_when_packed(steps in steps()) {
        check("late.jsonl.gz", steps);
    }
}
