//! Files as people have them: packed, padded, marked, in folders, and not what they are called.

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
use krishiv_pipeline::{CsvSource, JsonLinesSource, Polled, Source};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::Write;
use std::path::Path;

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// A frame that decoders pass over.
fn skippable(bytes: &[u8]) -> Vec<u8> {
    [&b"\x53\x2a\x4d\x18"[..], &(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

fn rows(count: u32) -> String {
    (0..count).map(|n| format!("[\"N{n}\",{n}]\n")).collect()
}

fn csv_rows(numbers: std::ops::Range<u32>) -> String {
    "tail,minutes\n".to_owned() + &numbers.map(|n| format!("N{n},{n}\n")).collect::<String>()
}

type Item = (String, u32);

fn items(numbers: std::ops::Range<u32>) -> Vec<Item> {
    numbers.map(|n| (format!("N{n}"), n)).collect()
}

fn json(path: &Path) -> JsonLinesSource<Item> {
    JsonLinesSource::open(path).unwrap()
}

fn csv(path: &Path) -> CsvSource<Item> {
    CsvSource::open(path).unwrap()
}

#[test]
fn a_mark_that_says_utf_8_is_no_part_of_the_text() {
    let place = Place::new();
    for text in [b"\xef\xbb\xbf".to_vec(), Vec::new()] {
        let (lines, table) = ([&text, rows(3).as_bytes()].concat(), [&text, csv_rows(0..3).as_bytes()].concat());
        let (lines_gz, table_gz) = (gzip(&lines), gzip(&table));
        assert_eq!(all(&mut json(&place.write("a.jsonl", &lines))), items(0..3));
        assert_eq!(all(&mut json(&place.write("a.jsonl.gz", &lines_gz))), items(0..3));
        let mut named =
            CsvSource::<std::collections::BTreeMap<String, String>>::open(place.write("a.csv", &table)).unwrap();
        assert_eq!(all(&mut named)[2]["tail"], "N2");
        assert_eq!(all(&mut csv(&place.write("a.csv.gz", &table_gz))), items(0..3));
    }
    assert_eq!(all(&mut json(&place.write("mark.jsonl", b"\xef\xbb\xbf"))), []);
}

#[test]
fn zeros_behind_gzip_are_padding() {
    let place = Place::new();
    let packed = gzip(rows(3000).as_bytes());
    for zeros in [1, 511, 100_000] {
        let padded = [packed.clone(), vec![0; zeros]].concat();
        assert_eq!(all(&mut json(&place.write("a.jsonl.gz", padded))), items(0..3000));
    }
    // Between members too, as gzip(1) has it not; behind them nothing else.
    let path = place.write("a.jsonl.gz", [packed, vec![0; 9], b"\x07".to_vec()].concat());
    let (read, end) = drain(&mut json(&path));
    assert_eq!(read, items(0..3000));
    fails(end, &path, ":3001: the file cannot be read further: something that is no gzip data follows");
}

#[test]
fn zstd_is_unpacked_by_its_start_or_its_name() {
    let place = Place::new();
    let text = rows(20_000);
    let (first, second) = text.as_bytes().split_at(100_001);
    let frames =
        [skippable(b"note"), zstd(first), skippable(b""), zstd(b""), zstd(second), skippable(&[7; 9000])].concat();
    assert_eq!(all(&mut json(&place.write("a.jsonl.zst", zstd(text.as_bytes())))), items(0..20_000));
    assert_eq!(all(&mut csv(&place.write("packed", zstd(csv_rows(0..9).as_bytes())))), items(0..9));
    assert_eq!(all(&mut json(&place.write("frames.zst", frames))), items(0..20_000));
    // The rows are the same, so is where it stands.
    let mut packed = json(&place.write("a.jsonl.zst", zstd(text.as_bytes())));
    for _ in 0..5 {
        poll(&mut packed).unwrap();
    }
    let mut plain = json(&place.write("a.jsonl", &text));
    plain.seek(packed.position()).unwrap();
    assert_eq!(all(&mut plain), items(5..20_000));
}

#[test]
fn damage_in_zstd_is_found() {
    let place = Place::new();
    let packed = zstd(rows(20_000).as_bytes());
    let mut flipped = packed.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 0x10; // its checksum
    for (bytes, reason) in [
        (packed[..packed.len() / 2].to_vec(), "the file ends in the middle of its compressed data: it is truncated"),
        (packed[..packed.len() - 3].to_vec(), "it is truncated"),
        (packed[..2].to_vec(), "it is truncated"),
        (Vec::new(), "it is truncated"),
        (flipped, "cannot be read further: corrupt zstd data: it does not have the checksum of its frame"),
        ([packed.as_slice(), b"no more frames"].concat(), "cannot be read further: corrupt zstd data: "),
        (rows(3).into_bytes(), "cannot be read further: corrupt zstd data: "),
        ([&skippable(b"note")[..9], b""].concat(), "it is truncated"),
    ] {
        let path = place.write("a.jsonl.zst", bytes);
        let mut source = json(&path);
        let (read, end) = drain(&mut source);
        assert!(items(0..20_000).starts_with(&read));
        fails(end, &path, reason);
        fails(poll(&mut source), &path, "the file");
    }
}

#[test]
fn what_is_no_text_is_named_with_what_to_do() {
    let place = Place::new();
    let wide: Vec<u8> = csv_rows(0..3).encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, words) in [
        (
            [b"\xff\xfe", wide.as_slice()].concat(),
            ": this is UTF-16 text, and UTF-8 text was expected; make UTF-8 of it first",
        ),
        (wide, ": this looks like UTF-16 text, and UTF-8 was expected; make UTF-8 of it first (`iconv"),
        (b"PK\x03\x04rest".to_vec(), ": this is a zip archive (or a spreadsheet, which is one)"),
        (b"PAR1\x15rest".to_vec(), ": this is a Parquet file, and UTF-8 text was expected; export it as CSV"),
    ] {
        let path = place.write("a.csv", bytes);
        fails(CsvSource::<Item>::open(&path), &path, words);
        fails(JsonLinesSource::<Item>::open(&path), &path, words);
    }
}

#[test]
fn a_folder_is_its_files_in_the_order_of_their_names() {
    let place = Place::new();
    let folder = place.path("days");
    std::fs::create_dir(&folder).unwrap();
    place.write("days/2.csv", csv_rows(3..5).trim_end());
    place.write("days/1.csv.gz", gzip(csv_rows(0..3).as_bytes()));
    place.write("days/0.csv", "");
    place.write("days/3.csv", "");
    place.write("days/4.csv.zst", zstd(csv_rows(5..6).as_bytes()));
    place.write("days/.hidden", "no rows");
    place.write("days/_SUCCESS", "");
    let mut source = csv(&folder);
    let total = source.bytes_total();
    assert_eq!(all(&mut source), items(0..6));
    assert_eq!((source.bytes_read(), source.progress().bytes_total()), (total, total));

    // The rows are those of one file, and a row is named by its own.
    let mut one = csv(&place.write("one.csv", csv_rows(0..6)));
    assert_eq!(all(&mut one), items(0..6));
    assert_eq!(one.position(), source.position());
    place.write("days/5.csv", "tail,minutes\nN6,6\nN7,soon\n");
    let mut grown = csv(&folder);
    grown.seek(source.position()).unwrap();
    assert_eq!(poll(&mut grown).unwrap(), Polled::Item(("N6".to_owned(), 6)));
    fails(poll(&mut grown), &place.path("days/5.csv"), ":3: `minutes` is \"soon\"");

    // A file that comes before those that were read is another input.
    place.write("days/0.csv", csv_rows(9..10));
    fails(
        csv(&folder).seek(source.position()),
        &place.path("days"),
        "this is not the input that the state was made from",
    );

    place.write("days/6.csv", "minutes,tail\n");
    let header = ":1: its header is not that of the files before it; give files of one header";
    let (_, end) = drain(&mut csv(&folder).filter_map(Some));
    assert!(end.is_err());
    std::fs::remove_file(place.path("days/5.csv")).unwrap();
    fails(drain(&mut csv(&folder)).1, &place.path("days/6.csv"), header);
}

#[test]
fn a_folder_of_json_lines_and_what_is_in_its_way() {
    let place = Place::new();
    let folder = place.path("days");
    std::fs::create_dir(&folder).unwrap();
    fails(JsonLinesSource::<Item>::open(&folder), &folder, ": the folder has no files to read; ");
    place.write("days/1", rows(2).trim_end());
    place.write("days/2", "\n\n[\"N2\",2]");
    assert_eq!(all(&mut json(&folder)), items(0..3));
    std::fs::create_dir(place.path("days/more")).unwrap();
    fails(
        JsonLinesSource::<Item>::open(&folder),
        &place.path("days/more"),
        ": a folder within the folder of the input is not read; ",
    );
}

/// Says what the standard input holds; the test below runs it in a process of its own.
#[test]
fn in_a_process_of_its_own_the_standard_input_is_read() {
    if std::env::var_os("KRISHIV_TEST_STDIN").is_none() {
        return;
    }
    let mut source = json(Path::new("-"));
    let read = all(&mut source);
    println!("read {} {:?} {}", read.len(), source.row(), source.bytes_total());
}

#[cfg(unix)]
#[test]
fn a_pipe_keeps_nobody_waiting() {
    let place = Place::new();
    let path = place.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (mut source, mut table) = (json(&path), place.path("table"));
    let soon = std::time::Duration::from_millis(5);
    // Nobody writes yet, and it says so.
    assert_eq!(source.poll(soon).unwrap(), Polled::Pending);
    let mut pipe = std::fs::File::options().write(true).open(&path).unwrap();
    pipe.write_all(b"[\"N0\",0]\n\n").unwrap();
    assert_eq!(poll(&mut source).unwrap(), Polled::Item(("N0".to_owned(), 0)));
    assert_eq!(source.poll(soon).unwrap(), Polled::Pending);
    pipe.write_all(b"[\"N1\",1]\n[\"N2").unwrap();
    assert_eq!(poll(&mut source).unwrap(), Polled::Item(("N1".to_owned(), 1)));
    // Half a line is none.
    assert_eq!(source.poll(soon).unwrap(), Polled::Pending);
    pipe.write_all(b"\",2]").unwrap();
    drop(pipe);
    assert_eq!(all(&mut source), items(2..3));

    assert!(std::process::Command::new("mkfifo").arg(&table).status().unwrap().success());
    let rows = csv_rows(0..2);
    let writer = std::thread::spawn({
        let path = table.clone();
        move || std::fs::write(path, rows)
    });
    let mut source = csv(&table);
    assert_eq!(all(&mut source), items(0..2));
    writer.join().unwrap().unwrap();
    table.set_file_name("a missing one");
    fails(CsvSource::<Item>::open(&table), &table, ": cannot open the input: ");
}

#[test]
fn a_dash_is_the_standard_input_plain_or_packed() {
    for bytes in [rows(3000).into_bytes(), gzip(rows(3000).as_bytes()), zstd(rows(3000).as_bytes())] {
        let name = "in_a_process_of_its_own_the_standard_input_is_read";
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env("KRISHIV_TEST_STDIN", "yes")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // As it comes.
        bytes.chunks(1000).for_each(|some| stdin.write_all(some).unwrap());
        drop(stdin);
        let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        assert!(said.contains("read 3000 None 0\n"), "{said}");
    }
}
