//! A RocksDB folder with several logs: it opens with every commit up to some number, and with every one that was durable, or
//! it is refused.
//!
//! `backend_rocksdb_damage` damages any file anywhere; here it is the row of logs that matters, which of them is damaged, and
//! where the table files end that they go on from.

use krishiv_api::{ErrorKind, RocksDbOptions, RocksDbStateBackend, StateBackend, WriteBatch};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tempfile::{TempDir, tempdir};

/// A folder as a killed process leaves it: copied while it was open.
struct Killed {
    dir: TempDir,
    /// The commits that had returned.
    commits: u64,
    sync: bool,
}

fn write(backend: &RocksDbStateBackend, number: u64) {
    let mut batch = WriteBatch::default();
    batch.put(b"newest", &number.to_be_bytes());
    // All commits change one key, and each has one of its own.
    batch.put(format!("commit/{number:08}").as_bytes(), &vec![7; 200 + number as usize % 7 * 300]);
    if number.is_multiple_of(9) {
        batch.delete(format!("commit/{number:08}/not there").as_bytes());
    }
    backend.write(batch).unwrap();
}

/// How many commits there are, if there is none missing before the last.
fn whole(backend: &RocksDbStateBackend, what: &str) -> u64 {
    let newest = backend.get(b"newest").unwrap();
    let newest = newest.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
    let numbers: Vec<_> = backend.scan(b"commit/").map(|record| record.unwrap().0[7..].to_vec()).collect();
    let expected: Vec<_> = (1..=newest).map(|number| format!("{number:08}").into_bytes()).collect();
    assert!(numbers == expected, "{what}: {} of {newest} commits are there", numbers.len());
    newest
}

fn copy(from: &Path) -> TempDir {
    let to = tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // A file may go while the folder is read.
        let _ = fs::copy(entry.path(), to.path().join(entry.file_name()));
    }
    to
}

fn small(sync: bool, merged: i32) -> RocksDbOptions {
    RocksDbOptions::new().sync(sync).tune(move |options| {
        // The manifest is written anew now and then, too.
        options.set_max_manifest_file_size(2_000);
        options.set_write_buffer_size(64 << 10);
        options.set_max_write_buffer_number(40);
        options.set_min_write_buffer_number_to_merge(merged);
    })
}

/// Several logs that wait to be flushed, with some table files before them or none.
fn killed(sync: bool, flushed: u64, commits: u64) -> Killed {
    let dir = tempdir().unwrap();
    if flushed > 0 {
        let backend = small(sync, 1).open(dir.path()).unwrap();
        (1..=flushed).for_each(|number| write(&backend, number));
        if flushed.is_multiple_of(2) {
            // All sequence numbers in the table files become 0.
            backend.compact().unwrap();
        }
    }
    let backend = small(sync, 30).open(dir.path()).unwrap();
    (flushed + 1..=flushed + commits).for_each(|number| write(&backend, number));
    let dir = copy(dir.path());
    drop(backend);
    Killed { dir, commits: flushed + commits, sync }
}

fn all() -> Vec<Killed> {
    let mut all = Vec::new();
    for sync in [false, true] {
        for flushed in [0, 20, 61] {
            all.push(killed(sync, flushed, 150));
        }
    }
    all
}

fn logs(folder: &Path) -> Vec<PathBuf> {
    let mut logs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    logs.retain(|path| path.extension().is_some_and(|it| it == "log"));
    logs.sort();
    logs
}

impl Killed {
    /// Opens a copy in which `damage` has done something to the log `index`; whether it was refused.
    fn is_refused(&self, what: &str, damage: impl FnOnce(&Path)) -> bool {
        let copy = copy(self.dir.path());
        damage(copy.path());
        let options = small(self.sync, 1);
        let backend = match options.open(copy.path()) {
            Ok(backend) => backend,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
                // It must not be forgotten by the second opening.
                assert!(small(self.sync, 1).open(copy.path()).is_err(), "{what}: refused once");
                return true;
            }
        };
        let newest = whole(&backend, what);
        assert!(!self.sync || newest == self.commits, "{what}: {newest} of {} durable commits", self.commits);
        write(&backend, newest + 1);
        drop(backend);
        assert_eq!(whole(&small(self.sync, 1).open(copy.path()).unwrap(), what), newest + 1);
        false
    }
}

#[test]
fn undamaged_it_opens_with_all() {
    for killed in all() {
        assert!(logs(killed.dir.path()).len() > 2, "one log is no test");
        let backend = small(killed.sync, 1).open(killed.dir.path()).unwrap();
        assert_eq!(whole(&backend, "undamaged"), killed.commits);
    }
}

#[test]
fn a_log_that_is_gone_or_empty_or_cut_is_no_hole() {
    for killed in all() {
        let logs = logs(killed.dir.path());
        let last = logs.len() - 1;
        for (index, log) in logs.iter().enumerate() {
            let name = log.file_name().unwrap();
            let length = fs::metadata(log).unwrap().len();
            let what = |kind: &str| format!("sync {}, log {index} of 0 to {last} {kind}", killed.sync);
            // What was only the tail may be lost where nothing was synced.
            let must = |refused: bool, what: &str| assert!(refused || (!killed.sync && index == last), "{what}");
            must(killed.is_refused(&what("gone"), |copy| fs::remove_file(copy.join(name)).unwrap()), &what("gone"));
            let cuts = [0, 1, 6, 7, 300, length / 3, length / 2, 32_768, length - 40, length - 1];
            for cut in cuts.into_iter().filter(|cut| *cut < length) {
                let what = what(&format!("cut at {cut} of {length}"));
                let cut_it = |copy: &Path| fs::File::options().write(true).open(copy.join(name)).unwrap().set_len(cut);
                must(killed.is_refused(&what, |copy| cut_it(copy).unwrap()), &what);
            }
            // RocksDB goes on with the next block, without a word.
            for block in (0..length).step_by(32_768) {
                let what = what(&format!("zeroed at {block} of {length}"));
                let zeroed = |copy: &Path| {
                    let mut bytes = fs::read(copy.join(name)).unwrap();
                    bytes[block as usize..].iter_mut().take(7).for_each(|byte| *byte = 0);
                    fs::write(copy.join(name), bytes).unwrap();
                };
                must(killed.is_refused(&what, zeroed), &what);
            }
        }
        // The oldest ones together.
        for many in 2..=last {
            let gone = |copy: &Path| {
                logs[..many].iter().for_each(|log| fs::remove_file(copy.join(log.file_name().unwrap())).unwrap())
            };
            assert!(killed.is_refused("the oldest gone", gone), "the oldest {many} of {last} gone");
        }
    }
}

/// Closed or killed with an empty log, several times in a row, also before there is anything.
#[test]
fn openings_without_commits_are_no_holes() {
    for sync in [false, true] {
        let dir = tempdir().unwrap();
        let mut commits = 0;
        for round in 0..50_u64 {
            let more = (round * 5 % 4) * 40;
            // Another process, so that it can end without closing anything.
            let child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "writes_and_ends", "--ignored", "--test-threads=1"])
                .env("FOLDER", dir.path())
                .env("SYNC", sync.to_string())
                .env("MERGED", if round.is_multiple_of(3) { "30" } else { "1" })
                .env("FROM", (commits + 1).to_string())
                .env("MORE", more.to_string())
                .env("COMPACTS", (round % 5 == 3).to_string())
                .env("CLOSES", (round % 2 == 1).to_string())
                .output()
                .unwrap();
            assert_eq!(child.status.success(), round % 2 == 1, "{}", String::from_utf8_lossy(&child.stdout));
            commits += more;
            if round % 4 == 2 {
                let backend = small(sync, 1).open(dir.path()).unwrap();
                assert_eq!(whole(&backend, "again"), commits, "round {round}");
            }
        }
        assert_eq!(whole(&small(sync, 1).open(dir.path()).unwrap(), "in the end"), commits);
    }
}

#[test]
#[ignore = "runs as the child of another test"]
fn writes_and_ends() {
    let Some(folder) = std::env::var_os("FOLDER") else { return };
    let set = |name: &str| std::env::var(name).unwrap();
    let number = |name: &str| set(name).parse::<u64>().unwrap();
    let backend = small(set("SYNC") == "true", set("MERGED").parse().unwrap()).open(folder).unwrap();
    (number("FROM")..number("FROM") + number("MORE")).for_each(|number| write(&backend, number));
    if set("COMPACTS") == "true" {
        backend.compact().unwrap();
    }
    if set("CLOSES") != "true" {
        std::process::abort();
    }
}

/// Each file is copied at another moment; what comes of it is one moment, or nothing.
#[test]
fn a_copy_of_a_folder_in_use_is_one_commit_or_is_refused() {
    for (sync, merged) in [(false, 1), (false, 5), (true, 1), (true, 5)] {
        let dir = tempdir().unwrap();
        let backend = small(sync, merged).open(dir.path()).unwrap();
        let (ends, commits) = (AtomicBool::new(false), AtomicU64::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 1.. {
                    if ends.load(Relaxed) {
                        break;
                    }
                    write(&backend, number);
                    commits.store(number, Relaxed);
                    // Without a pause the folder grows faster than it can be copied.
                    std::thread::sleep(Duration::from_micros(100));
                }
            });
            for round in 0..30 {
                let before = commits.load(Relaxed);
                let copy = copy(dir.path());
                match small(sync, 1).open(copy.path()) {
                    Ok(backend) => {
                        let newest = whole(&backend, "a copy of a folder in use");
                        assert!(newest >= before || !sync, "round {round}: {newest} of {before}");
                    }
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}"),
                }
            }
            ends.store(true, Relaxed);
        });
    }
}
