//! What a pipeline cannot go on with: each is refused with a sentence that says what to do, and the right one goes on afterwards.

use crate::world::{Fold, Rec, rec};
use krishiv_api::{Driver, EventContext, Keyed, KeyedState, Operator, Volatile, WatermarkStrategy};
use krishiv_pipeline::{
    BoxError, CsvSource, Input, IterSource, JsonLinesSink, MemorySink, Pipeline, PipelineError, Sink, Source, Step,
    StopSignal, Summary,
};
use krishiv_tests::{Memory, Place, on_every_backend};
use std::path::Path;

/// Takes everything and keeps nothing.
struct Nowhere;

impl Sink for Nowhere {
    type Item = Rec;
    type Mark = ();

    fn write(&mut self, _: Rec) -> Result<(), BoxError> {
        Ok(())
    }

    fn sync(&mut self) -> Result<(), BoxError> {
        Ok(())
    }

    fn resume(&mut self, _: Option<()>) -> Result<(), BoxError> {
        Ok(())
    }
}

fn named(name: &str) -> Step<Fold> {
    Step::new(Fold::new(3)).store(Keyed::builder().operator(name))
}

/// None of them goes to a side output.
fn items() -> IterSource<impl Iterator<Item = Rec>> {
    IterSource::new([1, 2, 4].map(|n| rec(1, 0, n)))
}

fn run(
    place: &impl Place,
    source: impl Source<Item = Rec> + 'static,
    step: Step<Fold>,
    sink: impl Sink<Item = Rec> + 'static,
) -> Result<Summary, PipelineError> {
    Pipeline::new(place.open()).source(source).step(step).sink(sink).stop_on(StopSignal::manual()).run()
}

#[track_caller]
fn refused(result: Result<Summary, PipelineError>, words: &str) {
    assert_eq!(result.expect_err("it is refused").to_string(), words);
}

fn another_number_of_inputs<P: Place>(place: P) {
    let run = |inputs: usize| {
        let mut pipeline = Pipeline::new(place.open()).source(items());
        for _ in 1..inputs {
            pipeline = pipeline.input(Input::new(items()));
        }
        pipeline.step(named("fold")).sink(Nowhere).stop_on(StopSignal::manual()).run()
    };
    run(2).unwrap();
    refused(run(1), "the pipeline has 1 inputs, and the state was made with 2; use the same ones");
    refused(run(3), "the pipeline has 3 inputs, and the state was made with 2; use the same ones");
    assert_eq!(run(2).unwrap().events, 6);
}

fn an_output_that_is_gone<P: Place>(place: P) {
    run(&place, items(), named("fold").side("great", MemorySink::new()), Nowhere).unwrap();
    refused(
        run(&place, items(), named("fold"), Nowhere),
        "the state was made with an output `fold/side/great`, which the pipeline no longer has; keep it",
    );
    run(&place, items(), named("fold").side("great", Nowhere), Nowhere).unwrap_err();
}

fn an_operator_added_to_a_state<P: Place>(place: P) {
    run(&place, items(), named("first"), Nowhere).unwrap();
    let added = Pipeline::new(place.open()).source(items()).step(named("first")).step(named("second"));
    refused(
        added.sink(Nowhere).stop_on(StopSignal::manual()).run(),
        "the operators of the pipeline are first -> second, and the state was made with first; use the same ones, or start \
         over with a new state",
    );
    assert_eq!(run(&place, items(), named("first"), Nowhere).unwrap().events, 3);
}

fn a_position_of_somebody_else<P: Place>(place: P) {
    let commit = |position: &str| {
        let store = Keyed::builder().operator("fold");
        Driver::builder(Fold::new(3)).store(store).open(place.open()).unwrap().commit(position).unwrap();
    };
    let foreign = |start: &str, reason: &str| {
        let words = format!(
            "operator `fold` was last committed with the position `{start}`, which is not one of a pipeline that this program \
             can go on with ({reason}): another program has committed it; go on with that program, give the operator of the \
             pipeline another name, or use a copy of the state from before, or a new one"
        );
        refused(run(&place, items(), named("fold"), Nowhere), &words);
    };
    commit("offset 7");
    foreign("offset 7", "expected value at line 1 column 1");
    commit("");
    foreign("", "EOF while parsing a value at line 1 column 0");
    commit("{}\n");
    foreign("{}\\n", "missing field `format` at line 1 column 2");
    let rest = r#""inputs":[0],"turn":0,"watermarks":{"current":null,"inputs":[{"latest":null,"holds":false}]},"firing":false,"drained":false,"operators":["fold"],"broadcasts":{},"sinks":{"sink":null},"events":0"#;
    commit(&format!("{{\"format\":2,{rest}}}"));
    foreign(r#"{"format":2,"inputs":[0],"turn":0,"water…"#, "its format is 2, expected 1");
    commit(&format!("{{\"format\":1,{rest}}}"));
    assert_eq!(run(&place, items(), named("fold"), Nowhere).unwrap().events, 3);
}

fn a_struct_or_operator_of_another_name<P: Place>(place: P) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.jsonl");
    run(&place, items(), named("card"), Nowhere).unwrap();
    let renamed = || run(&place, items(), named("card_state"), JsonLinesSink::open(&out).unwrap());
    let words = "the operators of the pipeline are card_state, and the state was made with card, so this would begin at the first \
                 event again; if an operator or its struct was renamed, say so by `#[state(renamed_from = \"…\")]` on the \
                 struct or `Step::store(Keyed::builder().renamed_from(\"…\"))`; to begin anew, use another state";
    refused(renamed(), words);
    // Nothing is left of it, so that it is refused for the same reason again.
    assert!(!out.exists());
    refused(renamed(), words);
    assert_eq!(run(&place, items(), named("card"), Nowhere).unwrap().commits, 0);
    // One that says so goes on where the other has ended, and the old name is no way back without a word.
    let more = || IterSource::new([1, 2, 4, 5].map(|n| rec(1, 0, n)));
    let said = || {
        let store = Keyed::builder().operator("card_state").renamed_from("card");
        Step::new(Fold::new(3)).store(store)
    };
    for _ in 0..2 {
        assert_eq!(run(&place, more(), said(), Nowhere).unwrap().events, 4);
    }
    assert_eq!(run(&place, more(), named("card_state"), Nowhere).unwrap().commits, 0);
    let error = run(&place, more(), named("card"), Nowhere).unwrap_err().to_string();
    assert!(error.contains("has been renamed to `card_state`"), "{error}");
    // So it is where the other pipeline is of another version.
    let place = Memory::new();
    let newer = r#"{"format":99,"inputs":[],"operators":["card"],"more":true}"#;
    let store = Keyed::builder().operator("card");
    Driver::builder(Fold::new(3)).store(store).open(place.open()).unwrap().commit(newer).unwrap();
    refused(run(&place, items(), named("card_state"), Nowhere), words);
    // An operator that is no pipeline's has its place beside one.
    let place = Memory::new();
    let store = Keyed::builder().operator("other");
    Driver::builder(Fold::new(3)).store(store).open(place.open()).unwrap().commit("offset 7").unwrap();
    assert_eq!(run(&place, items(), named("card"), Nowhere).unwrap().events, 3);
}

#[derive(krishiv_api::KeyedState)]
#[state(key = u32, name = "card")]
struct Before {
    sum: krishiv_api::ValueState<u64>,
    worst: krishiv_api::ValueState<u64>,
}

#[derive(krishiv_api::KeyedState)]
#[state(key = u32, name = "card")]
struct Now {
    sum: krishiv_api::ValueState<u64>,
    greatest: krishiv_api::ValueState<u64>,
}

#[derive(krishiv_api::KeyedState)]
#[state(key = u32, name = "card")]
struct Kept {
    sum: krishiv_api::ValueState<u64>,
    #[state(name = "worst")]
    greatest: krishiv_api::ValueState<u64>,
}

/// Sums up, on any of the three.
struct Sums<S>(std::marker::PhantomData<S>);

trait Fields: KeyedState<Key = u32, Needs = Volatile> {
    fn fields(&self) -> [&krishiv_api::ValueState<u64>; 2];
}

macro_rules! sums {
    ($($state:ident $greatest:ident),*) => {$(
        impl Fields for $state {
            fn fields(&self) -> [&krishiv_api::ValueState<u64>; 2] {
                [&self.sum, &self.$greatest]
            }
        }
    )*};
}

sums!(Before worst, Now greatest, Kept greatest);

impl<S: Fields> Operator for Sums<S> {
    type State = S;
    type In = u64;
    type Out = u64;

    fn key(&self, _: &u64) -> u32 {
        0
    }

    fn on_event(&mut self, state: &S, n: u64, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let [sum, greatest] = state.fields();
        sum.set(sum.get_or(0) + n);
        greatest.set(greatest.get_or(0).max(n));
        ctx.emit(greatest.get_or(0));
        Ok(())
    }
}

fn a_field_of_another_name<P: Place>(place: P) {
    fn step<S: Fields>() -> Step<Sums<S>> {
        Step::new(Sums(std::marker::PhantomData))
    }
    fn run<S: Fields + 'static>(
        place: &impl Place,
        step: Step<Sums<S>>,
        items: &[u64],
    ) -> Result<Vec<u64>, PipelineError> {
        let sink = MemorySink::new();
        // It has no marks, so that it may be another one each time.
        let taken = Taken(sink.clone());
        let source = IterSource::new(items.to_vec());
        Pipeline::new(place.open()).source(source).step(step).sink(taken).stop_on(StopSignal::manual()).run()?;
        Ok(sink.items())
    }
    assert_eq!(run(&place, step::<Before>(), &[9, 1]).unwrap(), [9, 9]);
    let words = "operator `card` has stored `worst`, which its struct does not declare, so that would be left behind; if a field \
                 was renamed, say so by `#[state(renamed_from = \"…\")]`; if it is not needed any more, say so by \
                 `#[state(dropped(\"…\"))]` on the struct, or, to leave it where it is, by `Step::dropped([\"…\"])`";
    for _ in 0..2 {
        assert_eq!(run(&place, step::<Now>(), &[9, 1, 2]).unwrap_err().to_string(), words);
    }
    assert_eq!(run(&place, step::<Kept>(), &[9, 1, 2]).unwrap(), [9]);
    assert_eq!(run(&place, step::<Now>().dropped(["worst"]), &[9, 1, 2, 3]).unwrap(), [3]);
    // What is not there is not missed.
    assert_eq!(run(&place, step::<Now>().dropped(["worst", "never"]), &[9, 1, 2, 3, 4]).unwrap(), [4]);
}

/// A sink in memory that takes nothing back.
struct Taken(MemorySink<u64>);

impl Sink for Taken {
    type Item = u64;
    type Mark = ();

    fn write(&mut self, n: u64) -> Result<(), BoxError> {
        self.0.write(n)
    }

    fn sync(&mut self) -> Result<(), BoxError> {
        Ok(())
    }

    fn resume(&mut self, _: Option<()>) -> Result<(), BoxError> {
        Ok(())
    }
}

fn an_operator_twice<P: Place>(place: P) {
    let twice = Pipeline::new(place.open()).source(items()).step(named("fold")).step(named("fold"));
    let words = "two operators of the pipeline are called `fold`; give one of them another name, by \
                 `Step::store(Keyed::builder().operator(\"…\"))`";
    refused(twice.sink(Nowhere).stop_on(StopSignal::manual()).run(), words);
}

on_every_backend!(
    another_number_of_inputs,
    an_output_that_is_gone,
    an_operator_added_to_a_state,
    a_position_of_somebody_else,
    a_struct_or_operator_of_another_name,
    a_field_of_another_name,
    an_operator_twice,
);

/// The message without the folder.
#[track_caller]
fn refused_in(folder: &Path, result: Result<Summary, PipelineError>, words: &str) {
    let error = result.expect_err("it is refused").to_string();
    assert_eq!(error.replace(&format!("{}/", folder.display()), ""), words);
}

#[test]
fn a_changed_input_file() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Memory::new());
    let folder = folder.path();
    let run = |text: &str| {
        std::fs::write(folder.join("in.csv"), text).unwrap();
        run(&place, CsvSource::open(folder.join("in.csv")).unwrap(), named("fold"), Nowhere)
    };
    run("key,time,n\n1,0,1\n1,0,2\n").unwrap();
    let other = |how: &str| {
        format!(
            "input 0: in.csv: this is not the input that the state was made from: {how}, and the state has done 2 rows; \
             give the same input, or start over with a new state"
        )
    };
    refused_in(folder, run("key,time,n\n1,0,1\n"), &other("it ends after 1 rows"));
    refused_in(folder, run("key,time,n\n1,0,1\n1,0,3\n1,0,4\n"), &other("its rows differ"));
    assert_eq!(run("key,time,n\n1,0,1\n1,0,2\n1,0,4\n").unwrap().events, 3);
}

#[test]
fn a_changed_output_file() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Memory::new());
    let folder = folder.path();
    let path = folder.join("out.jsonl");
    let run = || run(&place, items(), named("fold"), JsonLinesSink::open(&path).unwrap());
    std::fs::write(&path, "what somebody wrote").unwrap();
    refused_in(
        folder,
        run(),
        "output sink: out.jsonl: the file is not empty, and nothing in it was committed by this state, so it stays as it \
         is; name another file, or move this one away",
    );
    std::fs::remove_file(&path).unwrap();
    run().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let length = text.len();
    let other = |how: &str| {
        format!(
            "output sink: out.jsonl: this is not the file that goes with the state: {how}; put it back, or start over with \
             a new state"
        )
    };
    std::fs::write(&path, text.replacen('1', "2", 1)).unwrap();
    refused_in(folder, run(), &other(&format!("its first {length} bytes are not those that were committed")));
    std::fs::write(&path, &text[1..]).unwrap();
    refused_in(folder, run(), &other(&format!("it has {} bytes, and {length} were committed", length - 1)));
    std::fs::remove_file(&path).unwrap();
    refused_in(folder, run(), &other(&format!("it is missing, and {length} bytes of it were committed")));
    std::fs::write(&path, &text).unwrap();
    assert_eq!(run().unwrap().commits, 0);
}

#[test]
fn a_side_output_without_a_sink_or_with_two() {
    let place = Memory::new();
    let three = || IterSource::new([rec(1, 0, 1), rec(1, 0, 3)]);
    let words = "operator `fold` has emitted to its side output `side`, which has no sink; give the step one by `.side(\"side\", …)`";
    refused(run(&place, three(), named("fold"), Nowhere), words);
    let side = MemorySink::new();
    refused(
        run(&place, three(), named("fold").side("side", side.clone()).side("side", Nowhere), Nowhere),
        "the side output `side` of operator `fold` has two sinks; give it one",
    );
    // Nothing of the event without an output was committed.
    let summary = run(&place, three(), named("fold").side("side", side.clone()), Nowhere).unwrap();
    assert_eq!((summary.events, summary.events_before, side.items().len()), (2, 0, 1));
}

#[test]
fn an_operator_that_is_gone() {
    let place = Memory::new();
    let two = Pipeline::new(place.open()).source(items()).step(named("first")).step(named("second"));
    two.sink(Nowhere).stop_on(StopSignal::manual()).run().unwrap();
    let words = "the operators of the pipeline are first, and the state was made with first -> second; use the same ones, \
                 or start over with a new state";
    refused(run(&place, items(), named("first"), Nowhere), words);
}

#[test]
fn operators_that_change_places_or_lose_their_broadcasts() {
    let place = Memory::new();
    let two = |one, other| {
        let pipeline = Pipeline::new(place.open()).source(items()).step(named(one)).step(named(other));
        pipeline.sink(Nowhere).stop_on(StopSignal::manual()).run()
    };
    two("first", "second").unwrap();
    let words = "the operators of the pipeline are second -> first, and the state was made with first -> second; use the same \
                 ones, or start over with a new state";
    refused(two("second", "first"), words);

    let place = Memory::new();
    let rules = || IterSource::new([(0, 7_u64)]);
    run(&place, items(), named("fold").broadcast(rules(), |_| i64::MIN), Nowhere).unwrap();
    let words = "the state was made with broadcasts to operator `fold`, which it no longer gets; keep their source";
    refused(run(&place, items(), named("fold"), Nowhere), words);
}

#[test]
fn an_input_that_grows_after_it_was_drained() {
    let place = Memory::new();
    let drain = |count| {
        let source = IterSource::new([1, 2, 4].into_iter().take(count).map(|n| rec(1, 10 * n as i64, n)));
        let input = Input::new(source).event_time(|item: &Rec| item.time, WatermarkStrategy::monotonous());
        let pipeline = Pipeline::new(place.open()).input(input).step(named("fold")).sink(Nowhere);
        pipeline.stop_on(StopSignal::manual()).drain_at_end().run()
    };
    drain(2).unwrap();
    assert_eq!(drain(2).unwrap().commits, 0);
    let words = "the input has grown since an earlier run came to its end and drained the timers, so all that is new would be \
                 late; start over with a new state, or leave `drain_at_end` out where input may grow";
    refused(drain(3), words);
    refused(drain(3), words);
}

#[test]
fn a_source_or_sink_of_another_kind() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Memory::new());
    run(&place, items(), named("fold"), MemorySink::new()).unwrap();
    std::fs::write(folder.path().join("in.csv"), "key,time,n\n1,0,1\n").unwrap();
    let csv = CsvSource::open(folder.path().join("in.csv")).unwrap();
    let error = run(&place, csv, named("fold"), Nowhere).expect_err("it is refused").to_string();
    println!("{error}");
    assert!(error.contains("start over with a new state"), "{error}");
    let json = JsonLinesSink::open(folder.path().join("out.jsonl")).unwrap();
    let error = run(&place, items(), named("fold"), json).expect_err("it is refused").to_string();
    assert!(error.contains("start over with a new state"), "{error}");
}

#[test]
fn broadcasts_that_cannot_be_read_name_their_operator() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Memory::new());
    std::fs::write(folder.path().join("rules.csv"), "from,rule\n0,a\n").unwrap();
    let rules = CsvSource::<(i64, u64)>::open(folder.path().join("rules.csv")).unwrap();
    let step = named("fold").broadcast(rules, |_| i64::MIN);
    let error = run(&place, items(), step, Nowhere).expect_err("it is refused").to_string();
    assert!(error.starts_with("input fold/broadcast: "), "{error}");
}

#[test]
fn broadcasts_out_of_the_order_of_their_times() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Memory::new());
    let path = folder.path().join("rules.csv");
    let run = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let rules = CsvSource::<(i64, u64)>::open(&path).unwrap();
        let input = Input::new(items()).event_time(|item: &Rec| item.time, WatermarkStrategy::monotonous());
        let step = named("fold").broadcast(rules, |(from, _)| *from);
        Pipeline::new(place.open()).input(input).step(step).sink(Nowhere).stop_on(StopSignal::manual()).run()
    };
    let words = "input fold/broadcast: rules.csv:4: the item takes effect at -5, and the one before it at 0, in milliseconds; sort \
                 the items by their times";
    refused_in(folder.path(), run("from,rule\n-7,1\n0,1\n-5,2\n"), words);
    run("from,rule\n-7,1\n0,1\n0,2\n").unwrap();
}

#[test]
fn a_run_that_is_refused_leaves_no_files() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Memory::new());
    let path = |name: &str| folder.path().join(name);
    let json = |name: &str| JsonLinesSink::open(path(name)).unwrap();
    std::fs::write(path("mine.jsonl"), "what somebody wrote").unwrap();
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    // Whichever of the outputs is refused, and whether when it is checked or when it is made.
    for (side, main) in
        [("a.jsonl", "mine.jsonl"), ("mine.jsonl", "a.jsonl"), ("a.jsonl", "none/b.jsonl"), ("none/a.jsonl", "b.jsonl")]
    {
        run(&place, items(), named("fold").side("great", json(side)), json(main)).unwrap_err();
        assert_eq!(files(), 1, "{side} {main}");
    }
    let rejects = JsonLinesSink::open(path("rejects.jsonl")).unwrap();
    let pipeline = Pipeline::new(place.open()).source(items()).step(named("fold")).sink(json("mine.jsonl"));
    pipeline.dead_letters_to(rejects).stop_on(StopSignal::manual()).run().unwrap_err();
    assert_eq!(files(), 1);
    run(&place, items(), named("fold").side("great", json("a.jsonl")), json("b.jsonl")).unwrap();
    assert_eq!(files(), 3);
}

#[test]
fn dead_letters_of_a_pipeline_that_a_later_call_leaves_unused() {
    let complete = || Pipeline::new(Memory::new().open()).source(items()).step(named("fold")).sink(Nowhere);
    let words = "a sink of `dead_letters_to` of the pipeline would be left unused, since a later call takes its place; leave out one \
                 of the two";
    refused(complete().dead_letters_to(MemorySink::new()).skip_errors().run(), words);
    refused(complete().dead_letters_to(MemorySink::new()).dead_letters_to(MemorySink::new()).run(), words);
    complete().skip_errors().dead_letters_to(MemorySink::new()).stop_on(StopSignal::manual()).run().unwrap();
}

#[test]
fn a_sink_or_source_that_a_later_call_leaves_unused() {
    let run = |step: Step<Fold>| run(&Memory::new(), items(), step, Nowhere);
    let dead = |step: Step<Fold>| step.dead_letters_to(MemorySink::new(), |letter| letter.error.to_string());
    let late = |step: Step<Fold>| step.late_to(Nowhere);
    let rules = |step: Step<Fold>| step.broadcast(IterSource::new([(0, 7_u64)]), |_| i64::MIN);
    let step = || named("fold");
    for (step, what) in [
        (dead(step()).skip_errors(), "a sink of `dead_letters_to`"),
        (dead(dead(step())), "a sink of `dead_letters_to`"),
        (late(step()).drop_late(), "a sink of `late_to`"),
        (late(late(step())), "a sink of `late_to`"),
        (rules(rules(step())), "a source of `broadcast`"),
    ] {
        let words = format!(
            "{what} of operator `fold` would be left unused, since a later call on its step takes its place; leave out one of the \
             two"
        );
        refused(run(step), &words);
    }
    // Nothing is lost where the sink comes later.
    run(rules(late(dead(step().skip_errors()).drop_late()))).unwrap();
}
