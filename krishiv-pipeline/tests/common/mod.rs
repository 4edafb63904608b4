//! What the tests of files share.

#![allow(dead_code, reason = "each test uses a part")]

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use krishiv_pipeline::{BoxError, Polled, Source};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A folder of its own for each test.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// The text of a whole gzip file, which must have no damage and nothing behind its members.
pub fn gunzip(path: &Path) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// The next item; what is none is an error.
pub fn poll<S: Source>(source: &mut S) -> Result<Polled<S::Item>, BoxError> {
    Ok(source.next_item()?.map_or(Polled::End, Polled::Item))
}

/// Line, row and reason of what is no item.
pub type BadRow = (u64, String, String);

/// Everything of a source that can be read to its end: its items, and what is none.
pub fn sorted_out<S: Source>(source: &mut S) -> (Vec<S::Item>, Vec<BadRow>) {
    let (mut items, mut rejects) = (Vec::new(), Vec::new());
    loop {
        match source.poll(Duration::ZERO).unwrap() {
            Polled::Item(item) => items.push(item),
            Polled::Bad(reason) => {
                let row = source.row().unwrap();
                rejects.push((row.line, String::from_utf8_lossy(row.bytes).into_owned(), reason));
            }
            Polled::Pending | Polled::Skipped => panic!("a file has its items at once"),
            Polled::End => return (items, rejects),
        }
    }
}

/// What is left of a source, and how it ended.
pub fn drain<S: Source>(source: &mut S) -> (Vec<S::Item>, Result<(), String>) {
    let mut items = Vec::new();
    loop {
        match poll(source) {
            Ok(Polled::Item(item)) => items.push(item),
            Ok(Polled::Bad(_)) => unreachable!("an error of `poll`"),
            Ok(Polled::Pending | Polled::Skipped) => panic!("a file has its items at once"),
            Ok(Polled::End) => return (items, Ok(())),
            Err(error) => return (items, Err(error.to_string())),
        }
    }
}

/// All items of a source that can be read to its end.
pub fn all<S: Source>(source: &mut S) -> Vec<S::Item> {
    let (items, end) = drain(source);
    end.unwrap();
    items
}

/// Checks that an error is of this file and holds these words.
#[track_caller]
pub fn fails<T>(result: Result<T, impl ToString>, path: &Path, words: &str) {
    let Err(error) = result else { panic!("no error, expected {words:?}") };
    let text = error.to_string();
    assert!(text.starts_with(&path.display().to_string()) && text.contains(words), "{text:?}, expected {words:?}");
}
