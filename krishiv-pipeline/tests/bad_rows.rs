//! What is no item is told apart from the rest, by line, row and reason; what is good comes all the same, and the place where the
//! source stands is found again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

mod common;

use common::{BadRow, Place, poll, sorted_out};
use csv::StringRecord;
use krishiv_pipeline::{CsvSource, IterSource, JsonLinesSource, Polled, Source};
use proptest::prelude::*;
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Delay {
    tail: String,
    minutes: i32,
}

fn delay(tail: &str, minutes: i32) -> Delay {
    Delay { tail: tail.to_owned(), minutes }
}

fn reject(line: u64, row: &str, reason: &str) -> BadRow {
    (line, row.to_owned(), reason.to_owned())
}

#[track_caller]
fn csv(text: impl AsRef<[u8]>, items: &[Delay], rejects: &[BadRow]) {
    let place = Place::new();
    let path = place.write("delays.csv", text);
    let found = sorted_out(&mut CsvSource::<Delay>::open(&path).unwrap());
    assert_eq!(found, (items.to_vec(), rejects.to_vec()));
    stands_again(&path, |path| Box::new(CsvSource::<Delay>::open(path).unwrap()));
}

#[track_caller]
fn json(text: impl AsRef<[u8]>, items: &[Delay], rejects: &[BadRow]) {
    let place = Place::new();
    let path = place.write("delays.jsonl", text);
    let found = sorted_out(&mut JsonLinesSource::<Delay>::open(&path).unwrap());
    assert_eq!(found, (items.to_vec(), rejects.to_vec()));
    stands_again(&path, |path| Box::new(JsonLinesSource::<Delay>::open(path).unwrap()));
}

type Boxed = Box<dyn Source<Item = Delay, Position = krishiv_pipeline::RowPosition>>;

/// From wherever a source stands, another one goes on with what the first one has left.
#[track_caller]
fn stands_again(path: &Path, open: impl Fn(&Path) -> Boxed) {
    let mut first = open(path);
    loop {
        let mut again = open(path);
        again.seek(first.position()).unwrap();
        let mut rest = open(path);
        rest.seek(first.position()).unwrap();
        let next = first.poll(Duration::ZERO).unwrap();
        assert_eq!(again.poll(Duration::ZERO).unwrap(), next);
        assert_eq!(again.position(), first.position());
        if next == Polled::End {
            return;
        }
        assert_eq!(again.row(), first.row());
        let (items, rejects) = sorted_out(&mut rest);
        assert!(!items.is_empty() || !rejects.is_empty());
    }
}

#[test]
fn a_bad_row_of_csv_leaves_the_others() {
    csv(
        b"tail,minutes\nN1,1\nN2\nN3,3,x\nN4,soon\nN\xff,5\n\nN6,6\n",
        &[delay("N1", 1), delay("N6", 6)],
        &[
            reject(3, "N2", "1 fields, expected 2 as in the header"),
            reject(4, "N3,3,x", "3 fields, expected 2 as in the header"),
            reject(5, "N4,soon", "`minutes` is \"soon\": invalid digit found in string"),
            reject(6, "N\u{fffd},5", "field 1 is not UTF-8"),
        ],
    );
}

#[test]
fn a_quote_that_nobody_closed_takes_no_good_rows_along() {
    let open = |lines: &str| format!("a quote is not closed before the file ends{lines}");
    let astray = |lines: &str| format!("a quote is not closed, or not where it should be{lines}");
    // To the end of the file, with too few fields, with as many as there should be, and alone in the last line.
    csv(
        "tail,minutes\nN1,1\n\"N2,2\nN3,3\nN4,4",
        &[delay("N1", 1), delay("N3", 3), delay("N4", 4)],
        &[reject(3, "\"N2,2", &open(" (read with the 2 lines behind it)"))],
    );
    csv(
        "tail,minutes\nN1,1\nN2,\"2\nN3,3",
        &[delay("N1", 1), delay("N3", 3)],
        &[reject(3, "N2,\"2", &open(" (read with the line behind it)"))],
    );
    for end in ["", "\n", "\r\n", "\n\n"] {
        let rejects = |text| sorted_out(&mut CsvSource::<Delay>::open(Place::new().write("a.csv", text)).unwrap()).1;
        let found = rejects(format!("tail,minutes\nN1,1\nN2,\"2{end}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].2.starts_with(&open("")), "{found:?}");
    }
    // To the next quote, where the other rows have none, and where all of them have.
    csv(
        "tail,minutes\nN1,\"1\nN2,2\nN3,3\n\"N4\",4\nN5,5\n",
        &[delay("N2", 2), delay("N3", 3), delay("N4", 4), delay("N5", 5)],
        &[reject(2, "N1,\"1", &astray(" (read with the 3 lines behind it)"))],
    );
    csv(
        "minutes,tail\n1,\"N1\n2,\"N2\"\n3,\"N3\"\n",
        &[delay("N2", 2), delay("N3", 3)],
        &[reject(2, "1,\"N1", &astray(" (read with the line behind it)"))],
    );
    csv(
        "minutes,tail\n1,\"N1\n2,N2\n3,N3\n4,\"N4\"\n5,N5",
        &[delay("N2", 2), delay("N3", 3), delay("N4", 4), delay("N5", 5)],
        &[reject(2, "1,\"N1", &astray(" (read with the 3 lines behind it)"))],
    );
    // A good row of several lines is one, and so is one that only is no item, or has too many fields.
    csv(
        "tail,minutes\n\"N\n1\",1\r\n\"N\n\n2\",soon\nN3,3\n\"N4\n4,5\",6,7\n",
        &[delay("N\n1", 1), delay("N3", 3)],
        &[
            reject(4, "\"N\n\n2\",soon", "`minutes` is \"soon\": invalid digit found in string"),
            reject(8, "\"N4\n4,5\",6,7", "3 fields, expected 2 as in the header"),
        ],
    );
}

#[test]
fn a_header_that_nobody_can_trust_is_refused() {
    let place = Place::new();
    for (text, words) in [
        ("tail,\"minutes\nN1,1\nN2,2\n", ":1: a quote in the header is not closed, or not where it should be"),
        ("tail,\"minutes\nN1,\"1\"\n", ":1: a quote in the header is not closed, or not where it should be"),
        (
            "tail,minutes,tail\nN1,1,N2\n",
            ":1: the header has `tail` twice, so nobody knows which one a field is; name them apart",
        ),
    ] {
        let path = place.write("delays.csv", text);
        common::fails(CsvSource::<Delay>::open(&path), &path, words);
    }
    csv("tail,\"minutes\"\nN1,1\n", &[delay("N1", 1)], &[]);
}

#[test]
fn a_mark_in_the_midst_of_a_file_belongs_to_its_row() {
    // Whether or not the row before it is bad.
    for before in ["N1,1", "N1", "\"N1"] {
        let text = format!("tail,minutes\n{before}\n\u{feff}N2,2\n\u{feff}\nN3,3\n");
        let (items, rejects) = sorted_out(&mut CsvSource::<Delay>::open(Place::new().write("a.csv", text)).unwrap());
        assert_eq!(items.last(), Some(&delay("N3", 3)));
        assert!(items.contains(&delay("\u{feff}N2", 2)), "{items:?}");
        assert!(rejects.iter().any(|(line, row, _)| (*line, row.as_str()) == (4, "\u{feff}")), "{rejects:?}");
    }
}

#[test]
fn lines_end_as_the_system_ends_them_that_wrote_the_file() {
    let rows = [delay("N1", 1), delay("N2", 2)];
    let bad = reject(3, "N", "1 fields, expected 2 as in the header");
    for end in ["\n", "\r\n", "\r"] {
        let text = ["tail,minutes", "N1,1", "N", "N2,2", ""].join(end);
        csv(&text, &rows, std::slice::from_ref(&bad));
        csv(text.trim_end(), &rows, std::slice::from_ref(&bad));
    }
}

#[test]
fn a_torn_line_of_json_leaves_the_others() {
    json(
        b"{\"tail\":\"N1\",\"minutes\":1}\n{\"tail\":\"N2\",\"min\n\xff\n{\"tail\":\"N3\"}\n\0\0\0\n{\"tail\":\"N4\",\"minutes\":4}",
        &[delay("N1", 1), delay("N4", 4)],
        &[
            reject(2, "{\"tail\":\"N2\",\"min", "EOF while parsing a string, at column 17"),
            reject(3, "\u{fffd}", "the line is not UTF-8, from its byte 1 on"),
            reject(4, "{\"tail\":\"N3\"}", "missing field `minutes`, at column 13"),
            reject(5, "\0\0\0", "expected value, at column 1"),
        ],
    );
}

#[test]
fn what_is_no_lines_of_json_is_named() {
    let array = "one JSON array; write each of its elements on a line of its own (`jq -c '.[]'`)";
    let lines = "JSON over several lines; write each value on one line (`jq -c .`)";
    for (text, hint) in [("[", array), ("[{\"tail\":\"N1\",\"minutes\":1}]", array), ("{\n\"tail\": \"N1\"\n}", lines)]
    {
        let place = Place::new();
        let (_, rejects) = sorted_out(&mut JsonLinesSource::<Delay>::open(place.write("a.json", text)).unwrap());
        assert!(rejects[0].2.ends_with(&format!("; the file looks like {hint}")), "{rejects:?}");
    }
    // It is the first line that tells, and only if it is bad.
    json(
        "{\"tail\":\"N1\",\"minutes\":1}\n[\n",
        &[delay("N1", 1)],
        &[reject(2, "[", "EOF while parsing a list, at column 1")],
    );
}

#[test]
fn a_number_that_serde_made_of_a_text_is_traced_to_its_column() {
    #[derive(Debug, Deserialize)]
    struct Address {
        #[allow(dead_code, reason = "it is never made")]
        zip: String,
    }
    #[derive(Debug, Deserialize)]
    struct Person {
        #[allow(dead_code, reason = "it is never made")]
        #[serde(flatten)]
        address: Address,
    }
    let place = Place::new();
    for (zip, became) in [("02134", "integer 2134"), ("true", "boolean true"), ("1.50", "floating point 1.5")] {
        let path = place.write("people.csv", format!("name,zip\nann,{zip}\n"));
        let (_, rejects) = sorted_out(&mut CsvSource::<Person>::open(path).unwrap());
        let want = format!(
            "`zip` is {zip:?}: taken for the {became}, since text inside `#[serde(flatten)]` is what it looks like, and a string \
             was expected; move the field out of the flattened struct, or read the row by `CsvSource::open_with`"
        );
        assert_eq!(rejects, [(2, format!("ann,{zip}"), want)]);
    }
}

#[test]
fn a_function_that_panics_makes_one_item_bad() {
    let place = Place::new();
    let path = place.write("delays.csv", "tail\n7\n13\n8\n");
    let parse = |row: &StringRecord| {
        assert_ne!(&row[0], "13", "not that one");
        Ok::<_, String>(row[0].to_owned())
    };
    let mut source = CsvSource::open_with(&path, |_| Ok(parse)).unwrap();
    let (items, rejects) = sorted_out(&mut source);
    assert_eq!((items.len(), rejects.len(), rejects[0].0), (2, 1, 3));
    assert!(rejects[0].2.starts_with("a function panicked on it: assertion"), "{rejects:?}");

    let numbers = || IterSource::new([1, 0, 2]);
    let bad = |polled: Polled<i32>| matches!(polled, Polled::Bad(reason) if reason.contains("divide by zero"));
    let mut sources: [Box<dyn Source<Item = i32, Position = u64>>; 3] = [
        Box::new(numbers().map(|n| 10 / n)),
        Box::new(numbers().filter_map(|n| Some(10 / n))),
        Box::new(numbers().try_map(|n| Ok::<_, String>(10 / n))),
    ];
    for source in &mut sources {
        assert_eq!(poll(source).unwrap(), Polled::Item(10));
        assert!(bad(source.poll(Duration::ZERO).unwrap()));
        assert_eq!(source.position(), 2);
        assert_eq!(poll(source).unwrap(), Polled::Item(5));
    }
    let place = Place::new();
    let path = place.write("delays.jsonl", "7\nx\n");
    let mut source = JsonLinesSource::<i32>::open(&path).unwrap().map(|n| n + 1);
    assert_eq!(poll(&mut source).unwrap(), Polled::Item(8));
    let row = source.row().map(|row| (row.line, row.bytes.to_vec()));
    assert_eq!(row, Some((1, b"7".to_vec())), "a source around another one knows its rows");
}

/// Pieces of files that are torn, ragged and quoted in all ways.
fn piece() -> impl Strategy<Value = &'static [u8]> {
    prop::sample::select(vec![
        &b"N1,1\n"[..],
        b"N2,2\r\n",
        b"N3,3\r",
        b"\n",
        b"\"N4\",4\n",
        b"\"N\n5\",5\n",
        b"\"",
        b",",
        b"N6\n",
        b"x",
        b"\xff",
        b"\r",
        b"\"a\"\"b\",7\n",
        b"\"\n",
        b"\xef\xbb\xbf",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_source_of_any_bytes_ends_and_is_found_again(pieces in prop::collection::vec(piece(), 0..40)) {
        let place = Place::new();
        let path = place.write("delays.csv", [&b"tail,minutes\n"[..], &pieces.concat()].concat());
        let (_, rejects) = sorted_out(&mut CsvSource::<Delay>::open(&path).unwrap());
        prop_assert!(rejects.windows(2).all(|pair| pair[0].0 < pair[1].0), "{:?}", rejects);
        stands_again(&path, |path| Box::new(CsvSource::<Delay>::open(path).unwrap()));
        let path = place.write("delays.jsonl", pieces.concat());
        stands_again(&path, |path| Box::new(JsonLinesSource::<Delay>::open(path).unwrap()));
    }

    #[test]
    fn a_good_row_behind_a_bad_one_comes(good in 1..20_u64, torn in "[a,]{0,2}\"[\"a,]{0,4}", quoted in any::<bool>()) {
        let place = Place::new();
        let row = |n| if quoted { format!("\"N{n}\",\"{n}\"\n") } else { format!("N{n},{n}\n") };
        let rows: String = (0..good).map(row).collect();
        let path = place.write("delays.csv", format!("tail,minutes\n{rows}{torn}\n{rows}"));
        let (items, rejects) = sorted_out(&mut CsvSource::<Delay>::open(&path).unwrap());
        prop_assert_eq!(items.len() as u64, 2 * good, "{:?}", rejects);
        prop_assert_eq!(rejects.len(), 1);
    }
}
