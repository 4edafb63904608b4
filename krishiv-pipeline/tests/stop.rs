//! The first signal asks to stop; the next ends the process, as does any when nobody would listen.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

use krishiv_pipeline::StopSignal;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::raise;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

/// Says to a process of this test what it is to do.
const CASE: &str = "KRISHIV_STOP_TEST";

const NAME: &str = "a_signal_ends_the_process_only_when_it_is_the_second_or_nobody_listens";

#[test]
fn a_signal_ends_the_process_only_when_it_is_the_second_or_nobody_listens() {
    for (name, signal) in [("int", SIGINT), ("term", SIGTERM)] {
        match std::env::var(CASE) {
            Ok(case) => case.strip_suffix(name).into_iter().for_each(|case| act(case, signal)),
            Err(_) => {
                assert_eq!(run(&format!("first {name}")).code(), Some(0));
                assert_eq!(run(&format!("second {name}")).signal(), Some(signal));
                assert_eq!(run(&format!("after the last clone {name}")).signal(), Some(signal));
            }
        }
    }
}

/// Runs this test in a process of its own.
fn run(case: &str) -> ExitStatus {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([NAME, "--exact"]).env(CASE, case).output().unwrap().status
}

fn act(case: &str, signal: i32) {
    let stop = StopSignal::install().unwrap();
    let seen = stop.clone();
    drop(stop);
    assert!(!seen.is_set());
    if case == "after the last clone " {
        drop(seen);
        raise(signal).unwrap();
    } else {
        raise(signal).unwrap();
        assert!(seen.is_set());
        if case == "second " {
            raise(signal).unwrap();
        }
    }
}

#[test]
fn a_manual_signal_is_set_by_hand() {
    let stop = StopSignal::manual();
    let seen = stop.clone();
    drop(stop.clone());
    assert!(!seen.is_set());
    stop.set();
    assert!(seen.is_set());
}
