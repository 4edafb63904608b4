//! Damage in a folder of fjall: a clear error, never a wrong value, never a silently older state.

use krishiv_api::{Cause, ErrorKind, FjallOptions, FjallStateBackend, StateBackend, StateError, WriteBatch};
use krishiv_tests::copy_all;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};

const LEDGER: &str = "KRISHIV-FJALL";

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
    fn commit(&mut self, backend: &FjallStateBackend, numbers: Range<u32>) {
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

    /// Opens the folder again, which cuts off the space that is set aside for a journal: copies are small then.
    fn trimmed(self) -> Self {
        FjallStateBackend::open(self.path()).unwrap();
        self
    }

    /// Everything in the journal.
    fn logged() -> Self {
        let mut folder = Self::new();
        let backend = FjallStateBackend::open(folder.path()).unwrap();
        folder.commit(&backend, 0..60);
        drop(backend);
        folder.trimmed()
    }

    /// Everything in one table, and in the journal too.
    fn flushed() -> Self {
        let mut folder = Self::new();
        let backend = FjallStateBackend::open(folder.path()).unwrap();
        folder.commit(&backend, 0..60);
        backend.compact().unwrap();
        drop(backend);
        folder.trimmed()
    }

    /// Old values in tables, newer ones over them in the journal.
    fn mixed() -> Self {
        let mut folder = Self::new();
        let backend = FjallStateBackend::open(folder.path()).unwrap();
        folder.commit(&backend, 0..30);
        backend.compact().unwrap();
        folder.commit(&backend, 30..60);
        drop(backend);
        folder.trimmed()
    }

    /// Files all the while, and a recovery in between.
    fn rolling() -> Self {
        let mut folder = Self::new();
        for round in 0..3 {
            let backend = FjallOptions::new().memtable_bytes(1 << 10).open(folder.path()).unwrap();
            folder.commit(&backend, round * 30..round * 30 + 30);
        }
        folder.trimmed()
    }

    /// What is in the journal, in two of them.
    fn in_two() -> Self {
        let folder = Self::logged();
        let (first, second) = (folder.path().join("0.jnl"), folder.path().join("1.jnl"));
        let bytes = fs::read(&first).unwrap();
        let ends = ends(&bytes);
        let (before, behind) = bytes.split_at(ends[ends.len() / 2]);
        fs::write(second, behind).unwrap();
        fs::write(first, before).unwrap();
        folder
    }

    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("logged", Self::logged()),
            ("flushed", Self::flushed()),
            ("mixed", Self::mixed()),
            ("rolling", Self::rolling()),
            ("in two", Self::in_two()),
        ]
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = files(self.path());
        files.retain(|file| file != Path::new("lock"));
        files
    }

    fn copy(&self) -> TempDir {
        copy(self.path())
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
        let backend = match FjallStateBackend::open(path) {
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

/// Where the batches of a journal end.
fn ends(journal: &[u8]) -> Vec<usize> {
    let trailer = b"FJL\x03";
    (trailer.len()..=journal.len()).filter(|end| journal[..*end].ends_with(trailer)).collect()
}

/// The files below a folder, as paths from there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = PathBuf::from(path.file_name().unwrap());
        if path.is_dir() {
            files.extend(self::files(&path).into_iter().map(|below| name.join(below)));
        } else {
            files.push(name);
        }
    }
    files.sort();
    files
}

fn copy(folder: &Path) -> TempDir {
    let copy = tempdir().unwrap();
    copy_all(folder, copy.path()).unwrap();
    copy
}

/// Changes bytes of a file from a place on.
type Damage = fn(&mut Vec<u8>, usize);

/// Changes one file of a copy, and checks what comes of it.
fn with_damage(folder: &Folder, file: &Path, what: &str, damage: impl FnOnce(&mut Vec<u8>)) -> Verdict {
    let copy = folder.copy();
    let target = copy.path().join(file);
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
    let name = file.display();
    let length = usize::try_from(fs::metadata(folder.path().join(file)).unwrap().len()).unwrap();
    let mut refusals = 0;
    for at in (scenario.len() % step..length).step_by(step).chain(length.saturating_sub(2)..length) {
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

#[test]
fn a_missing_file_is_an_error() {
    for (scenario, folder) in Folder::all() {
        for file in folder.files() {
            let copy = folder.copy();
            fs::remove_file(copy.path().join(&file)).unwrap();
            let what = format!("{scenario}: without {}", file.display());
            assert_eq!(folder.check(copy.path(), &what), Verdict::Refused, "{what}");
        }
    }
}

#[test]
fn a_missing_lock_is_made_anew() {
    let folder = Folder::logged();
    fs::remove_file(folder.path().join("lock")).unwrap();
    assert_eq!(folder.check(folder.path(), "no lock"), Verdict::Exact);
}

#[test]
fn any_batch_that_a_journal_has_lost_is_missed() {
    let journal = Path::new("0.jnl");
    for folder in [Folder::logged(), Folder::mixed()] {
        let whole = fs::read(folder.path().join(journal)).unwrap();
        let ends = ends(&whole);
        for (from, to) in ends.iter().zip(&ends[1..]).step_by(7) {
            let what = format!("without the batch at {from}");
            let verdict = with_damage(&folder, journal, &what, |bytes| drop(bytes.drain(*from..*to)));
            let cut = with_damage(&folder, journal, &what, |bytes| bytes.truncate(*from));
            let zeroed = with_damage(&folder, journal, &what, |bytes| bytes[*from..*to].fill(0));
            assert_eq!((verdict, cut, zeroed), (Verdict::Refused, Verdict::Refused, Verdict::Refused), "{what}");
        }
    }
}

#[test]
fn batches_in_another_order_are_an_error() {
    let journal = Path::new("0.jnl");
    let folder = Folder::logged();
    let ends = ends(&fs::read(folder.path().join(journal)).unwrap());
    let verdict = with_damage(&folder, journal, "a batch put behind the next one", |bytes| {
        bytes[ends[10]..ends[12]].rotate_left(ends[11] - ends[10]);
    });
    assert_eq!(verdict, Verdict::Refused);
}

#[test]
fn the_refusal_of_a_lost_commit_says_what_is_lost_and_touches_nothing() {
    let folder = Folder::logged();
    let path = folder.path().join("0.jnl");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 5;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = FjallStateBackend::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("commits 60 to 60, which were durable, are gone; restore the folder"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_torn_write_that_was_never_acknowledged_is_no_damage() {
    let folder = Folder::logged();
    let path = folder.path().join("0.jnl");
    let whole = fs::read(&path).unwrap();
    let ends = ends(&whole);
    // A copy of the last batch with a part of it missing, or zero in the middle as after a power failure.
    let batch = &whole[ends[ends.len() - 2]..];
    for torn in (1..batch.len()).step_by(9) {
        for zeroed in [false, true] {
            let mut bytes = whole.clone();
            bytes.extend(&batch[..torn]);
            if zeroed {
                bytes.extend([0; 20]);
                bytes.extend(batch.iter().skip(torn + 20));
            }
            let copy = folder.copy();
            fs::write(copy.path().join("0.jnl"), bytes).unwrap();
            assert_eq!(folder.check(copy.path(), "a torn write"), Verdict::Exact, "{torn}, {zeroed}");
        }
    }
}

#[test]
fn an_older_copy_under_the_ledger_of_a_newer_one_is_refused() {
    let mut folder = Folder::mixed();
    let older = folder.copy();
    let backend = FjallStateBackend::open(folder.path()).unwrap();
    folder.commit(&backend, 60..61);
    drop(backend);
    fs::copy(folder.path().join(LEDGER), older.path().join(LEDGER)).unwrap();
    assert_eq!(folder.check(older.path(), "an older copy"), Verdict::Refused);
}

#[test]
fn a_ledger_older_than_the_data_is_no_damage() {
    let mut folder = Folder::logged();
    let older = fs::read(folder.path().join(LEDGER)).unwrap();
    let backend = FjallStateBackend::open(folder.path()).unwrap();
    folder.commit(&backend, 60..80);
    drop(backend);
    fs::write(folder.path().join(LEDGER), older).unwrap();
    assert_eq!(folder.check(folder.path(), "an older ledger"), Verdict::Exact);
}

#[test]
fn a_folder_of_a_newer_format_is_refused() {
    let folder = Folder::logged();
    let mut sector = b"KRISHIV\n".to_vec();
    sector.extend(9_u32.to_le_bytes());
    sector.resize(40, 0);
    // XXH3 of those 40 bytes, so that the sector is whole and only its format is unknown.
    sector.extend(0xb8b14f33ad25b613_u64.to_le_bytes());
    sector.resize(512, 0);
    fs::write(folder.path().join(LEDGER), sector.repeat(2)).unwrap();
    let error = FjallStateBackend::open(folder.path()).unwrap_err();
    assert!(matches!(error.cause(), Cause::NewerFormat { found: 9, supported: 1 }), "{error}");
}

#[test]
fn a_second_opening_is_refused_while_the_first_is_open() {
    let dir = tempdir().unwrap();
    let first = FjallStateBackend::open(dir.path()).unwrap();
    let error = FjallStateBackend::open(dir.path()).unwrap_err();
    assert!(matches!(error.cause(), Cause::Locked { .. }), "{error}");
    drop(first);
    FjallStateBackend::open(dir.path()).unwrap();
}

#[test]
fn fjalls_own_lock_is_named_too() {
    // On file systems without advisory locks of whole files, this is the one that is left.
    let dir = tempdir().unwrap();
    let first = FjallStateBackend::open(dir.path()).unwrap();
    let ledger = fs::read(dir.path().join(LEDGER)).unwrap();
    fs::remove_file(dir.path().join(LEDGER)).unwrap();
    fs::write(dir.path().join(LEDGER), ledger).unwrap();
    let error = FjallStateBackend::open(dir.path()).unwrap_err();
    assert!(matches!(error.cause(), Cause::Locked { .. }), "{error}");
    drop(first);
}

#[test]
fn a_path_that_cannot_be_a_folder_is_named() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"not a folder").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = FjallStateBackend::open(&path).unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
}

#[test]
fn a_folder_without_its_ledger_is_left_as_it_is() {
    let folder = Folder::logged();
    fs::remove_file(folder.path().join(LEDGER)).unwrap();
    let before = folder.files();
    let error = FjallStateBackend::open(folder.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert_eq!(folder.files(), before);
}

#[test]
fn an_emptied_folder_stays_openable() {
    // Deletions leave no record behind, and yet the number of the last commit must stay.
    let dir = tempdir().unwrap();
    for round in 0..3 {
        let backend = FjallStateBackend::open(dir.path()).unwrap();
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
fn records_of_all_sizes_survive_a_reopen() {
    let dir = tempdir().unwrap();
    let mut state = State::new();
    for size in [0, 1, 8, 9, 4_095, 65_535, 65_536, 3_000_000] {
        let backend = FjallOptions::new().memtable_bytes(1 << 20).open(dir.path()).unwrap();
        for round in 0..3_u8 {
            let (key, value) = (format!("{size}/{round}").into_bytes(), vec![round; size]);
            let mut batch = WriteBatch::default();
            batch.put(&key, &value);
            backend.write(batch).unwrap();
            state.insert(key, value);
        }
    }
    let backend = FjallStateBackend::open(dir.path()).unwrap();
    assert_eq!(backend.scan(b"").collect::<Result<State, _>>().unwrap(), state);
}

#[test]
fn a_key_that_is_too_long_is_refused_and_nothing_of_its_batch_is_written() {
    let dir = tempdir().unwrap();
    let backend = FjallStateBackend::open(dir.path()).unwrap();
    for (length, fits) in [(65_533, true), (65_534, false), (100_000, false)] {
        for byte in [0, 7] {
            let mut batch = WriteBatch::default();
            batch.put(b"before", b"v");
            batch.put(&vec![byte; length], b"v");
            let written = backend.write(batch);
            assert_eq!(written.is_ok(), fits, "{length}");
            if let Err(error) = written {
                assert_eq!(error.kind(), ErrorKind::Invalid);
                assert!(error.to_string().contains("takes up to 65533"), "{error}");
            }
        }
    }
    assert_eq!(backend.scan(b"").count(), 3);
    for long in [vec![7; 100_000], vec![0; 100_000], vec![7; 65_534]] {
        assert_eq!(backend.get(&long).unwrap(), None);
        assert_eq!(backend.multi_get(&[&long, b"before"]).unwrap(), [None, Some(b"v".to_vec())]);
        assert_eq!(backend.scan(&long).count(), 0);
        let behind = backend.scan(b"").filter(|record| record.as_ref().unwrap().0 >= long).count();
        assert_eq!(backend.scan_from(b"", &long).count(), behind);
    }
}
