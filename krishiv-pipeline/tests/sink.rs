//! A file of JSON lines is durable up to each mark, goes on from one, and is never mistaken for another.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

mod common;

use common::{Place, all, fails, gunzip, gzip};
use krishiv_pipeline::{BadRecord, FileMark, JsonLinesSink, JsonLinesSource, Sink};
use serde::Serialize;
use std::fs;
use std::path::Path;

type Row = (String, i32);

const NAMES: [&str; 2] = ["late.jsonl", "late.jsonl.gz"];

fn row(number: i32) -> Row {
    (format!("Ñ{number}\n"), number)
}

fn open(path: &Path, mark: Option<FileMark>) -> JsonLinesSink<Row> {
    let mut sink = JsonLinesSink::open(path).unwrap();
    sink.resume(mark).unwrap();
    sink
}

fn write(sink: &mut JsonLinesSink<Row>, rows: std::ops::Range<i32>) {
    for number in rows {
        sink.write(row(number)).unwrap();
    }
}

fn rows(path: &Path) -> Vec<i32> {
    let rows = all(&mut JsonLinesSource::<Row>::open(path).unwrap());
    rows.into_iter().map(|(_, number)| number).collect()
}

/// Bytes of the file without its packing.
fn text(path: &Path) -> String {
    if path.extension().unwrap() == "gz" { gunzip(path) } else { fs::read_to_string(path).unwrap() }
}

fn add(path: &Path, bytes: &[u8]) {
    fs::write(path, [fs::read(path).unwrap().as_slice(), bytes].concat()).unwrap();
}

#[test]
fn a_line_per_item_durable_at_each_sync() {
    let place = Place::new();
    for name in NAMES {
        let path = place.path(name);
        let mut sink = open(&path, None);
        write(&mut sink, 0..2);
        let first = sink.sync().unwrap();
        assert_eq!(text(&path), "[\"Ñ0\\n\",0]\n[\"Ñ1\\n\",1]\n");
        assert_eq!((first.length, first.records), (fs::metadata(&path).unwrap().len(), 2));
        assert_eq!(sink.sync().unwrap(), first, "nothing came in between");
        write(&mut sink, 2..20_000);
        assert_eq!(sink.records(), 20_000);
        let second = sink.sync().unwrap();
        assert_eq!((second.length, second.records), (fs::metadata(&path).unwrap().len(), 20_000));
        assert_eq!(rows(&path), Vec::from_iter(0..20_000));
    }
}

#[test]
fn every_mark_of_a_gz_is_the_end_of_a_gz() {
    let place = Place::new();
    let path = place.path("late.jsonl.gz");
    let mut sink = open(&path, None);
    let mut marks = vec![(0, sink.sync().unwrap())];
    for end in [1, 10_000, 10_001] {
        write(&mut sink, marks.last().unwrap().0..end);
        marks.push((end, sink.sync().unwrap()));
    }
    let bytes = fs::read(&path).unwrap();
    for (end, mark) in marks {
        let part = place.write("part.jsonl.gz", &bytes[..mark.length as usize]);
        assert_eq!(rows(&part), Vec::from_iter(0..end));
    }
}

#[test]
fn a_sink_without_items_leaves_a_file_that_can_be_read() {
    let place = Place::new();
    for name in NAMES {
        let path = place.path(name);
        let mark = open(&path, None).sync().unwrap();
        assert_eq!((text(&path).as_str(), mark.records), ("", 0));
        assert!(rows(&path).is_empty());
        // A crash before that was committed is no reason to refuse the file,
        assert_eq!(open(&path, None).sync().unwrap(), mark);
        // and neither is one in the middle of it.
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let mut sink = open(&path, None);
        write(&mut sink, 0..1);
        sink.sync().unwrap();
        assert_eq!(rows(&path), [0]);
    }
}

#[test]
fn what_came_after_the_mark_is_cut_off() {
    let place = Place::new();
    for name in NAMES {
        for tail in [&b"{\"half a li"[..], &[0; 100_000], gzip(b"[\"whole\",1]\n").as_slice()] {
            let path = place.path(name);
            let mut sink = open(&path, None);
            write(&mut sink, 0..3);
            let mark = sink.sync().unwrap();
            // Enough that a part reaches the file without a sync.
            write(&mut sink, 3..100_000);
            drop(sink);
            assert!(fs::metadata(&path).unwrap().len() > mark.length);
            add(&path, tail);

            let mut sink = open(&path, Some(mark));
            assert_eq!((fs::metadata(&path).unwrap().len(), sink.records()), (mark.length, 3));
            write(&mut sink, 3..5);
            sink.sync().unwrap();
            assert_eq!(rows(&path), [0, 1, 2, 3, 4]);
            fs::remove_file(&path).unwrap();
        }
    }
}

#[test]
fn a_run_that_crashed_before_its_second_commit_goes_on() {
    let place = Place::new();
    for name in NAMES {
        let path = place.path(name);
        let mut sink = open(&path, None);
        let mark = sink.sync().unwrap();
        write(&mut sink, 0..100_000);
        drop(sink);
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() as u64 > mark.length);
        drop(open(&path, Some(mark)));
        // Not even one line.
        fs::write(&path, &bytes[..mark.length as usize + 5]).unwrap();
        let mut sink = open(&path, Some(mark));
        write(&mut sink, 7..8);
        sink.sync().unwrap();
        assert_eq!(rows(&path), [7]);
    }
}

#[test]
fn a_file_that_does_not_hold_what_was_committed_is_refused() {
    let place = Place::new();
    for name in NAMES {
        let path = place.path(name);
        let mut sink = open(&path, None);
        write(&mut sink, 0..1000);
        let mark = sink.sync().unwrap();
        drop(sink);
        let bytes = fs::read(&path).unwrap();
        let (length, all) = (bytes.len() - 1, bytes.len());
        let mut changed = [bytes.as_slice(), b"more"].concat();
        changed[all / 2] ^= 1;
        let what = "this is not the file that goes with the state: ";
        for (content, how) in [
            (None, format!("it is missing, and {all} bytes of it were committed; put it back, or start over")),
            (Some(vec![]), format!("it has 0 bytes, and {all} were committed; put it back")),
            (Some(bytes[..length].to_vec()), format!("it has {length} bytes, and {all} were committed")),
            (Some(changed), format!("its first {all} bytes are not those that were committed; put it back")),
        ] {
            match &content {
                Some(content) => fs::write(&path, content).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let mut sink = JsonLinesSink::<Row>::open(&path).unwrap();
            fails(sink.resume(Some(mark)), &path, &format!("{what}{how}"));
            fails(sink.write(row(1)).and_then(|()| sink.sync()), &path, "call `resume` before it");
            drop(sink);
            assert_eq!(fs::read(&path).ok(), content, "it stays as it is");
        }
        fs::write(&path, &bytes).unwrap();
        assert_eq!(open(&path, Some(mark)).records(), 1000);
    }
}

#[test]
fn a_file_of_somebody_else_stays_as_it_is() {
    let place = Place::new();
    let words = "the file is not empty, and nothing in it was committed by this state, so it stays as it is; name";
    let plain = open(&place.path("new.jsonl"), None).sync().unwrap();
    let packed = open(&place.path("new.jsonl.gz"), None).sync().unwrap();
    let line = b"[\"N1\",20]\n";
    for (name, content, mark) in [
        ("lines.jsonl", line.to_vec(), None),
        ("notes.txt", b"do not lose me".to_vec(), None),
        ("lines.jsonl.gz", gzip(line), None),
        ("not-packed.jsonl.gz", line.to_vec(), None),
        // A state that has committed no line yet cannot know them by their bytes.
        ("notes.txt", b"do not lose me".to_vec(), Some(plain)),
        ("table.csv", b"20,N1\n".to_vec(), Some(plain)),
        ("settings.json", b"{\n\"late\": 15\n}\n".to_vec(), Some(plain)),
        ("spaced.txt", b"\n[]\n".to_vec(), Some(plain)),
    ] {
        let path = place.write(name, &content);
        let mut sink = JsonLinesSink::<Row>::open(&path).unwrap();
        fails(sink.resume(mark), &path, words);
        fails(sink.cut_back(mark), &path, "call `resume` before it");
        drop(sink);
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    let path = place.write("lines.jsonl.gz", gzip(line));
    let mut sink = JsonLinesSink::<Row>::open(&path).unwrap();
    fails(sink.resume(Some(packed)), &path, "its first 20 bytes are not those that were committed");
}

#[test]
fn cut_back_drops_what_came_after_the_mark_synced_or_not() {
    let place = Place::new();
    for name in NAMES {
        let path = place.path(name);
        let mut sink = open(&path, None);
        write(&mut sink, 0..3);
        let mark = sink.sync().unwrap();
        for more in [1, 100_000] {
            write(&mut sink, 3..3 + more);
            if more == 1 {
                sink.sync().unwrap();
            }
            sink.cut_back(Some(mark)).unwrap();
            assert_eq!((fs::metadata(&path).unwrap().len(), sink.records()), (mark.length, 3));
            assert_eq!(sink.sync().unwrap(), mark);
        }
        write(&mut sink, 3..4);
        sink.sync().unwrap();
        assert_eq!(rows(&path), [0, 1, 2, 3]);
        sink.cut_back(None).unwrap();
        // Nothing of it was ever committed, and it was not there before.
        assert_eq!((path.exists(), sink.records()), (false, 0));
        assert_eq!(rows_after(&mut sink, 4..5, &path), [4]);
        // What was there before stays there.
        drop(sink);
        fs::write(&path, if name.ends_with("gz") { gzip(b"") } else { Vec::new() }).unwrap();
        let mut sink = open(&path, None);
        assert_eq!(rows_after(&mut sink, 5..6, &path), [5]);
        sink.cut_back(None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    }
}

fn rows_after(sink: &mut JsonLinesSink<Row>, more: std::ops::Range<i32>, path: &Path) -> Vec<i32> {
    write(sink, more);
    sink.sync().unwrap();
    rows(path)
}

#[test]
fn a_file_is_made_when_something_is_written_or_synced_and_not_before() {
    let place = Place::new();
    for name in NAMES {
        let path = place.path(name);
        let mut sink = open(&path, None);
        assert!(!path.exists());
        sink.cut_back(None).unwrap();
        assert!(!path.exists());
        let mark = sink.sync().unwrap();
        assert_eq!((path.exists(), mark.records), (true, 0));
        drop(sink);
        open(&path, Some(mark)).cut_back(Some(mark)).unwrap();
        assert!(path.exists());
    }
}

#[test]
fn what_cannot_be_a_line_is_a_bad_record_and_leaves_nothing() {
    #[derive(Serialize)]
    struct Sum {
        name: &'static str,
        amount: f64,
        #[serde(serialize_with = "no_panic")]
        rate: Option<f32>,
    }

    fn no_panic<S: serde::Serializer>(rate: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
        assert_ne!(*rate, Some(13.0), "not that one");
        rate.serialize(serializer)
    }

    let place = Place::new();
    for name in NAMES {
        let path = place.path(name);
        let mut sink = JsonLinesSink::open(&path).unwrap();
        sink.resume(None).unwrap();
        let mut write = |amount, rate| sink.write(Sum { name: "null", amount, rate });
        write(1.5, None).unwrap();
        for (amount, rate, reason) in [
            (f64::NAN, None, "`amount` is NaN, which JSON has no word for"),
            (0.0, Some(f32::INFINITY), "`rate` is inf, which JSON has no word for"),
            (0.0, Some(13.0), "a function panicked on it: assertion `left != right` failed: not that one"),
        ] {
            let error = write(amount, rate).unwrap_err();
            assert!(error.is::<BadRecord>());
            fails(Err::<(), _>(error), &path, &format!(":2: the item cannot be a line of JSON: {reason}"));
        }
        write(2.5, Some(1.0)).unwrap();
        sink.sync().unwrap();
        let want =
            "{\"name\":\"null\",\"amount\":1.5,\"rate\":null}\n{\"name\":\"null\",\"amount\":2.5,\"rate\":1.0}\n";
        assert_eq!(text(&path), want);
    }
}

#[test]
fn an_item_without_a_json_form_leaves_nothing() {
    use std::collections::BTreeMap;

    let place = Place::new();
    for name in NAMES {
        let path = place.path(name);
        let mut sink = JsonLinesSink::open(&path).unwrap();
        sink.resume(None).unwrap();
        sink.write(BTreeMap::from([(Some("N1"), 1)])).unwrap();
        let words = ":2: the item cannot be a line of JSON: key must be a string";
        fails(sink.write(BTreeMap::from([(None, 2), (Some("N2"), 2)])), &path, words);
        assert_eq!(sink.sync().unwrap().records, 1);
        assert_eq!(text(&path), "{\"N1\":1}\n");
    }
}

#[test]
fn a_second_writer_is_refused() {
    let place = Place::new();
    for name in NAMES {
        let path = place.path(name);
        // Neither finds a file when it opens; the first to resume has it.
        let (mut first, mut late) = (JsonLinesSink::open(&path).unwrap(), JsonLinesSink::<Row>::open(&path).unwrap());
        first.resume(None).unwrap();
        first.write(row(0)).unwrap();
        let mark = first.sync().unwrap();
        let before = fs::read(&path).unwrap();
        let words = "another run is writing this file; wait until it ends, or name another file";
        fails(JsonLinesSink::<Row>::open(&path).map(drop), &path, words);
        assert!(late.resume(None).is_err() && late.resume(Some(mark)).is_err());
        assert_eq!(fs::read(&path).unwrap(), before);
        drop(first);
        assert_eq!(open(&path, Some(mark)).records(), 1);
    }
}

#[test]
fn what_cannot_be_opened_or_created_says_why() {
    let place = Place::new();
    let folder = place.path("");
    fails(JsonLinesSink::<Row>::open(&folder).map(drop), &folder, ": cannot open the output: ");
    let path = place.path("no-such-folder/late.jsonl");
    let mut sink = JsonLinesSink::<Row>::open(&path).unwrap();
    fails(sink.resume(None), &path, ": cannot create the output: ");
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_to_nothing_yet_is_followed_and_two_that_make_one_file_are_told_apart() {
    let place = Place::new();
    let (link, file) = (place.path("late.jsonl"), place.path("elsewhere.jsonl"));
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let mut sink = open(&link, None);
    assert_eq!(rows_after(&mut sink, 0..2, &file), [0, 1]);
    sink.cut_back(None).unwrap();
    assert!(link.symlink_metadata().is_ok(), "it was there before");
    drop(sink);

    let path = place.path("both.jsonl");
    let (mut first, mut second) = (open(&path, None), open(&path, None));
    first.sync().unwrap();
    fails(second.sync(), &path, "another run is writing this file");
    write(&mut first, 0..1);
    first.sync().unwrap();
    drop(first);
    fails(second.sync(), &path, "somebody has written this file since it was looked for");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_what_was_not_synced_can_be_dropped() {
    let place = Place::new();
    for name in NAMES {
        let path = place.path(name);
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let full = ": cannot write the output: No space left on device";
        let mut sink = JsonLinesSink::<Row>::open(&path).unwrap();
        sink.resume(None).unwrap();
        sink.write(row(0)).unwrap();
        fails(sink.sync(), &path, full);
        fails(sink.sync(), &path, full);
        sink.cut_back(None).unwrap();
        assert_eq!(sink.records(), 0);
        // Without a sync, once the buffer is full.
        let failed = (0..1_000_000).find_map(|number| sink.write(row(number)).err());
        fails(Err::<(), _>(failed.unwrap()), &path, full);
        sink.cut_back(None).unwrap();
        assert_eq!(sink.records(), 0);
    }
}

#[test]
fn a_mark_never_changes() {
    // A version that computes another checksum would refuse every file of the state before it.
    let place = Place::new();
    let mut sink = JsonLinesSink::open(place.path("late.jsonl")).unwrap();
    sink.resume(None).unwrap();
    sink.write(("N14228", 20)).unwrap();
    let mark = sink.sync().unwrap();
    assert_eq!(serde_json::to_string(&mark).unwrap(), r#"{"length":14,"checksum":1216562932,"records":1}"#);
}
