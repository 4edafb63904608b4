//! Whatever comes to nothing on its way through a pipeline stops it, is counted, or is put aside with the row that it comes from; what
//! is good is what it would be without the bad.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

mod common;

use common::Place;
use krishiv_api::{
    BoxError, BroadcastContext, BroadcastOperator, BroadcastState, EventContext, InMemoryStateBackend, Keyed,
    KeyedState, ManualClock, Operator, Timer, TooFarAhead, ValueState, WatermarkStrategy,
};
use krishiv_pipeline::{
    BadRecord, Fallible, Input, IterSource, JsonLinesSink, JsonLinesSource, MemorySink, Pipeline, PipelineError,
    Polled, Reject, Sink, Source, Step, StopSignal, Summary,
};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Payment {
    card: String,
    cents: i64,
    at: Option<i64>,
}

#[derive(KeyedState)]
#[state(key = String)]
struct Card {
    sum: ValueState<i64>,
    limits: BroadcastState<u8, i64>,
}

/// Sums up; the sum leaves as a float, and again a minute later.
struct Sums;

impl Operator for Sums {
    type State = Card;
    type In = Payment;
    type Out = (String, f64);

    fn key(&self, payment: &Payment) -> String {
        payment.card.clone()
    }

    fn on_event(&mut self, card: &Card, payment: Payment, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let sum = card.sum.get_or(0) + payment.cents;
        card.sum.set(sum);
        ctx.emit((payment.card, if payment.cents == 77 { f64::NAN } else { sum as f64 }));
        ctx.register_event_timer(ctx.event_time().unwrap_or(0) + 60_000);
        assert_ne!(payment.cents, 13, "not that one");
        if sum < 0 { Err("overdrawn".into()) } else { Ok(()) }
    }

    fn on_timer(&mut self, card: &Card, _: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let sum = card.sum.get_or(0);
        if sum == 666 {
            return Err("not that sum".into());
        }
        ctx.emit((ctx.current_key().clone(), -(sum as f64)));
        Ok(())
    }
}

impl BroadcastOperator for Sums {
    type Broadcast = i64;

    fn on_broadcast(&mut self, card: &Card, limit: i64, ctx: &mut BroadcastContext<'_, Self>) -> Result<(), BoxError> {
        card.limits.put(ctx.scope(), 0, limit);
        if limit < 0 { Err("a negative limit".into()) } else { Ok(()) }
    }
}

const LINES: [&str; 10] = [
    r#"{"card":"a","cents":100,"at":1000}"#,
    r#"{"card":"a","cents":1"#,
    r#"{"card":"a","cents":-500,"at":2000}"#,
    r#"{"card":"b","cents":13,"at":2000}"#,
    r#"{"card":"b","cents":5}"#,
    r#"{"card":"c","cents":77,"at":3000}"#,
    r#"{"card":"d","cents":666,"at":3000}"#,
    r#"{"card":"e","cents":9,"at":4000000}"#,
    r#"{"card":"e","cents":9,"at":-9223372036854775808}"#,
    r#"{"card":"a","cents":11,"at":70000}"#,
];

fn strategy() -> WatermarkStrategy {
    WatermarkStrategy::monotonous().at_most_ahead_of_events(600_000)
}

type Payments<F> = Input<JsonLinesSource<Payment>, Fallible<F>>;

fn input(path: &Path) -> Payments<impl Fn(&Payment) -> Result<i64, &'static str> + use<>> {
    let source = JsonLinesSource::open(path).unwrap();
    Input::new(source).try_event_time(|payment: &Payment| payment.at.ok_or("it has none"), strategy())
}

fn write_input(place: &Place, lines: &[&str]) -> std::path::PathBuf {
    place.write("payments.jsonl", lines.join("\n"))
}

fn rejects() -> Vec<(&'static str, Option<u64>, &'static str)> {
    vec![
        ("input 0", Some(2), "EOF while parsing an object, at column 21"),
        ("operator card", Some(3), "the event failed and was undone: overdrawn"),
        (
            "operator card",
            Some(4),
            "the event failed and was undone: it panicked: assertion `left != right` failed: not that one\n  left: 13\n right: 13",
        ),
        ("input 0", Some(5), "its time: it has none"),
        ("output sink", Some(6), "the item cannot be a line of JSON: NaN, which JSON has no word for"),
        ("input 0", Some(8), "its time, 4000000, is more than 600000 ms ahead of the greatest before it, 3000"),
        ("input 0", Some(9), "its time: -9223372036854775808 is before all times, which begin at -4611686018427387904"),
        ("operator card", None, "the event-time timer at 63000 ms failed and was undone: not that sum"),
    ]
}

/// What became of the lines, and the sums that came out.
fn run(place: &Place, backend: &Arc<InMemoryStateBackend>, commit_every: u64) -> (Summary, Vec<Reject>) {
    let path = place.path("payments.jsonl");
    let rejects = MemorySink::new();
    let summary = Pipeline::new(Arc::clone(backend))
        .input(input(&path))
        .operator(Sums)
        .sink(JsonLinesSink::open(place.path("sums.jsonl")).unwrap())
        .dead_letters_to(rejects.clone())
        .commit_every(commit_every)
        .commit_after_ms(None)
        .stop_on(StopSignal::manual())
        .run()
        .unwrap();
    (summary, rejects.items())
}

#[test]
fn each_is_put_aside_with_its_row_and_the_good_ones_count() {
    for commit_every in [1, 3, 1000] {
        let place = Place::new();
        let path = write_input(&place, &LINES);
        let (summary, found) = run(&place, &Arc::default(), commit_every);
        let mut want = rejects();
        // In the order of the source, and of what is processed; a timer comes before the event that moves time.
        let shown: Vec<_> =
            found.iter().map(|reject| (reject.at.as_str(), reject.line, reject.reason.as_str())).collect();
        for (at, line, reason) in want.drain(..) {
            let found = shown.iter().find(|(a, l, r)| (*a, *l) == (at, line) && r.ends_with(reason));
            assert!(found.is_some(), "{at} {line:?} {reason}: {shown:#?}");
        }
        assert_eq!(shown.len(), 8);
        for reject in &found {
            assert_eq!(reject.file.as_deref(), reject.line.map(|_| path.to_str().unwrap()));
            assert_eq!(reject.raw.as_deref(), reject.line.map(|line| LINES[line as usize - 1]));
        }
        assert_eq!(
            found.iter().filter_map(|reject| reject.key.as_deref()).collect::<Vec<_>>(),
            ["\"a\"", "\"b\"", "\"d\""]
        );
        assert_eq!((summary.outputs["dead-letters"], summary.skipped, summary.events), (8, 0, 6));
        let sums = std::fs::read_to_string(place.path("sums.jsonl")).unwrap();
        // What failed has left no timer and no sum, and the record that was no JSON its sum.
        assert_eq!(sums, "[\"a\",100.0]\n[\"d\",666.0]\n[\"a\",-100.0]\n[\"c\",-77.0]\n[\"a\",111.0]\n");
    }
}

#[test]
fn they_are_skipped_and_counted_or_stop_the_pipeline() {
    let place = Place::new();
    let pipeline = |lines: &[&str]| {
        let path = write_input(&place, lines);
        let sink: MemorySink<(String, f64)> = MemorySink::new();
        Pipeline::new(Arc::<InMemoryStateBackend>::default())
            .input(input(&path))
            .operator(Sums)
            .sink(sink)
            .stop_on(StopSignal::manual())
    };
    let summary = pipeline(&LINES).skip_errors().run().unwrap();
    // A sink in memory takes what JSON has no word for.
    assert_eq!((summary.skipped, summary.events), (7, 6));
    for (line, words) in [
        (1, "payments.jsonl:2: EOF while parsing"),
        (4, "payments.jsonl:2: its time: it has none"),
        (7, "payments.jsonl:2: its time, 4000000, is more than"),
    ] {
        let error = pipeline(&[LINES[0], LINES[line]]).run().unwrap_err();
        assert!(matches!(&error, PipelineError::Source { input, .. } if input == "0"), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(matches!(pipeline(&LINES[2..3]).run().unwrap_err(), PipelineError::Operator(_)));
    let sink = JsonLinesSink::open(place.path("sums.jsonl")).unwrap();
    let path = write_input(&place, &LINES[5..6]);
    let stopped =
        Pipeline::new(Arc::<InMemoryStateBackend>::default()).input(input(&path)).operator(Sums).sink(sink).run();
    assert!(matches!(stopped.unwrap_err(), PipelineError::Sink { .. }));
    assert!(!place.path("sums.jsonl").exists() || std::fs::read(place.path("sums.jsonl")).unwrap().is_empty());
}

#[test]
fn a_step_that_says_what_becomes_of_its_failures_is_heeded() {
    let place = Place::new();
    let path = write_input(&place, &LINES);
    let (own, all) = (MemorySink::new(), MemorySink::new());
    let step = Step::new(Sums).dead_letters_to(own.clone(), |letter| letter.error.to_string());
    let sink: MemorySink<(String, f64)> = MemorySink::new();
    Pipeline::new(Arc::<InMemoryStateBackend>::default())
        .input(input(&path))
        .step(step)
        .sink(sink)
        .dead_letters_to(all.clone())
        .run()
        .unwrap();
    assert_eq!((own.items().len(), all.items().len()), (3, 4));
}

#[test]
fn a_broadcast_is_put_aside_with_a_row_of_its_own() {
    let place = Place::new();
    let path = write_input(&place, &LINES[..1]);
    let limits = place.write("limits.jsonl", "5\nx\n-1\n7\n");
    let all = MemorySink::new();
    let sink: MemorySink<(String, f64)> = MemorySink::new();
    let backend = Arc::<InMemoryStateBackend>::default();
    let step = Step::new(Sums).broadcast(JsonLinesSource::open(&limits).unwrap(), |_| 0);
    let pipeline = Pipeline::new(Arc::clone(&backend)).input(input(&path)).step(step).sink(sink);
    pipeline.dead_letters_to(all.clone()).run().unwrap();
    let found: Vec<_> = all.items().iter().map(|reject| (reject.at.clone(), reject.line, reject.raw.clone())).collect();
    let want = |at: &str, line, raw: &str| (at.to_owned(), Some(line), Some(raw.to_owned()));
    assert_eq!(found, [want("input card/broadcast", 2, "x"), want("operator card", 3, "-1")]);
    let mut cards = Keyed::<Card>::open(backend).unwrap();
    assert_eq!(cards.with_key("a", |card| card.limits.get(&0)).unwrap(), Some(7));
}

#[test]
fn what_is_not_utf_8_is_kept_byte_for_byte() {
    let place = Place::new();
    let path = place.write("payments.jsonl", b"{\"card\":\"\xff\xfe\"}\n");
    let all = MemorySink::new();
    let sink: MemorySink<(String, f64)> = MemorySink::new();
    let pipeline = Pipeline::new(Arc::<InMemoryStateBackend>::default()).input(input(&path)).operator(Sums).sink(sink);
    pipeline.dead_letters_to(all.clone()).run().unwrap();
    let json = serde_json::to_value(&all.items()[0]).unwrap();
    assert_eq!(json["raw"], "{\"card\":\"\u{fffd}\u{fffd}\"}");
    assert_eq!(json["raw_hex"], "7b2263617264223a22fffe227d");
    assert_eq!(serde_json::from_value::<Reject>(json).unwrap(), all.items()[0]);
}

#[test]
fn an_event_from_the_far_future_goes_where_late_ones_go() {
    for late in [true, false] {
        let (late_ones, emitted) = (MemorySink::new(), MemorySink::new());
        let payment = |card: &str, at| Payment { card: card.to_owned(), cents: 1, at: Some(at) };
        let events = [payment("a", 1_000), payment("b", 4_000_000_000_000), payment("c", 2_000)];
        let strategy = WatermarkStrategy::monotonous().at_most_ahead_of_clock(60_000).too_far_ahead(TooFarAhead::Late);
        let input = Input::new(IterSource::new(events)).event_time(|payment: &Payment| payment.at.unwrap(), strategy);
        let step = if late { Step::new(Sums).late_to(late_ones.clone()) } else { Step::new(Sums).drop_late() };
        let summary = Pipeline::new(Arc::<InMemoryStateBackend>::default())
            .input(input)
            .step(step)
            .sink(emitted.clone())
            .clock(Arc::new(ManualClock::new(10_000)))
            .run()
            .unwrap();
        assert_eq!(emitted.items().iter().map(|(card, _)| card.as_str()).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(late_ones.items().len(), usize::from(late));
        assert_eq!(summary.dropped_late, u64::from(!late));
    }
}

#[test]
fn late_ones_of_the_far_future_need_a_place_to_go() {
    let strategy = WatermarkStrategy::monotonous().at_most_ahead_of_clock(60_000).too_far_ahead(TooFarAhead::Late);
    let run = |step: Step<Sums>| {
        let payments = IterSource::new(Vec::<Payment>::new());
        let input = Input::new(payments).event_time(|payment: &Payment| payment.at.unwrap(), strategy);
        let sink: MemorySink<(String, f64)> = MemorySink::new();
        Pipeline::new(Arc::<InMemoryStateBackend>::default()).input(input).step(step).sink(sink).run()
    };
    let error = run(Step::new(Sums)).unwrap_err().to_string();
    assert!(
        error.starts_with("an input says that events too far ahead are late, and operator `card` takes late"),
        "{error}"
    );
    let error = run(Step::new(Sums).allowed_lateness(5)).unwrap_err().to_string();
    assert!(error.contains("`drop_late` or `late_to`"), "{error}");
    run(Step::new(Sums).drop_late().allowed_lateness(5)).unwrap();
}

/// A source that lets the clock go on while it waits for its item.
struct Slow(Arc<ManualClock>, Option<Payment>);

impl Source for Slow {
    type Item = Payment;
    type Position = ();

    fn poll(&mut self, _: std::time::Duration) -> Result<Polled<Payment>, BoxError> {
        self.0.advance(3_600_000);
        Ok(self.1.take().map_or(Polled::End, Polled::Item))
    }

    fn position(&self) {}

    fn seek(&mut self, (): ()) -> Result<(), BoxError> {
        Ok(())
    }
}

#[test]
fn the_clock_is_looked_at_again_before_an_event_is_refused_by_it() {
    let clock = Arc::new(ManualClock::new(1_000_000));
    let payment = Payment { card: "a".to_owned(), cents: 1, at: Some(4_600_000) };
    let strategy = WatermarkStrategy::monotonous().at_most_ahead_of_clock(60_000);
    let source = Slow(Arc::clone(&clock), Some(payment));
    let input = Input::new(source).event_time(|payment: &Payment| payment.at.unwrap(), strategy);
    let sink: MemorySink<(String, f64)> = MemorySink::new();
    let pipeline = Pipeline::new(Arc::<InMemoryStateBackend>::default()).input(input).operator(Sums).sink(sink);
    assert_eq!(pipeline.clock(clock).run().unwrap().events, 1);
}

#[test]
fn rows_that_are_put_aside_do_not_fill_the_memory() {
    let place = Place::new();
    // A batch would be 256 of these.
    let bad = vec![b'\xff'; 1 << 20];
    let path =
        place.write("payments.jsonl", std::iter::repeat_n([&bad[..], b"\n"].concat(), 40).collect::<Vec<_>>().concat());
    let most = Arc::new(AtomicUsize::new(0));
    let sink = Counting { held: 0, most: Arc::clone(&most) };
    let out: MemorySink<(String, f64)> = MemorySink::new();
    let pipeline = Pipeline::new(Arc::<InMemoryStateBackend>::default()).input(input(&path)).operator(Sums).sink(out);
    let summary = pipeline.dead_letters_to(sink).commit_every(4).run().unwrap();
    assert_eq!(summary.outputs["dead-letters"], 40);
    // Every batch of some 8 MiB ends, whatever it has.
    assert!(most.load(Ordering::Relaxed) <= 10, "{most:?}");
}

/// Counts what it gets between two syncs.
struct Counting {
    held: usize,
    most: Arc<AtomicUsize>,
}

impl Sink for Counting {
    type Item = Reject;
    type Mark = ();

    fn write(&mut self, _: Reject) -> Result<(), BoxError> {
        self.held += 1;
        self.most.fetch_max(self.held, Ordering::Relaxed);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), BoxError> {
        self.held = 0;
        Ok(())
    }

    fn resume(&mut self, _: Option<()>) -> Result<(), BoxError> {
        Ok(())
    }
}

/// Takes no record whose text is long, and remembers nothing of it.
#[derive(Clone)]
struct Short(MemorySink<(String, f64)>);

impl Sink for Short {
    type Item = (String, f64);
    type Mark = usize;

    fn write(&mut self, item: Self::Item) -> Result<(), BoxError> {
        if item.0.len() > 3 {
            return Err(BadRecord::new("the name is too long").into());
        }
        if item.0.is_empty() {
            return Err("the disk is full".into());
        }
        self.0.write(item)
    }

    fn sync(&mut self) -> Result<usize, BoxError> {
        self.0.sync()
    }

    fn resume(&mut self, mark: Option<usize>) -> Result<(), BoxError> {
        self.0.resume(mark)
    }
}

#[test]
fn only_what_a_sink_calls_a_bad_record_is_put_aside() {
    let place = Place::new();
    let run = |lines: &[&str]| {
        let path = write_input(&place, lines);
        let (sink, all) = (Short(MemorySink::new()), MemorySink::new());
        let pipeline =
            Pipeline::new(Arc::<InMemoryStateBackend>::default()).input(input(&path)).operator(Sums).sink(sink.clone());
        pipeline.dead_letters_to(all.clone()).run().map(|_| (sink.0.items().len(), all.items().len()))
    };
    let (long, empty) = (r#"{"card":"long","cents":1,"at":1}"#, r#"{"card":"","cents":1,"at":1}"#);
    assert_eq!(run(&[LINES[0], long, LINES[0]]).unwrap(), (2, 1));
    assert_eq!(run(&[LINES[0], empty]).unwrap_err().to_string(), "output sink: the disk is full");
}
