//! The job killed with SIGKILL at random moments: run again to its end, its files are those of one run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

mod common;

use common::{Place, Run, table};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// One in four comes while the job starts, the others when it has done a bit more of the year.
const KILLS: u64 = 28;

/// Random numbers; the seed is in the output of a failed test.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = RandomState::new().hash_one(0) | 1;
        println!("seed {seed}");
        Self(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Kills the run, and tells the row after which it had gone on, if it came to say so.
fn kill(mut child: Child) -> Option<u64> {
    child.kill().unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    // A signal leaves no code; a run that had ended by itself, well or not, was not killed.
    assert_eq!(run.code, None, "{run:?}");
    let after = run.stderr.strip_prefix("going on after row ")?.strip_suffix('\n')?;
    Some(after.replace(',', "").parse().unwrap())
}

fn alerts_length(place: &Place) -> u64 {
    std::fs::metadata(place.path("flights-state/alerts.jsonl")).map_or(0, |file| file.len())
}

#[test]
fn killed_and_run_again_the_files_are_those_of_one_run_on_fjall() {
    killed_and_run_again_the_files_are_those_of_one_run("fjall");
}

#[test]
fn killed_and_run_again_the_files_are_those_of_one_run_on_rocksdb() {
    killed_and_run_again_the_files_are_those_of_one_run("rocksdb");
}

fn killed_and_run_again_the_files_are_those_of_one_run(backend: &str) {
    let undisturbed = Place::new();
    let want_table = table(&undisturbed.run("").ok());
    let want = undisturbed.alerts();
    let want_idle = undisturbed.idle();

    let (place, mut random) = (Place::new(), Random::new());
    let args = &format!("--commit-every 1000 --backend {backend}");
    let mut rows = Vec::new();
    for count in 0..KILLS {
        let mut child = place.spawn(args);
        if count % 4 == 0 {
            sleep(Duration::from_micros(random.below(60_000)));
        } else {
            let step = want.len() as u64 / (KILLS + 2);
            let length = step * count + random.below(step);
            let start = Instant::now();
            while alerts_length(&place) < length && child.try_wait().unwrap().is_none() {
                assert!(
                    start.elapsed() < Duration::from_secs(60),
                    "no progress: {} of {length} bytes",
                    alerts_length(&place)
                );
                sleep(Duration::from_micros(200));
            }
            // Between no time and that of a few commits.
            sleep(Duration::from_micros(random.below(8_000)));
        }
        rows.extend(kill(child));
    }
    println!("{KILLS} kills, of runs that had gone on after rows {rows:?}");
    assert!(rows.is_sorted(), "a commit was lost: {rows:?}");
    let stages = BTreeSet::from_iter(&rows).len();
    assert!(stages >= 12, "too few kills came after a new commit: {rows:?}");

    let stdout = place.run(args).ok();
    assert!(place.alerts() == want, "the alerts differ from those of one run");
    assert!(place.idle() == want_idle, "the idle aircraft differ from those of one run");
    assert_eq!(table(&stdout), want_table);
}

#[test]
fn a_start_over_that_is_killed_goes_on_or_starts_over() {
    let (place, mut random) = (Place::new(), Random::new());
    place.run("").ok();
    let (want, want_idle) = (place.alerts(), place.idle());
    for _ in 0..6 {
        let child = place.spawn("--fresh");
        sleep(Duration::from_micros(random.below(60_000)));
        kill(child);
        place.run("").ok();
        assert!(place.alerts() == want, "the alerts differ from those of one run");
        assert!(place.idle() == want_idle, "the idle aircraft differ from those of one run");
    }
}

#[test]
#[cfg(unix)]
fn told_to_stop_it_commits_and_the_next_run_goes_on() {
    let undisturbed = Place::new();
    let want_table = table(&undisturbed.run("").ok());

    let place = Place::new();
    for signal in ["-INT", "-TERM"] {
        let before = alerts_length(&place);
        let mut child = place.spawn("--commit-every 1000");
        while alerts_length(&place) <= before {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            sleep(Duration::from_micros(200));
        }
        assert!(std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!((run.code, run.stdout.as_str()), (Some(130), ""), "{run:?}");

        let stopped = run.stderr.lines().last().unwrap();
        let row = stopped.strip_prefix("stopped after row ").unwrap().strip_suffix("; run again to go on").unwrap();
        // Nothing that it had done is done again.
        let next = place.spawn("--commit-every 1000");
        let going_on = kill_once_it_goes_on(next);
        assert_eq!(going_on, format!("going on after row {row}"));
    }
    assert_eq!(table(&place.run("").ok()), want_table);
    assert!(place.alerts() == undisturbed.alerts() && place.idle() == undisturbed.idle());
}

/// Kills the run when it has said after which row it goes on.
#[cfg(unix)]
fn kill_once_it_goes_on(mut child: Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    line.trim_end().to_owned()
}
