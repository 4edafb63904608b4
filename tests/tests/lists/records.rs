//! How many records a list has, and that it is the same list after a reopen.

use crate::{copy, records};
use krishiv_api::{
    InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock, RocksDbStateBackend, StateBackend, StateValue,
};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = u8)]
struct One<T: StateValue> {
    list: ListState<T>,
}

/// A store of one list, opened again for every event and check.
struct Place<T>(Arc<InMemoryStateBackend>, std::marker::PhantomData<T>);

impl<T: StateValue + Clone + PartialEq + Debug> Place<T> {
    fn new() -> Self {
        Self(Arc::default(), std::marker::PhantomData)
    }

    fn open(&self) -> Keyed<One<T>> {
        Keyed::open(Arc::clone(&self.0)).unwrap()
    }

    /// An event in a store that has just been opened, and its commit.
    fn event(&self, event: impl FnOnce(&ListState<T>)) {
        let mut store = self.open();
        store.with_key(&1, |state| event(&state.list)).unwrap();
        store.commit("").unwrap();
    }

    /// What a program would read after a crash now.
    fn stored(&self) -> Vec<T> {
        let mut store = Keyed::<One<T>>::open(copy(&self.0)).unwrap();
        store.with_key(&1, |state| state.list.get()).unwrap()
    }

    #[track_caller]
    fn has(&self, expected: &[T], in_records: usize) {
        assert_eq!(self.stored(), expected);
        assert_eq!(records(&self.0).len(), in_records);
    }
}

#[test]
fn what_one_commit_appends_is_one_record() {
    let place = Place::new();
    let mut store = place.open();
    for number in 0..5 {
        store.with_key(&1, |state| state.list.add(number)).unwrap();
    }
    store.with_key(&1, |state| state.list.add_all([5, 6])).unwrap();
    store.commit("").unwrap();
    place.has(&[0, 1, 2, 3, 4, 5, 6], 1);
    drop(store);
    // Appending reads nothing, so that another store cannot go on with that record.
    place.event(|list| list.add(7));
    place.has(&[0, 1, 2, 3, 4, 5, 6, 7], 2);
}

#[test]
fn a_record_is_bounded_by_elements_and_by_bytes() {
    let place = Place::new();
    place.event(|list| list.add_all(0..1_000_u32));
    place.has(&(0..1_000).collect::<Vec<_>>(), 4);
    let place = Place::new();
    let texts: Vec<String> = (0..30).map(|number| number.to_string().repeat(3_000)).collect();
    place.event(|list| list.add_all(texts.clone()));
    assert_eq!(place.stored(), texts);
    let sizes: Vec<_> = records(&place.0).iter().map(|(_, value)| value.len()).collect();
    assert!(sizes.iter().all(|size| *size < 17_000) && sizes.len() < 15, "{sizes:?}");
    // What is greater by itself is a record of its own.
    let huge = vec!["x".repeat(1_000_000); 2];
    let place = Place::new();
    place.event(|list| list.add_all(huge.clone()));
    place.has(&huge, 2);
}

/// Else it would be a record an element for ever.
#[test]
fn a_list_that_gets_an_element_a_commit_has_few_records() {
    for read in [true, false] {
        let place = Place::new();
        let mut store = place.open();
        for number in 0..100 {
            let event = |state: &One<i32>| {
                if read {
                    assert_eq!(state.list.length(), number as usize);
                }
                state.list.add(number);
            };
            store.with_key(&1, event).unwrap();
            store.commit("").unwrap();
            assert_eq!(place.stored().len(), number as usize + 1);
        }
        // What is in memory is not read again.
        assert_eq!(store.with_key(&1, |state| state.list.get()).unwrap(), (0..100).collect::<Vec<_>>());
        place.has(&(0..100).collect::<Vec<_>>(), 2);
        let long = "x".repeat(400);
        let place = Place::new();
        let mut store = place.open();
        for _ in 0..10 {
            store.with_key(&1, |state| state.list.add(long.clone())).unwrap();
            store.commit("").unwrap();
        }
        place.has(&vec![long; 10], 10);
    }
}

#[test]
fn a_rolling_window_writes_its_front_again_and_loses_nothing() {
    let place = Place::new();
    let mut store = place.open();
    let mut next = 0;
    for step in 1..60 {
        let event = |state: &One<u32>| {
            state.list.add_all(next..next + step);
            state.list.truncate_front(70);
        };
        store.with_key(&1, event).unwrap();
        store.commit("").unwrap();
        next += step;
        let expected: Vec<u32> = (next.saturating_sub(70)..next).collect();
        assert_eq!(place.stored(), expected);
        assert!(records(&place.0).len() <= 12, "{}", records(&place.0).len());
    }
}

#[test]
fn a_record_that_loses_elements_is_written_again_or_goes() {
    let place = Place::new();
    for start in [0, 10, 20] {
        place.event(|list| list.add_all(start..start + 10));
    }
    let keys = || -> Vec<_> { records(&place.0).into_iter().map(|(key, _)| key).collect() };
    let before = keys();
    place.event(|list| list.retain(|number| !(number % 3 == 0 || (10..20).contains(number))));
    place.has(&[1, 2, 4, 5, 7, 8, 20, 22, 23, 25, 26, 28, 29], 2);
    assert_eq!(keys(), [before[0].clone(), before[2].clone()]);
    place.event(|list| list.truncate_front(8));
    place.has(&[8, 20, 22, 23, 25, 26, 28, 29], 2);
    place.event(|list| list.replace([7, 7]));
    place.has(&[7, 7], 1);
    place.event(|list| list.clear());
    place.has(&[], 0);
}

#[test]
fn a_list_that_loses_its_front_before_its_first_commit_stays_in_order() {
    let place = Place::new();
    let mut store = place.open();
    let event = |state: &One<u32>| {
        (0..5).for_each(|number| state.list.add_json(number));
        state.list.add(5);
        state.list.truncate_front(5);
    };
    store.with_key(&1, event).unwrap();
    store.commit("").unwrap();
    place.has(&[1, 2, 3, 4, 5], 2);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    id: u32,
    /// Postcard cannot leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    number: f64,
    /// No codec can leave this one out, if it is 200.
    #[serde(skip_serializing_if = "is_odd_one")]
    hidden: u8,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_odd_one(hidden: &u8) -> bool {
    *hidden == 200
}

fn note(id: u32, text: bool) -> Note {
    Note { id, text: text.then(|| id.to_string()), number: 0.5, hidden: 0 }
}

#[test]
fn neighbours_that_need_another_codec_are_records_of_their_own() {
    let place = Place::new();
    let texts = [true, true, false, false, false, true, false, true, true];
    let notes: Vec<_> = (0..).zip(texts).map(|(id, text)| note(id, text)).collect();
    place.event(|list| list.add_all(notes.clone()));
    place.has(&notes, 5);
    // They keep their places when others are written again.
    place.event(|list| list.retain(|note| note.id != 3 && note.id != 8));
    let kept: Vec<_> = notes.iter().filter(|note| note.id != 3 && note.id != 8).cloned().collect();
    place.has(&kept, 5);
    let place = Place::new();
    let texts = [note(1, true), note(2, true), note(3, false)];
    place.event(|list| texts.iter().for_each(|note| list.add_json(note.clone())));
    place.has(&texts, 1);
}

#[test]
fn an_element_that_no_codec_holds_names_its_state_and_key_and_the_rest_can_be_committed() {
    let place = Place::<Note>::new();
    let mut store = place.open();
    let bad = Note { hidden: 200, ..note(2, false) };
    let add = |state: &One<Note>| state.list.add_all([note(1, true), bad.clone()]);
    let error = store.with_key(&1, add).unwrap_err();
    assert_eq!((error.operator(), error.state(), error.key()), (Some("one"), Some("list"), Some("1")));
    store.commit("").unwrap();
    store.with_key(&1, |state| state.list.add(note(1, true))).unwrap();
    store.commit("").unwrap();
    place.has(&[note(1, true)], 1);
}

/// Each can be stored, but not in one record: together they are nested too deeply, or have too many free elements.
#[test]
fn what_cannot_share_a_record_has_one_each() {
    let place = Place::new();
    let units = vec![vec![(); 60_000]; 3];
    place.event(|list| list.add_all(units.clone()));
    place.has(&units, 3);
    let deep = (0..255).fold(serde_json::json!(1), |value, _| serde_json::json!([value]));
    let deepest = vec![serde_json::json!([deep]); 2];
    let place = Place::new();
    place.event(|list| list.add_all(deepest.clone()));
    place.has(&deepest, 2);
    let place = Place::new();
    place.event(|list| list.add_all([(); 5]));
    place.has(&[(); 5], 1);
}

#[derive(KeyedState)]
#[state(key = u8)]
struct Brief {
    #[state(ttl = "10ms", clock = "processing")]
    list: ListState<u32>,
}

#[derive(KeyedState)]
#[state(key = u8)]
struct Fresh {
    #[state(ttl = "10ms", clock = "processing", ttl_update = "read_and_write")]
    list: ListState<u32>,
}

#[test]
fn elements_of_one_time_share_a_record_and_end_together() {
    let (backend, clock) = (Arc::new(InMemoryStateBackend::new()), Arc::new(ManualClock::new(0)));
    let mut store = Keyed::<Brief>::builder().clock(Arc::clone(&clock)).open(Arc::clone(&backend)).unwrap();
    for start in [0, 3, 6] {
        store.with_key(&1, |state| state.list.add_all(start..start + 3)).unwrap();
        clock.advance(1);
    }
    store.commit("").unwrap();
    assert_eq!(records(&backend).len(), 3);
    clock.set(11);
    assert_eq!(store.with_key(&1, |state| state.list.get()).unwrap(), [6, 7, 8]);
    store.with_key(&1, |state| state.list.add(9)).unwrap();
    store.commit("").unwrap();
    assert_eq!(records(&backend).len(), 2);
    clock.set(12);
    assert_eq!(store.with_key(&1, |state| state.list.get()).unwrap(), [9]);
}

#[test]
fn reading_that_renews_makes_one_record_of_neighbours() {
    let (backend, clock) = (Arc::new(InMemoryStateBackend::new()), Arc::new(ManualClock::new(0)));
    let open = || Keyed::<Fresh>::builder().clock(Arc::clone(&clock)).open(copy(&backend)).unwrap();
    let mut store = Keyed::<Fresh>::builder().clock(Arc::clone(&clock)).open(Arc::clone(&backend)).unwrap();
    for number in 0..5 {
        store.with_key(&1, |state| state.list.add(number)).unwrap();
        store.commit("").unwrap();
        clock.advance(1);
    }
    assert_eq!(records(&backend).len(), 5);
    // An event that fails renews nothing.
    let failed = store.try_with_key(&1, |state| {
        assert_eq!(state.list.length(), 5);
        Err::<(), _>(krishiv_api::StateError::backend("on purpose"))
    });
    failed.unwrap_err();
    store.commit("").unwrap();
    assert_eq!(records(&backend).len(), 5);
    store.with_key(&1, |state| assert_eq!(state.list.get(), [0, 1, 2, 3, 4])).unwrap();
    store.commit("").unwrap();
    assert_eq!(records(&backend).len(), 1);
    clock.set(14);
    assert_eq!(open().with_key(&1, |state| state.list.get()).unwrap(), [0, 1, 2, 3, 4]);
    clock.set(15);
    assert_eq!(open().with_key(&1, |state| state.list.length()).unwrap(), 0);
    assert!(open().keys().unwrap().is_empty());
}

#[test]
fn compaction_drops_a_record_with_all_its_elements() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Arc::new(RocksDbStateBackend::open(folder.path()).unwrap());
    let clock = Arc::new(ManualClock::new(0));
    let mut store = Keyed::<Brief>::builder().clock(Arc::clone(&clock)).open(Arc::clone(&backend)).unwrap();
    store.with_key(&1, |state| state.list.add_all([1, 2, 3])).unwrap();
    clock.advance(1);
    store.with_key(&1, |state| state.list.add_all([4, 5])).unwrap();
    store.commit("").unwrap();
    let left = || backend.scan(&1_u16.to_be_bytes()).count();
    clock.set(10);
    backend.compact().unwrap();
    assert_eq!(left(), 1);
    assert_eq!(store.with_key(&1, |state| state.list.get()).unwrap(), [4, 5]);
    clock.set(11);
    backend.compact().unwrap();
    assert_eq!(left(), 0);
}
