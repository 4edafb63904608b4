//! What a run that fails leaves in its outputs, and what it says that they got.

use crate::world::{Do, Flaky, Fold, Fuse, How, ListSource, Rec, Shelf, rec};
use krishiv_api::WatermarkStrategy;
use krishiv_pipeline::{Input, JsonLinesSink, MemorySink, Pipeline, PipelineError, Step, StopSignal, Summary};
use krishiv_tests::{Memory, Place};
use std::path::Path;

/// A file that was never written to is not there.
fn lines(path: &Path) -> usize {
    if path.exists() { std::fs::read_to_string(path).unwrap().lines().count() } else { 0 }
}

/// Twelve records to a file, to memory and to a shelf, five to a commit.
struct Job {
    place: Memory,
    folder: tempfile::TempDir,
    memory: MemorySink<Rec>,
    shelf: Shelf<Rec>,
}

impl Job {
    fn new(syncs: &Fuse) -> Self {
        Self {
            place: Memory::new(),
            folder: tempfile::tempdir().unwrap(),
            memory: MemorySink::new(),
            shelf: Shelf::failing(&Fuse::default(), syncs),
        }
    }

    fn run(&self, writes: &Fuse) -> Result<Summary, PipelineError> {
        let all = Do::event(|_, rec, ctx| {
            ctx.emit_to("file", rec);
            ctx.emit_to("memory", rec);
            ctx.emit(rec);
        });
        let file = JsonLinesSink::open(self.folder.path().join("out.jsonl")).unwrap();
        let step = Step::new(all).side("file", file).side("memory", self.memory.clone());
        Pipeline::new(Flaky::new(self.place.open(), writes, &Fuse::default()))
            .source(ListSource::new((0..12).map(|n| rec(0, 0, n))))
            .step(step)
            .sink(self.shelf.clone())
            .commit_every(5)
            .commit_after_ms(None)
            .stop_on(StopSignal::manual())
            .run()
    }

    fn held(&self) -> [usize; 3] {
        [lines(&self.folder.path().join("out.jsonl")), self.memory.items().len(), self.shelf.items().len()]
    }
}

/// The sinks before it have made durable what the state does not have.
#[test]
fn a_sink_that_fails_to_sync_takes_the_others_back_to_the_last_commit_too() {
    // The first commit is that of nothing.
    for (sync, held) in [(0, 0), (1, 0), (2, 5), (3, 10)] {
        for how in [How::Err, How::AfterDoing] {
            let job = Job::new(&Fuse::at([(sync, how)]));
            job.run(&Fuse::default()).unwrap_err();
            assert_eq!(job.held(), [held; 3], "sync {sync} {how:?}");
            job.run(&Fuse::default()).unwrap();
            assert_eq!(job.held(), [12; 3]);
        }
    }
}

/// A write that is said to have failed may be in the log of the backend all the same: what it says of the sinks must be there.
#[test]
fn where_the_write_of_the_state_fails_the_next_start_finds_out_how_far_it_came() {
    for write in 0..4 {
        for how in [How::Err, How::AfterDoing] {
            let job = Job::new(&Fuse::default());
            job.run(&Fuse::at([(write, how)])).unwrap_err();
            let synced = [0, 5, 10, 12][write as usize];
            assert_eq!(job.held(), [synced; 3], "write {write} {how:?}");
            job.run(&Fuse::default()).unwrap();
            assert_eq!(job.held(), [12; 3], "write {write} {how:?}");
        }
    }
}

#[test]
fn the_summary_says_how_many_items_of_the_run_each_output_got() {
    let (place, shelves, dead) = (Memory::new(), [Shelf::new(), Shelf::new(), Shelf::new()], Shelf::new());
    let run = |items: i64| {
        let [main, side, late] = shelves.clone();
        // Every third goes aside, every fifth is late, and 7 fails.
        let operator = Fold { fails_at: Some(7), ..Fold::new(3) };
        let step = Step::new(operator).side("side", side).late_to(late);
        let step = step.dead_letters_to(dead.clone(), |letter| letter.error.to_string());
        let recs = (1..=items).map(|n| rec(0, if n % 5 == 0 { 0 } else { n }, n as u64));
        let input = Input::new(ListSource::new(recs)).event_time(|rec: &Rec| rec.time, WatermarkStrategy::monotonous());
        let pipeline = Pipeline::new(place.open()).input(input).step(step).sink(main);
        let summary = pipeline.stop_on(StopSignal::manual()).run().unwrap();
        summary.outputs.into_iter().collect::<Vec<_>>()
    };
    let of = |counts: [u64; 4]| {
        let names = ["folded/dead-letters", "folded/late", "folded/side/side", "sink"];
        names.map(str::to_owned).into_iter().zip(counts).collect::<Vec<_>>()
    };
    let [dead, late, side, all] = run(14).try_into().unwrap();
    assert_eq!((dead.1, late.1), (2, 2));
    assert!(side.1 > 3 && all.1 >= 10, "{side:?} {all:?}");
    // Those of this run, not of the ones before.
    assert_eq!(run(14), of([0; 4]));
    assert_eq!(run(15), of([0, 1, 0, 0]));
}
