//! `sessions` stopped and killed: run again to its end, its files are those of one run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

#[path = "common/sessions.rs"]
mod common;

use common::{Place, Run};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SMALL: &str = "--users 2000 --views 40000";
const KILLS: u64 = 8;

/// The files of one undisturbed run.
fn undisturbed() -> [String; 2] {
    let place = Place::new();
    let stdout = place.run(&format!("{SMALL} --backend memory")).ok();
    let outputs = place.outputs();
    let [sessions, late] = outputs.each_ref().map(|text| text.lines().count());
    assert!(stdout.contains(&format!("\n{sessions} more sessions are in ")), "{stdout}");
    assert!(stdout.contains(&format!(", {late} views that came too late in ")), "{stdout}");
    outputs
}

/// Waits until the run has written so much, or ended.
fn wait_for(place: &Place, child: &mut Child, length: u64) {
    let start = Instant::now();
    while place.written() < length && child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(60), "no progress: {} of {length} bytes", place.written());
        sleep(Duration::from_micros(200));
    }
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
    let want = undisturbed();
    let seed = RandomState::new().hash_one(0);
    println!("seed {seed}");
    let random = |kill: u64, end: u64| {
        let mut hasher = DefaultHasher::new();
        (seed, kill).hash(&mut hasher);
        hasher.finish() % end
    };

    let place = Place::new();
    let args = format!("{SMALL} --commit-every 500 --backend {backend}");
    for kill in 0..KILLS {
        let mut child = place.spawn(&args);
        // The rest comes at once when the views end.
        let step = want[0].len() as u64 / (KILLS + 3);
        wait_for(&place, &mut child, step * kill + random(kill, step));
        sleep(Duration::from_micros(random(kill, 8_000)));
        child.kill().unwrap();
        let run = Run::from(child.wait_with_output().unwrap());
        // A signal leaves no code; a run that had ended by itself, well or not, was not killed.
        assert_eq!(run.code, None, "{run:?}");
    }
    let stdout = place.run(&args).ok();
    assert!(!stdout.contains(", 0 of them done before"), "nothing was ever committed: {stdout}");
    assert!(place.outputs() == want, "the files differ from those of one run");
}

#[test]
fn stopped_it_commits_and_the_next_run_goes_on() {
    let want = undisturbed();
    let place = Place::new();
    let args = format!("{SMALL} --commit-every 500");
    for (part, signal) in [(4, "-INT"), (2, "-TERM")] {
        let mut child = place.spawn(&args);
        wait_for(&place, &mut child, want[0].len() as u64 / part);
        let kill = format!("kill {signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let stdout = Run::from(child.wait_with_output().unwrap()).ok();
        assert!(stdout.starts_with("stopped after "), "{stdout}");
        let whole_lines = place.outputs().map(|text| text.is_empty() || text.ends_with('\n'));
        assert_eq!(whole_lines, [true, true]);
        assert!(want[0].starts_with(&place.outputs()[0]));
    }
    place.run(&args).ok();
    assert!(place.outputs() == want, "the files differ from those of one run");

    let stdout = place.run(&args).ok();
    assert!(stdout.starts_with("finished before: all 40000 views are done"), "{stdout}");
    assert!(place.outputs() == want);
}

#[test]
fn other_views_than_those_of_the_state_are_refused() {
    let place = Place::new();
    place.run("--users 10 --views 100").ok();
    let before = place.outputs();
    for other in ["--users 11 --views 100", "--users 10 --views 101", "--users 10 --views 100 --seed 2"] {
        place
            .run(other)
            .fails_at_once("the state was made with --users 10 --views 100 --seed 1; give the same, or another folder");
    }
    place.run("--users 10 --views 100 --backend memory").fails_at_once("the file is not empty");
    assert_eq!(place.outputs(), before);
}
