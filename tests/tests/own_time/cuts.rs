//! One program, with the watermark and the clock cut into random steps, commits, crashes, evictions and compactions at random:
//! one result, which a plain model tells.

use krishiv_api::{Driver, Harness, InMemoryStateBackend, Keyed, ManualClock, StateBackend, Timer, TimerKind};
use krishiv_tests::keeper::{Act, Keeper, Model, Seen, by_key};
use krishiv_tests::{Fjall, Folder, Memory, Place, RocksDb};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Op {
    Event(u8, Option<i64>, Vec<Act>),
    Watermark(i64),
    Clock(i64),
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n.unsigned_abs()) as i64
    }

    fn one_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }

    fn timer(&mut self, event: i64, clock: i64) -> Timer {
        // Some in the past.
        let ms = self.below(30) - 4;
        match self.below(3) {
            0 => Timer { kind: TimerKind::Processing, time_ms: clock + ms },
            _ => Timer { kind: TimerKind::Event, time_ms: event + ms },
        }
    }

    fn program(&mut self) -> Vec<Op> {
        let (mut watermark, mut clock, mut ops) = (None, 0, Vec::new());
        for n in 0..30 {
            match self.below(8) {
                0 | 1 => {
                    let next = watermark.unwrap_or(0) + self.below(40);
                    watermark = Some(next);
                    ops.push(Op::Watermark(next));
                }
                // What has no time waits for the first watermark, whichever that is.
                2 if watermark.is_some() => {
                    clock += self.below(40);
                    ops.push(Op::Clock(clock));
                }
                _ => {
                    let now = watermark.unwrap_or(0);
                    let time = now + self.below(12) - 3;
                    let time = (watermark.is_none() || self.one_in(2)).then_some(time);
                    let acts = (0..1 + self.below(3)).map(|_| match self.below(6) {
                        0 | 1 => Act::Write(n),
                        2 => Act::Look,
                        3 => Act::Delete(self.timer(now, clock)),
                        _ => Act::Set(self.timer(now, clock)),
                    });
                    let acts = acts.collect();
                    ops.push(Op::Event(self.below(3) as u8, time, acts));
                }
            }
        }
        ops.extend([Op::Watermark(watermark.unwrap_or(0) + 200), Op::Clock(clock + 200)]);
        ops
    }
}

fn model(program: &[Op]) -> Model {
    let mut model = Model::default();
    for op in program {
        match op {
            Op::Event(key, time, acts) => model.event(*key, *time, acts),
            Op::Watermark(ms) => model.watermark(*ms),
            Op::Clock(ms) => model.clock(*ms),
        }
    }
    model
}

/// A driver that is disturbed at random, and goes on where its last commit left it.
struct Run<'a, P: Place> {
    place: &'a P,
    compact: fn(&P::Backend),
    random: Random,
    clock: Arc<ManualClock>,
    now: i64,
    watermark: i64,
    open: Option<(Driver<Keeper>, Arc<P::Backend>)>,
    out: Vec<Seen>,
    committed: usize,
    /// What has been done since the last commit, or must be gone on with.
    since: Vec<Op>,
}

impl<'a, P: Place> Run<'a, P> {
    fn new(place: &'a P, seed: u64, compact: fn(&P::Backend)) -> Self {
        let (random, clock) = (Random(seed), Arc::default());
        let (out, since) = (Vec::new(), Vec::new());
        let mut run =
            Self { place, compact, random, clock, now: 0, watermark: -4, open: None, out, committed: 0, since };
        run.reopen();
        run
    }

    fn reopen(&mut self) {
        self.open = None;
        let backend = self.place.open();
        let budget = if self.random.one_in(2) { 0 } else { 1 << 20 };
        let store = Keyed::builder().memory_budget(budget).clock(Arc::clone(&self.clock));
        self.open = Some((Driver::builder(Keeper).store(store).open(Arc::clone(&backend)).unwrap(), backend));
    }

    fn driver(&mut self) -> &mut Driver<Keeper> {
        &mut self.open.as_mut().unwrap().0
    }

    fn commit(&mut self, rest: Option<&Op>) {
        let drained: Vec<_> = self.driver().drain().map(|record| record.value).collect();
        self.out.extend(drained);
        self.driver().commit("").unwrap();
        self.committed = self.out.len();
        self.since = rest.cloned().into_iter().collect();
    }

    /// Something that must not change anything; `rest` is what is going on.
    fn disturb(&mut self, rest: Option<&Op>) {
        match self.random.below(8) {
            0 | 1 => self.commit(rest),
            2 => {
                self.commit(rest);
                self.reopen();
            }
            3 => {
                let (_, backend) = self.open.as_ref().unwrap();
                (self.compact)(backend);
            }
            _ => {}
        }
    }

    fn crash(&mut self) {
        self.out.truncate(self.committed);
        self.reopen();
        for op in std::mem::take(&mut self.since) {
            self.run(&op);
        }
    }

    /// Fires what is due, at most a few at a time.
    fn fire(&mut self, kind: TimerKind, op: &Op) {
        loop {
            let limit = 1 + self.random.below(3) as usize;
            if !self.driver().fire(kind, limit).unwrap() {
                break;
            }
            self.disturb(Some(op));
        }
    }

    fn run(&mut self, op: &Op) {
        if matches!(op, Op::Clock(_)) {
            // What is done again after a crash is done by the clock of then.
            self.commit(None);
        }
        self.since.push(op.clone());
        match op {
            Op::Event(key, time, acts) => self.driver().event((*key, *time, acts.clone()), *time).unwrap(),
            Op::Watermark(ms) => {
                let from = self.driver().watermark().unwrap_or(self.watermark).min(*ms);
                for ms in self.steps(from, *ms) {
                    self.driver().set_watermark(ms);
                    self.fire(TimerKind::Event, op);
                }
            }
            Op::Clock(ms) => {
                for ms in self.steps(self.now.min(*ms), *ms) {
                    self.now = ms;
                    self.clock.set(ms);
                    self.fire(TimerKind::Processing, op);
                }
            }
        }
    }

    /// The way from one time to another.
    fn steps(&mut self, from: i64, to: i64) -> Vec<i64> {
        let count = self.random.below(4);
        let mut steps: Vec<_> = (0..count).map(|_| from + self.random.below(to - from + 1)).collect();
        steps.sort_unstable();
        steps.push(to);
        steps
    }
}

fn driven<P: Place>(program: &[Op], seed: u64, compact: fn(&P::Backend)) -> Vec<Seen> {
    let place = P::new();
    let mut run = Run::new(&place, seed, compact);
    for op in program {
        run.run(op);
        run.disturb(None);
        if run.random.one_in(6) {
            run.crash();
        }
    }
    run.commit(None);
    run.out
}

/// The same by a harness, with any number of instances.
fn harnessed<B: StateBackend>(program: &[Op], seed: u64, open: impl Fn() -> Arc<B> + 'static) -> Vec<Seen> {
    let mut random = Random(seed);
    let budget = if random.one_in(2) { 0 } else { 1 << 20 };
    let builder = Harness::builder(|| Keeper).shared_backend(move || Ok(open()));
    let builder = builder.store(Keyed::builder().memory_budget(budget)).instances(1 + random.below(3) as u16);
    let mut harness = builder.open().unwrap();
    let (mut watermark, mut clock) = (-4, 0);
    for op in program {
        match op {
            Op::Event(key, None, acts) => harness.event((*key, None, acts.clone())).unwrap(),
            Op::Event(key, Some(time), acts) => harness.event_at((*key, Some(*time), acts.clone()), *time).unwrap(),
            Op::Watermark(ms) => {
                while watermark < *ms {
                    watermark += 1 + random.below(ms - watermark);
                    harness.watermark(watermark).unwrap();
                }
                harness.watermark(*ms).unwrap();
            }
            Op::Clock(ms) => {
                while clock < *ms {
                    clock += 1 + random.below(ms - clock);
                    harness.clock(clock).unwrap();
                }
                harness.clock(*ms).unwrap();
            }
        }
        match random.below(8) {
            0 => harness.commit().unwrap(),
            1 => {
                harness.commit().unwrap();
                harness.crash_and_reopen().unwrap();
            }
            _ => {}
        }
    }
    harness.emitted().to_vec()
}

fn all(programs: std::ops::Range<u64>, cuts: u64, run: impl Fn(&[Op], u64) -> Vec<Seen>) {
    for seed in programs {
        let program = Random(seed).program();
        let expected = model(&program).seen();
        for cut in 0..cuts {
            let seen = catch_unwind(AssertUnwindSafe(|| run(&program, seed * 1_000 + cut)));
            let seen = seen.unwrap_or_else(|_| panic!("program {seed} cut {cut}: {program:#?}"));
            let seen = by_key(&seen);
            for (key, expected) in &expected {
                let seen = seen.get(key).map_or(&[][..], Vec::as_slice);
                let first = (0..).find(|at| seen.get(*at) != expected.get(*at) || *at > expected.len());
                let first = first.filter(|at| *at <= expected.len());
                let pair = first.map(|at| (seen.get(at), expected.get(at)));
                assert!(first.is_none(), "key {key} of program {seed} cut {cut}: {pair:#?} in {program:?}");
            }
        }
    }
}

#[test]
fn a_driver_gives_one_result_in_memory() {
    all(0..600, 3, |program, seed| driven::<Memory>(program, seed, |_| ()));
}

#[test]
fn a_driver_gives_one_result_on_rocksdb_with_compactions() {
    all(0..12, 2, |program, seed| driven::<RocksDb>(program, seed, RocksDb::compact));
}

#[test]
fn a_driver_gives_one_result_on_fjall_with_compactions() {
    all(0..12, 2, |program, seed| driven::<Fjall>(program, seed, Fjall::compact));
}

#[test]
fn a_harness_gives_one_result_with_any_number_of_instances() {
    all(0..500, 3, |program, seed| {
        let backend = Arc::new(InMemoryStateBackend::new());
        harnessed(program, seed, move || Arc::clone(&backend))
    });
}
