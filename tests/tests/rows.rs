//! One record a row: the values of a key lie together, and what no cell has of them stays as it is.

use krishiv_api::{
    Cause, Durable, Dynamic, ErrorKind, InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock, MapState, Op,
    ReducingState, Retention, Scan, StateBackend, StateError, ValueState, WriteBatch,
};
use krishiv_tests::{Folder, Place, on_every_backend, on_every_folder};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

#[derive(KeyedState)]
#[state(key = u32, name = "rows")]
struct Five {
    a: ValueState<u32>,
    b: ValueState<String>,
    #[state(reduce = u32::max)]
    c: ReducingState<u32>,
    list: ListState<u32>,
    map: MapState<u8, u32>,
}

/// The same operator in another version of the program: two fields are gone, and one has come.
#[derive(KeyedState)]
#[state(key = u32, name = "rows")]
struct Later {
    a: ValueState<u32>,
    new: ValueState<u8>,
}

/// Long enough to lie apart.
fn long(letter: &str) -> String {
    letter.repeat(2_000)
}

/// A memory that counts what is asked of it, and whose writes can fail; it merges changes of rows, or leaves that to the commit.
#[derive(Default)]
struct Watched<const MERGES: bool> {
    inner: InMemoryStateBackend,
    reads: AtomicUsize,
    fails: AtomicBool,
    /// Keys and sizes of the values that the last write has put; a removal has none.
    last: Mutex<Vec<(Vec<u8>, Option<usize>)>>,
    rules: Mutex<Vec<Arc<dyn Retention>>>,
}

impl<const MERGES: bool> Watched<MERGES> {
    /// Records of rows that the last write has put or removed: their sizes.
    fn last(&self) -> Vec<Option<usize>> {
        let last = self.last.lock().unwrap();
        last.iter().filter(|(key, _)| !key.starts_with(&[0, 0])).map(|(_, size)| *size).collect()
    }

    /// Key and value of what lies there besides the catalog.
    fn records(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let all = self.inner.scan(b"").map(|record| record.unwrap());
        all.filter(|(key, _)| !key.starts_with(&[0, 0])).collect()
    }

    /// Lets go what a compaction may.
    fn compact(&self) {
        let rules = self.rules.lock().unwrap();
        let mut batch = WriteBatch::default();
        for (key, value) in self.records() {
            if rules.iter().any(|rule| rule.is_expired(&key, &value)) {
                batch.delete(&key);
            }
        }
        self.inner.write(batch).unwrap();
    }
}

impl<const MERGES: bool> StateBackend for Watched<MERGES> {
    type Survival = Durable;
    const EXCLUSIVE: bool = true;
    const MERGES: bool = MERGES;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.reads.fetch_add(1, Relaxed);
        self.inner.get(key)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.inner.scan(prefix)
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        if self.fails.swap(false, Relaxed) {
            return Err(StateError::backend("on purpose"));
        }
        *self.last.lock().unwrap() = batch
            .iter()
            .map(|step| match step {
                Op::Put(key, value) => (key.to_vec(), Some(value.len())),
                Op::Delete(key) => (key.to_vec(), None),
                Op::Merge(key, changes) => {
                    assert!(MERGES, "a backend that does not say so is handed no changes");
                    (key.to_vec(), Some(changes.len()))
                }
            })
            .collect();
        self.inner.write(batch)
    }

    fn add_retention(&self, rule: Arc<dyn Retention>) {
        self.rules.lock().unwrap().push(rule);
    }
}

fn fill(state: &Five) {
    state.a.set(1);
    state.b.set("b".into());
    state.c.merge(3);
}

fn values(state: &Five) -> (Option<u32>, Option<String>, Option<u32>) {
    (state.a.get(), state.b.get(), state.c.get())
}

#[test]
fn the_values_of_a_key_are_one_record_and_cost_one_read() {
    let backend = Arc::new(Watched::<false>::default());
    let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
    store.with_key(&1, |state| (state.a.set(1), state.b.set("b".into()), state.c.clear())).unwrap();
    store.commit("").unwrap();
    assert_eq!(backend.reads.load(Relaxed), 0, "all that is stored of the row was known");
    assert_eq!(backend.records().len(), 1);
    store.with_key(&1, |state| state.c.merge(3)).unwrap();
    store.commit("").unwrap();
    assert_eq!(backend.reads.load(Relaxed), 0, "and is");
    store.with_key(&1, |state| state.list.add(4)).unwrap();
    store.with_key(&1, |state| state.map.put(5, 6)).unwrap();
    store.commit("").unwrap();
    assert_eq!(backend.last().len(), 2, "no value has changed");
    assert_eq!(backend.reads.load(Relaxed), 0, "appends and puts read nothing");
    drop(store);
    let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
    let reads = backend.reads.load(Relaxed);
    assert_eq!(store.with_key(&1, values).unwrap(), (Some(1), Some("b".into()), Some(3)));
    assert_eq!(backend.reads.load(Relaxed) - reads, 1);
    store.with_key(&1, |state| state.c.merge(7)).unwrap();
    store.commit("").unwrap();
    assert_eq!(backend.reads.load(Relaxed) - reads, 1, "a row that was read is written without another look");
    store.with_key(&1, |state| (state.a.clear(), state.b.clear(), state.c.clear())).unwrap();
    store.commit("").unwrap();
    assert_eq!(backend.last(), [None], "a row without a value has no record");
}

/// What is set without being read does not cost the row its other values.
fn a_write_to_part_of_a_row_keeps_the_rest<P: Place>(place: P) {
    let mut store = Keyed::<Five>::open(place.open()).unwrap();
    for key in 0..600 {
        store.with_key(&key, fill).unwrap();
    }
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Five>::open(place.open()).unwrap();
    for key in 0..700 {
        let event = |state: &Five| match key % 4 {
            0 => state.a.set(10),
            1 => state.b.set(long("x")),
            2 => state.c.clear(),
            _ => {
                state.a.clear();
                state.list.add(1);
            }
        };
        store.with_key(&key, event).unwrap();
    }
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Five>::open(place.open()).unwrap();
    for key in 0..700 {
        let old = |value: u32| (key < 600).then_some(value);
        let b = (key < 600).then(|| "b".to_owned());
        let expected = match key % 4 {
            0 => (Some(10), b, old(3)),
            1 => (old(1), Some(long("x")), old(3)),
            2 => (old(1), b, None),
            _ => (None, b, old(3)),
        };
        assert_eq!(store.with_key(&key, values).unwrap(), expected, "{key}");
    }
    assert_eq!(store.keys().unwrap().len(), 675, "of the last hundred, a quarter has nothing");
}

/// A commit of thousands of rows goes over the table, and of fewer over those that changed: none is forgotten, written twice, or taken
/// for written when the commit has failed.
fn commits_of_few_and_of_thousands_of_rows_miss_none<const MERGES: bool>() {
    let backend = Arc::new(Watched::<MERGES>::default());
    let mut expected = vec![None; 20_000];
    for (round, changed) in [(1, 20_000), (2, 15_000), (3, 3_000), (4, 6_000), (5, 20_000)] {
        let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
        for part in 0..2 {
            for key in (0..changed).filter(|key| key % 2 == part) {
                let key = (key * 7_919) % 20_000;
                let event = |state: &Five| {
                    if key % 3 == 0 {
                        state.b.get();
                    }
                    state.a.set(round + part);
                    if round == 1 {
                        state.b.set(key.to_string());
                    }
                    state.list.add(round);
                };
                store.with_key(&key, event).unwrap();
                expected[key as usize] = Some(round + part);
            }
            backend.fails.store(true, Relaxed);
            store.commit("").unwrap_err();
            store.commit("").unwrap();
            assert!(!store.has_uncommitted());
        }
    }
    let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
    for (key, expected) in (0..).zip(&expected) {
        let (a, b, list) = store.with_key(&key, |state| (state.a.get(), state.b.get(), state.list.get())).unwrap();
        assert_eq!((&a, b), (expected, expected.map(|_| key.to_string())), "{key}");
        assert!(list.is_sorted() && list.first() == Some(&1) && list.last().is_some_and(|last| *last <= 5));
    }
    assert_eq!(store.keys().unwrap().len(), 20_000);
}

/// A state that a program does not know is in the rows that it writes, also where it has only set one value.
fn a_removed_field_stays_and_an_added_one_costs_nothing<P: Place>(place: P) {
    let mut store = Keyed::<Five>::open(place.open()).unwrap();
    for key in 0..4 {
        store.with_key(&key, fill).unwrap();
    }
    store.with_key(&1, |state| state.b.set(long("b"))).unwrap();
    store.commit("").unwrap();
    drop(store);
    for round in 0..2 {
        let mut store = Keyed::<Later>::open(place.open()).unwrap();
        // One is read and changed, one changed blindly, one emptied, one read alone.
        let read = store.with_key(&0, |state| (state.a.get(), state.new.get())).unwrap();
        assert_eq!(read, if round == 0 { (Some(1), None) } else { (Some(21), Some(5)) });
        store.with_key(&0, |state| (state.a.set(20 + round), state.new.set(5))).unwrap();
        store.with_key(&1, |state| (state.a.set(30 + round), state.new.set(6))).unwrap();
        store.with_key(&2, |state| state.a.clear()).unwrap();
        store.with_key(&3, |state| state.a.get()).unwrap();
        store.commit("").unwrap();
        store.with_key(&0, |state| state.a.set(21)).unwrap();
        store.commit("").unwrap();
        assert_eq!(store.keys().unwrap().len(), 4, "what is kept counts");
    }
    let mut store = Keyed::<Five>::open(place.open()).unwrap();
    let b = || Some("b".to_owned());
    assert_eq!(store.with_key(&0, values).unwrap(), (Some(21), b(), Some(3)));
    assert_eq!(store.with_key(&1, values).unwrap(), (Some(31), Some(long("b")), Some(3)));
    assert_eq!(store.with_key(&2, values).unwrap(), (None, b(), Some(3)));
    assert_eq!(store.with_key(&3, values).unwrap(), (Some(1), b(), Some(3)));
}

/// States that a store gets to know by name, one after the other, in the same row.
fn handles_made_by_name_share_a_row<P: Place>(place: P) {
    let name = |number: u32| ValueState::<String>::new(format!("state_{number}"));
    let mut store = Keyed::<Dynamic<u8>>::open(place.open()).unwrap();
    for number in 0..5 {
        store.with_key(&1, |_| name(number).set(format!("{number}"))).unwrap();
    }
    store.with_key(&1, |_| name(4).set(long("4"))).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Dynamic<u8>>::open(place.open()).unwrap();
    store.with_key(&1, |_| name(1).set("one".into())).unwrap();
    store.commit("").unwrap();
    store.with_key(&1, |_| name(3).get()).unwrap();
    store.with_key(&1, |_| name(3).set("three".into())).unwrap();
    store.with_key(&1, |_| name(2).clear()).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Dynamic<u8>>::open(place.open()).unwrap();
    let all = store.with_key(&1, |_| (0..5).map(|number| name(number).get()).collect::<Vec<_>>()).unwrap();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(all, [text("0"), text("one"), None, text("three"), Some(long("4"))]);
}

/// The test without and with a backend that merges.
macro_rules! merging_and_not {
    ($($test:ident),+ $(,)?) => {
        $(
            mod $test {
                #[test]
                fn read_by_the_commit() {
                    super::$test::<false>();
                }
                #[test]
                fn merged_by_the_backend() {
                    super::$test::<true>();
                }
            }
        )+
    };
}

merging_and_not!(
    commits_of_few_and_of_thousands_of_rows_miss_none,
    a_long_value_is_not_written_again_for_its_neighbours,
    a_value_moves_out_of_its_row_and_back,
    a_commit_that_failed_leaves_no_long_value_behind,
    a_row_goes_in_compaction_when_all_of_it_has_ended,
);

/// What is set or cleared without being read costs no read where the backend merges, however often, and what is read later is all of it.
#[test]
fn a_backend_that_merges_is_not_read_by_commits() {
    let backend = Arc::new(Watched::<true>::default());
    let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
    for key in 0..3 {
        store.with_key(&key, fill).unwrap();
    }
    store.with_key(&2, |state| state.b.set(long("b"))).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
    let reads = backend.reads.load(Relaxed);
    for round in 2..5 {
        for key in 0..3 {
            store.with_key(&key, |state| state.a.set(round)).unwrap();
        }
        store.with_key(&1, |state| state.b.clear()).unwrap();
        store
            .with_key(&2, |state| if round == 4 { state.b.set("short".into()) } else { state.b.set(long("x")) })
            .unwrap();
        store.with_key(&7, |state| state.a.clear()).unwrap();
        // Between an attempt that failed and the next one, more is set.
        backend.fails.store(round == 3, Relaxed);
        if store.commit("").is_err() {
            store.with_key(&0, |state| state.c.clear()).unwrap();
            store.commit("").unwrap();
        }
        assert!(backend.last().iter().flatten().all(|size| *size < 30 || *size > 2_000), "{:?}", backend.last());
    }
    assert_eq!(backend.reads.load(Relaxed), reads);
    assert_eq!(store.with_key(&0, |state| state.b.get()).unwrap(), Some("b".into()), "a row of which more is asked");
    let expected =
        [(Some(4), Some("b".into()), None), (Some(4), None, Some(3)), (Some(4), Some("short".into()), Some(3))];
    for again in [false, true] {
        for (key, expected) in (0..).zip(&expected) {
            assert_eq!(store.with_key(&key, values).unwrap(), *expected, "{key}");
        }
        assert_eq!(store.keys().unwrap().len(), 3, "a row of which nothing is left is none");
        if !again {
            drop(store);
            store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
        }
    }
    assert_eq!(backend.records().len(), 3);
}

/// RocksDB does not know that nothing is left of a row when it takes the change, and finds out in compaction.
#[test]
fn a_row_of_which_nothing_is_left_goes_in_compaction() {
    let place = <krishiv_tests::RocksDb as Place>::new();
    let mut store = Keyed::<Five>::open(place.open()).unwrap();
    store.with_key(&1, |state| state.a.set(1)).unwrap();
    store.with_key(&2, |state| state.a.set(1)).unwrap();
    store.commit("").unwrap();
    drop(store);
    let backend = place.open();
    let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
    store.with_key(&1, |state| state.a.clear()).unwrap();
    store.commit("").unwrap();
    let rows = || backend.scan(&[0, 1]).map(|record| record.unwrap().1.len()).collect::<Vec<_>>();
    assert!(rows().contains(&0));
    assert_eq!(store.keys().unwrap(), [2]);
    // The first puts the change and the row together.
    backend.compact().unwrap();
    backend.compact().unwrap();
    assert_eq!(rows().len(), 1);
    assert_eq!(store.with_key(&1, |state| state.a.get()).unwrap(), None);
}

/// What a RocksDB folder holds of changes is put together by whoever reads it, also after compactions and reopenings on the way.
fn changes_of_rows_outlive_compactions_and_reopenings<F: Folder>(place: F) {
    for key in 0..50 {
        let mut store = Keyed::<Five>::open(place.open()).unwrap();
        store.with_key(&key, fill).unwrap();
        store.commit("").unwrap();
    }
    for round in 0..40 {
        let backend = place.open();
        let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
        for key in 0..60 {
            match (key + round) % 4 {
                0 => store.with_key(&key, |state| state.a.set(round)).unwrap(),
                1 => store.with_key(&key, |state| state.b.set(round.to_string())).unwrap(),
                2 => store.with_key(&key, |state| state.c.clear()).unwrap(),
                _ => {}
            }
        }
        store.commit("").unwrap();
        if round % 7 == 3 {
            F::compact(&backend);
        }
    }
    let mut store = Keyed::<Five>::open(place.open()).unwrap();
    for key in 0..60 {
        let last = |kind: u32| (0..40).rev().find(|round| (key + round) % 4 == kind).unwrap();
        let expected = (Some(last(0)), Some(last(1).to_string()), None);
        assert_eq!(store.with_key(&key, values).unwrap(), expected, "{key}");
    }
}
on_every_folder!(changes_of_rows_outlive_compactions_and_reopenings);

on_every_backend!(
    a_write_to_part_of_a_row_keeps_the_rest,
    a_removed_field_stays_and_an_added_one_costs_nothing,
    handles_made_by_name_share_a_row,
);

fn a_long_value_is_not_written_again_for_its_neighbours<const MERGES: bool>() {
    let backend = Arc::new(Watched::<MERGES>::default());
    let open = || Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
    let mut store = open();
    store.with_key(&1, fill).unwrap();
    store.with_key(&1, |state| state.b.set(long("b"))).unwrap();
    store.commit("").unwrap();
    assert_eq!(backend.records().len(), 2);
    let small = |sizes: Vec<Option<usize>>| sizes.len() == 1 && sizes[0].is_some_and(|size| size < 100);
    // In the store that has it in memory, in one that has not read it, and in one that has.
    store.with_key(&1, |state| state.a.set(2)).unwrap();
    store.commit("").unwrap();
    assert!(small(backend.last()), "{:?}", backend.last());
    drop(store);
    let mut store = open();
    store.with_key(&1, |state| state.a.set(3)).unwrap();
    store.commit("").unwrap();
    assert!(small(backend.last()), "{:?}", backend.last());
    assert_eq!(store.with_key(&1, values).unwrap(), (Some(3), Some(long("b")), Some(3)));
    store.with_key(&1, |state| state.a.set(4)).unwrap();
    store.commit("").unwrap();
    assert!(small(backend.last()), "{:?}", backend.last());
    drop(store);
    assert_eq!(open().with_key(&1, values).unwrap(), (Some(4), Some(long("b")), Some(3)));
}

/// A value moves out of the row and back in as it grows and shrinks, read or unread, and leaves nothing behind.
fn a_value_moves_out_of_its_row_and_back<const MERGES: bool>() {
    for reads in [false, true] {
        let backend = Arc::new(Watched::<MERGES>::default());
        let texts = [long("a"), "b".to_owned(), long("c"), long("d"), String::new()];
        for text in texts.iter().map(Some).chain([None, Some(&texts[0]), None]) {
            let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
            let event = |state: &Five| {
                if reads {
                    state.b.get();
                }
                match text {
                    Some(text) => state.b.set(text.clone()),
                    None => state.b.clear(),
                }
            };
            store.with_key(&1, event).unwrap();
            store.commit("").unwrap();
            drop(store);
            let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
            assert_eq!(store.with_key(&1, |state| state.b.get()).unwrap().as_ref(), text);
            assert_eq!(store.keys().unwrap().len(), usize::from(text.is_some()));
            let records = text.map_or(0, |text| if text.len() > 512 { 2 } else { 1 });
            assert_eq!(backend.records().len(), records, "{reads}: {text:?}");
        }
    }
}

/// A commit that has failed may have been written or not; the one that succeeds leaves what it should in both cases.
fn a_commit_that_failed_leaves_no_long_value_behind<const MERGES: bool>() {
    for (first, second) in [(long("x"), "y".to_owned()), ("x".to_owned(), long("y"))] {
        let backend = Arc::new(Watched::<MERGES>::default());
        let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
        store.with_key(&1, fill).unwrap();
        store.commit("").unwrap();
        store.with_key(&1, |state| state.b.set(first.clone())).unwrap();
        backend.fails.store(true, Relaxed);
        store.commit("").unwrap_err();
        // As if it had been written after all.
        let key = backend.records()[0].0.clone();
        let apart = [&key[..key.len() - 2], &[0, 2]].concat();
        let mut batch = WriteBatch::default();
        batch.put(&apart, b"\x08\x01x");
        backend.inner.write(batch).unwrap();
        store.with_key(&1, |state| state.b.set(second.clone())).unwrap();
        store.commit("").unwrap();
        drop(store);
        let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
        assert_eq!(store.with_key(&1, values).unwrap(), (Some(1), Some(second.clone()), Some(3)));
        if first.len() > 512 {
            assert_eq!(backend.records().len(), 1, "the one that was written is gone");
        }
    }
}

#[derive(KeyedState)]
#[state(key = u32, name = "brief")]
struct Brief {
    #[state(ttl = "1s", clock = "event")]
    short: ValueState<u32>,
    #[state(ttl = "10s", clock = "event")]
    text: ValueState<String>,
}

fn a_row_goes_in_compaction_when_all_of_it_has_ended<const MERGES: bool>() {
    let backend = Arc::new(Watched::<MERGES>::default());
    let mut store = Keyed::<Brief>::open(Arc::clone(&backend)).unwrap();
    store.set_watermark(0);
    store.with_key(&1, |state| (state.short.set(1), state.text.set("a".into()))).unwrap();
    store.with_key(&2, |state| (state.short.set(1), state.text.set(long("a")))).unwrap();
    store.with_key(&3, |state| state.short.set(1)).unwrap();
    store.commit("").unwrap();
    let mut left = |watermark: i64| {
        store.set_watermark(watermark);
        store.commit("").unwrap();
        backend.compact();
        backend.records().len()
    };
    assert_eq!(left(999), 4);
    assert_eq!(left(1_000), 3, "the row of one value that has ended");
    assert_eq!(left(10_000), 0, "rows of two, and what lay apart");
    drop(store);
    let mut store = Keyed::<Brief>::open(Arc::clone(&backend)).unwrap();
    for key in 1..4 {
        assert_eq!(store.with_key(&key, |state| (state.short.get(), state.text.get())).unwrap(), (None, None));
    }
}

#[test]
fn what_has_ended_is_left_out_when_its_row_is_written() {
    let backend = Arc::new(Watched::<false>::default());
    let mut store = Keyed::<Brief>::open(Arc::clone(&backend)).unwrap();
    store.set_watermark(0);
    store.with_key(&1, |state| (state.short.set(1), state.text.set("a".into()))).unwrap();
    store.commit("").unwrap();
    let full = backend.records()[0].1.len();
    // Known, and in a store that has not read it.
    for _ in 0..2 {
        store.set_watermark(store.watermark().unwrap() + 5_000);
        store.with_key(&1, |state| state.text.set("a".into())).unwrap();
        store.commit("").unwrap();
        assert!(backend.records()[0].1.len() < full);
        store.with_key(&1, |state| state.short.set(2)).unwrap();
        store.commit("").unwrap();
        assert_eq!(backend.records()[0].1.len(), full);
        drop(store);
        store = Keyed::<Brief>::open(Arc::clone(&backend)).unwrap();
    }
}

/// A record that compaction has taken is not missed when its end has come; before that it is.
#[test]
fn a_long_value_that_is_missing_is_damage() {
    let backend = Arc::new(Watched::<false>::default());
    let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
    store.with_key(&1, |state| state.b.set(long("b"))).unwrap();
    store.commit("").unwrap();
    drop(store);
    let apart = backend.records().into_iter().find(|(_, value)| value.len() > 512).unwrap().0;
    let mut batch = WriteBatch::default();
    batch.delete(&apart);
    backend.inner.write(batch).unwrap();
    let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
    let error = store.with_key(&1, |state| state.b.get()).unwrap_err();
    assert_eq!((error.operator(), error.state(), error.key()), (Some("rows"), Some("b"), Some("1")));
    assert!(matches!(error.cause(), Cause::Decode { .. }), "{error}");
    // Its neighbours are there, and it can be set anew.
    store.with_key(&1, |state| (state.a.set(1), state.b.set("new".into()))).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Five>::open(backend).unwrap();
    assert_eq!(store.with_key(&1, values).unwrap(), (Some(1), Some("new".into()), None));
}

#[test]
fn a_damaged_row_fails_the_events_that_need_it_and_the_commits_that_would_lose_part_of_it() {
    let backend = Arc::new(Watched::<false>::default());
    let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
    for key in 1..3 {
        store.with_key(&key, fill).unwrap();
    }
    store.commit("").unwrap();
    drop(store);
    let (key, value) = backend.records().remove(0);
    let mut batch = WriteBatch::default();
    batch.put(&key, &value[..value.len() - 1]);
    backend.inner.write(batch).unwrap();
    let mut store = Keyed::<Five>::open(Arc::clone(&backend)).unwrap();
    let (mut failed, mut well) = (Vec::new(), Vec::new());
    for key in 1..3 {
        match store.with_key(&key, values) {
            Ok(_) => well.push(key),
            Err(error) => {
                assert_eq!((error.kind(), error.operator()), (ErrorKind::Corrupt, Some("rows")), "{error}");
                assert_eq!((error.state(), error.key()), (Some("a"), Some(key.to_string().as_str())));
                failed.push(key);
            }
        }
    }
    assert_eq!((failed.len(), well.len()), (1, 1));
    assert!(store.keys().is_err());
    // In part it cannot be written without what is lost; as a whole it can.
    store.with_key(&failed[0], |state| state.a.set(5)).unwrap();
    let error = store.commit("").unwrap_err();
    assert_eq!((error.operator(), error.key()), (Some("rows"), Some(failed[0].to_string().as_str())), "{error}");
    store.with_key(&failed[0], |state| (state.b.set("b".into()), state.c.clear())).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Five>::open(backend).unwrap();
    assert_eq!(store.with_key(&failed[0], values).unwrap(), (Some(5), Some("b".into()), None));
}

fn golden(name: &str) -> Arc<Watched<false>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name).with_extension("txt");
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    };
    let backend = Watched::<false>::default();
    let mut batch = WriteBatch::default();
    for line in fs::read_to_string(path).unwrap().lines().filter(|line| !line.starts_with('#')) {
        let (key, value) = line.split_once(' ').unwrap();
        batch.put(&bytes(key), &bytes(value));
    }
    backend.inner.write(batch).unwrap();
    Arc::new(backend)
}

/// The operator of the golden file `handles`, of which this program knows one value.
#[derive(KeyedState)]
#[state(key = String, name = "aircraft")]
struct Streak {
    late_streak: ValueState<u32>,
}

#[derive(KeyedState)]
#[state(key = String, name = "aircraft")]
struct Worst {
    #[state(reduce = i32::max)]
    worst_delay: ReducingState<i32>,
}

/// Rows of older formats move over whole when one of their values is written, with those that the program does not know.
#[test]
fn a_row_of_an_older_format_moves_over_as_it_is_written() {
    for version in 1..5 {
        let backend = golden(&format!("format-{version}/handles"));
        let values = |backend: &Watched<false>| {
            let rows = [&b"\x06N14228"[..], b"\x5b\x01\0"];
            let of_a_value = |key: &[u8]| {
                rows.iter().any(|row| [1, 4].iter().any(|slot| key.ends_with(&[row, &[0, *slot][..]].concat())))
            };
            backend.records().into_iter().filter(|(key, _)| of_a_value(key)).count()
        };
        assert_eq!(values(&backend), 4);
        let mut store = Keyed::<Streak>::open(Arc::clone(&backend)).unwrap();
        assert_eq!(store.with_key("", |state| state.late_streak.get()).unwrap(), Some(1 << 31));
        store.commit("").unwrap();
        assert_eq!(values(&backend), 4, "reading moves nothing");
        // Without a look at it.
        store.with_key("N14228", |state| state.late_streak.set(9)).unwrap();
        store.commit("").unwrap();
        assert_eq!(values(&backend), 2);
        assert_eq!(store.keys().unwrap().len(), 2);
        store.with_key("", |state| state.late_streak.update(|streak| *streak = Some(10))).unwrap();
        store.commit("").unwrap();
        assert_eq!(values(&backend), 0);
        drop(store);
        let mut store = Keyed::<Worst>::open(Arc::clone(&backend)).unwrap();
        assert_eq!(store.with_key("N14228", |state| state.worst_delay.get()).unwrap(), Some(300));
        assert_eq!(store.with_key("", |state| state.worst_delay.get()).unwrap(), Some(1));
        drop(store);
        let mut store = Keyed::<Streak>::open(Arc::clone(&backend)).unwrap();
        assert_eq!(store.with_key("N14228", |state| state.late_streak.get()).unwrap(), Some(9));
        assert_eq!(store.with_key("", |state| state.late_streak.get()).unwrap(), Some(10));
        let format = backend.get(b"\0\0f").unwrap().unwrap();
        assert_eq!(String::from_utf8(format).unwrap(), r#"{"format":7}"#);
    }
}

/// A TTL that was switched on when there was data judges what it finds as it did before, also in rows that were written again
/// for another value.
#[test]
fn a_neighbour_that_is_written_does_not_change_when_a_value_ends() {
    #[derive(KeyedState)]
    #[state(key = u8, name = "switched")]
    struct Without {
        value: ValueState<u32>,
        other: ValueState<u32>,
    }
    #[derive(KeyedState)]
    #[state(key = u8, name = "switched")]
    struct With {
        #[state(ttl = "10s", clock = "processing")]
        value: ValueState<u32>,
        other: ValueState<u32>,
    }
    for reads in [false, true] {
        let backend = Arc::new(Watched::<false>::default());
        let clock = Arc::new(ManualClock::new(1_000));
        let mut store = Keyed::<Without>::builder().clock(Arc::clone(&clock)).open(Arc::clone(&backend)).unwrap();
        store.with_key(&1, |state| (state.value.set(1), state.other.set(1))).unwrap();
        store.commit("").unwrap();
        drop(store);
        let open = || Keyed::<With>::builder().clock(Arc::clone(&clock)).open(Arc::clone(&backend)).unwrap();
        let mut store = open();
        store.commit("").unwrap();
        // It counts as written at the switch, whatever happens to its row.
        for now in [3_000, 7_000, 10_999] {
            clock.set(now);
            if reads {
                assert_eq!(store.with_key(&1, |state| state.value.get()).unwrap(), Some(1));
            }
            store.with_key(&1, |state| state.other.set(2)).unwrap();
            store.commit("").unwrap();
            drop(store);
            store = open();
        }
        assert_eq!(store.with_key(&1, |state| state.value.get()).unwrap(), Some(1));
        clock.set(11_000);
        assert_eq!(store.with_key(&1, |state| state.value.get()).unwrap(), None);
    }
}
