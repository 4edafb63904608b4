//! The program as its user starts it: every case runs, both sides agree, and nothing is left behind.

#![allow(clippy::expect_used)]

use std::path::Path;
use std::process::{Command, Output};

fn run(dir: &Path, args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_krishiv-benches");
    Command::new(program).arg("--dir").arg(dir).args(args).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_case_runs_and_both_sides_agree() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["--tiny", "--markdown"]);
    // A case whose sides computed something else ends the program with an error.
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    for case in [
        "2 gets + 2 sets, 10k keys",
        "2 gets + 2 sets, 1M keys |",
        "2 gets + 2 sets, 1M keys, batches of 256",
        "2 gets + 2 sets, 10M keys, batches of 256",
        "100-byte struct updated in place",
        "in budget, 100k keys, commit every 1M events",
        "1M keys, commit every 100k events",
        "batches of 256, uniform",
        "batches of 256, Zipf 1.0",
        "10k lists growing to 100",
        "100 lists growing to 10k",
        "list get of 100, cold",
        "map of 10 entries: put, warm",
        "map of 1,000 entries: iterate, cold",
        "ReducingState::merge",
        "TTL on against off, processing time |",
        "TTL on against off, processing time, batches of 256",
        "TTL on against off, event time",
        "commit of 1,000 changed rows among 1M live against 10k live",
        "open of a store with 5M keys",
        "memory per live key",
        "two stores on two threads",
        "events that fail and are undone",
        "a list of 1M among 1M keys",
        "values of an older type",
        "fjall beside RocksDB: 500k new rows",
        "fjall beside RocksDB: cold `get`",
        "fjall beside RocksDB: cold look-up",
    ] {
        let squeezed = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        assert_eq!(squeezed.filter(|line| line.contains(case)).count(), 1, "`{case}` in\n{table}");
    }
    assert!(!table.contains("NaN") && !table.contains("inf"), "{table}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "databases are removed");
}

#[test]
fn an_unknown_case_is_an_error_that_names_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["--tiny", "--case", "teleportation"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("list get of 100, cold"), "{}", text(&output.stderr));
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(&dir.path().join("missing"), &["--tiny", "--case", "list get"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("--dir"), "{}", text(&output.stderr));
}
