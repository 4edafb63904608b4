//! Code of the user that panics where nobody expects it: at any call of any trait of a key or a value, an event happens as a
//! whole or not at all, and no other event is touched.

use krishiv_api::{
    BoxError, BroadcastState, EventContext, Harness, Keyed, KeyedState, ListState, MapState, OnError, Operator,
    StateError, ValueState,
};
use krishiv_tests::{Fjall, Memory, Place, RocksDb};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hook {
    Hash,
    Eq,
    Clone,
    Drop,
    Serialize,
    Deserialize,
}

const HOOKS: [Hook; 6] = [Hook::Hash, Hook::Eq, Hook::Clone, Hook::Drop, Hook::Serialize, Hook::Deserialize];

thread_local! {
    /// The hook that panics, the calls of it until then, and whether it does so ever after.
    static ARMED: Cell<Option<(Hook, usize, bool)>> = const { Cell::new(None) };
    static WENT_OFF: Cell<bool> = const { Cell::new(false) };
}

fn called(hook: Hook) {
    let Some((armed, left, always)) = ARMED.get().filter(|(armed, ..)| *armed == hook) else { return };
    if left > 0 {
        return ARMED.set(Some((armed, left - 1, always)));
    }
    ARMED.set(always.then_some((armed, 0, always)));
    WENT_OFF.set(true);
    // Without the message that a panic prints.
    resume_unwind(Box::new("on purpose"));
}

fn disarm() {
    ARMED.set(None);
}

/// A key and a value each of whose traits calls its hook; it owns memory.
#[derive(Debug)]
struct Bomb(Box<u32>);

fn bomb(n: u32) -> Bomb {
    Bomb(Box::new(n))
}

impl Hash for Bomb {
    fn hash<H: Hasher>(&self, state: &mut H) {
        called(Hook::Hash);
        self.0.hash(state);
    }
}

impl PartialEq for Bomb {
    fn eq(&self, other: &Self) -> bool {
        called(Hook::Eq);
        self.0 == other.0
    }
}

impl Eq for Bomb {}

impl Clone for Bomb {
    fn clone(&self) -> Self {
        called(Hook::Clone);
        bomb(*self.0)
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        called(Hook::Drop);
    }
}

impl Serialize for Bomb {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        called(Hook::Serialize);
        serializer.serialize_u32(*self.0)
    }
}

impl<'de> Deserialize<'de> for Bomb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        called(Hook::Deserialize);
        u32::deserialize(deserializer).map(bomb)
    }
}

#[derive(KeyedState)]
#[state(key = Bomb, name = "mined")]
struct Mined {
    first: ValueState<Bomb>,
    second: ValueState<Bomb>,
    count: ValueState<u32>,
    list: ListState<Bomb>,
    map: MapState<Bomb, Bomb>,
    rules: BroadcastState<Bomb, Bomb>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    first: Option<u32>,
    second: Option<u32>,
    count: Option<u32>,
    list: Vec<u32>,
    map: BTreeMap<u32, u32>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    rows: BTreeMap<u32, Row>,
    rules: BTreeMap<u32, u32>,
}

/// One change of one row, and the same of the model.
#[derive(Clone, Copy, Debug)]
enum Act {
    Set(u32),
    SetTwice(u32),
    Take,
    Update(u32),
    Add(u32),
    AddMany(u32),
    Cut,
    RetainList,
    Replace(u32),
    Put(u32, u32),
    Remove(u32),
    UpdateMap(u32),
    RetainMap,
    ClearMap,
    ReadAll,
}

use Act::*;

impl Act {
    fn on(self, state: &Mined) {
        state.count.set(state.count.get_or(0) + 1);
        match self {
            Set(n) => state.first.set(bomb(n)),
            SetTwice(n) => {
                state.second.set(bomb(n));
                state.second.set(bomb(n + 1));
                state.first.set(bomb(n));
            }
            Take => drop((state.first.take(), state.second.clear())),
            Update(n) => state.second.update(|old| *old = Some(bomb(old.take().map_or(0, |old| *old.0) + n))),
            Add(n) => state.list.add(bomb(n)),
            AddMany(n) => state.list.add_all([bomb(n), bomb(n + 1), bomb(n + 2)]),
            Cut => state.list.truncate_front(2),
            RetainList => state.list.retain(|value| *value.0 % 2 == 0),
            Replace(n) => state.list.replace([bomb(n)]),
            Put(key, value) => state.map.put(bomb(key), bomb(value)),
            Remove(key) => drop(state.map.remove(&bomb(key))),
            UpdateMap(key) => {
                state.map.update(bomb(key), |old| *old = Some(bomb(old.take().map_or(1, |old| *old.0 * 2))))
            }
            RetainMap => state.map.retain(|key, _| *key.0 % 2 == 0),
            ClearMap => state.map.clear(),
            ReadAll => drop((state.first.get(), state.second.get(), state.list.get(), state.map.entries())),
        }
    }

    fn on_row(self, row: &mut Row) {
        row.count = Some(row.count.unwrap_or(0) + 1);
        match self {
            Set(n) => row.first = Some(n),
            SetTwice(n) => (row.first, row.second) = (Some(n), Some(n + 1)),
            Take => (row.first, row.second) = (None, None),
            Update(n) => row.second = Some(row.second.unwrap_or(0) + n),
            Add(n) => row.list.push(n),
            AddMany(n) => row.list.extend([n, n + 1, n + 2]),
            Cut => drop(row.list.drain(..row.list.len().saturating_sub(2))),
            RetainList => row.list.retain(|value| value % 2 == 0),
            Replace(n) => row.list = vec![n],
            Put(key, value) => drop(row.map.insert(key, value)),
            Remove(key) => drop(row.map.remove(&key)),
            UpdateMap(key) => drop(row.map.insert(key, row.map.get(&key).map_or(1, |value| value * 2))),
            RetainMap => row.map.retain(|key, _| key % 2 == 0),
            ClearMap => row.map.clear(),
            ReadAll => {}
        }
    }
}

enum Step {
    Event(u32, &'static [Act]),
    /// An event that returns an error, and one that panics by itself.
    Fails(u32, &'static [Act]),
    Panics(u32, &'static [Act]),
    Batch(&'static [(u32, Act)]),
    Broadcast(u32, u32),
    FailedBroadcast(u32),
    Commit,
    /// Without a commit; what was not committed is gone.
    Reopen,
}

use Step::*;

const PROGRAM: &[Step] = &[
    Event(1, &[Set(1), Add(1), Put(1, 1)]),
    Event(1, &[SetTwice(5), AddMany(2), Put(1, 2), Put(2, 2)]),
    Event(2, &[Update(7), Replace(4), UpdateMap(3)]),
    Broadcast(1, 10),
    Commit,
    Event(2, &[ReadAll, Update(1), Add(9)]),
    Fails(1, &[Set(8), Cut, Remove(1), Put(9, 9), ClearMap, Put(4, 4), Replace(3), Add(4)]),
    Panics(1, &[SetTwice(8), Take, Update(4), RetainList, AddMany(1), RetainMap, UpdateMap(2)]),
    Event(1, &[Set(3), Set(4), Cut, RetainMap]),
    Broadcast(1, 11),
    FailedBroadcast(2),
    Batch(&[(1, Add(7)), (2, Set(6)), (3, AddMany(1)), (1, UpdateMap(2)), (2, Take)]),
    Commit,
    Reopen,
    Batch(&[(3, RetainList), (1, ReadAll), (2, Put(5, 5)), (4, Set(1))]),
    Event(1, &[ReadAll, ClearMap, Put(1, 1), Replace(2)]),
    Panics(2, &[ReadAll, Set(2)]),
    Event(3, &[Update(1)]),
    Commit,
    Event(3, &[Take, RetainList, RetainMap]),
    Event(4, &[Remove(1), Cut]),
    Commit,
    Reopen,
];

/// What the store shows, with nothing armed.
fn shown(store: &mut Keyed<Mined>) -> Model {
    let mut model = Model::default();
    let number = |bomb: Bomb| *bomb.0;
    for key in store.keys().unwrap() {
        let row = |state: &Mined| Row {
            first: state.first.get().map(number),
            second: state.second.get().map(number),
            count: state.count.get(),
            list: state.list.get().into_iter().map(number).collect(),
            map: state.map.entries().into_iter().map(|(key, value)| (number(key), number(value))).collect(),
        };
        let row = store.with_key(&key, row).unwrap();
        model.rows.insert(number(key), row);
    }
    let rules = store.with_key(&bomb(0), |state| state.rules.entries()).unwrap();
    model.rules = rules.into_iter().map(|(key, value)| (number(key), number(value))).collect();
    model
}

/// Runs the program with a hook that panics at its call `at`; whether it came to that.
fn run<P: Place>(hook: Hook, at: usize, budget: usize) -> bool {
    let place = P::new();
    let open = || Keyed::<Mined>::builder().memory_budget(budget).open(place.open()).unwrap();
    let mut store = Some(open());
    let (mut model, mut committed) = (Model::default(), Model::default());
    WENT_OFF.set(false);
    ARMED.set(Some((hook, at, false)));
    for (number, step) in PROGRAM.iter().enumerate() {
        let context = format!("{hook:?} {at} at step {number}, budget {budget}");
        let now = store.as_mut().unwrap();
        let caught = |f: &mut dyn FnMut() -> Result<(), StateError>| catch_unwind(AssertUnwindSafe(f));
        match step {
            Event(key, acts) => {
                let key_of = bomb(*key);
                let done = caught(&mut || now.with_key(&key_of, |state| acts.iter().for_each(|act| act.on(state))));
                if let Ok(result) = done {
                    result.unwrap_or_else(|error| panic!("{context}: {error}"));
                    let row = model.rows.entry(*key).or_default();
                    acts.iter().for_each(|act| act.on_row(row));
                }
                std::mem::forget(key_of);
            }
            Fails(key, acts) => {
                let key_of = bomb(*key);
                let event = |state: &Mined| {
                    acts.iter().for_each(|act| act.on(state));
                    Err::<(), _>(StateError::backend("on purpose"))
                };
                let done = caught(&mut || now.try_with_key(&key_of, event));
                assert!(done.is_err() || done.is_ok_and(|result| result.is_err()), "{context}");
                std::mem::forget(key_of);
            }
            Panics(key, acts) => {
                let key_of = bomb(*key);
                let event = |state: &Mined| {
                    acts.iter().for_each(|act| act.on(state));
                    resume_unwind(Box::new("by itself"))
                };
                let done = caught(&mut || now.with_key::<Bomb, ()>(&key_of, event));
                assert!(done.is_err(), "{context}");
                std::mem::forget(key_of);
            }
            Batch(events) => {
                let done = Cell::new(0);
                let keys: Vec<_> = events.iter().map(|(key, _)| bomb(*key)).collect();
                let batch = events.iter().zip(&keys);
                let _ = caught(&mut || {
                    let event = |state: &Mined, ((_, act), _): (&(u32, Act), &Bomb)| {
                        act.on(state);
                        done.set(done.get() + 1);
                    };
                    now.for_each_event(batch.clone(), |(_, key)| *key, event).map_err(|error| error.error)
                });
                for (key, act) in &events[..done.get()] {
                    act.on_row(model.rows.entry(*key).or_default());
                }
                std::mem::forget(keys);
            }
            Broadcast(key, value) => {
                let put = |state: &Mined, scope: &mut _| state.rules.put(scope, bomb(*key), bomb(*value));
                let done = caught(&mut || now.broadcast(put));
                if done.is_ok_and(|result| result.is_ok()) {
                    model.rules.insert(*key, *value);
                }
            }
            FailedBroadcast(key) => {
                let put = |state: &Mined, scope: &mut _| {
                    state.rules.put(scope, bomb(*key), bomb(1));
                    state.rules.clear(scope);
                    state.rules.put(scope, bomb(1), bomb(2));
                    Err::<(), _>(StateError::backend("on purpose"))
                };
                let _ = caught(&mut || now.try_broadcast(put));
            }
            Commit => {
                // One that panics is tried again, as is one that fails.
                if !caught(&mut || now.commit("")).is_ok_and(|result| result.is_ok()) {
                    now.commit("").unwrap_or_else(|error| panic!("{context}: {error}"));
                }
                committed = model.clone();
            }
            Reopen => {
                let old = store.take();
                let _ = catch_unwind(AssertUnwindSafe(|| drop(old)));
                disarm_while(|| store = Some(open()));
                model = committed.clone();
            }
        }
        let store = store.as_mut().unwrap();
        assert_eq!(disarm_while(|| shown(store)), without_empty(&model), "{context}");
    }
    disarm();
    WENT_OFF.get()
}

/// Rows that were emptied hold their count; rows that no event has come to are none.
fn without_empty(model: &Model) -> Model {
    let mut model = model.clone();
    model.rows.retain(|_, row| *row != Row::default());
    model
}

fn disarm_while<R>(f: impl FnOnce() -> R) -> R {
    let armed = ARMED.take();
    let result = f();
    ARMED.set(armed);
    result
}

fn at_every_call<P: Place>(hook: Hook, budgets: &[usize], stride: usize) {
    for budget in budgets {
        let mut places = 0;
        while run::<P>(hook, places * stride, *budget) {
            places += 1;
        }
        assert!(places > 0, "{hook:?}");
    }
}

#[test]
fn a_panic_at_any_call_of_any_hook_leaves_whole_events() {
    for hook in HOOKS {
        at_every_call::<Memory>(hook, &[0, 4_000, usize::MAX], 1);
    }
}

#[test]
fn the_same_on_rocksdb() {
    for hook in HOOKS {
        at_every_call::<RocksDb>(hook, &[0], 29);
    }
}

#[test]
fn the_same_on_fjall() {
    for hook in HOOKS {
        at_every_call::<Fjall>(hook, &[0], 29);
    }
}

/// Nothing is decoded on the way of a panic: a second one would end the process.
#[test]
fn an_event_that_panics_decodes_nothing_on_its_way() {
    let place = Memory::new();
    let open = || Keyed::<Mined>::builder().memory_budget(0).open(place.open()).unwrap();
    let mut store = open();
    store.with_key(&bomb(1), |state| SetTwice(1).on(state)).unwrap();
    store.commit("").unwrap();
    for hook in [Hook::Deserialize, Hook::Serialize, Hook::Eq, Hook::Clone] {
        let (key, started) = (bomb(1), Cell::new(false));
        let result = catch_unwind(AssertUnwindSafe(|| {
            store.with_key(&key, |state| {
                // Reads all plain values of the row together, and uses one.
                assert_eq!(state.count.get(), Some(1));
                started.set(true);
                ARMED.set(Some((hook, 0, true)));
                if hook == Hook::Deserialize {
                    resume_unwind(Box::new("by itself"))
                } else {
                    state.first.get()
                };
                resume_unwind(Box::new("by itself"))
            })
        }));
        disarm();
        assert!(result.is_err_and(|_| started.get()));
        let seen = store.with_key(&key, |state| (state.count.get(), state.first.get().map(|bomb| *bomb.0))).unwrap();
        assert_eq!(seen, (Some(1), Some(1)));
        store.commit("").unwrap();
    }
    // A value that was read along and does not decode is for whoever asks for it.
    let key = bomb(1);
    drop(store);
    let mut store = open();
    let event = |state: &Mined| {
        assert_eq!(state.count.get(), Some(1));
        ARMED.set(Some((Hook::Deserialize, 0, true)));
        state.count.set(2);
    };
    store.with_key(&key, event).unwrap();
    disarm();
    let seen = store.with_key(&key, |state| (state.count.get(), state.second.get().map(|bomb| *bomb.0))).unwrap();
    assert_eq!(seen, (Some(2), Some(2)));
}

/// Values that refuse to be dropped, one after the other, in everything that drops several.
#[test]
fn values_that_always_panic_when_dropped_end_no_process() {
    for budget in [0, usize::MAX] {
        let place = Memory::new();
        let open = || Keyed::<Mined>::builder().memory_budget(budget).open(place.open()).unwrap();
        let mut store = open();
        for key in 0..20 {
            let key = bomb(key);
            store.with_key(&key, |state| (state.first.set(bomb(1)), state.count.set(1))).unwrap();
        }
        store.commit("").unwrap();
        let keys: Vec<_> = (0..20).map(bomb).collect();
        ARMED.set(Some((Hook::Drop, 0, true)));
        for key in &keys {
            store.with_key(key, |state| (state.first.set(bomb(2)), state.count.set(2)).1).unwrap();
        }
        store.commit("").unwrap();
        drop(store);
        std::mem::forget(keys);
        disarm();
        let mut store = open();
        for key in 0..20 {
            let seen =
                store.with_key(&bomb(key), |state| (state.first.get().map(|b| *b.0), state.count.get())).unwrap();
            assert_eq!(seen, (Some(2), Some(2)));
        }
    }
}

/// Emits the count, which must be that of the events that were not skipped.
struct Counts;

#[derive(KeyedState)]
#[state(key = Bomb, name = "counts")]
struct Counting {
    value: ValueState<Bomb>,
    count: ValueState<u32>,
}

impl Operator for Counts {
    type State = Counting;
    type In = Bomb;
    type Out = u32;
    fn key(&self, _: &Bomb) -> Bomb {
        bomb(1)
    }
    fn on_event(&mut self, state: &Counting, event: Bomb, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let count = state.count.get_or(0) + 1;
        state.count.set(count);
        state.value.set(event);
        ctx.emit(count);
        Ok(ctx.register_event_timer(i64::from(count)))
    }
}

/// Under each policy, what is not reported as failed has happened.
#[test]
fn a_policy_covers_every_hook() {
    for hook in HOOKS {
        for on_error in [OnError::skip(), OnError::dead_letter()] {
            for at in 0..60 {
                let mut harness = Harness::builder(|| Counts).on_error(on_error).open().unwrap();
                ARMED.set(Some((hook, at, false)));
                for n in 0..4 {
                    let done = catch_unwind(AssertUnwindSafe(|| harness.event_at(bomb(n), 0)));
                    assert!(done.is_ok_and(|result| result.is_ok()), "{hook:?} {at}");
                }
                let counts = disarm_while(|| {
                    harness.commit().unwrap();
                    let failed = harness.skipped() as usize + harness.dead_letters().len();
                    let count = harness.state(&bomb(1), |state| state.count.get_or(0)).unwrap();
                    let timers = harness.timers().unwrap().len();
                    (harness.emitted().len(), timers, 4 - failed, count as usize)
                });
                disarm();
                assert!([counts.1, counts.2, counts.3].iter().all(|n| *n == counts.0), "{hook:?} {at}: {counts:?}");
            }
        }
    }
}
