//! A file of JSON lines gives its rows, says where it is wrong, and is found again where an earlier run stood.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

mod common;

use common::{Place, all, drain, fails, gzip, poll};
use krishiv_pipeline::{JsonLinesSource, Polled, RowPosition, Source};
use serde::{Deserialize, Serialize};
use std::path::Path;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Delay {
    tail: String,
    minutes: Option<i32>,
}

fn delays(count: i32) -> Vec<Delay> {
    (0..count).map(|n| Delay { tail: format!("Ñ{n}\n"), minutes: (n % 3 != 0).then_some(n) }).collect()
}

fn text(count: i32) -> String {
    delays(count).iter().map(|delay| serde_json::to_string(delay).unwrap() + "\n").collect()
}

fn open(path: &Path) -> JsonLinesSource<Delay> {
    JsonLinesSource::open(path).unwrap()
}

fn position(path: &Path, rows: usize) -> RowPosition {
    let mut source = open(path);
    for _ in 0..rows {
        assert!(matches!(poll(&mut source), Ok(Polled::Item(_))));
    }
    source.position()
}

#[test]
fn every_line_is_an_item() {
    let place = Place::new();
    assert_eq!(all(&mut open(&place.write("plain.jsonl", text(5000)))), delays(5000));
    assert_eq!(all(&mut open(&place.write("no-end.jsonl", text(5000).trim_end()))), delays(5000));
    assert_eq!(all(&mut open(&place.write("packed.jsonl.gz", gzip(text(5000).as_bytes())))), delays(5000));
    let text = text(5000);
    let (first, second) = text.as_bytes().split_at(70_001);
    assert_eq!(all(&mut open(&place.write("members", [gzip(first), gzip(second)].concat()))), delays(5000));
    assert_eq!(all(&mut open(&place.write("empty.jsonl", ""))), []);
}

#[test]
fn empty_lines_are_passed_over_and_counted_as_lines_only() {
    let place = Place::new();
    let spaced = format!("\n \r\n{}\n\t\n", text(100).replace('\n', " \r\n\n"));
    let path = place.write("spaced.jsonl", &spaced);
    let mut source = open(&path);
    assert_eq!(all(&mut source), delays(100));
    assert_eq!(source.rows(), 100);
    // So they do not make it another input.
    assert_eq!(source.position(), position(&place.write("delays.jsonl", text(100)), 100));
    let path = place.write("wrong.jsonl", format!("{spaced}x"));
    let line = spaced.lines().count() + 1;
    fails(drain(&mut open(&path)).1, &path, &format!(":{line}: expected value, at column 1"));
}

#[test]
fn a_malformed_line_is_named_by_file_line_and_reason() {
    let place = Place::new();
    for (line, reason) in [
        ("{\"tail\":\"N1\",\"minutes\":2", "EOF while parsing an object, at column 24"),
        ("{\"tail\":\"N1\",\"minutes\":\"2\"}", "invalid type: string \"2\", expected i32, at column 26"),
        ("{\"minutes\":2}", "missing field `tail`, at column 13"),
        ("{\"tail\":\"N1\"}{}", "trailing characters, at column 14"),
    ] {
        let path = place.write("delays.jsonl", format!("{}{line}\n{line}\n", text(7)));
        let mut source = open(&path);
        let (items, end) = drain(&mut source);
        assert_eq!(items, delays(7));
        assert_eq!(end, Err(format!("{}:8: {reason}", path.display())));
        // It stands behind it, and what comes next is the same line again.
        assert_eq!(source.rows(), 8);
        fails(poll(&mut source), &path, &format!(":9: {reason}"));
        assert_eq!(poll(&mut source).unwrap(), Polled::End);
    }
    let path = place.write("delays.jsonl", b"{\"tail\":\"\xff\"}\n");
    fails(poll(&mut open(&path)), &path, ":1: the line is not UTF-8, from its byte 10 on");
}

#[test]
fn what_cannot_be_opened_says_why() {
    let place = Place::new();
    let missing = place.path("missing.jsonl");
    fails(JsonLinesSource::<Delay>::open(&missing), &missing, ": cannot open the input: ");
    for (name, bytes) in [("nothing.jsonl.gz", String::new()), ("plain.jsonl.gz", text(10))] {
        let path = place.write(name, bytes);
        fails(poll(&mut open(&path)), &path, ":1: the file ");
    }
}

#[test]
fn a_line_without_an_end_is_no_reason_to_fill_the_memory() {
    let place = Place::new();
    let endless = [text(1).into_bytes(), b"{\"tail\":\"".to_vec(), vec![b'x'; 65 << 20]].concat();
    let path = place.write("endless.jsonl.gz", gzip(&endless));
    let (items, end) = drain(&mut open(&path));
    assert_eq!(items, delays(1));
    fails(end, &path, ":2: the line is longer than 64 MiB, and only its first 64 KiB are kept");
    let row = format!("{{\"tail\":\"{}\"}}\n", "x".repeat(40 << 20));
    let path = place.write("long.jsonl.gz", gzip(format!("{row}{row}{row}").as_bytes()));
    assert_eq!(all(&mut open(&path)).len(), 3);
}

#[test]
fn damage_in_a_gz_is_found() {
    let place = Place::new();
    let packed = gzip(text(20_000).as_bytes());
    let mut flipped = packed.clone();
    flipped[packed.len() - 6] ^= 0x10;
    for (bytes, reason) in [
        (packed[..packed.len() / 2].to_vec(), "the file ends in the middle of its compressed data: it is truncated"),
        (packed[..packed.len() - 3].to_vec(), "it is truncated"),
        (flipped, "cannot be read further: corrupt gzip stream"),
        (
            [packed.as_slice(), b"no more members"].concat(),
            "cannot be read further: something that is no gzip data follows behind the last member",
        ),
    ] {
        let path = place.write("delays.jsonl.gz", bytes);
        let (items, end) = drain(&mut open(&path));
        assert!(!items.is_empty() && delays(20_000).starts_with(&items));
        fails(end, &path, reason);
    }
}

#[test]
fn a_source_goes_on_where_an_earlier_one_stood() {
    let place = Place::new();
    let path = place.write("delays.jsonl", text(3000));
    let packed = place.write("delays.jsonl.gz", gzip(text(3000).as_bytes()));
    let grown = place.write("grown.jsonl", text(4000));
    for (rows, path, end) in [(0, &path, 3000), (1234, &path, 3000), (1234, &packed, 3000), (3000, &grown, 4000)] {
        let mut source = open(path);
        source.seek(position(&place.path("delays.jsonl"), rows)).unwrap();
        assert_eq!(source.rows(), rows as u64);
        assert_eq!(all(&mut source), delays(end)[rows..]);
        assert_eq!(source.position(), position(path, end as usize));
    }
}

#[test]
fn another_input_is_refused() {
    let place = Place::new();
    let done = position(&place.write("delays.jsonl", text(3000)), 3000);
    let what = "this is not the input that the state was made from: ";
    for (other, how) in [
        (text(2999), "it ends after 2999 rows, and the state has done 3000 rows; give the same input"),
        (text(3000).replacen(":17}", ":18}", 1), "its rows differ, and the state has done 3000 rows"),
        (text(4000).replace("Ñ2999", "Ñ2998"), "its rows differ"),
    ] {
        let path = place.write("other.jsonl", other);
        fails(open(&path).seek(done), &path, &format!("{what}{how}"));
    }
}

#[test]
fn progress_ends_at_the_size_of_the_file_as_it_is_stored() {
    let place = Place::new();
    let packed = gzip(text(50_000).as_bytes());
    let mut source = open(&place.write("delays.jsonl.gz", &packed));
    assert!(source.bytes_read() < source.bytes_total(), "a file longer than the buffers");
    all(&mut source);
    assert_eq!((source.bytes_read(), source.bytes_total()), (packed.len() as u64, packed.len() as u64));
    assert_eq!((source.progress().bytes_read(), source.rows()), (source.bytes_read(), 50_000));
}

#[test]
fn the_position_of_a_file_never_changes() {
    // A version that computes another checksum would refuse every input of the state before it.
    let place = Place::new();
    let path = place.write("delays.jsonl", "{\"tail\":\"N14228\",\"minutes\":20}\n{\"tail\":\"N24211\"}\n");
    let position = position(&path, 2);
    assert_eq!(serde_json::to_string(&position).unwrap(), r#"{"rows":2,"checksum":2970008608}"#);
}
