//! Old values of many types, read by newer ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, dead_code, non_snake_case)]

mod hostile;
mod matrix;
mod model;
mod own_shape;
mod random;
mod traced;
mod words;
mod write;

use super::{Fit, Old, fit};
use crate::codec::payload::{self, Codec, decode, encode_run, write};
use crate::codec::shape::trace;
use matrix::{Data, ROUNDED, Row, matrix};
use std::collections::VecDeque;

const CODECS: [Codec; 3] = [Codec::Postcard, Codec::MessagePack, Codec::Json];

/// The value in each codec that can hold it.
fn stored<T: Data>(value: &T) -> Vec<(Codec, Vec<u8>)> {
    let mut stored = Vec::new();
    for codec in CODECS {
        let mut bytes = Vec::new();
        if write(value, codec, &mut bytes).is_ok() && decode::<T>(codec, &bytes).as_ref() == Ok(value) {
            stored.push((codec, bytes));
        }
    }
    assert!(!stored.is_empty(), "{value:?}");
    stored
}

/// The value twice, written as one and read back.
fn run<Was: Data, Is: Data>(old: &Old, was: &Was, codec: Codec) -> Result<VecDeque<Is>, String> {
    let (mut bytes, mut values) = (Vec::new(), VecDeque::new());
    encode_run([was, was].into_iter(), codec, &mut bytes)?;
    let count = old.decode_run(codec, &bytes, &mut values)?;
    assert_eq!(count, values.len());
    Ok(values)
}

/// Tries each pair as bytes of each codec, and compares what becomes of them with what was said beforehand.
#[derive(Default)]
struct Bytes {
    rows: usize,
    wrong: Vec<String>,
}

impl Bytes {
    fn each<Was: Data, Is: Data>(
        &mut self,
        name: &str,
        was: &Was,
        check: impl Fn(Result<Is, String>, Fit) -> Result<(), String>,
    ) {
        self.rows += 1;
        let (written, declared) = (trace::<Was>(), trace::<Is>());
        let old = Old::new(&written.shape);
        for (codec, bytes) in stored(was) {
            let fit = fit::<Is>(&written.shape, codec, &declared.shape);
            assert_eq!(old.decode::<Was>(codec, &bytes).as_ref(), Ok(was), "{name}, {codec:?}: by its own shape");
            let read = old.decode::<Is>(codec, &bytes);
            let several = run::<Was, Is>(&old, was, codec);
            let mut checked =
                if several.is_ok() == read.is_ok() { Ok(()) } else { Err(format!("{several:?}, {read:?}")) };
            if let Ok(read) = &read {
                checked = checked.and_then(|()| match several {
                    Ok(several) if several == [read.clone(), read.clone()] => Ok(()),
                    several => Err(format!("{several:?}, {read:?}")),
                });
            }
            if let Err(wrong) = checked.and_then(|()| check(read, fit)) {
                self.wrong.push(format!("{name}, {codec:?}, {} to {}: {wrong}", written.shape, declared.shape));
            }
        }
    }
}

impl Row for Bytes {
    fn reads<Was: Data, Is: Data>(&mut self, name: &str, was: Was, is: Is) {
        self.each(name, &was, |read: Result<Is, _>, fit| match (read, fit) {
            (Ok(read), Fit::Same | Fit::Readable { .. }) if read == is => Ok(()),
            (read, fit) => Err(format!("{read:?}, {fit:?}")),
        });
    }

    fn refuses<Was: Data, Is: Data>(&mut self, name: &str, was: Was, words: &str) {
        self.each(name, &was, |read: Result<Is, _>, fit| match (read, fit) {
            (Err(reason), Fit::Readable { changes })
                if reason.contains(words) && changes.iter().any(|change| change.checked) =>
            {
                Ok(())
            }
            (read, fit) => Err(format!("{read:?}, {fit:?}")),
        });
    }

    fn cannot<Was: Data, Is: Data>(&mut self, name: &str, was: Was, words: &str) {
        self.each(name, &was, |read: Result<Is, _>, fit| match fit {
            // What would be rounded in one value is exact in another, and nobody could tell.
            Fit::Unreadable { reason, .. } if reason.contains(words) && (read.is_err() || words == ROUNDED) => Ok(()),
            fit => Err(format!("{read:?}, {fit:?}")),
        });
    }
}

#[test]
fn what_is_said_beforehand_is_what_happens() {
    let mut bytes = Bytes::default();
    matrix(&mut bytes);
    assert!(bytes.rows >= 80, "{}", bytes.rows);
    assert!(bytes.wrong.is_empty(), "{} of {} rows:\n{}", bytes.wrong.len(), bytes.rows, bytes.wrong.join("\n"));
}
