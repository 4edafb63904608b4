//! An operator whose output tells all that ever happened to it, and parts that fail when they are told to.

use krishiv_api::{
    BoxError, BroadcastContext, BroadcastOperator, BroadcastState, Each, EventContext, KeyedState, Operator, Scan,
    StateBackend, StateError, Timer, ValueState, WriteBatch,
};
use krishiv_pipeline::{Polled, Sink, Source};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum How {
    Err,
    /// Where it is not caught it ends the run at once, as a crash does: nobody cuts anything back.
    Panic,
    /// It does what it shall, and then says that it did not.
    AfterDoing,
}

/// Counts calls over all runs, and lets some of them fail.
#[derive(Clone, Debug, Default)]
pub struct Fuse(Arc<Mutex<(u64, BTreeMap<u64, How>)>>);

impl Fuse {
    /// Lets the calls of these numbers fail, from 0.
    pub fn at(calls: impl IntoIterator<Item = (u64, How)>) -> Self {
        Self(Arc::new(Mutex::new((0, calls.into_iter().collect()))))
    }

    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, How>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn calls(&self) -> u64 {
        self.lock().0
    }

    /// Lets no more calls fail.
    pub fn heal(&self) {
        self.lock().1.clear();
    }

    /// Counts a call that is nothing but that.
    pub fn check(&self) -> Result<(), BoxError> {
        self.call(on_purpose, || Ok(()))
    }

    /// Counts a call and does it, or not; `E` is what it fails with.
    pub fn call<T, E>(&self, error: impl FnOnce() -> E, f: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let mut fuse = self.lock();
        let how = {
            let call = fuse.0;
            fuse.1.remove(&call)
        };
        fuse.0 += 1;
        drop(fuse);
        match how {
            None => f(),
            Some(How::Err) => Err(error()),
            Some(How::Panic) => resume_unwind(Box::new("on purpose")),
            Some(How::AfterDoing) => f().and_then(|_| Err(error())),
        }
    }
}

fn on_purpose() -> BoxError {
    "on purpose".into()
}

/// A backend that fails at some writes and reads, and counts them.
pub struct Flaky<B> {
    inner: Arc<B>,
    writes: Fuse,
    reads: Fuse,
}

impl<B> Flaky<B> {
    pub fn new(inner: Arc<B>, writes: &Fuse, reads: &Fuse) -> Arc<Self> {
        Arc::new(Self { inner, writes: writes.clone(), reads: reads.clone() })
    }

    fn read<T>(&self, f: impl FnOnce() -> Result<T, StateError>) -> Result<T, StateError> {
        self.reads.call(|| StateError::backend("on purpose"), f)
    }
}

impl<B: StateBackend> StateBackend for Flaky<B> {
    type Survival = B::Survival;
    const MERGES: bool = B::MERGES;
    const LONGEST_KEY: usize = B::LONGEST_KEY;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.read(|| self.inner.get(key))
    }

    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        self.read(|| self.inner.multi_get(keys))
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.inner.scan(prefix)
    }

    fn scan_from<'a>(&'a self, prefix: &[u8], from: &[u8]) -> Scan<'a> {
        match self.read(|| Ok(())) {
            Ok(()) => self.inner.scan_from(prefix, from),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    fn for_each(&self, prefix: &[u8], each: &mut Each<'_>) -> Result<(), StateError> {
        self.inner.for_each(prefix, each)
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        self.writes.call(|| StateError::backend("on purpose"), || self.inner.write(batch))
    }
}

/// What goes from operator to operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rec {
    pub key: u8,
    pub time: i64,
    pub n: u64,
}

/// A source over a list, that can fail, skip and have nothing for now.
#[derive(Clone)]
pub struct ListSource<T> {
    pub items: Arc<Vec<Option<T>>>,
    pub next: usize,
    pub fuse: Fuse,
}

impl<T: Clone> ListSource<T> {
    pub fn new(items: impl IntoIterator<Item = T>) -> Self {
        Self::skipping(items.into_iter().map(Some))
    }

    /// `None` is an item that is skipped.
    pub fn skipping(items: impl IntoIterator<Item = Option<T>>) -> Self {
        Self { items: Arc::new(items.into_iter().collect()), next: 0, fuse: Fuse::default() }
    }

    pub fn fuse(mut self, fuse: &Fuse) -> Self {
        self.fuse = fuse.clone();
        self
    }
}

impl<T: Clone> Source for ListSource<T> {
    type Item = T;
    type Position = usize;

    fn poll(&mut self, _: Duration) -> Result<Polled<T>, BoxError> {
        let Some(item) = self.items.get(self.next) else { return Ok(Polled::End) };
        self.fuse.check()?;
        self.next += 1;
        Ok(item.clone().map_or(Polled::Skipped, Polled::Item))
    }

    fn position(&self) -> usize {
        self.next
    }

    fn seek(&mut self, position: usize) -> Result<(), BoxError> {
        assert!(position <= self.items.len());
        self.next = position;
        Ok(())
    }
}

/// A sink that outlives the runs that write to it, and holds them to the contract.
#[derive(Debug)]
pub struct Shelf<T> {
    items: Arc<Mutex<Vec<T>>>,
    writes: Fuse,
    syncs: Fuse,
    resumed: bool,
}

impl<T> Clone for Shelf<T> {
    /// For another run.
    fn clone(&self) -> Self {
        let Self { items, writes, syncs, .. } = self;
        Self { items: items.clone(), writes: writes.clone(), syncs: syncs.clone(), resumed: false }
    }
}

impl<T: Clone> Shelf<T> {
    pub fn new() -> Self {
        Self::failing(&Fuse::default(), &Fuse::default())
    }

    pub fn failing(writes: &Fuse, syncs: &Fuse) -> Self {
        Self { items: Arc::default(), writes: writes.clone(), syncs: syncs.clone(), resumed: false }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn items(&self) -> Vec<T> {
        self.lock().clone()
    }
}

impl<T: Clone> Sink for Shelf<T> {
    type Item = T;
    type Mark = usize;

    fn write(&mut self, item: T) -> Result<(), BoxError> {
        assert!(self.resumed, "written to before it was resumed");
        self.writes.call(on_purpose, || Ok(self.lock().push(item)))
    }

    fn sync(&mut self) -> Result<usize, BoxError> {
        assert!(self.resumed, "synced before it was resumed");
        let held = self.lock().len();
        self.syncs.call(on_purpose, || Ok(held))
    }

    fn resume(&mut self, mark: Option<usize>) -> Result<(), BoxError> {
        assert!(!self.resumed, "resumed twice");
        self.resumed = true;
        self.cut_back(mark)
    }

    fn cut_back(&mut self, mark: Option<usize>) -> Result<(), BoxError> {
        assert!(self.resumed, "cut back before it was resumed");
        let mark = mark.unwrap_or(0);
        assert!(mark <= self.lock().len(), "something committed is gone");
        Ok(self.lock().truncate(mark))
    }
}

#[derive(KeyedState)]
#[state(key = u8)]
pub struct Folded {
    /// Of all that has happened to the key, in its order.
    pub sum: ValueState<u64>,
    /// The timer set last.
    pub timer: ValueState<i64>,
    pub rules: BroadcastState<u8, u64>,
}

/// Puts out, for all that happens to a key, a number that tells everything that ever happened to it.
#[derive(Clone, Default)]
pub struct Fold {
    /// Keys come in, and so many go out.
    pub keys: u8,
    /// Lets every event fail whose number leaves no rest by it.
    pub fails_at: Option<u64>,
    pub events: Fuse,
    pub timers: Fuse,
}

impl Fold {
    pub fn new(keys: u8) -> Self {
        Self { keys, ..Self::default() }
    }

    fn add(state: &Folded, what: u64) -> u64 {
        let rule = state.rules.get(&0).unwrap_or(0);
        let sum = (state.sum.get_or(7) * 31 + what + rule) % 1_000_003;
        state.sum.set(sum);
        sum
    }
}

impl Operator for Fold {
    type State = Folded;
    type In = Rec;
    type Out = Rec;

    fn key(&self, event: &Rec) -> u8 {
        event.key % self.keys
    }

    fn on_event(&mut self, state: &Folded, event: Rec, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let key = *ctx.current_key();
        let time = ctx.event_time().unwrap_or(event.time);
        let sum = Self::add(state, event.n);
        ctx.emit(Rec { key: event.key, time, n: sum });
        if event.n.is_multiple_of(3) {
            ctx.emit_to("side", Rec { key, time, n: sum });
        }
        if event.n.is_multiple_of(2) {
            // One that is due at once would fire when time moves on, and that it does anyway on a restart.
            let at = time + 1 + (event.n % 23) as i64;
            if ctx.watermark().is_none_or(|watermark| at > watermark) {
                ctx.register_event_timer(at);
                state.timer.set(at);
            }
        } else if event.n.is_multiple_of(5) {
            state.timer.take().into_iter().for_each(|at| ctx.delete_event_timer(at));
        }
        if self.fails_at.is_some_and(|at| event.n.is_multiple_of(at)) {
            return Err(format!("not {}", event.n).into());
        }
        // After all that has to be undone.
        self.events.check()
    }

    fn on_timer(&mut self, state: &Folded, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let key = *ctx.current_key();
        let sum = Self::add(state, timer.time_ms.unsigned_abs() + 1_000);
        ctx.emit(Rec { key, time: timer.time_ms, n: sum });
        if sum.is_multiple_of(3) {
            ctx.register_event_timer(timer.time_ms + 7);
        }
        if sum.is_multiple_of(5) {
            ctx.emit_to("side", Rec { key, time: timer.time_ms, n: sum });
        }
        self.timers.check()
    }
}

impl BroadcastOperator for Fold {
    type Broadcast = (i64, u64);

    fn on_broadcast(
        &mut self,
        state: &Folded,
        (_, rule): (i64, u64),
        ctx: &mut BroadcastContext<'_, Self>,
    ) -> Result<(), BoxError> {
        state.rules.put(ctx.scope(), 0, rule);
        ctx.emit(Rec { key: 0, time: 0, n: rule });
        Ok(())
    }
}

/// Does what a test says.
#[derive(Clone, Copy)]
pub struct Do {
    pub event: fn(&Folded, Rec, &mut EventContext<'_, Do>),
    pub timer: fn(&Folded, Timer, &mut EventContext<'_, Do>),
}

impl Do {
    pub fn event(event: fn(&Folded, Rec, &mut EventContext<'_, Do>)) -> Self {
        Self { event, timer: |_, _, _| {} }
    }

    /// Lets all through, with the watermark in place of the number.
    pub fn watermark() -> Self {
        Self::event(|_, rec, ctx| ctx.emit(Rec { n: ctx.watermark().unwrap_or(-1) as u64, ..rec }))
    }
}

impl Operator for Do {
    type State = Folded;
    type In = Rec;
    type Out = Rec;

    fn key(&self, event: &Rec) -> u8 {
        event.key
    }

    fn on_event(&mut self, state: &Folded, event: Rec, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        Ok((self.event)(state, event, ctx))
    }

    fn on_timer(&mut self, state: &Folded, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        Ok((self.timer)(state, timer, ctx))
    }
}

impl BroadcastOperator for Do {
    type Broadcast = (i64, u64);

    fn on_broadcast(
        &mut self,
        state: &Folded,
        (_, rule): (i64, u64),
        ctx: &mut BroadcastContext<'_, Self>,
    ) -> Result<(), BoxError> {
        Ok(state.rules.put(ctx.scope(), 0, rule))
    }
}

pub fn rec(key: u8, time: i64, n: u64) -> Rec {
    Rec { key, time, n }
}

/// Key, time and number.
pub fn plain(recs: &[Rec]) -> Vec<(u8, i64, i64)> {
    recs.iter().map(|rec| (rec.key, rec.time, rec.n as i64)).collect()
}

/// What a [`Script`] does when it is asked for an item.
#[derive(Clone)]
pub enum Line {
    Item(Rec),
    /// Does something, and has nothing for now.
    Then(Rc<dyn Fn()>),
}

pub fn then(f: impl Fn() + 'static) -> Line {
    Line::Then(Rc::new(f))
}

/// A source that waits for more now and then.
pub struct Script {
    lines: Vec<Line>,
    next: usize,
    /// How long each poll would have waited.
    pub waits: Rc<RefCell<Vec<Duration>>>,
}

impl Script {
    pub fn new(lines: impl IntoIterator<Item = Line>) -> Self {
        Self { lines: lines.into_iter().collect(), next: 0, waits: Rc::default() }
    }
}

impl Source for Script {
    type Item = Rec;
    type Position = usize;

    fn poll(&mut self, wait: Duration) -> Result<Polled<Rec>, BoxError> {
        self.waits.borrow_mut().push(wait);
        let line = self.lines.get(self.next).cloned();
        self.next += 1;
        Ok(match line {
            None => Polled::End,
            Some(Line::Item(rec)) => Polled::Item(rec),
            Some(Line::Then(f)) => {
                f();
                Polled::Pending
            }
        })
    }

    fn position(&self) -> usize {
        self.next.min(self.lines.len())
    }

    fn seek(&mut self, position: usize) -> Result<(), BoxError> {
        self.next = position;
        Ok(())
    }
}

/// Runs until a run ends well; returns what it says and how many did not.
pub fn until_done<T>(mut run: impl FnMut() -> Result<T, krishiv_pipeline::PipelineError>) -> (T, usize) {
    for failed in 0..1_000 {
        match catch_unwind(AssertUnwindSafe(&mut run)) {
            Ok(Ok(done)) => return (done, failed),
            Ok(Err(error)) => assert!(error.to_string().contains("on purpose"), "{error}"),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>();
                assert_eq!(text, Some(&"on purpose"), "{:?}", panic.downcast_ref::<String>());
            }
        }
    }
    panic!("it never ends");
}
