//! The promises of [`StateBackend`] as tests that any implementation can run.
//!
//! [`check`] runs on every backend, [`check_durable`] on those that keep their state in a folder. Both panic on
//! the first promise that is broken and say which one it is.
//!
//! Keys that begin with two zero bytes belong to the library, and the suite does not use them.
//!
//! ```
//! use krishiv_api::{InMemoryStateBackend, contract};
//! contract::check(InMemoryStateBackend::new);
//! ```

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a broken promise is a failed test")]

mod calls;
mod program;

use super::{Durable, Record, StateBackend, WriteBatch};
use calls::{get, put, scan, write};
use program::Program;
use std::path::Path;
use std::sync::Arc;

/// Runs the whole suite; `fresh` makes an empty backend each time it is called.
///
/// ```
/// krishiv_api::contract::check(krishiv_api::InMemoryStateBackend::new);
/// ```
///
/// # Panics
///
/// When the backend breaks a promise, with a message that names it.
pub fn check<B: StateBackend>(mut fresh: impl FnMut() -> B) {
    values_come_back(&fresh());
    any_bytes_are_keys_and_values(&fresh());
    a_batch_applies_in_order(&fresh());
    multi_get_answers_in_order(&fresh());
    a_scan_is_its_prefix_and_nothing_else(&fresh());
    a_scan_starts_where_it_is_told(&fresh());
    a_scan_streams(&fresh());
    a_scan_passes_over_what_was_deleted(&fresh());
    a_scan_goes_on_while_others_write(&fresh());
    big_values_come_back(&fresh());
    long_keys_come_back(&fresh());
    readers_see_whole_batches(&Arc::new(fresh()));
    threads_share_one_backend(&Arc::new(fresh()));
    if B::MERGES {
        changes_are_merged(&fresh());
    }
    for seed in 0..16 {
        let backend = fresh();
        let mut program = Program::new(seed);
        for _ in 0..150 {
            program.step(&backend);
        }
        program.compare(&backend);
    }
}

/// Checks that nothing written is lost when the backend is dropped; `open` opens it in a folder.
///
/// ```
/// # #[cfg(feature = "rocksdb")] {
/// use krishiv_api::{RocksDbStateBackend, contract};
/// let dir = tempfile::tempdir().unwrap();
/// contract::check_durable(dir.path(), |path| RocksDbStateBackend::open(path).unwrap());
/// # }
/// ```
///
/// # Panics
///
/// When something is lost.
pub fn check_durable<B: StateBackend<Survival = Durable>>(folder: &Path, open: impl Fn(&Path) -> B) {
    let mut program = Program::new(99);
    for _ in 0..12 {
        let backend = open(folder);
        program.compare(&backend);
        for _ in 0..40 {
            program.step(&backend);
        }
    }
    program.compare(&open(folder));
}

fn values_come_back(backend: &impl StateBackend) {
    assert_eq!(get(backend, b"k"), None, "get: what was never written is absent");
    assert_eq!(scan(backend, b""), [], "scan: an empty backend has no records");
    write(backend, WriteBatch::default());
    put(backend, b"k", b"first");
    assert_eq!(get(backend, b"k"), Some(b"first".to_vec()), "get: what was put is there");
    put(backend, b"k", b"second, and longer");
    assert_eq!(get(backend, b"k"), Some(b"second, and longer".to_vec()), "put: replaces the whole value");
    assert_eq!(get(backend, b"K"), None, "get: compares keys byte for byte");
    assert_eq!(get(backend, b"k\0"), None, "get: a longer key is another key");
    let mut batch = WriteBatch::default();
    batch.delete(b"k");
    batch.delete(b"never there");
    write(backend, batch);
    assert_eq!(get(backend, b"k"), None, "delete: what was deleted is absent");
    assert_eq!(scan(backend, b""), [], "scan: what was deleted is absent");
    put(backend, b"k", b"");
    assert_eq!(get(backend, b"k"), Some(Vec::new()), "put: an empty value is there, and is not an absent one");
}

fn any_bytes_are_keys_and_values(backend: &impl StateBackend) {
    let mut keys: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"\x00".to_vec(),
        b"\x00\x01".to_vec(),
        b"\x00\xff\x00".to_vec(),
        b"\x01".to_vec(),
        b"\x01\x00".to_vec(),
        b"a\x00b".to_vec(),
        b"\n\r\t".to_vec(),
        b"\x7f\x80".to_vec(),
        b"\xff".to_vec(),
        b"\xff\x00".to_vec(),
        b"\xff\xff".to_vec(),
        b"\xff\xff\xff\xff".to_vec(),
        vec![0x61; 300],
    ];
    let mut batch = WriteBatch::default();
    for key in keys.iter().rev() {
        batch.put(key, key);
    }
    write(backend, batch);
    for key in &keys {
        assert_eq!(get(backend, key).as_ref(), Some(key), "any bytes are a key and a value: {}", key.escape_ascii());
    }
    keys.sort();
    let found: Vec<_> = scan(backend, b"").into_iter().map(|(key, _)| key).collect();
    assert!(found == keys, "scan: the order of keys is that of their bytes, unsigned: {found:?}");
}

fn a_batch_applies_in_order(backend: &impl StateBackend) {
    put(backend, b"there", b"old");
    let mut batch = WriteBatch::default();
    batch.put(b"a", b"1");
    batch.put(b"a", b"2");
    batch.put(b"b", b"1");
    batch.delete(b"b");
    batch.delete(b"c");
    batch.put(b"c", b"1");
    batch.delete(b"there");
    batch.put(b"there", b"new");
    write(backend, batch);
    assert_eq!(get(backend, b"a"), Some(b"2".to_vec()), "write: the later of two puts of a batch counts");
    assert_eq!(get(backend, b"b"), None, "write: a delete after a put of the same batch counts");
    assert_eq!(get(backend, b"c"), Some(b"1".to_vec()), "write: a put after a delete of the same batch counts");
    assert_eq!(get(backend, b"there"), Some(b"new".to_vec()), "write: replacing by delete and put in one batch");
}

/// A row of values of one byte, by the ids of their states; `None` is a removal, which only changes have.
fn row(values: &[(u8, Option<u8>)]) -> Vec<u8> {
    let value = |(id, value): &(u8, Option<u8>)| match value {
        Some(value) => vec![id << 2, 2, 8, *value],
        None => vec![id << 2 | 2, 0],
    };
    values.iter().flat_map(value).collect()
}

fn changes_are_merged(backend: &impl StateBackend) {
    put(backend, b"k", &row(&[(1, Some(1)), (2, Some(2))]));
    let merge = |keys: &[&[u8]], changes: &[(u8, Option<u8>)]| {
        let mut batch = WriteBatch::default();
        keys.iter().for_each(|key| batch.merge(key, &row(changes)));
        write(backend, batch);
    };
    merge(&[b"new", b"k"], &[(2, Some(7)), (3, None)]);
    let there = row(&[(1, Some(1)), (2, Some(7))]);
    assert_eq!(get(backend, b"k").as_ref(), Some(&there), "merge: what is changed takes the place of what is stored");
    assert_eq!(get(backend, b"new"), Some(row(&[(2, Some(7))])), "merge: changes of nothing are what they set");
    merge(&[b"k"], &[(1, None), (4, Some(9))]);
    merge(&[b"k"], &[(4, Some(8))]);
    let there = row(&[(2, Some(7)), (4, Some(8))]);
    assert_eq!(get(backend, b"k").as_ref(), Some(&there), "merge: changes add up, in their order");
    let all = backend.multi_get(&[b"none", b"k"]).expect("multi_get: a healthy backend answers");
    assert_eq!(all, [None, Some(there.clone())], "multi_get: shows what has been merged");
    assert_eq!(scan(backend, b"k"), [(b"k".to_vec(), there)], "scan: shows what has been merged");
    merge(&[b"k", b"empty"], &[(2, None), (4, None)]);
    for key in [&b"k"[..], b"empty"] {
        assert!(get(backend, key).is_none_or(|row| row.is_empty()), "merge: a row of nothing is empty, or not there");
    }
    let mut batch = WriteBatch::default();
    batch.merge(b"a", &row(&[(1, Some(1))]));
    batch.merge(b"a", &row(&[(2, Some(2))]));
    batch.delete(b"b");
    batch.merge(b"b", &row(&[(1, Some(1))]));
    batch.put(b"b", &row(&[(2, Some(2))]));
    batch.merge(b"b", &row(&[(3, Some(3))]));
    batch.merge(b"k", &row(&[(3, Some(3))]));
    batch.delete(b"k");
    write(backend, batch);
    assert_eq!(get(backend, b"a"), Some(row(&[(1, Some(1)), (2, Some(2))])), "merge: two of one batch add up");
    assert_eq!(get(backend, b"b"), Some(row(&[(2, Some(2)), (3, Some(3))])), "merge: a batch applies in its order");
    assert_eq!(get(backend, b"k"), None, "merge: what is deleted later in the batch is gone");
    for change in 0..100 {
        merge(&[b"often"], &[(1 + change % 3, Some(change))]);
    }
    let often = row(&[(1, Some(99)), (2, Some(97)), (3, Some(98))]);
    assert_eq!(get(backend, b"often"), Some(often), "merge: so many changes add up");
}

fn multi_get_answers_in_order(backend: &impl StateBackend) {
    put(backend, b"a", b"1");
    put(backend, b"b", b"");
    let multi = |keys: &[&[u8]]| backend.multi_get(keys).expect("multi_get: a healthy backend answers");
    assert_eq!(multi(&[]), Vec::<Option<Vec<u8>>>::new(), "multi_get: of nothing is nothing");
    assert_eq!(
        multi(&[b"b", b"missing", b"a", b"", b"b", b"a"]),
        [Some(Vec::new()), None, Some(b"1".to_vec()), None, Some(Vec::new()), Some(b"1".to_vec())],
        "multi_get: one answer a key, in the order of the keys, duplicates and absent ones included"
    );
}

fn a_scan_is_its_prefix_and_nothing_else(backend: &impl StateBackend) {
    let keys: [&[u8]; 14] = [
        b"",
        b"\x00\xff",
        b"a",
        b"a\x00",
        b"a\xff",
        b"a\xff\x00",
        b"a\xff\xff",
        b"b",
        b"ba",
        b"\xfe\xff",
        b"\xff",
        b"\xff\x00",
        b"\xff\xff",
        b"\xff\xff\x01",
    ];
    let mut batch = WriteBatch::default();
    for key in keys {
        batch.put(key, b"v");
    }
    write(backend, batch);
    let prefixes: [&[u8]; 12] = [
        b"",
        b"\x00",
        b"a",
        b"a\x00",
        b"a\xff",
        b"a\xff\xff",
        b"aa",
        b"b",
        b"c",
        b"\xff",
        b"\xff\xff",
        b"\xff\xff\xff",
    ];
    for prefix in prefixes {
        let found: Vec<_> = scan(backend, prefix).into_iter().map(|(key, _)| key).collect();
        let expected: Vec<_> = keys.iter().filter(|key| key.starts_with(prefix)).map(|key| key.to_vec()).collect();
        assert_eq!(found, expected, "scan: all keys with the prefix {} and no other", prefix.escape_ascii());
    }
}

fn a_scan_streams(backend: &impl StateBackend) {
    let mut batch = WriteBatch::default();
    for number in 0..5000_u32 {
        batch.put(&number.to_be_bytes().map(|byte| byte.wrapping_add(1)), b"v");
    }
    write(backend, batch);
    assert_eq!(scan(backend, b"").len(), 5000, "scan: finds every record, however many");
    for taken in [0, 1, 255, 256, 257, 1000] {
        assert_eq!(backend.scan(b"").take(taken).count(), taken, "scan: may be dropped after {taken} records");
    }
    let mut first = backend.scan(b"");
    let mut second = backend.scan(b"");
    for _ in 0..600 {
        let (one, other) = (first.next(), second.next());
        let key = |record: Option<Result<Record, _>>| record.and_then(Result::ok).map(|(key, _)| key);
        assert_eq!(key(one), key(other), "scan: two of them do not disturb each other");
    }
}

/// Deleted records that still lie around, at the start of a prefix, inside it, and behind it.
fn a_scan_passes_over_what_was_deleted(backend: &impl StateBackend) {
    let key = |number: u16| [b"k".as_slice(), &number.to_be_bytes()].concat();
    for number in 0..1_000 {
        put(backend, &key(number), b"value");
    }
    let left = |number: u16| number % 256 / 100 == 1 || number.is_multiple_of(500);
    for number in (0..1_000).filter(|number| !left(*number)) {
        let mut batch = WriteBatch::default();
        batch.delete(&key(number));
        write(backend, batch);
    }
    let all: Vec<Record> =
        (0..1_000).filter(|number| left(*number)).map(|number| (key(number), b"value".to_vec())).collect();
    for prefix in [&b""[..], b"k", b"k\0", b"k\x01", b"k\x02", b"k\x03", b"k\x04", b"l"] {
        let some: Vec<Record> = all.iter().filter(|(key, _)| key.starts_with(prefix)).cloned().collect();
        for _ in 0..2 {
            assert_eq!(scan(backend, prefix), some, "scan: passes over deleted records, however many");
        }
    }
}

fn a_scan_goes_on_while_others_write(backend: &impl StateBackend) {
    let key = |number: u32| format!("key/{number:05}").into_bytes();
    let mut batch = WriteBatch::default();
    for number in 0..1000 {
        batch.put(&key(number * 2), b"old");
    }
    write(backend, batch);
    let mut last: Option<Vec<u8>> = None;
    let mut stayed = 0;
    for (at, record) in (0..).zip(backend.scan(b"key/")) {
        let (found, _) = record.expect("scan: goes on while others write");
        assert!(last.as_ref() < Some(&found), "scan: in order, and each key once, while others write");
        stayed += u32::from(found[found.len() - 1] % 2 == 0);
        last = Some(found);
        assert!(at < 2000, "scan: ends, although others write");
        // Before it, at it and behind it; a backend that holds its lock meanwhile hangs here.
        let at = at.min(999);
        put(backend, &key(at * 2 + 1), b"new");
        put(backend, &key(at * 2), b"changed");
        put(backend, &key(1999 - at), b"new");
    }
    assert_eq!(stayed, 1000, "scan: what was there all the time is found");
}

fn big_values_come_back(backend: &impl StateBackend) {
    let big: Vec<u8> = (0..1_u32 << 20).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    put(backend, b"big", &big);
    put(backend, b"small", b"v");
    assert!(get(backend, b"big").as_ref() == Some(&big), "get: a value of 1 MiB comes back");
    assert!(scan(backend, b"b") == [(b"big".to_vec(), big)], "scan: a value of 1 MiB comes back");
}

fn long_keys_come_back<B: StateBackend>(backend: &B) {
    let longest = vec![b'k'; B::LONGEST_KEY.min(1 << 20)];
    let shorter = &longest[1..];
    put(backend, &longest, b"1");
    put(backend, shorter, b"2");
    assert!(get(backend, &longest).as_deref() == Some(b"1"), "get: a key as long as `LONGEST_KEY` says is found");
    let there = [(shorter.to_vec(), b"2".to_vec()), (longest.clone(), b"1".to_vec())];
    assert!(scan(backend, shorter) == there, "scan: keys as long as `LONGEST_KEY` says come back");
}

fn readers_see_whole_batches<B: StateBackend>(backend: &Arc<B>) {
    let number = |key: &[u8]| {
        let value = backend.get(key).expect("get: a healthy backend answers");
        value.map(|value| value.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    std::thread::scope(|scope| {
        // Numbers only grow, so the key read second is never behind, whichever a half batch would write first.
        let readers = [(b"p/1", b"p/2"), (b"p/2", b"p/1")].map(|(first, second)| {
            scope.spawn(move || {
                for _ in 0..2000 {
                    let (before, after) = (number(first), number(second));
                    assert!(
                        before <= after,
                        "write: readers see a batch whole or not at all: {before:?}, then {after:?}"
                    );
                }
            })
        });
        for round in 1_u64.. {
            let mut batch = WriteBatch::default();
            batch.put(b"p/1", &round.to_be_bytes());
            batch.put(b"p/2", &round.to_be_bytes());
            write(&**backend, batch);
            if readers.iter().all(|reader| reader.is_finished()) {
                break;
            }
        }
    });
}

fn threads_share_one_backend<B: StateBackend>(backend: &Arc<B>) {
    std::thread::scope(|scope| {
        for thread in 1..=8_u8 {
            scope.spawn(move || {
                for number in 0..100_u8 {
                    put(&**backend, &[thread, number], &[number]);
                    assert_eq!(
                        get(&**backend, &[thread, number]),
                        Some(vec![number]),
                        "threads: each sees its own writes"
                    );
                    assert_eq!(
                        scan(&**backend, &[thread]).len(),
                        usize::from(number) + 1,
                        "threads: each sees its own writes"
                    );
                }
            });
        }
    });
    assert_eq!(scan(&**backend, b"").len(), 800, "threads: no write of any of them is lost");
}

fn a_scan_starts_where_it_is_told(backend: &impl StateBackend) {
    let mut batch = WriteBatch::default();
    for key in [&b"a"[..], b"b", b"b\0", b"b\0\0", b"ba", b"b\xff", b"b\xff\xff", b"c"] {
        batch.put(key, key);
    }
    write(backend, batch);
    let scan_from = |prefix: &[u8], from: &[u8]| -> Vec<Record> {
        let records: Result<_, _> = backend.scan_from(prefix, from).collect();
        records.expect("scan_from: a healthy backend answers")
    };
    for prefix in [&b""[..], b"b", b"b\xff", b"d"] {
        let all = scan(backend, prefix);
        for from in
            [&b""[..], b"a", b"a\xff", b"b", b"b\0", b"b\0\x01", b"bb", b"b\xff\xff", b"b\xff\xff\0", b"c", b"d"]
        {
            let rest: Vec<Record> = all.iter().filter(|(key, _)| key.as_slice() >= from).cloned().collect();
            assert_eq!(scan_from(prefix, from), rest, "scan_from: the records that `scan` gives, from the key on");
        }
    }
}
