//! Whatever is done to long lists, by both codecs, with and without a TTL, through commits that fail and crashes, they
//! are what vectors would be.

use krishiv_api::{
    InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock, Scan, StateBackend, StateError, Volatile,
    WriteBatch,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestRunner};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Each fifth of them is no postcard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    id: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

fn note(id: u32) -> Note {
    Note { id, text: (!id.is_multiple_of(5)).then(|| "x".repeat(id as usize % 90)) }
}

#[derive(KeyedState)]
#[state(key = u8)]
struct Lists {
    forever: ListState<Note>,
    #[state(ttl = "10ms", clock = "processing")]
    processing: ListState<Note>,
    #[state(ttl = "10ms", clock = "event")]
    event: ListState<Note>,
    #[state(ttl = "10ms", clock = "event", ttl_update = "read_and_write")]
    fresh: ListState<Note>,
}

const LISTS: usize = 4;

impl Lists {
    fn list(&self, which: usize) -> &ListState<Note> {
        [&self.forever, &self.processing, &self.event, &self.fresh][which]
    }
}

/// Elements, and when they end.
type Model = Vec<(Note, i64)>;

#[derive(Clone, Debug)]
enum Call {
    Add(u32),
    AddJson(u32),
    AddAll(u32),
    Read,
    TruncateFront(usize),
    Drop(u32),
    Replace(u32),
    Clear,
}

#[derive(Clone, Debug)]
enum Step {
    /// On one list; whether it ends well.
    Event(usize, Vec<Call>, bool),
    Tick(i64),
    Commit,
    /// A commit that is said to have failed; whether it was written all the same.
    Fail(bool),
    Crash,
}

fn call() -> impl Strategy<Value = Call> {
    let many = || select(vec![0, 2, 7, 40, 300]);
    prop_oneof![
        4 => Just(Call::Add(1)),
        2 => (1..4_u32).prop_map(Call::AddJson),
        3 => many().prop_map(Call::AddAll),
        3 => Just(Call::Read),
        3 => select(vec![0, 1, 5, 30, 200]).prop_map(Call::TruncateFront),
        2 => (2..9_u32).prop_map(Call::Drop),
        1 => many().prop_map(Call::Replace),
        1 => Just(Call::Clear),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let calls = prop::collection::vec(call(), 1..5);
    prop_oneof![
        8 => (0..LISTS, calls, prop::bool::weighted(0.8)).prop_map(|(list, calls, well)| Step::Event(list, calls, well)),
        2 => (1..7_i64).prop_map(Step::Tick),
        4 => Just(Step::Commit),
        1 => any::<bool>().prop_map(Step::Fail),
        2 => Just(Step::Crash),
    ]
}

const WELL: u8 = 0;
const BEFORE_WRITING: u8 = 1;
const AFTER_WRITING: u8 = 2;

/// Memory whose writes fail when they are asked to.
#[derive(Default)]
struct Failing {
    inner: InMemoryStateBackend,
    writes: AtomicU8,
}

impl StateBackend for Failing {
    type Survival = Volatile;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.inner.get(key)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.inner.scan(prefix)
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        let writes = self.writes.load(Relaxed);
        if writes != BEFORE_WRITING {
            self.inner.write(batch)?;
        }
        if writes == WELL { Ok(()) } else { Err(StateError::backend("on purpose")) }
    }
}

struct Run {
    backend: Arc<Failing>,
    clock: Arc<ManualClock>,
    store: Option<Keyed<Lists>>,
    now: i64,
    next: u32,
    lists: [Model; LISTS],
    committed: [Model; LISTS],
}

impl Run {
    fn new() -> Self {
        let mut run = Self {
            backend: Arc::default(),
            clock: Arc::new(ManualClock::new(0)),
            store: None,
            now: 0,
            next: 0,
            lists: Default::default(),
            committed: Default::default(),
        };
        run.crash();
        run.commit();
        run
    }

    fn crash(&mut self) {
        self.store = None;
        let builder = Keyed::builder().clock(Arc::clone(&self.clock));
        let mut store: Keyed<Lists> = builder.open(Arc::clone(&self.backend)).unwrap();
        // Both clocks show one time, so that the model needs no other.
        store.set_watermark(self.now);
        self.store = Some(store);
        self.lists = self.committed.clone();
    }

    fn store(&mut self) -> &mut Keyed<Lists> {
        self.store.as_mut().unwrap()
    }

    fn commit(&mut self) {
        self.store().commit("").unwrap();
        self.committed = self.lists.clone();
    }

    fn ends(&self, which: usize) -> i64 {
        if which == 0 { i64::MAX } else { self.now + 10 }
    }

    fn notes(&mut self, count: u32) -> Vec<Note> {
        self.next += count;
        (self.next - count..self.next).map(note).collect()
    }

    fn event(&mut self, which: usize, calls: &[Call], well: bool) {
        let (mut model, ends, now) = (self.lists[which].clone(), self.ends(which), self.now);
        let plan: Vec<(Call, Vec<Note>)> = calls
            .iter()
            .map(|call| match call {
                Call::Add(count) | Call::AddJson(count) | Call::AddAll(count) | Call::Replace(count) => {
                    (call.clone(), self.notes(*count))
                }
                _ => (call.clone(), Vec::new()),
            })
            .collect();
        let read = |model: &mut Model| {
            model.retain(|(_, ends)| *ends > now);
            if which == 3 {
                model.iter_mut().for_each(|element| element.1 = ends);
            }
        };
        let result = self.store().try_with_key(&1, |state| {
            let list = state.list(which);
            for (call, notes) in plan {
                let new: Model = notes.iter().map(|note| (note.clone(), ends)).collect();
                match call {
                    Call::Add(_) => notes.into_iter().for_each(|note| list.add(note)),
                    Call::AddJson(_) => notes.into_iter().for_each(|note| list.add_json(note)),
                    Call::AddAll(_) => list.add_all(notes),
                    Call::Read => {
                        read(&mut model);
                        let expected: Vec<_> = model.iter().map(|(note, _)| note.clone()).collect();
                        assert_eq!((list.get(), list.length()), (expected.clone(), expected.len()));
                        assert_eq!((list.first(), list.last()), (expected.first().cloned(), expected.last().cloned()));
                    }
                    Call::TruncateFront(keep) => {
                        read(&mut model);
                        model.drain(..model.len().saturating_sub(keep));
                        list.truncate_front(keep);
                    }
                    Call::Drop(each) => {
                        read(&mut model);
                        model.retain(|(note, _)| !note.id.is_multiple_of(each));
                        list.retain(|note| !note.id.is_multiple_of(each));
                    }
                    Call::Replace(_) => {
                        model.clear();
                        list.replace(notes);
                    }
                    Call::Clear => {
                        model.clear();
                        list.clear();
                    }
                }
                model.extend(new);
            }
            if well { Ok(()) } else { Err(StateError::backend("on purpose")) }
        });
        assert_eq!(result.is_ok(), well);
        if well {
            self.lists[which] = model;
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Event(which, calls, well) => self.event(*which, calls, *well),
            Step::Tick(by) => {
                self.now += by;
                self.clock.set(self.now);
                let now = self.now;
                self.store().set_watermark(now);
            }
            Step::Commit => self.commit(),
            Step::Fail(written) => {
                self.backend.writes.store(if *written { AFTER_WRITING } else { BEFORE_WRITING }, Relaxed);
                self.store().commit("").unwrap_err();
                self.backend.writes.store(WELL, Relaxed);
                if *written {
                    self.committed = self.lists.clone();
                }
            }
            Step::Crash => {
                self.crash();
                self.look();
            }
        }
    }

    /// Compares all lists, in events that fail, so that they renew nothing.
    fn look(&mut self) {
        (0..LISTS).for_each(|which| self.event(which, &[Call::Read], false));
    }
}

#[test]
fn lists_are_what_vectors_would_be() {
    let asked = |name: &str| std::env::var(name).is_ok();
    let mut config = Config { max_shrink_iters: 20_000, source_file: Some(file!()), ..Config::default() };
    config.failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("regressions")));
    if !asked("PROPTEST_CASES") {
        config.cases = 400;
    }
    if !asked("PROPTEST_RNG_SEED") {
        config.rng_seed = RngSeed::Fixed(1);
    }
    let result = TestRunner::new(config).run(&prop::collection::vec(step(), 1..60), |steps| {
        let mut run = Run::new();
        steps.iter().for_each(|step| run.step(step));
        run.look();
        run.commit();
        run.crash();
        run.look();
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
