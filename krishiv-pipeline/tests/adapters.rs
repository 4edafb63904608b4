//! Sources and sinks that are made of others, or of nothing but memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

mod common;

use common::{Place, all, poll};
use krishiv_pipeline::{CsvSource, IterSource, JsonLinesSource, MemorySink, Polled, RowPosition, Sink, Source};

#[test]
fn an_iterator_is_a_source_that_skips_what_is_done() {
    let mut source = IterSource::new(10..15);
    source.seek(0).unwrap();
    assert_eq!(poll(&mut source).unwrap(), Polled::Item(10));
    let mut again = IterSource::new(10..15);
    again.seek(source.position()).unwrap();
    assert_eq!(all(&mut again), [11, 12, 13, 14]);
    assert_eq!(again.position(), 5);
    let mut at_the_end = IterSource::new(10..15);
    at_the_end.seek(5).unwrap();
    assert_eq!(all(&mut at_the_end), [0; 0]);

    let error = IterSource::new(10..15).seek(6).unwrap_err().to_string();
    assert!(error.starts_with("the source ends after 5 items, and the state has done 6; "), "{error}");
}

#[test]
fn a_mapped_source_stands_where_its_source_stands() {
    let mut calls = 0;
    let mut source = IterSource::new(10..15).map(|item| {
        calls += 1;
        item * 2
    });
    source.seek(3).unwrap();
    assert_eq!(source.position(), 3);
    assert_eq!(all(&mut source), [26, 28]);
    assert_eq!(source.position(), 5);
    assert_eq!(calls, 2, "what is skipped is not mapped");
}

#[test]
fn a_source_can_be_chosen_when_the_program_runs() {
    let place = Place::new();
    let csv = place.write("delays.csv", "tail,minutes\nN1,20\n");
    let lines = place.write("delays.jsonl", "[\"N1\",20]\n");
    type Delays = Box<dyn Source<Item = (String, i32), Position = RowPosition> + Send>;
    let sources: [Delays; 2] =
        [Box::new(CsvSource::open(&csv).unwrap()), Box::new(JsonLinesSource::open(&lines).unwrap())];
    for mut source in sources {
        source.seek(source.position()).unwrap();
        assert_eq!(all(&mut source), [("N1".to_owned(), 20)]);
        assert_eq!(source.position().rows, 1);
    }
}

#[test]
fn a_memory_sink_cuts_back() {
    let seen = MemorySink::new();
    let mut sink = seen.clone();
    sink.resume(None).unwrap();
    sink.write(1).unwrap();
    let mark = sink.sync().unwrap();
    sink.write(2).unwrap();
    assert_eq!(seen.items(), [1, 2]);
    sink.cut_back(Some(mark)).unwrap();
    assert_eq!(seen.items(), [1]);

    sink.write(3).unwrap();
    sink.sync().unwrap();
    // That was never committed.
    let mut after_crash = seen.clone();
    after_crash.resume(Some(mark)).unwrap();
    assert_eq!(seen.items(), [1]);
    after_crash.write(4).unwrap();
    after_crash.sync().unwrap();
    after_crash.cut_back(Some(mark)).unwrap();
    assert_eq!(seen.items(), [1]);

    let error = MemorySink::<i32>::new().resume(Some(mark)).unwrap_err().to_string();
    assert!(error.starts_with("the sink holds 0 items, and 1 were committed"), "{error}");
    after_crash.resume(None).unwrap();
    assert_eq!(seen.items(), [0; 0]);
}
