//! `fraud` on files of which every hundredth row is broken: all of it is put aside with its row, nothing else is, and twenty kills
//! change nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

#[path = "common/run.rs"]
mod run;

use krishiv_pipeline::Reject;
use run::Run;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const ROWS: usize = 200_000;
const KILLS: u64 = 20;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fraud"));
        command.args(args.split_whitespace()).current_dir(self.0.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &str) -> Run {
        self.command(args).output().unwrap().into()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join("fraud-state").join(name)).unwrap()
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    fn outputs(&self) -> [String; 2] {
        ["alerts.jsonl", "rejects.jsonl"].map(|name| self.text(name))
    }

    fn written(&self) -> u64 {
        let length =
            |name: &str| std::fs::metadata(self.0.path().join("fraud-state").join(name)).map_or(0, |about| about.len());
        length("rejects.jsonl")
    }
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect()
}

/// The reference of an alert or of a row of JSON.
fn reference(line: &str) -> String {
    serde_json::from_str::<serde_json::Value>(line).unwrap()["reference"].as_str().unwrap().to_owned()
}

#[test]
fn every_broken_row_is_put_aside_and_no_other() {
    let place = Place::new();
    let said = place.run("").ok();
    let [alerts, rejects] = place.outputs();
    let rejects: Vec<Reject> = rejects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rejects.len(), ROWS / 100);
    assert!(said.contains(&format!("{} rows that were broken in ", rejects.len())), "{said}");

    // Each is a row of its file, byte for byte, and the one that the generator has broken.
    let files = ["cards.jsonl", "transfers.csv"].map(|name| (name, place.bytes(name)));
    let mut seen = BTreeSet::new();
    for reject in &rejects {
        let name = reject.file.as_deref().unwrap().rsplit('/').next().unwrap();
        let (_, bytes) = files.iter().find(|(file, _)| *file == name).unwrap();
        let line = reject.line.unwrap() as usize;
        let raw = match &reject.raw_hex {
            Some(hex) => {
                (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
            }
            None => reject.raw.clone().unwrap().into_bytes(),
        };
        assert_eq!(lines(bytes)[line - 1], raw, "{reject:?}");
        let header = usize::from(name == "transfers.csv");
        assert_eq!((line - 1 - header) % 100, 50, "{reject:?}");
        assert!(!reject.reason.is_empty());
        assert!(seen.insert((name.to_owned(), line)), "{reject:?} twice");
    }
    let mut kinds = BTreeMap::<_, usize>::new();
    for reject in &rejects {
        // What is wrong, without what it is wrong with.
        let kind: String =
            reject.reason.chars().filter(|letter| letter.is_alphabetic() || *letter == ' ').take(24).collect();
        *kinds.entry((reject.at.clone(), kind)).or_default() += 1;
    }
    println!("{kinds:#?}");
    let of = |at: &str| kinds.iter().filter(|((place, _), _)| place == at).count();
    assert_eq!((of("input 0") >= 5, of("input 1") >= 5), (true, true));
    assert_eq!((of("operator card"), of("output sink")), (1, 1));
    assert!(rejects.iter().any(|reject| reject.at == "operator card" && reject.key.is_some()));

    // All else is as it is without them; what comes out of a payment whose alert cannot be written is the one thing that is missing.
    let clean = Place::new();
    clean.run("--clean").ok();
    let [all_alerts, none] = clean.outputs();
    assert_eq!(none, "");
    let unwritten: BTreeSet<_> = rejects
        .iter()
        .filter(|reject| reject.at == "output sink")
        .collect::<Vec<_>>()
        .iter()
        .map(|reject| {
            let raw = reject.raw.as_deref().unwrap();
            if raw.starts_with('{') { reference(raw) } else { raw.split(',').nth(3).unwrap().to_owned() }
        })
        .collect();
    assert!(unwritten.len() > 100, "{}", unwritten.len());
    let want: String = all_alerts
        .lines()
        .filter(|line| !unwritten.contains(&reference(line)))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(want.lines().count() > 300);
    assert!(alerts == want, "the alerts are not those of the good rows");
}

#[test]
fn the_readme_shows_this_program() {
    let readme = include_str!("../../README.md");
    let shown = readme.split("```rust,ignore\n").nth(1).unwrap().split("```").next().unwrap();
    let program = include_str!("../src/fraud/main.rs");
    let trimmed = |text: &str| text.lines().map(|line| line.trim().to_owned() + "\n").collect::<String>();
    assert!(trimmed(program).contains(&trimmed(shown)), "{shown}");
}

/// Kills the run, which had not ended.
fn kill(mut child: Child) {
    child.kill().unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, None, "{run:?}");
}

#[test]
fn killed_twenty_times_the_files_are_those_of_one_run_on_fjall() {
    killed_twenty_times_the_files_are_those_of_one_run("--backend fjall");
}

#[test]
fn killed_twenty_times_the_files_are_those_of_one_run_on_rocksdb() {
    killed_twenty_times_the_files_are_those_of_one_run("--backend rocksdb");
}

/// As often as the undisturbed run, so that the rows of the two files meet as they do there.
fn killed_twenty_times_the_files_are_those_of_one_run(args: &str) {
    let undisturbed = Place::new();
    undisturbed.run("").ok();
    let want = undisturbed.outputs();

    let place = Place::new();
    let mut seed = RandomState::new().hash_one(0) | 1;
    println!("seed {seed}");
    let mut below = |end: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % end
    };
    for count in 0..KILLS {
        let mut child = place.command(args).spawn().unwrap();
        let length = want[1].len() as u64 / (KILLS + 2) * count + below(want[1].len() as u64 / (KILLS + 2));
        let start = Instant::now();
        while place.written() < length && child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "no progress: {} of {length} bytes", place.written());
            sleep(Duration::from_micros(200));
        }
        sleep(Duration::from_micros(below(30_000)));
        kill(child);
    }
    place.run(args).ok();
    assert!(place.outputs() == want, "the files differ from those of one run");
    // There is nothing more to do.
    let broken = want[1].lines().filter(|line| line.starts_with("{\"at\":\"input")).count();
    assert!(place.run(args).ok().starts_with(&format!("{} payments, ", ROWS - broken)), "all are done");
    assert!(place.outputs() == want);
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let place = Place::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let run = Run::from(place.command("--rows 2000").stdout(full).output().unwrap());
    run.fails("cannot write the report: No space left on device");
}
