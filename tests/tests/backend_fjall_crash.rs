//! fjall's folder after an end in the midst of things: what was acknowledged is there, or it is said what to do.

use krishiv_api::{Cause, ErrorKind, FjallOptions, FjallStateBackend};
use krishiv_tests::copy_all;
use krishiv_tests::writer::{Writer, assert_prefix, newest, write, write_until_killed};
use std::fs;
use std::process::Command;
use tempfile::{TempDir, tempdir};

#[test]
fn killed_between_commits_it_has_all_that_were_acknowledged() {
    for writes in ["writes_until_it_is_killed", "writes_much_until_it_is_killed"] {
        let dir = tempdir().unwrap();
        let mut acknowledged = 0;
        for round in 0..12 {
            let mut writer = Writer::start(dir.path(), writes);
            for _ in 0..=round * 11 {
                writer.acknowledged();
            }
            writer.kill();
            acknowledged = acknowledged.max(writer.rest());
            assert_prefix(&FjallStateBackend::open(dir.path()).unwrap(), acknowledged);
        }
    }
}

#[test]
fn killed_while_it_makes_the_folder_it_opens_again() {
    // The ledger alone, then fjall's files one after another: killed as soon as so many are there.
    for entries in 1..=5 {
        for _ in 0..4 {
            let dir = tempdir().unwrap();
            let mut writer = Writer::start(dir.path(), "writes_until_it_is_killed");
            while fs::read_dir(dir.path()).unwrap().count() < entries {
                std::thread::yield_now();
            }
            writer.kill();
            let acknowledged = writer.rest();
            assert_prefix(&FjallStateBackend::open(dir.path()).unwrap(), acknowledged);
        }
    }
}

#[test]
fn a_second_process_is_refused() {
    let dir = tempdir().unwrap();
    let mut writer = Writer::start(dir.path(), "writes_until_it_is_killed");
    writer.acknowledged();
    let error = FjallStateBackend::open(dir.path()).unwrap_err();
    assert!(matches!(error.cause(), Cause::Locked { .. }), "{error}");
    writer.kill();
    FjallStateBackend::open(dir.path()).unwrap();
}

#[test]
#[ignore = "runs as the child of other tests"]
fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os("FOLDER") else { return };
    // A small memtable, so that tables are made all the time.
    write_until_killed(&FjallOptions::new().memtable_bytes(64 << 10).open(folder).unwrap(), 900);
}

#[test]
#[ignore = "runs as the child of other tests"]
fn writes_much_until_it_is_killed() {
    let Some(folder) = std::env::var_os("FOLDER") else { return };
    // A journal ends at 64 MB.
    write_until_killed(&FjallOptions::new().memtable_bytes(8 << 20).open(folder).unwrap(), 1_000_000);
}

#[test]
fn a_copy_of_a_folder_in_use_is_one_commit_or_is_refused() {
    let dir = tempdir().unwrap();
    let mut writer = Writer::start(dir.path(), "writes_until_it_is_killed");
    let mut whole = 0;
    for _ in 0..20 {
        writer.acknowledged();
        let copy = tempdir().unwrap();
        // A file may be gone before its turn comes.
        if copy_all(dir.path(), copy.path()).is_err() {
            continue;
        }
        match FjallStateBackend::open(copy.path()) {
            Ok(backend) => {
                assert_prefix(&backend, 0);
                whole += 1;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}"),
        }
    }
    println!("{whole} copies were whole");
}

/// A folder whose journal has no space set aside for it, which a limit on the size of files would refuse.
fn reopened() -> TempDir {
    let dir = tempdir().unwrap();
    FjallStateBackend::open(dir.path()).unwrap();
    FjallStateBackend::open(dir.path()).unwrap();
    dir
}

#[test]
fn after_a_full_disk_it_says_that_it_must_be_opened_anew() {
    for sync in ["false", "true"] {
        let dir = reopened();
        // The signal that comes with the limit would end the process.
        let child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -S -f 600; exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "writes_past_the_end_of_the_disk", "--ignored", "--nocapture", "--test-threads=1"])
            .env("FOLDER", dir.path())
            .env("SYNC", sync)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{said}\n{}", String::from_utf8_lossy(&child.stderr));
        let numbers = said.lines().filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok());
        let acknowledged = numbers.max().unwrap();
        let backend = FjallStateBackend::open(dir.path()).unwrap();
        assert_prefix(&backend, acknowledged);
        let next = newest(&backend) + 1;
        write(&backend, next, 9_000).unwrap();
        assert_prefix(&backend, next);
    }
}

#[test]
#[ignore = "runs as the child of another test"]
fn writes_past_the_end_of_the_disk() {
    let Some(folder) = std::env::var_os("FOLDER") else { return };
    let sync = std::env::var("SYNC").unwrap() == "true";
    let backend = FjallOptions::new().sync(sync).open(folder).unwrap();
    println!();
    let mut number = 1;
    let error = loop {
        match write(&backend, number, 9_000) {
            Ok(()) => println!("acknowledged {number}"),
            Err(error) => break error,
        }
        number += 1;
    };
    assert_eq!(error.kind(), ErrorKind::Backend, "{error}");
    for _ in 0..3 {
        let error = write(&backend, number, 9_000).unwrap_err();
        assert!(matches!(error.cause(), Cause::Stopped { .. }), "{error}");
        assert!(error.to_string().contains("open the state anew"), "{error}");
    }
    // What is there can be read all the while, and nothing of what failed.
    assert_prefix(&backend, number - 1);
    assert_eq!(newest(&backend), number - 1);
}

#[test]
fn a_table_that_cannot_be_written_stops_writes_and_loses_nothing() {
    let dir = tempdir().unwrap();
    let backend = FjallOptions::new().memtable_bytes(64 << 10).open(dir.path()).unwrap();
    fs::remove_dir_all(dir.path().join("keyspaces/1/tables")).unwrap();
    let mut number = 0;
    // fjall itself would wait for ever for the tables to be written.
    let error = loop {
        number += 1;
        if let Err(error) = write(&backend, number, 9_000) {
            break error;
        }
        assert!(number < 1_000, "nobody notices");
    };
    assert!(matches!(error.cause(), Cause::Stopped { .. }), "{error}");
    assert!(matches!(backend.compact().unwrap_err().cause(), Cause::Stopped { .. }));
    assert_eq!(newest(&backend), number - 1);
    drop(backend);
    let backend = FjallStateBackend::open(dir.path()).unwrap();
    assert_eq!(newest(&backend), number - 1);
    assert_prefix(&backend, number - 1);
}
