//! What a store says of its own work is exact, and it says it to recorders and subscribers of the user's choice.

use krishiv_api::{
    BoxError, BroadcastState, Driver, EventContext, InMemoryStateBackend, Keeps, Keyed, KeyedState, LateEvents,
    ListState, ManualClock, MapState, OnError, Operator, RocksDbStateBackend, Scan, StateBackend, StateError, Timer,
    ValueState, Volatile, WriteBatch,
};
use metrics::with_local_recorder;
use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

#[derive(KeyedState)]
#[state(key = String)]
struct Account {
    value: ValueState<u64>,
    list: ListState<u64>,
    map: MapState<String, u64>,
    rules: BroadcastState<String, u64>,
}

/// One that reads nothing ahead once its rows are in memory.
#[derive(KeyedState)]
#[state(key = String, name = "account")]
struct Plain {
    value: ValueState<u64>,
}

const ALL: &str = "0..128";

fn open<S: KeyedState, B: StateBackend + Keeps<S>>(backend: &Arc<B>, budget: usize) -> Keyed<S> {
    Keyed::builder().memory_budget(budget).open(Arc::clone(backend)).unwrap()
}

fn memory() -> Arc<InMemoryStateBackend> {
    Arc::new(InMemoryStateBackend::new())
}

/// What a recorder got since it was last looked at, by name, of one instance.
fn taken(snapshotter: &Snapshotter, key_groups: &str) -> BTreeMap<String, DebugValue> {
    let all = snapshotter.snapshot().into_vec().into_iter();
    let labelled = all.filter(|(key, ..)| {
        let labels: Vec<_> = key.key().labels().map(|label| (label.key(), label.value())).collect();
        labels == [("operator", "account"), ("key_groups", key_groups)]
    });
    labelled.map(|(key, _, _, value)| (key.key().name().to_owned(), value)).collect()
}

/// The counters among them that are not zero, without the words that all of them share.
fn counters(taken: &BTreeMap<String, DebugValue>) -> Vec<(&str, u64)> {
    let counters = taken.iter().filter_map(|(name, value)| match value {
        DebugValue::Counter(count) if *count > 0 => Some((name.as_str(), *count)),
        _ => None,
    });
    counters
        .map(|(name, count)| (name.strip_prefix("krishiv_").unwrap().strip_suffix("_total").unwrap(), count))
        .collect()
}

fn gauge(taken: &BTreeMap<String, DebugValue>, name: &str) -> f64 {
    let Some(DebugValue::Gauge(value)) = taken.get(name) else { panic!("no gauge `{name}` in {taken:?}") };
    **value
}

/// Everything that a histogram recorded; nothing if there is none.
fn histogram(taken: &BTreeMap<String, DebugValue>, name: &str) -> Vec<f64> {
    match taken.get(name) {
        Some(DebugValue::Histogram(values)) => values.iter().map(|value| **value).collect(),
        None => Vec::new(),
        other => panic!("`{name}` is no histogram but {other:?}"),
    }
}

/// Runs `script` with a recorder of its own.
fn recorded<R>(script: impl FnOnce(&Snapshotter) -> R) -> R {
    let recorder = DebuggingRecorder::new();
    with_local_recorder(&recorder, || script(&recorder.snapshotter()))
}

/// Keys and values of the rows in `backend`, in bytes: all but the catalog.
fn stored(backend: &impl StateBackend) -> usize {
    let records = backend.scan(&[]).map(Result::unwrap).filter(|(key, _)| !key.starts_with(&[0, 0]));
    records.map(|(key, value)| key.len() + value.len()).sum()
}

fn read(store: &mut Keyed<Account>, key: &str) -> Option<u64> {
    store.with_key(key, |state| state.value.get()).unwrap()
}

fn write(store: &mut Keyed<Account>, key: &str, value: u64) {
    store.with_key(key, |state| state.value.set(value)).unwrap();
}

#[test]
fn events_and_undone_ones_are_counted() {
    recorded(|snapshotter| {
        let mut store: Keyed<Plain> = open(&memory(), usize::MAX);
        store.with_key("ann", |state| state.value.set(1)).unwrap();
        store.with_key("ann", |state| state.value.set(2)).unwrap();
        store.try_with_key("ann", |_| Err::<(), _>(StateError::backend("no"))).unwrap_err();
        store.with_key("ann", |_| ValueState::<bool>::new("value").get()).unwrap_err();
        let panic = catch_unwind(AssertUnwindSafe(|| store.with_key("ann", |_| resume_unwind(Box::new(())))));
        assert!(panic.map(|_: Result<(), _>| ()).is_err());
        let failed = store.for_each_event(
            [0, 1, 2, 3],
            |_| "ann",
            |_, n| {
                if n == 2 { Err(StateError::backend("no")) } else { Ok(()) }
            },
        );
        assert_eq!(failed.unwrap_err().index, 2);
        assert!(snapshotter.snapshot().into_vec().is_empty(), "nothing is handed over before a commit");
        store.commit("").unwrap();
        let taken = taken(snapshotter, ALL);
        assert_eq!(counters(&taken), [("events", 8), ("row_hits", 7), ("row_misses", 1), ("undone", 4)]);
    });
}

/// Sets a timer for the number of each event; a number that leaves no rest by 5 fails, and a timer by 3.
struct Timed;

impl Operator for Timed {
    type State = Plain;
    type In = i64;
    type Out = ();

    fn key(&self, _: &i64) -> String {
        "ann".to_owned()
    }

    fn on_event(&mut self, _: &Plain, number: i64, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        ctx.register_event_timer(number);
        if number % 5 == 0 { Err("on purpose".into()) } else { Ok(()) }
    }

    fn on_timer(&mut self, _: &Plain, timer: Timer, _: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        if timer.time_ms % 3 == 0 { Err("on purpose".into()) } else { Ok(()) }
    }
}

#[test]
fn timers_and_what_is_left_out_are_counted() {
    let policies =
        [(OnError::skip(), LateEvents::Drop, "skipped"), (OnError::dead_letter(), LateEvents::Collect, "dead_letters")];
    for (on_error, late, left_out) in policies {
        recorded(|snapshotter| {
            let builder = Driver::builder(Timed).store(Keyed::builder().operator("account"));
            let mut driver = builder.on_error(on_error).late_events(late).open(memory()).unwrap();
            (1..=10).for_each(|number| driver.event(number, Some(number)).unwrap());
            driver.advance(20).unwrap();
            (18..=21).for_each(|time| driver.event(1, Some(time)).unwrap());
            driver.commit("").unwrap();
            let taken = taken(snapshotter, ALL);
            let counted: BTreeMap<_, _> = counters(&taken).into_iter().collect();
            let names = ["timers_fired", "skipped", "dead_letters", "late"];
            // Of the timers 1 to 10 those for 5 and 10 were never set, and those for 3, 6 and 9 fail.
            let expected = names.map(|name| match name {
                "timers_fired" => Some(5),
                "late" => Some(2),
                name => (name == left_out).then_some(5),
            });
            assert_eq!(names.map(|name| counted.get(name).copied()), expected);
            assert_eq!(counted["undone"], 5);
        });
    }
}

#[test]
fn what_was_handed_over_is_not_handed_over_again() {
    recorded(|snapshotter| {
        let mut store: Keyed<Account> = open(&memory(), usize::MAX);
        for n in 0..3 {
            write(&mut store, "ann", n);
            store.commit("").unwrap();
        }
        assert_eq!(counters(&taken(snapshotter, ALL)), [("events", 3), ("row_hits", 2), ("row_misses", 1)]);
        store.commit("").unwrap();
        assert_eq!(counters(&taken(snapshotter, ALL)), []);
    });
}

#[test]
fn misses_loads_and_evictions_are_counted_under_a_budget_of_nothing() {
    recorded(|snapshotter| {
        let backend = memory();
        let mut store: Keyed<Account> = open(&backend, 0);
        // Neither needs what the backend has, and both stay until they are committed.
        write(&mut store, "ann", 1);
        write(&mut store, "bob", 2);
        assert_eq!(read(&mut store, "ann"), Some(1));
        // Clean, so it goes at once and has to come back.
        assert_eq!(read(&mut store, "cyd"), None);
        assert_eq!(read(&mut store, "cyd"), None);
        store.commit("").unwrap();
        let first = taken(snapshotter, ALL);
        let expected = [("events", 5), ("evictions", 4), ("loads", 2), ("row_hits", 1), ("row_misses", 4)];
        assert_eq!(counters(&first), expected);
        assert_eq!((gauge(&first, "krishiv_live_rows"), gauge(&first, "krishiv_memory_bytes")), (0.0, 0.0));
        assert!(gauge(&first, "krishiv_dirty_bytes") > 0.0);

        assert_eq!(read(&mut store, "ann"), Some(1));
        store.commit("").unwrap();
        let second = taken(snapshotter, ALL);
        assert_eq!(counters(&second), [("events", 1), ("evictions", 1), ("loads", 1), ("row_misses", 1)]);
        assert_eq!(gauge(&second, "krishiv_dirty_bytes"), 0.0);
    });
}

#[test]
fn a_load_is_a_row_of_plain_values_or_a_map_entry_or_a_whole_collection() {
    let backend = memory();
    let mut store: Keyed<Account> = open(&backend, usize::MAX);
    let fill = |state: &Account| {
        state.value.set(1);
        state.list.add_all([1, 2, 3]);
        state.map.put_all([("a".to_owned(), 1), ("b".to_owned(), 2)]);
    };
    store.with_key("ann", fill).unwrap();
    store.commit("").unwrap();
    drop(store);
    let steps: [(fn(&Account), u64); 7] = [
        (|state| assert_eq!((state.value.get(), state.value.get()), (Some(1), Some(1))), 1),
        (|state| state.list.add(4), 0),
        (|state| assert_eq!(state.list.get(), [1, 2, 3, 4]), 1),
        (|state| assert_eq!(state.list.length(), 4), 0),
        (|state| assert_eq!((state.map.get("a"), state.map.get("a")), (Some(1), Some(1))), 1),
        (|state| assert_eq!((state.map.length(), state.map.length()), (2, 2)), 1),
        (|state| assert_eq!((state.map.get("b"), state.map.get("c")), (Some(2), None)), 0),
    ];
    recorded(|snapshotter| {
        let mut store: Keyed<Account> = open(&backend, usize::MAX);
        for (step, (event, loads)) in steps.into_iter().enumerate() {
            store.with_key("ann", event).unwrap();
            store.commit("").unwrap();
            let taken = taken(snapshotter, ALL);
            assert_eq!(taken.get("krishiv_loads_total"), Some(&DebugValue::Counter(loads)), "step {step}");
        }
    });
}

#[test]
fn a_batch_counts_like_the_same_events_one_at_a_time() {
    let backend = memory();
    let keys = || (0..1_000_u32).map(|n| format!("{}", n % 300));
    let mut filled: Keyed<Plain> = open(&backend, usize::MAX);
    keys().for_each(|key| filled.with_key(&key, |state| state.value.set(1)).unwrap());
    filled.commit("").unwrap();
    drop(filled);
    let count = |run: fn(&mut Keyed<Plain>, Vec<String>)| {
        recorded(|snapshotter| {
            let mut store: Keyed<Plain> = open(&backend, usize::MAX);
            run(&mut store, keys().collect());
            store.commit("").unwrap();
            counters(&taken(snapshotter, ALL)).into_iter().map(|(name, n)| (name.to_owned(), n)).collect::<Vec<_>>()
        })
    };
    let batch = count(|store, keys| {
        store.for_each_event(keys, |key| key.as_str(), |state, _| state.value.set(state.value.get_or(0) + 1)).unwrap();
    });
    let single = count(|store, keys| {
        for key in keys {
            store.with_key(&key, |state| state.value.set(state.value.get_or(0) + 1)).unwrap();
        }
    });
    assert_eq!(batch, single);
    let expected = [("events", 1_000), ("loads", 300), ("row_hits", 700), ("row_misses", 300)];
    assert_eq!(batch.iter().map(|(name, n)| (name.as_str(), *n)).collect::<Vec<_>>(), expected);
}

#[test]
fn rows_that_a_failed_batch_has_brought_in_count_no_hit_below_zero() {
    recorded(|snapshotter| {
        let mut store: Keyed<Account> = open(&memory(), usize::MAX);
        let fail = |_: &Account, _| Err::<(), _>(StateError::backend("no"));
        store.for_each_event(["ann", "bob", "cyd"], |key| *key, fail).unwrap_err();
        store.commit("").unwrap();
        let expected = [("events", 1), ("loads", 3), ("row_misses", 3), ("undone", 1)];
        assert_eq!(counters(&taken(snapshotter, ALL)), expected);
        for key in ["ann", "bob", "cyd"] {
            read(&mut store, key);
        }
        store.commit("").unwrap();
        // Four events on three rows, each of which came in once.
        assert_eq!(counters(&taken(snapshotter, ALL)), [("events", 3), ("row_hits", 1)]);
    });
}

#[test]
fn a_commit_says_how_much_it_wrote() {
    recorded(|snapshotter| {
        let backend = memory();
        let mut store: Keyed<Account> = open(&backend, usize::MAX);
        let fill = |state: &Account| {
            state.value.set(1);
            state.list.add_all([1, 2, 3]);
            state.map.put("a".to_owned(), 1);
        };
        store.with_key("ann", fill).unwrap();
        store.with_key("bob", fill).unwrap();
        read(&mut store, "clean");
        store.with_key("untouched", |_| ()).unwrap();
        store.commit("").unwrap();
        let first = taken(snapshotter, ALL);
        assert_eq!(histogram(&first, "krishiv_commit_rows"), [2.0]);
        assert_eq!(histogram(&first, "krishiv_commit_bytes"), [stored(&*backend) as f64]);
        let [seconds] = histogram(&first, "krishiv_commit_seconds")[..] else { panic!("one commit took its time") };
        assert!(seconds > 0.0 && seconds.is_finite());
        assert_eq!(gauge(&first, "krishiv_live_rows"), 4.0);

        // A removal takes its key and no value.
        store.with_key("ann", |state| state.value.clear()).unwrap();
        let before = stored(&*backend);
        store.commit("").unwrap();
        let second = taken(snapshotter, ALL);
        let [bytes] = histogram(&second, "krishiv_commit_bytes")[..] else { panic!("one commit wrote its bytes") };
        assert!(bytes > 0.0 && bytes < (before - stored(&*backend)) as f64);
        assert_eq!(histogram(&second, "krishiv_commit_rows"), [1.0]);

        store.commit("").unwrap();
        let third = taken(snapshotter, ALL);
        assert_eq!(histogram(&third, "krishiv_commit_rows"), [0.0]);
        assert_eq!(histogram(&third, "krishiv_commit_bytes"), [0.0]);
    });
}

#[test]
fn memory_is_that_of_the_rows() {
    recorded(|snapshotter| {
        let mut store: Keyed<Account> = open(&memory(), usize::MAX);
        let mut sizes = Vec::new();
        for key in ["ann", "bob", "cyd"] {
            write(&mut store, key, 1);
            store.commit("").unwrap();
            let taken = taken(snapshotter, ALL);
            sizes.push(
                ["memory_bytes", "dirty_bytes", "live_rows"].map(|name| gauge(&taken, &format!("krishiv_{name}"))),
            );
        }
        // All keys are of one length, and one row at a time was dirty.
        let row = sizes[0][1];
        assert!(row >= 8.0);
        assert_eq!(sizes, [[row, row, 1.0], [2.0 * row, row, 2.0], [3.0 * row, row, 3.0]]);
    });
}

/// Fails to write while it is told to.
#[derive(Default)]
struct Failing {
    inner: InMemoryStateBackend,
    fails: AtomicBool,
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
        if self.fails.load(Relaxed) { Err(StateError::backend("disk on fire")) } else { self.inner.write(batch) }
    }
}

#[test]
fn a_failed_commit_reports_nothing_as_committed() {
    recorded(|snapshotter| {
        let backend = Arc::new(Failing::default());
        let mut store: Keyed<Account> = open(&backend, usize::MAX);
        write(&mut store, "ann", 1);
        backend.fails.store(true, Relaxed);
        store.commit("").unwrap_err();
        let failed = taken(snapshotter, ALL);
        assert_eq!(counters(&failed), [("commit_failures", 1), ("events", 1), ("row_misses", 1)]);
        for name in ["krishiv_commit_seconds", "krishiv_commit_bytes", "krishiv_commit_rows"] {
            assert_eq!(failed.get(name), None, "{name}");
        }
        let dirty = gauge(&failed, "krishiv_dirty_bytes");
        assert!(dirty > 0.0);

        backend.fails.store(false, Relaxed);
        store.commit("").unwrap();
        let repeated = taken(snapshotter, ALL);
        assert_eq!(counters(&repeated), []);
        assert_eq!(histogram(&repeated, "krishiv_commit_rows"), [1.0]);
        assert_eq!(histogram(&repeated, "krishiv_commit_bytes"), [stored(&backend.inner) as f64]);
        assert_eq!(gauge(&repeated, "krishiv_dirty_bytes"), dirty);
    });
}

#[test]
fn a_store_that_is_dropped_hands_over_the_rest_and_holds_nothing() {
    recorded(|snapshotter| {
        let mut store: Keyed<Account> = open(&memory(), usize::MAX);
        write(&mut store, "ann", 1);
        store.commit("").unwrap();
        write(&mut store, "bob", 1);
        drop(store);
        let taken = taken(snapshotter, ALL);
        assert_eq!(counters(&taken), [("events", 2), ("row_misses", 2)]);
        assert_eq!(histogram(&taken, "krishiv_commit_rows"), [1.0]);
        for name in ["krishiv_memory_bytes", "krishiv_dirty_bytes", "krishiv_live_rows"] {
            assert_eq!(gauge(&taken, name), 0.0, "{name}");
        }
    });
}

#[derive(KeyedState)]
#[state(key = String, name = "account")]
struct Fading {
    #[state(ttl = "1s")]
    value: ValueState<u64>,
    #[state(ttl = "1s")]
    list: ListState<u64>,
    #[state(ttl = "1s")]
    map: MapState<String, u64>,
}

fn fill(state: &Fading) {
    state.value.set(1);
    state.list.add_all([1, 2, 3]);
    state.map.put_all([("a".to_owned(), 1), ("b".to_owned(), 2)]);
}

#[test]
fn what_has_expired_is_counted_once_where_it_is_found() {
    recorded(|snapshotter| {
        let clock = Arc::new(ManualClock::new(0));
        let mut store = Keyed::<Fading>::builder().clock(Arc::clone(&clock)).open(memory()).unwrap();
        store.with_key("ann", fill).unwrap();
        clock.set(500);
        store.with_key("ann", |state| state.list.add(4)).unwrap();
        clock.set(1_000);
        let steps: [(fn(&Fading), u64); 6] = [
            (|state| assert_eq!(state.list.get(), [4]), 3),
            // Written over before anybody saw that it had expired.
            (|state| state.value.set(2), 0),
            (|state| assert_eq!(state.map.get("a"), None), 1),
            (|state| assert_eq!(state.map.length(), 0), 1),
            (|state| assert_eq!((state.value.get(), state.list.length()), (Some(2), 1)), 0),
            (|state| assert_eq!((state.map.get("a"), state.map.length()), (None, 0)), 0),
        ];
        for (step, (event, expired)) in steps.into_iter().enumerate() {
            store.with_key("ann", event).unwrap();
            store.commit("").unwrap();
            let taken = taken(snapshotter, ALL);
            assert_eq!(taken.get("krishiv_expired_total"), Some(&DebugValue::Counter(expired)), "step {step}");
        }
        clock.set(2_000);
        // An event that fails has found it as well, and the next one does not find it again.
        store
            .try_with_key("ann", |state| Err::<(), _>(StateError::backend(format!("{:?}", state.value.get()))))
            .unwrap_err();
        assert_eq!(store.with_key("ann", |state| state.value.get()).unwrap(), None);
        store.commit("").unwrap();
        let read = taken(snapshotter, ALL);
        assert_eq!(counters(&read), [("events", 2), ("expired", 1), ("row_hits", 2), ("undone", 1)]);
        // A commit looks at the list of a row that it writes.
        store.with_key("ann", |state| state.value.set(3)).unwrap();
        store.commit("").unwrap();
        assert_eq!(counters(&taken(snapshotter, ALL)), [("events", 1), ("expired", 1), ("row_hits", 1)]);
    });
}

#[test]
fn what_has_ended_and_is_still_stored_is_as_it_was_counted_last() {
    recorded(|snapshotter| {
        let name = "krishiv_ended_records";
        let clock = Arc::new(ManualClock::new(0));
        // One that drops nothing by itself.
        let backend = Arc::new(Failing::default());
        let mut store = Keyed::<Fading>::builder().clock(Arc::clone(&clock)).open(Arc::clone(&backend)).unwrap();
        store.with_key("ann", fill).unwrap();
        store.commit("").unwrap();
        clock.set(1_000);
        store.commit("").unwrap();
        assert!(!taken(snapshotter, ALL).contains_key(name), "nobody has counted");
        // A value, the record of three elements, two entries.
        assert_eq!(store.ended().unwrap(), 4);
        assert_eq!(gauge(&taken(snapshotter, ALL), name), 4.0);
        backend.fails.store(true, Relaxed);
        store.sweep().unwrap_err();
        assert_eq!(store.ended().unwrap(), 4);
        backend.fails.store(false, Relaxed);
        store.commit("").unwrap();
        assert_eq!(gauge(&taken(snapshotter, ALL), name), 4.0);
        assert_eq!(store.sweep().unwrap(), 4);
        assert_eq!(gauge(&taken(snapshotter, ALL), name), 0.0);
        // What is of no store any more is not said to be there.
        store.with_key("bob", fill).unwrap();
        store.commit("").unwrap();
        clock.set(2_000);
        assert_eq!(store.ended().unwrap(), 4);
        drop(store);
        assert_eq!(gauge(&taken(snapshotter, ALL), name), 0.0);
    });
}

#[test]
fn a_compaction_says_how_much_it_dropped() {
    // RocksDB compacts in threads of its own, where no local recorder is seen; nothing else here looks at this one.
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(0));
    let backend = Arc::new(RocksDbStateBackend::open(folder.path()).unwrap());
    let mut store = Keyed::<Fading>::builder().clock(Arc::clone(&clock)).open(Arc::clone(&backend)).unwrap();
    store.with_key("ann", fill).unwrap();
    store.commit("").unwrap();
    let dropped = || {
        backend.compact().unwrap();
        let all = snapshotter.snapshot().into_vec().into_iter();
        let of_compactions = all.filter(|(key, ..)| key.key().name() == "krishiv_compaction_expired_total");
        let mut total = 0;
        for (key, unit, help, value) in of_compactions {
            assert_eq!(key.key().labels().count(), 0);
            assert_documented(&key, unit, help, "");
            let DebugValue::Counter(count) = value else { panic!("{value:?}") };
            total += count;
        }
        total
    };
    assert_eq!(dropped(), 0);
    clock.set(1_000);
    // A value, the record of three elements, two entries.
    assert_eq!(dropped(), 4);
    assert_eq!(dropped(), 0);
}

#[test]
fn instances_have_labels_of_their_own() {
    recorded(|snapshotter| {
        let backend = memory();
        let instance = |range| Keyed::<Account>::builder().key_groups(range).open(Arc::clone(&backend)).unwrap();
        let (mut low, mut high) = (instance(0..64), instance(64..128));
        let mut ran = [0, 0];
        for n in 0..100 {
            let key = format!("{n}");
            if low.with_key(&key, |_| ()).is_ok() {
                ran[0] += 1;
            } else {
                high.with_key(&key, |_| ()).unwrap();
                ran[1] += 1;
            }
        }
        assert!(ran[0] > 0 && ran[1] > 0);
        drop((low, high));
        let all = snapshotter.snapshot().into_vec();
        for (range, ran) in [("0..64", ran[0]), ("64..128", ran[1])] {
            let of_range = all.iter().filter(|(key, ..)| key.key().labels().any(|label| label.value() == range));
            let counts: BTreeMap<_, _> = of_range.map(|(key, _, _, value)| (key.key().name(), value)).collect();
            // An event of a foreign key never ran, and brought no row in.
            assert_eq!(counts["krishiv_events_total"], &DebugValue::Counter(ran));
            assert_eq!(counts["krishiv_row_misses_total"], &DebugValue::Counter(ran));
            assert_eq!(counts["krishiv_undone_total"], &DebugValue::Counter(0));
        }
    });
}

#[test]
fn broadcast_changes_that_are_taken_in_are_counted() {
    recorded(|snapshotter| {
        let backend = memory();
        let instance = |range| Keyed::<Account>::builder().key_groups(range).open(Arc::clone(&backend)).unwrap();
        let (mut low, mut high) = (instance(0..64), instance(64..128));
        for n in 0..2 {
            low.broadcast(|state, scope| state.rules.put(scope, "limit".to_owned(), n)).unwrap();
        }
        low.try_broadcast(|_, _| Err::<(), _>(StateError::backend("no"))).unwrap_err();
        for n in 0..10 {
            // Whichever owns the key, both take in what is new before they look at it.
            let key = format!("{n}");
            assert!(low.with_key(&key, |_| ()).is_ok() != high.with_key(&key, |_| ()).is_ok());
        }
        low.commit("").unwrap();
        high.commit("").unwrap();
        let all = snapshotter.snapshot().into_vec().into_iter();
        let catch_ups: Vec<_> = all.filter(|(key, ..)| key.key().name() == "krishiv_catch_ups_total").collect();
        // The one that broadcasts takes its own first change in before it makes the second.
        let counts: Vec<_> = catch_ups.into_iter().map(|(.., value)| value).collect();
        assert_eq!(counts, [DebugValue::Counter(2), DebugValue::Counter(1)]);
    });
}

const MANUAL: &str = include_str!("../../docs/observability.md");

/// That the manual has this metric as recorders are told of it.
fn assert_documented(
    key: &metrics_util::CompositeKey,
    unit: Option<metrics::Unit>,
    help: Option<metrics::SharedString>,
    labels: &str,
) {
    let kind = match key.kind() {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
    };
    let (unit, help) = (unit.unwrap().as_str(), help.unwrap());
    let row = format!("| `{}` | {kind} | {unit} | {labels} | {help} |", key.key().name());
    assert!(MANUAL.lines().any(|line| line == row), "docs/observability.md lacks this line:\n{row}");
}

#[test]
fn the_manual_has_every_metric_and_no_other() {
    recorded(|snapshotter| {
        let mut store = open::<Account, _>(&memory(), 0);
        store.commit("").unwrap();
        store.ended().unwrap();
        drop(store);
        let all = snapshotter.snapshot().into_vec();
        let documented = MANUAL.lines().filter(|line| line.starts_with("| `krishiv_")).count();
        // The one that is not a store's own is that of compactions.
        assert_eq!(documented, all.len() + 1);
        for (key, unit, help, _) in all {
            assert_documented(&key, unit, help, "`operator`, `key_groups`");
        }
    });
}

/// A span: level, name and fields as they read when it ended.
type Span = (Level, String, BTreeMap<String, String>);

/// Keeps the spans of this library.
#[derive(Default)]
struct Spans {
    ids: AtomicU64,
    open: Mutex<BTreeMap<u64, Span>>,
    entered: Mutex<Vec<u64>>,
    ended: Arc<Mutex<Vec<Span>>>,
    events: Arc<AtomicU64>,
}

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("krishiv_api")
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.ids.fetch_add(1, Relaxed) + 1;
        let mut fields = BTreeMap::new();
        attributes.record(&mut Fields(&mut fields));
        let (level, name) = (*attributes.metadata().level(), attributes.metadata().name().to_owned());
        self.open.lock().unwrap().insert(id, (level, name, fields));
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut self.open.lock().unwrap().get_mut(&span.into_u64()).unwrap().2));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.events.fetch_add(1, Relaxed);
    }

    fn enter(&self, span: &Id) {
        self.entered.lock().unwrap().push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        assert_eq!(self.entered.lock().unwrap().pop(), Some(span.into_u64()));
    }

    fn try_close(&self, span: Id) -> bool {
        let span = self.open.lock().unwrap().remove(&span.into_u64()).unwrap();
        self.ended.lock().unwrap().push(span);
        true
    }
}

fn span(name: &str, fields: &[(&str, &str)]) -> Span {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    (Level::INFO, name.to_owned(), fields.collect())
}

#[test]
fn opening_and_committing_are_spans_and_events_are_none() {
    let spans = Spans::default();
    let (ended, events) = (Arc::clone(&spans.ended), Arc::clone(&spans.events));
    let backend = Arc::new(Failing::default());
    tracing::subscriber::with_default(spans, || {
        let mut store = Keyed::<Account>::builder().key_groups(0..128).open(Arc::clone(&backend)).unwrap();
        let foreign = Keyed::<Account>::builder().key_groups(5..9).open(Arc::clone(&backend));
        assert!(foreign.is_err());
        for n in 0..100 {
            write(&mut store, &format!("{}", n % 7), n);
        }
        backend.fails.store(true, Relaxed);
        store.commit("offset 100").unwrap_err();
        backend.fails.store(false, Relaxed);
        store.commit("offset 100").unwrap();
    });
    let bytes = stored(&backend.inner).to_string();
    let commit = [("operator", "\"account\""), ("key_groups", ALL), ("rows", "7"), ("position_len", "10")];
    let expected = [
        span("open", &[("operator", "\"account\""), ("key_groups", ALL)]),
        span("open", &[("operator", "\"account\""), ("key_groups", "5..9")]),
        span("commit", &commit),
        span("commit", &[&commit[..], &[("bytes", bytes.as_str())]].concat()),
    ];
    assert_eq!(*ended.lock().unwrap(), expected);
    assert_eq!(events.load(Relaxed), 0);
}
