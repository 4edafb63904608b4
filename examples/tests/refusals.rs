//! What the job does not take: it says why, exits with 1, and keeps everything up to the last commit.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

mod common;

use common::{HEADER, Place, YEAR, gunzip, gzip};
use std::fs;

/// N1 left once, and its 14 days are over when the watermark is a day behind N2.
const IDLE: &str = "2013,1,1,510,0,UA,N1,IAH\n2013,2,1,510,0,UA,N2,IAH\n";

/// Rows from the start of the year.
fn rows(count: usize) -> String {
    gunzip(YEAR).split_inclusive('\n').take(count + 1).collect()
}

/// The same with one line replaced; the header is line 1.
fn with_line(text: &str, number: usize, line: &str) -> String {
    let lines = text.lines().enumerate().map(|(at, old)| if at + 1 == number { line } else { old });
    lines.map(|line| format!("{line}\n")).collect()
}

/// The alerts of an undisturbed run.
fn alerts_of(input: &str) -> String {
    let place = Place::new();
    place.write("flights.csv", input);
    place.run("--input flights.csv").ok();
    place.alerts()
}

#[test]
fn a_malformed_row_stops_the_job_and_the_mended_one_lets_it_go_on() {
    let whole = rows(5000);
    let committed = alerts_of(&rows(4000));
    let want = alerts_of(&whole);
    assert!(committed.len() > 1000 && committed.len() < want.len());
    for (line, reason) in [
        ("2013,1,1,five,517,2,11,UA,1545,N14228,EWR,IAH,1400", "`sched_dep_time` is \"five\", expected a whole number"),
        ("2013,1,1,515,517,2,11,UA,1545,N14228,EWR,IAH", "12 fields, expected 13 as in the header"),
        ("2013,1,32,515,517,2,11,UA,1545,N14228,EWR,IAH,1400", "2013-1-32 is not a day of the calendar"),
        ("2013,1,1,515,,,,UA,1545,,EWR,,1400", "`dest` is empty"),
    ] {
        let place = Place::new();
        place.write("flights.csv", with_line(&whole, 4702, line));
        let args = "--input flights.csv --commit-every 1000";
        // Again and again: it never gets past the row, and never loses what it had.
        for _ in 0..2 {
            place.run(args).fails(&format!("error: flights.csv:4702: {reason}; mend it, or leave such items out"));
            assert_eq!(place.alerts(), committed);
        }
        place.write("flights.csv", &whole);
        let run = place.run(args);
        assert_eq!(run.stderr, "going on after row 4,000\n");
        run.ok();
        assert_eq!(place.alerts(), want);
    }
}

#[test]
fn bytes_that_are_not_text_stop_the_job() {
    let place = Place::new();
    let mut bytes = HEADER.as_bytes().to_vec();
    bytes.extend(b"2013,1,1,510,20,UA,N1,IAH\n2013,1,1,510,20,U\xff,N1,IAH\n");
    place.write("flights.csv", bytes);
    place.run("--input flights.csv").fails("error: flights.csv:3: field 6 is not UTF-8");
}

#[test]
fn a_truncated_or_corrupt_gz_stops_the_job_and_the_whole_one_lets_it_go_on() {
    let whole = rows(20_000);
    let (packed, want) = (gzip(whole.as_bytes()), alerts_of(&whole));
    let flipped = |at: usize| {
        let mut bytes = packed.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let with_garbage = [packed.as_slice(), b"no more members"].concat();
    for (name, bytes, reason) in [
        ("truncated in the middle", packed[..packed.len() / 2].to_vec(), "it is truncated"),
        ("truncated in the trailer", packed[..packed.len() - 3].to_vec(), "it is truncated"),
        ("a wrong checksum", flipped(packed.len() - 6), "cannot be read further: corrupt gzip stream"),
        ("a wrong length", flipped(packed.len() - 2), "cannot be read further: corrupt gzip stream"),
        (
            "garbage at the end",
            with_garbage,
            "cannot be read further: something that is no gzip data follows behind the last member",
        ),
    ] {
        let place = Place::new();
        place.write("flights.csv.gz", bytes);
        let args = "--input flights.csv.gz --commit-every 1000";
        let run = place.run(args);
        assert!(run.stderr.starts_with("error: flights.csv.gz:"), "{name}: {}", run.stderr);
        run.fails(reason);
        assert!(want.starts_with(&place.alerts()) && place.alerts().len() > 1000, "{name}");

        place.write("flights.csv.gz", &packed);
        let run = place.run(args);
        assert!(run.stderr.starts_with("going on after row "), "{name}: {}", run.stderr);
        run.ok();
        assert_eq!(place.alerts(), want, "{name}");
    }
    for (name, bytes) in
        [("nothing", vec![]), ("a wrong start", flipped(0)), ("not packed", whole.clone().into_bytes())]
    {
        let place = Place::new();
        place.write("flights.csv.gz", bytes);
        place.run("--input flights.csv.gz").fails("error: flights.csv.gz:1: ");
        assert!(!place.path("flights-state").exists(), "{name}");
    }
}

#[test]
fn a_flipped_byte_in_the_middle_of_a_gz_stops_the_job() {
    let packed = gzip(rows(20_000).as_bytes());
    for part in 1..8 {
        let mut bytes = packed.clone();
        let at = packed.len() / 8 * part;
        bytes[at] ^= 0x08;
        let place = Place::new();
        place.write("flights.csv.gz", bytes);
        place.run("--input flights.csv.gz --commit-every 1000").fails("error: flights.csv.gz:");
    }
}

#[test]
fn a_gz_of_several_members_is_one_input() {
    let whole = rows(2000);
    let (first, second) = whole.split_at(whole.len() / 3);
    let place = Place::new();
    // The name does not say that it is packed; its first bytes do.
    place.write("flights", [gzip(first.as_bytes()), gzip(second.as_bytes())].concat());
    place.run("--input flights").ok();
    assert_eq!(place.alerts(), alerts_of(&whole));
}

#[test]
fn another_input_than_that_of_the_state_is_refused() {
    let whole = rows(3000);
    let place = Place::new();
    place.write("flights.csv", &whole);
    place.run("--input flights.csv").ok();
    let before = place.files();

    place.write("other.csv", rows(2999));
    place.run("--input other.csv").fails("it ends after 2999 rows, and the state has done 3000 rows");
    // Another delay of another aircraft, one byte apart.
    place.write("other.csv", with_line(&whole, 2, "2013,1,1,515,517,3,11,UA,1545,N14228,EWR,IAH,1400"));
    place.run("--input other.csv").fails("this is not the input that the state was made from: its rows differ");
    // Two fields that read the same when they stand side by side.
    place.write("other.csv", with_line(&whole, 2, "2013,1,1,51,5517,2,11,UA,1545,N14228,EWR,IAH,1400"));
    place.run("--input other.csv").fails("its rows differ");
    place.write("rules.csv", "effective,carrier,minutes\n2013-01-01T00:00,*,16\n");
    place.run("--input flights.csv --rules rules.csv").fails("these are not the rules that the state was made with");

    fs::remove_file(place.path("other.csv")).unwrap();
    fs::remove_file(place.path("rules.csv")).unwrap();
    let alerts = |files: &[(std::path::PathBuf, Vec<u8>)]| {
        files.iter().find(|(path, _)| path.ends_with("alerts.jsonl")).cloned()
    };
    assert_eq!(alerts(&place.files()), alerts(&before));
    assert!(place.run("--input flights.csv").ok().starts_with("finished before"));
    // The same rows packed are the same input.
    place.write("flights.csv.gz", gzip(whole.as_bytes()));
    assert!(place.run("--input flights.csv.gz").ok().starts_with("finished before"));
}

#[test]
fn wrong_arguments_write_nothing() {
    let place = Place::new();
    place.write("no-columns.csv", "year,month,day,carrier,dest,sched_dep_time\n");
    place.write("empty.csv", "");
    place.write("flights.csv", rows(10));
    place.write("bad-rules.csv", "effective,carrier,minutes\n2013-01-01T00:00,*,soon\n");
    place.write("notes.txt", "do not lose me");
    place.write("late.jsonl", "{\"tailnum\":\"N1\",\"carrier\":\"UA\",\"streak\":3}\n");
    place.write("idle.jsonl", "{\"tailnum\":\"N1\",\"idle_since\":\"2013-01-01T05:17\"}\n");
    fs::create_dir(place.path("photos")).unwrap();
    place.write("photos/one.jpg", "a photo");
    let before = place.files();

    place.run("--input missing.csv").fails("error: missing.csv: cannot open the input");
    place.run("--input no-columns.csv").fails("no-columns.csv:1: the header has no column `dep_delay`, `tailnum`");
    place.run("--input empty.csv").fails("empty.csv:1: the header has no column `year`, `month`");
    place.run("--input flights.csv --rules missing.csv").fails("missing.csv: cannot read the rules");
    place.run("--input flights.csv --rules bad-rules.csv").fails("bad-rules.csv:2: `minutes` is \"soon\"");
    for fresh in ["", "--fresh", "--backend memory", "--backend memory --fresh"] {
        place.run(&format!("--input flights.csv --alerts notes.txt {fresh}")).fails("this file holds no alerts");
        place.run(&format!("--input flights.csv --alerts flights.csv {fresh}")).fails("this file holds no alerts");
        place.run(&format!("--input flights.csv --idle notes.txt {fresh}")).fails("this file holds no idle aircraft");
        // Each knows its own lines.
        place.run(&format!("--input flights.csv --idle late.jsonl {fresh}")).fails("this file holds no idle aircraft");
        place.run(&format!("--input flights.csv --alerts idle.jsonl {fresh}")).fails("this file holds no alerts");
        let both = place.run(&format!("--input flights.csv --alerts late.jsonl --idle late.jsonl {fresh}"));
        both.fails("alerts and idle aircraft need a file each");
    }
    for fresh in ["", "--fresh"] {
        let reason = "photos: this folder is not empty and holds no state of this job";
        place.run(&format!("--input flights.csv --state photos {fresh}")).fails(reason);
    }
    for args in ["--commit-every 0", "--commit-every many", "--backend paper", "--speed 3", "flights.csv"] {
        assert_eq!(place.run(args).code, Some(2), "{args}");
    }
    assert_eq!(place.files(), before);
}

#[test]
fn fresh_starts_over_and_touches_nothing_else() {
    let place = Place::new();
    place.write("flights.csv", rows(3000));
    place.run("--input flights.csv").ok();
    place.write("flights-state/notes.txt", "mine");

    place.write("flights.csv", rows(2000));
    place.run("--input flights.csv").fails("it ends after 2000 rows");
    let stdout = place.run("--input flights.csv --fresh").ok();
    assert_eq!(common::cell(&stdout, "rows"), 2000);
    assert_eq!(place.alerts(), alerts_of(&rows(2000)));
    assert_eq!(fs::read_to_string(place.path("flights-state/notes.txt")).unwrap(), "mine");
}

#[test]
fn alerts_that_do_not_go_with_the_state_are_refused() {
    let place = Place::new();
    let (part, whole) = (rows(3000), rows(4000));
    place.write("flights.csv", &part);
    let args = "--input flights.csv";
    place.run(args).ok();
    let alerts = place.alerts();
    place.write("flights.csv", &whole);

    fs::remove_file(place.path("flights-state/alerts.jsonl")).unwrap();
    place.run(args).fails(&format!("it is missing, and {} bytes of it were committed", alerts.len()));
    assert!(!place.path("flights-state/alerts.jsonl").exists());
    place.write("flights-state/alerts.jsonl", &alerts[..alerts.len() - 1]);
    place.run(args).fails(&format!("it has {} bytes, and {} were committed", alerts.len() - 1, alerts.len()));
    place.write("flights-state/alerts.jsonl", alerts.replacen("\"streak\":3", "\"streak\":4", 1));
    place.run(args).fails(&format!("its first {} bytes are not those that were committed", alerts.len()));

    // What comes after the committed length was never committed.
    place.write("flights-state/alerts.jsonl", format!("{alerts}{{\"tailnum\":\"half a li"));
    place.run(args).ok();
    assert_eq!(place.alerts(), alerts_of(&whole));
}

#[test]
fn outputs_of_another_state_are_not_overwritten() {
    let place = Place::new();
    place.write("flights.csv", format!("{HEADER}{IDLE}"));
    place.run("--input flights.csv --state one --idle idle.jsonl").ok();
    place.write("flights.csv", rows(3000));
    place.run("--input flights.csv --state two --alerts alerts.jsonl").ok();
    for (option, file) in [("--idle", "idle.jsonl"), ("--alerts", "alerts.jsonl")] {
        let before = fs::read(place.path(file)).unwrap();
        assert!(!before.is_empty());
        let args = format!("--input flights.csv --state new{option} {option} {file}");
        place
            .run(&args)
            .fails(&format!("{file}: the file is not empty, and nothing in it was committed by this state"));
        assert_eq!(fs::read(place.path(file)).unwrap(), before);
        place.run(&format!("{args} --fresh")).ok();
    }
    assert_eq!(fs::read(place.path("idle.jsonl")).unwrap(), b"", "these days nobody is idle yet");
}

#[test]
fn idle_aircraft_that_do_not_go_with_the_state_are_refused() {
    let place = Place::new();
    place.write("flights.csv", format!("{HEADER}{IDLE}"));
    place.run("--input flights.csv").ok();
    let idle = place.idle();
    assert_eq!(idle, "{\"tailnum\":\"N1\",\"idle_since\":\"2013-01-01T05:10\"}\n");
    fs::remove_file(place.path("flights-state/idle.jsonl")).unwrap();
    place.run("--input flights.csv").fails("idle.jsonl: this is not the file that goes with the state: it is missing");
    place.write("flights-state/idle.jsonl", idle.replace("N1", "N2"));
    place.run("--input flights.csv").fails("its first 49 bytes are not those that were committed");
    place.write("flights-state/idle.jsonl", &idle);
    place.run("--input flights.csv").ok();
    assert_eq!(place.idle(), idle);
}

/// What the version before this one kept of an aircraft, as far as it matters.
#[derive(krishiv_api::KeyedState)]
#[state(key = String)]
struct Aircraft {
    late_streak: krishiv_api::ValueState<u32>,
}

#[test]
fn a_state_of_the_version_before_is_refused_and_fresh_starts_over() {
    let place = Place::new();
    place.write("flights.csv", rows(3000));
    fs::create_dir(place.path("flights-state")).unwrap();
    place.write("flights-state/FLIGHTS-STATE", "state of the krishiv example `flights`, format 1\n");
    let backend = krishiv_api::RocksDbStateBackend::open(place.path("flights-state/rocksdb")).unwrap();
    let mut keyed = krishiv_api::Keyed::<Aircraft>::open(std::sync::Arc::new(backend)).unwrap();
    keyed.with_key("N1", |aircraft| aircraft.late_streak.set(1)).unwrap();
    keyed.commit(r#"{"format":1,"rows":1,"rows_checksum":7,"latest":"2013-01-01T05:17:00"}"#).unwrap();
    drop(keyed);
    place.write("flights-state/alerts.jsonl", "{\"tailnum\":\"N1\",\"carrier\":\"UA\",\"streak\":3}\n");
    let before = fs::read(place.path("flights-state/alerts.jsonl")).unwrap();

    let reason = "error: flights-state: operator `aircraft` was last committed with the position";
    place.run("--backend rocksdb --input flights.csv").fails(reason);
    place
        .run("--backend rocksdb --input flights.csv")
        .fails("which is not one of a pipeline that this program can go on with");
    assert_eq!(fs::read(place.path("flights-state/alerts.jsonl")).unwrap(), before);
    place.run("--backend rocksdb --input flights.csv --fresh").ok();
    assert_eq!(place.alerts(), alerts_of(&rows(3000)));
}

#[test]
fn a_state_of_another_backend_is_refused_and_fresh_starts_over() {
    let place = Place::new();
    place.write("flights.csv", rows(3000));
    let run = |args: &str| place.run(&format!("--input flights.csv --backend {args}"));
    run("rocksdb").ok();
    let (before, alerts) = (place.files(), place.alerts());
    run("fjall").fails("this state was begun with --backend rocksdb: go on with that, or start over with --fresh");
    assert!(place.files() == before);
    run("fjall --fresh").ok();
    assert!(!place.path("flights-state/rocksdb").exists());
    assert_eq!(place.alerts(), alerts);
    run("rocksdb").fails("this state was begun with --backend fjall");
}

#[test]
fn a_state_in_use_is_refused() {
    let place = Place::new();
    place.write("flights.csv", rows(100));
    place.run("--input flights.csv").ok();
    let label = fs::File::open(place.path("flights-state/FLIGHTS-STATE")).unwrap();
    label.lock().unwrap();
    for fresh in ["", "--fresh"] {
        place.run(&format!("--input flights.csv {fresh}")).fails("flights-state: another run is using this state");
    }
    drop(label);
    place.run("--input flights.csv").ok();
}

#[test]
fn an_input_without_rows_is_done_at_once() {
    let place = Place::new();
    place.write("flights.csv", HEADER);
    assert_eq!(common::cell(&place.run("--input flights.csv").ok(), "rows"), 0);
    assert!(place.run("--input flights.csv").ok().starts_with("finished before"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_written_is_an_error() {
    let place = Place::new();
    place.write("flights.csv", rows(100));
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let run = common::Run::from(place.command("--input flights.csv").stdout(full).output().unwrap());
    run.fails("cannot write the report: No space left on device");
    // The work is done.
    assert!(place.run("--input flights.csv").ok().starts_with("finished before"));
}

#[test]
fn what_is_shown_fits_sixty_columns() {
    let place = Place::new();
    place.write("flights.csv", rows(3000));
    let said = place.run("--input flights.csv").ok();
    assert!(said.lines().all(|line| line.chars().count() <= 60), "{said}");
}
