//! A disk that is full, and has room again: nothing that was acknowledged is lost, and it is said what to do.
#![cfg(target_os = "linux")]

use krishiv_api::{Cause, ErrorKind, RocksDbOptions, RocksDbStateBackend, StateBackend, StateError, WriteBatch};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::Command;
use tempfile::tempdir;

fn write(backend: &RocksDbStateBackend, number: u64) -> Result<(), StateError> {
    let mut batch = WriteBatch::default();
    batch.put(b"newest", &number.to_be_bytes());
    batch.put(format!("commit/{number:08}").as_bytes(), &[7; 9_000]);
    backend.write(batch)
}

fn newest(backend: &RocksDbStateBackend) -> u64 {
    let newest = backend.get(b"newest").unwrap();
    newest.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()))
}

/// Runs this binary again where no file grows past a limit, since that limit is one of a whole process.
fn with_files_up_to(kib: u32, buffer: usize, sync: bool) {
    let dir = tempdir().unwrap();
    // The signal that comes with the limit would end the process.
    let limited = format!("trap '' XFSZ; ulimit -S -f {}; exec \"$0\" \"$@\"", kib * 2);
    let child = Command::new("sh")
        .args(["-c", &limited])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "writes_past_the_end_of_the_disk", "--ignored", "--nocapture", "--test-threads=1"])
        .env("FOLDER", dir.path())
        .env("BUFFER", buffer.to_string())
        .env("SYNC", sync.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}\n{}", String::from_utf8_lossy(&child.stderr));
    let acknowledged = said.lines().filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok()).max();
    let acknowledged = acknowledged.unwrap_or_else(|| panic!("nothing was written: {said}"));
    let backend = RocksDbStateBackend::open(dir.path()).unwrap();
    let newest = newest(&backend);
    assert!(newest >= acknowledged, "{acknowledged} was acknowledged, {newest} is there");
    assert_eq!(backend.scan(b"commit/").count() as u64, newest);
    write(&backend, newest + 1).unwrap();
}

#[test]
fn after_a_full_disk_it_commits_again_or_says_that_it_must_be_opened_anew() {
    for sync in [false, true] {
        // The log is what fails, or a table file is.
        with_files_up_to(300, 16 << 20, sync);
        with_files_up_to(100, 60 << 10, sync);
    }
}

#[test]
#[ignore = "runs as the child of another test"]
fn writes_past_the_end_of_the_disk() {
    let Some(folder) = std::env::var_os("FOLDER") else { return };
    let set = |name: &str| std::env::var(name).unwrap();
    let buffer = set("BUFFER").parse().unwrap();
    let options = RocksDbOptions::new().sync(set("SYNC") == "true").tune(move |options| {
        options.set_write_buffer_size(buffer);
    });
    let backend = options.open(&folder).unwrap();
    println!();
    let mut number = 0;
    let error = loop {
        number += 1;
        match write(&backend, number) {
            Ok(()) if number > 2_000 => return,
            Ok(()) => println!("acknowledged {number}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Backend, "{error}");
    for room in [false, true] {
        if room {
            let maximum = getrlimit(Resource::Fsize).maximum;
            setrlimit(Resource::Fsize, Rlimit { current: maximum, maximum }).unwrap();
        }
        for _ in 0..3 {
            // One that failed was not made, and may be made later.
            match write(&backend, number) {
                Ok(()) => {
                    println!("acknowledged {number}");
                    number += 1;
                }
                Err(error) => {
                    assert!(matches!(error.cause(), Cause::Stopped { .. }), "{error}");
                    assert_eq!(error.kind(), ErrorKind::Backend);
                    assert!(error.to_string().contains("open the state anew"), "{error}");
                }
            }
        }
    }
    // What is there can be read all the while.
    assert_eq!(newest(&backend), number - 1);
    drop(backend);
    let anew = RocksDbStateBackend::open(&folder).unwrap();
    let next = newest(&anew) + 1;
    write(&anew, next).unwrap();
    println!("acknowledged {next}");
}
