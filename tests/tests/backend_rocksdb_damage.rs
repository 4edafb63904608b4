//! Damage in a RocksDB folder: a clear error, never a wrong value, never a silently older state.

use krishiv_api::{Cause, ErrorKind, RocksDbOptions, RocksDbStateBackend, StateBackend, StateError, WriteBatch};
use krishiv_tests::copy_all;
use krishiv_tests::writer::{Writer, assert_prefix, write_until_killed};
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};

const LEDGER: &str = "KRISHIV-COMMITS";

type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// A folder that was closed in good order, and what is in it.
struct Folder {
    dir: TempDir,
    state: State,
}

impl Folder {
    fn new() -> Self {
        Self { dir: tempdir().unwrap(), state: State::new() }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Small commits: every one changes a key that all change, so that a lost one cannot hide.
    fn commit(&mut self, backend: &RocksDbStateBackend, numbers: Range<u32>) {
        for number in numbers {
            let mut batch = WriteBatch::default();
            for (key, value) in [
                (b"newest".to_vec(), number.to_be_bytes().to_vec()),
                (format!("row/{:03}", number % 40).into_bytes(), format!("value {number}").repeat(3).into_bytes()),
            ] {
                batch.put(&key, &value);
                self.state.insert(key, value);
            }
            let gone = format!("row/{:03}", (number + 17) % 40).into_bytes();
            batch.delete(&gone);
            self.state.remove(&gone);
            backend.write(batch).unwrap();
        }
    }

    /// Everything in the log.
    fn logged() -> Self {
        let mut folder = Self::new();
        let backend = RocksDbStateBackend::open(folder.path()).unwrap();
        folder.commit(&backend, 0..60);
        folder
    }

    /// Everything in one table file.
    fn flushed() -> Self {
        let mut folder = Self::new();
        let backend = RocksDbStateBackend::open(folder.path()).unwrap();
        folder.commit(&backend, 0..60);
        backend.compact().unwrap();
        folder
    }

    /// Old values in tables, newer ones over them in the log.
    fn mixed() -> Self {
        let mut folder = Self::new();
        let backend = RocksDbStateBackend::open(folder.path()).unwrap();
        folder.commit(&backend, 0..30);
        backend.compact().unwrap();
        folder.commit(&backend, 30..60);
        folder
    }

    /// As `mixed`, with a recovery in between and many small table files.
    fn reopened() -> Self {
        let mut folder = Self::mixed();
        for round in 2..5 {
            let backend = RocksDbStateBackend::open(folder.path()).unwrap();
            folder.commit(&backend, round * 30..round * 30 + 30);
        }
        folder
    }

    /// Background flushes all the while: a long manifest, and no commit after the last of them.
    fn rolling() -> Self {
        Self::with_small_buffers(1)
    }

    /// Flushes wait for more than there is: everything in a row of logs.
    fn waiting() -> Self {
        Self::with_small_buffers(20)
    }

    fn with_small_buffers(merged: i32) -> Self {
        let mut folder = Self::new();
        let small = RocksDbOptions::new().tune(move |options| {
            options.set_write_buffer_size(64 << 10);
            options.set_max_write_buffer_number(40);
            options.set_min_write_buffer_number_to_merge(merged);
        });
        let backend = small.open(folder.path()).unwrap();
        for number in 0..60_u32 {
            folder.commit(&backend, number..number + 1);
            let mut batch = WriteBatch::default();
            let filler = vec![u8::try_from(number).unwrap(); 6000];
            batch.put(b"filler", &filler);
            folder.state.insert(b"filler".to_vec(), filler);
            backend.write(batch).unwrap();
        }
        folder
    }

    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("logged", Self::logged()),
            ("flushed", Self::flushed()),
            ("mixed", Self::mixed()),
            ("reopened", Self::reopened()),
            ("rolling", Self::rolling()),
            ("waiting", Self::waiting()),
        ]
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| !["LOCK", "LOG", "IDENTITY", "OPTIONS"].iter().any(|name| starts_with(path, name)));
        files.sort();
        files
    }

    fn copy(&self) -> TempDir {
        let copy = tempdir().unwrap();
        copy_all(self.path(), copy.path()).unwrap();
        copy
    }

    /// Opens a damaged copy twice: a refusal must not be forgotten by the second opening.
    fn check(&self, copy: &Path, what: &str) -> Verdict {
        let first = self.verdict(copy, what);
        let second = self.verdict(copy, &format!("{what}, opened again"));
        assert!(
            !(first == Verdict::Refused && second == Verdict::Exact && !what.contains(LEDGER)) || first == second,
            "{what}: refused first, and taken for good the second time"
        );
        first
    }

    fn verdict(&self, path: &Path, what: &str) -> Verdict {
        let backend = match RocksDbStateBackend::open(path) {
            Ok(backend) => backend,
            Err(error) => return refused(&error, path, what),
        };
        let mut verdict = Verdict::Exact;
        for (key, value) in &self.state {
            match backend.get(key) {
                Ok(found) => assert_eq!(found.as_ref(), Some(value), "{what}: get of {}", key.escape_ascii()),
                Err(error) => verdict = refused(&error, path, what),
            }
        }
        let keys: Vec<&[u8]> = self.state.keys().map(Vec::as_slice).collect();
        match backend.multi_get(&keys) {
            Ok(found) => {
                assert!(found.iter().map(Option::as_ref).eq(self.state.values().map(Some)), "{what}: multi_get")
            }
            Err(error) => verdict = refused(&error, path, what),
        }
        match backend.scan(b"").collect::<Result<Vec<_>, _>>() {
            Ok(found) => assert_eq!(found.into_iter().collect::<State>(), self.state, "{what}: scan"),
            Err(error) => verdict = refused(&error, path, what),
        }
        verdict
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Exact,
    Refused,
}

fn refused(error: &StateError, path: &Path, what: &str) -> Verdict {
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "{what}: does not say where: {text}");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {text}");
    Verdict::Refused
}

fn starts_with(path: &Path, name: &str) -> bool {
    file_name(path).starts_with(name)
}

fn file_name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Changes bytes of a file from a place on.
type Damage = fn(&mut Vec<u8>, usize);

/// Changes one file of a copy, and checks what comes of it.
fn with_damage(folder: &Folder, file: &Path, what: &str, damage: impl FnOnce(&mut Vec<u8>)) -> Verdict {
    let copy = folder.copy();
    let target = copy.path().join(file_name(file));
    let mut bytes = fs::read(&target).unwrap();
    damage(&mut bytes);
    fs::write(&target, bytes).unwrap();
    folder.check(copy.path(), what)
}

/// Flips, zeroes and cuts at every `step`th byte of every file.
fn sweep(step: usize) {
    let folders = Folder::all();
    // Side by side, because most of the time goes into waiting for the disk.
    std::thread::scope(|scope| {
        for (scenario, folder) in &folders {
            let undamaged = folder.copy();
            assert_eq!(folder.check(undamaged.path(), scenario), Verdict::Exact, "{scenario}");
            for file in folder.files() {
                scope.spawn(move || sweep_file(scenario, folder, &file, step));
            }
        }
    });
}

fn sweep_file(scenario: &str, folder: &Folder, file: &Path, step: usize) {
    let name = file_name(file);
    let length = usize::try_from(fs::metadata(file).unwrap().len()).unwrap();
    // Long files are mostly filler.
    let spread = step.max(length * step / 5000);
    let mut refusals = 0;
    for at in (scenario.len() % step..length).step_by(spread).chain(length.saturating_sub(2)..length) {
        let damages: [(&str, Damage); 5] = [
            ("inverted", |bytes, at| bytes[at] ^= 0xff),
            ("lowest bit flipped", |bytes, at| bytes[at] ^= 1),
            ("highest bit flipped", |bytes, at| bytes[at] ^= 0x80),
            ("zeroed for 64 bytes", |bytes, at| bytes.iter_mut().skip(at).take(64).for_each(|byte| *byte = 0)),
            ("cut", |bytes, at| bytes.truncate(at)),
        ];
        for (kind, damage) in damages {
            let what = format!("{scenario}: {name} {kind} at {at} of {length}");
            let verdict = with_damage(folder, file, &what, |bytes| damage(bytes, at));
            refusals += u32::from(verdict == Verdict::Refused);
        }
    }
    // The sweep itself must bite: a file of which nothing is ever checked would pass everything above.
    assert!(length == 0 || refusals > 0, "{scenario}: nothing that happens to {name} is noticed");
}

#[test]
fn damage_anywhere_is_an_error_or_has_no_effect() {
    sweep(397);
}

#[test]
#[ignore = "the same at every byte takes twenty minutes and more"]
fn damage_at_every_single_byte_is_an_error_or_has_no_effect() {
    sweep(1);
}

/// Where the frames of a log or manifest start, in RocksDB's format: blocks of 32 KiB, headers of 7 bytes.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 7 <= bytes.len() {
        if 32_768 - at % 32_768 < 7 {
            at = at.next_multiple_of(32_768);
            continue;
        }
        starts.push(at);
        at += 7 + usize::from(u16::from_le_bytes([bytes[at + 4], bytes[at + 5]]));
    }
    starts
}

#[test]
fn damage_that_looks_like_a_torn_record_is_an_error_or_has_no_effect() {
    // Nothing of this fails a checksum: a log ends, or goes on, where no commit did.
    let damages: [(&str, Damage); 3] = [
        ("cut before", |bytes, at| bytes.truncate(at)),
        ("made longer than the file in", |bytes, at| bytes[at + 4..at + 6].fill(0xff)),
        ("zeroed in the header of", |bytes, at| bytes[at..at + 7].fill(0)),
    ];
    let folders = Folder::all();
    std::thread::scope(|scope| {
        for (scenario, folder) in &folders {
            for file in folder.files() {
                let is_manifest = starts_with(&file, "MANIFEST");
                if !is_manifest && file.extension().is_none_or(|it| it != "log") {
                    continue;
                }
                scope.spawn(move || {
                    let starts = frames(&fs::read(&file).unwrap());
                    for at in starts.into_iter().step_by(if is_manifest { 1 } else { 13 }) {
                        for (kind, damage) in damages {
                            let what = format!("{scenario}: {} {kind} the frame at {at}", file_name(&file));
                            with_damage(folder, &file, &what, |bytes| damage(bytes, at));
                        }
                    }
                });
            }
        }
    });
}

#[test]
fn a_hole_in_the_middle_of_the_log_is_an_error() {
    // Frames of 1 KiB fill a block exactly. Zeros for a header make RocksDB skip the rest of the block, without
    // a word, and go on with the next: all of its checksums are right, and the newest commit is there.
    let folder = Folder::new();
    let backend = RocksDbStateBackend::open(folder.path()).unwrap();
    for number in 0..100 {
        let mut batch = WriteBatch::default();
        batch.put(format!("row/{number:04}").as_bytes(), &[7; 1024 - 7 - 12 - 1 - 1 - 8 - 2]);
        backend.write(batch).unwrap();
    }
    drop(backend);
    let log = folder.files().into_iter().find(|file| file.extension().is_some_and(|it| it == "log")).unwrap();
    let mut bytes = fs::read(&log).unwrap();
    assert_eq!(frames(&bytes), (0..100).map(|number| number * 1024).collect::<Vec<_>>());
    bytes[10 * 1024..10 * 1024 + 7].fill(0);
    fs::write(&log, bytes).unwrap();
    let error = RocksDbStateBackend::open(folder.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("changes 11 to 32 are missing"), "{error}");
}

#[test]
fn a_missing_file_is_an_error() {
    for (scenario, folder) in Folder::all() {
        for file in folder.files() {
            let copy = folder.copy();
            fs::remove_file(copy.path().join(file_name(&file))).unwrap();
            let what = format!("{scenario}: {} removed", file_name(&file));
            let verdict = folder.check(copy.path(), &what);
            let empty = fs::metadata(&file).unwrap().len() == 0;
            assert!(empty || verdict == Verdict::Refused, "{what}: not noticed");
        }
    }
}

#[test]
fn a_damaged_end_of_the_log_is_not_taken_for_a_torn_one() {
    let folder = Folder::logged();
    let log =
        folder.files().into_iter().find(|file| starts_with(file, "0") && file.extension().unwrap() == "log").unwrap();
    for cut in [1, 7, 40] {
        let verdict = with_damage(&folder, &log, "cut log", |bytes| bytes.truncate(bytes.len() - cut));
        assert_eq!(verdict, Verdict::Refused);
    }
}

#[test]
fn a_torn_write_that_was_never_acknowledged_is_no_damage() {
    let folder = Folder::logged();
    let log = folder.files().into_iter().find(|file| file.extension().is_some_and(|it| it == "log")).unwrap();
    let mut bytes = fs::read(&log).unwrap();
    // What the next commit would have begun with.
    let begun = bytes[..20].to_vec();
    bytes.extend(begun);
    fs::write(&log, bytes).unwrap();
    assert_eq!(folder.check(folder.path(), "torn"), Verdict::Exact);
}

#[test]
fn a_ledger_older_than_the_data_is_no_damage() {
    let mut folder = Folder::logged();
    let old = fs::read(folder.path().join(LEDGER)).unwrap();
    let backend = RocksDbStateBackend::open(folder.path()).unwrap();
    folder.commit(&backend, 60..70);
    drop(backend);
    // As after a crash between the sync of a commit and its note.
    fs::write(folder.path().join(LEDGER), old).unwrap();
    assert_eq!(folder.check(folder.path(), "older ledger"), Verdict::Exact);
}

#[test]
fn one_damaged_sector_of_the_ledger_is_repaired() {
    let folder = Folder::mixed();
    let ledger = folder.path().join(LEDGER);
    for at in [3, 20, 512 + 3, 512 + 20] {
        let mut bytes = fs::read(&ledger).unwrap();
        bytes[at] ^= 4;
        fs::write(&ledger, &bytes).unwrap();
        assert_eq!(folder.verdict(folder.path(), "one sector"), Verdict::Exact);
    }
}

#[test]
fn an_older_copy_under_the_ledger_of_a_newer_one_is_refused() {
    let mut folder = Folder::mixed();
    let copy = folder.copy();
    let backend = RocksDbStateBackend::open(folder.path()).unwrap();
    folder.commit(&backend, 60..61);
    drop(backend);
    fs::copy(folder.path().join(LEDGER), copy.path().join(LEDGER)).unwrap();
    assert_eq!(folder.check(copy.path(), "older files"), Verdict::Refused);
}

#[test]
fn the_refusal_of_a_lost_commit_says_what_is_lost_and_what_to_do() {
    let folder = Folder::logged();
    for file in folder.files() {
        if file.extension().is_some_and(|it| it == "log") {
            fs::remove_file(file).unwrap();
        }
    }
    let error = RocksDbStateBackend::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("which were durable, are gone"), "{error}");
    assert!(error.contains("restore the folder from a copy"), "{error}");
}

#[test]
fn a_folder_of_a_newer_format_is_refused() {
    let folder = Folder::logged();
    let mut sector = b"KRISHIV\n\x09\0\0\0".to_vec();
    sector.resize(40, 0);
    // XXH3 of those 40 bytes, so that the sector is whole and only its format is unknown.
    sector.extend(0xb8b14f33ad25b613_u64.to_le_bytes());
    sector.resize(512, 0);
    fs::write(folder.path().join(LEDGER), sector.repeat(2)).unwrap();
    let error = RocksDbStateBackend::open(folder.path()).unwrap_err();
    assert!(matches!(error.cause(), Cause::NewerFormat { found: 9, supported: 1 }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Incompatible);
}

#[test]
fn records_of_all_sizes_survive_a_reopen() {
    // Around the 32 KiB blocks of the log, where records are split and padded.
    let dir = tempdir().unwrap();
    let mut state = State::new();
    for size in (32_600..32_800).step_by(7).chain([0, 1, 65_536, 100_000]) {
        let backend = RocksDbStateBackend::open(dir.path()).unwrap();
        for round in 0..3_u8 {
            let (key, value) = (format!("{size}/{round}").into_bytes(), vec![round; size]);
            let mut batch = WriteBatch::default();
            batch.put(&key, &value);
            backend.write(batch).unwrap();
            state.insert(key, value);
        }
    }
    let backend = RocksDbStateBackend::open(dir.path()).unwrap();
    assert_eq!(backend.scan(b"").collect::<Result<State, _>>().unwrap(), state);
}

#[test]
fn an_emptied_folder_stays_openable() {
    // Deletions leave no record behind, and yet the sequence numbers must not go back.
    let dir = tempdir().unwrap();
    for round in 0..3 {
        let backend = RocksDbStateBackend::open(dir.path()).unwrap();
        for delete in [false, true] {
            let mut batch = WriteBatch::default();
            for key in 0..100_u8 {
                if delete { batch.delete(&[key]) } else { batch.put(&[key], b"v") }
            }
            backend.write(batch).unwrap();
        }
        backend.compact().unwrap();
        assert_eq!(backend.scan(b"").count(), 0, "round {round}");
    }
}

#[test]
fn a_second_opening_is_refused_while_the_first_is_open() {
    let dir = tempdir().unwrap();
    let first = RocksDbStateBackend::open(dir.path()).unwrap();
    let error = RocksDbStateBackend::open(dir.path()).unwrap_err();
    assert!(matches!(error.cause(), Cause::Locked { .. }), "{error}");
    drop(first);
    RocksDbStateBackend::open(dir.path()).unwrap();
}

#[test]
fn a_second_process_is_refused() {
    let dir = tempdir().unwrap();
    let mut writer = Writer::start(dir.path(), "writes_until_it_is_killed");
    writer.acknowledged();
    let error = RocksDbStateBackend::open(dir.path()).unwrap_err();
    assert!(matches!(error.cause(), Cause::Locked { .. }), "{error}");
    writer.kill();
    RocksDbStateBackend::open(dir.path()).unwrap();
}

#[test]
fn rocksdbs_own_lock_is_named_too() {
    // On file systems without advisory locks of whole files, this is the one that is left.
    let dir = tempdir().unwrap();
    let first = RocksDbStateBackend::open(dir.path()).unwrap();
    let ledger = fs::read(dir.path().join(LEDGER)).unwrap();
    fs::remove_file(dir.path().join(LEDGER)).unwrap();
    fs::write(dir.path().join(LEDGER), ledger).unwrap();
    let error = RocksDbStateBackend::open(dir.path()).unwrap_err();
    assert!(matches!(error.cause(), Cause::Locked { .. }), "{error}");
    drop(first);
}

#[test]
fn a_path_that_cannot_be_a_folder_is_named() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"not a folder").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = RocksDbStateBackend::open(&path).unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"not a folder");
}

#[test]
fn a_folder_of_another_program_is_left_as_it_is() {
    let folder = Folder::logged();
    fs::remove_file(folder.path().join(LEDGER)).unwrap();
    let before = folder.files();
    let error = RocksDbStateBackend::open(folder.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert_eq!(folder.files(), before);
}

#[test]
fn killed_while_it_makes_the_folder_it_opens_again() {
    // `LEDGER` alone, then RocksDB's files one after another: killed as soon as so many are there.
    for entries in 1..=8 {
        for _ in 0..4 {
            let dir = tempdir().unwrap();
            let mut writer = Writer::start(dir.path(), "writes_until_it_is_killed");
            while fs::read_dir(dir.path()).unwrap().count() < entries {
                std::thread::yield_now();
            }
            writer.kill();
            let acknowledged = writer.rest();
            let backend = RocksDbStateBackend::open(dir.path()).unwrap();
            assert_prefix(&backend, acknowledged);
        }
    }
}

#[test]
fn killed_between_commits_it_has_all_that_were_acknowledged() {
    let dir = tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..20 {
        let mut writer = Writer::start(dir.path(), "writes_until_it_is_killed");
        for _ in 0..=round * 7 {
            writer.acknowledged();
        }
        writer.kill();
        acknowledged = acknowledged.max(writer.rest());
        let backend = RocksDbStateBackend::open(dir.path()).unwrap();
        assert_prefix(&backend, acknowledged);
    }
}

#[test]
#[ignore = "runs as the child of other tests"]
fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os("FOLDER") else { return };
    // A small buffer, so that logs and tables change hands all the time.
    let small = RocksDbOptions::new().tune(|options| options.set_write_buffer_size(64 << 10));
    let backend = small.open(folder).unwrap();
    write_until_killed(&backend, 900);
}
