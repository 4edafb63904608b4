//! A CSV file gives its rows, says where it is wrong, and is found again where an earlier run stood.

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
use csv::StringRecord;
use krishiv_pipeline::{CsvSource, Polled, RowPosition, Source};
use serde::Deserialize;
use std::path::Path;

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Delay {
    tail: String,
    minutes: Option<i32>,
}

fn delay(number: i32) -> Delay {
    Delay { tail: format!("N{number}"), minutes: (number % 3 != 0).then_some(number) }
}

fn delays(count: i32) -> Vec<Delay> {
    (0..count).map(delay).collect()
}

/// A file with the columns in another order, and one more.
fn text(count: i32) -> String {
    let mut text = "minutes,carrier,tail\n".to_owned();
    for Delay { tail, minutes } in delays(count) {
        let minutes = minutes.map(|minutes| minutes.to_string()).unwrap_or_default();
        text += &format!("{minutes},UA,{tail}\n");
    }
    text
}

fn open(path: &Path) -> CsvSource<Delay> {
    CsvSource::open(path).unwrap()
}

/// The rows as they are.
fn raw(path: &Path) -> CsvSource<Vec<String>> {
    CsvSource::open_with(path, |_| Ok(|row: &StringRecord| Ok(row.iter().map(str::to_owned).collect()))).unwrap()
}

/// The position behind `rows` rows.
fn position(path: &Path, rows: usize) -> RowPosition {
    let mut source = raw(path);
    for _ in 0..rows {
        assert!(matches!(poll(&mut source), Ok(Polled::Item(_))));
    }
    source.position()
}

#[test]
fn rows_come_by_the_names_in_the_header() {
    let place = Place::new();
    assert_eq!(all(&mut open(&place.write("plain.csv", text(5000)))), delays(5000));
    assert_eq!(all(&mut open(&place.write("packed.csv.gz", gzip(text(5000).as_bytes())))), delays(5000));
    // The name does not say that it is packed; its first bytes do.
    let text = text(5000).into_bytes();
    let (first, second) = text.split_at(30_000);
    assert_eq!(all(&mut open(&place.write("members", [gzip(first), gzip(second)].concat()))), delays(5000));
    assert_eq!(all(&mut open(&place.write("header.csv", "minutes,carrier,tail\n"))), []);
}

#[test]
fn a_parser_of_its_own_sees_header_and_rows() {
    let place = Place::new();
    let path = place.write("delays.csv", "tail,minutes\nN1,20\nN2,\"so\non\"\nN3,x\n");
    let mut seen = 0;
    let mut source = CsvSource::open_with(&path, |header| {
        let at = header.iter().position(|name| name == "minutes").ok_or("no `minutes`")?;
        Ok(move |row: &StringRecord| {
            seen += 1;
            if row[at] == *"x" { Err(format!("row {seen} is x")) } else { Ok(row[at].to_owned()) }
        })
    })
    .unwrap();
    let (items, end) = drain(&mut source);
    assert_eq!(items, ["20", "so\non"]);
    // The line, not the row: one before it has two lines.
    assert_eq!(end, Err(format!("{}:5: row 3 is x", path.display())));
}

#[test]
fn what_cannot_be_opened_says_why() {
    let place = Place::new();
    let missing = place.path("missing.csv");
    fails(CsvSource::<Delay>::open(&missing), &missing, ": cannot open the input: ");
    fails(CsvSource::<Delay>::open(place.path("")), &place.path(""), ": the folder has no files to read; ");

    let path = place.write("empty.csv", "");
    fails(CsvSource::<Delay>::open(&path), &path, ":1: the file has no header");
    let columns = |header: &StringRecord| Err(format!("{} columns", header.len()));
    let refused = CsvSource::<()>::open_with::<fn(&StringRecord) -> _>(&path, columns);
    fails(refused, &path, ":1: 0 columns");

    let mut damaged = gzip(text(10).as_bytes());
    damaged[0] ^= 0x10;
    for (name, bytes) in
        [("nothing.csv.gz", vec![]), ("start.csv.gz", damaged), ("plain.csv.gz", text(10).into_bytes())]
    {
        let path = place.write(name, bytes);
        fails(CsvSource::<Delay>::open(&path), &path, ":1: the file ");
    }
}

#[test]
fn a_malformed_row_is_named_by_file_line_and_field() {
    let place = Place::new();
    for (row, reason) in [
        ("soon,UA,N1", "`minutes` is \"soon\": invalid digit found in string"),
        ("1,UA", "2 fields, expected 3 as in the header"),
        ("1,UA,N1,x", "4 fields, expected 3 as in the header"),
    ] {
        let path = place.write("delays.csv", format!("{}{row}\n{row}\n", text(7)));
        let mut source = open(&path);
        let (items, end) = drain(&mut source);
        assert_eq!(items, delays(7));
        assert_eq!(end, Err(format!("{}:9: {reason}", path.display())));
        // It stands behind it, and what comes next is the same row again.
        assert_eq!(source.rows(), 8);
        fails(poll(&mut source), &path, &format!(":10: {reason}"));
        assert_eq!(poll(&mut source).unwrap(), Polled::End);
    }
    let path = place.write("delays.csv", b"minutes,carrier,tail\n1,UA,N1\n1,U\xff,N1\n");
    let (items, end) = drain(&mut raw(&path));
    assert_eq!((items.len(), end), (1, Err(format!("{}:3: field 2 is not UTF-8", path.display()))));
}

#[test]
fn a_header_without_a_needed_column_is_named() {
    let place = Place::new();
    let path = place.write("delays.csv", "minutes,tailnum\n1,N1\n");
    fails(poll(&mut open(&path)), &path, ":2: missing field `tail`; the header has `minutes`, `tailnum`");
}

#[test]
fn a_row_without_an_end_is_no_reason_to_fill_the_memory() {
    let place = Place::new();
    let endless = [b"minutes,carrier,tail\n1,UA,N1\n1,UA,\"".to_vec(), vec![b'x'; 65 << 20]].concat();
    let path = place.write("endless.csv.gz", gzip(&endless));
    let (items, end) = drain(&mut open(&path));
    assert_eq!(items.len(), 1);
    fails(end, &path, ":3: the line is longer than 64 MiB, and only its first 64 KiB are kept");
    // It is the row that is limited, not the file.
    let row = format!("1,UA,{}\n", "x".repeat(40 << 20));
    let path = place.write("long.csv.gz", gzip(format!("minutes,carrier,tail\n{row}{row}{row}").as_bytes()));
    assert_eq!(drain(&mut open(&path)).0.len(), 3);
}

#[test]
fn damage_in_a_gz_is_found() {
    let place = Place::new();
    let packed = gzip(text(20_000).as_bytes());
    let flipped = |at: usize| {
        let mut bytes = packed.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    for (bytes, reason) in [
        (packed[..packed.len() / 2].to_vec(), "the file ends in the middle of its compressed data: it is truncated"),
        (packed[..packed.len() - 3].to_vec(), "it is truncated"),
        (flipped(packed.len() - 6), "cannot be read further: corrupt gzip stream"),
        (flipped(packed.len() - 2), "cannot be read further: corrupt gzip stream"),
        (
            [packed.as_slice(), b"no more members"].concat(),
            "cannot be read further: something that is no gzip data follows behind the last member",
        ),
    ] {
        let path = place.write("delays.csv.gz", bytes);
        let (items, end) = drain(&mut open(&path));
        assert!(!items.is_empty() && delays(20_000).starts_with(&items));
        fails(end, &path, reason);
    }
}

#[test]
fn a_source_goes_on_where_an_earlier_one_stood() {
    let place = Place::new();
    let path = place.write("delays.csv", text(3000));
    let packed = place.write("delays.csv.gz", gzip(text(3000).as_bytes()));
    let grown = place.write("grown.csv", text(4000));
    for (rows, path, end) in [(0, &path, 3000), (1234, &path, 3000), (1234, &packed, 3000), (3000, &grown, 4000)] {
        let mut source = open(path);
        source.seek(position(&place.path("delays.csv"), rows)).unwrap();
        assert_eq!(source.rows(), rows as u64);
        assert_eq!(all(&mut source), delays(end)[rows..]);
        assert_eq!(source.position(), position(path, end as usize));
    }
}

#[test]
fn another_input_is_refused() {
    let place = Place::new();
    let path = place.write("delays.csv", text(3000));
    let (start, done) = (position(&path, 0), position(&path, 3000));
    let swapped = |from: &str, to: &str| {
        let changed = text(3000).replacen(from, to, 1);
        assert_ne!(changed, text(3000));
        changed
    };
    let what = "this is not the input that the state was made from: ";
    for (other, to, how) in [
        (text(2999), done, "it ends after 2999 rows, and the state has done 3000 rows; give the same input"),
        // One byte; two fields that read the same side by side; the header.
        (swapped(",UA,N1\n", ",UB,N1\n"), done, "its rows differ, and the state has done 3000 rows; give the same"),
        (swapped("1,UA,N1\n", "1U,A,N1\n"), done, "its rows differ"),
        (swapped("carrier", "airline"), done, "its rows differ"),
        (swapped("carrier", "airline"), start, "its header differs, and the state has done 0 rows"),
        (text(3001).replace("N2999\n", "N2998\n"), done, "its rows differ"),
    ] {
        let path = place.write("other.csv", other);
        fails(open(&path).seek(to), &path, &format!("{what}{how}"));
    }
    let mut source = open(&path);
    all(&mut source);
    fails(source.seek(start), &path, "row 3000 was read, and a source cannot go back to 0; open it anew");
}

#[test]
fn progress_ends_at_the_size_of_the_file_as_it_is_stored() {
    let place = Place::new();
    let packed = gzip(text(50_000).as_bytes());
    let path = place.write("delays.csv.gz", &packed);
    let mut source = open(&path);
    let progress = source.progress();
    assert_eq!(source.bytes_total(), packed.len() as u64);
    assert!(source.bytes_read() < source.bytes_total(), "a file longer than the buffers");
    let mut before = source.bytes_read();
    while let Polled::Item(_) = poll(&mut source).unwrap() {
        assert!(source.bytes_read() >= before);
        before = source.bytes_read();
    }
    assert_eq!((source.rows(), source.bytes_read()), (50_000, packed.len() as u64));
    assert_eq!((progress.bytes_read(), progress.bytes_total()), (source.bytes_read(), source.bytes_total()));
}

#[test]
fn the_position_of_a_file_never_changes() {
    // A version that computes another checksum would refuse every input of the state before it.
    let place = Place::new();
    let path = place.write("delays.csv", "tail,minutes\nN14228,20\nN24211,-3\n");
    let position = position(&path, 2);
    assert_eq!(serde_json::to_string(&position).unwrap(), r#"{"rows":2,"checksum":2814448748}"#);
}
