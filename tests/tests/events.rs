//! An event happens as a whole or not at all, and nothing but a commit makes it last.

use krishiv_api::{
    BroadcastState, Cause, Dynamic, ErrorKind, InMemoryStateBackend, Keyed, KeyedState, ListState, MapState,
    ReducingState, StateBackend, StateError, ValueState, WriteBatch,
};
use krishiv_tests::{Folder, Place, copy_all, on_every_backend, on_every_folder};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String)]
struct Account {
    value: ValueState<i64>,
    list: ListState<String>,
    map: MapState<String, i64>,
    #[state(reduce = i64::max)]
    most: ReducingState<i64>,
}

type Shown = (Option<i64>, Vec<String>, Vec<(String, i64)>, Option<i64>, Option<String>);

fn undeclared() -> ValueState<String> {
    ValueState::new("undeclared")
}

fn show(store: &mut Keyed<Account>) -> Shown {
    let show = |state: &Account| {
        (state.value.get(), state.list.get(), state.map.entries(), state.most.get(), undeclared().get())
    };
    store.with_key("ann", show).unwrap()
}

/// Every kind of change that an event can make, over and over.
fn change(state: &Account, n: i64) {
    state.value.update(|value| *value.get_or_insert(0) += n);
    state.list.add(format!("added {n}"));
    state.list.truncate_front(3);
    state.list.retain(|element| !element.ends_with('7'));
    state.list.add_all(["tail".to_owned()]);
    state.map.put("put".to_owned(), n);
    state.map.remove("removed");
    state.map.update(format!("updated {n}"), |value| *value = Some(n));
    state.map.retain(|_, value| value % 2 == 0);
    state.most.merge(n);
    undeclared().set(format!("set {n}"));
}

fn wipe(state: &Account) {
    state.value.take();
    state.list.clear();
    state.list.add("after clear".to_owned());
    state.map.clear();
    state.map.put("after clear".to_owned(), 1);
    state.most.clear();
    undeclared().clear();
}

fn fill(store: &mut Keyed<Account>) {
    let fill = |state: &Account| {
        state.value.set(1);
        state.list.add_all((0..5).map(|n| format!("{n}")));
        state.map.put_all([("removed".to_owned(), 1), ("kept".to_owned(), 2)]);
        state.most.merge(10);
        undeclared().set("first".to_owned());
    };
    store.with_key("ann", fill).unwrap();
}

fn filled() -> Shown {
    let mut store = memory();
    fill(&mut store);
    show(&mut store)
}

/// Whether what is to be undone stands on nothing, on uncommitted rows, on rows in memory, or on the backend.
const GROUNDS: [&str; 4] = ["nothing", "uncommitted", "committed", "evicted"];

fn on_every_ground<P: Place>(place: &P, fail: impl Fn(&mut Keyed<Account>, fn(&Account))) {
    for (n, ground) in GROUNDS.into_iter().enumerate() {
        for (m, disturb) in [|state: &Account| change(state, 7), wipe].into_iter().enumerate() {
            let builder = Keyed::<Account>::builder().operator(format!("{n}{m}"));
            let budget = if ground == "evicted" { 0 } else { 1 << 20 };
            let mut store = builder.memory_budget(budget).open(place.open()).unwrap();
            if ground != "nothing" {
                fill(&mut store);
            }
            if ["committed", "evicted"].contains(&ground) {
                store.commit("").unwrap();
            }
            // Looking at the row would bring it into memory.
            let expected = if ground == "evicted" { filled() } else { show(&mut store) };
            fail(&mut store, disturb);
            assert_eq!(show(&mut store), expected, "on {ground}");
            // What goes on from here stands on the same ground.
            store.with_key("ann", |state| change(state, 4)).unwrap();
            let after = show(&mut store);
            store.commit("").unwrap();
            drop(store);
            let mut store = Keyed::<Account>::builder().operator(format!("{n}{m}")).open(place.open()).unwrap();
            assert_eq!(show(&mut store), after, "on {ground}");
        }
    }
}

fn an_err_undoes<P: Place>(place: P) {
    on_every_ground(&place, |store, disturb| {
        let failed = store.try_with_key("ann", |state| {
            disturb(state);
            Err::<(), _>(StateError::backend("no"))
        });
        assert!(failed.unwrap_err().to_string().contains("no"));
    });
}
on_every_backend!(an_err_undoes);

fn a_panic_undoes_and_goes_on<P: Place>(place: P) {
    on_every_ground(&place, |store, disturb| {
        let event = |state: &Account| {
            disturb(state);
            std::panic::resume_unwind(Box::new("out of coffee"));
        };
        let panic = catch_unwind(AssertUnwindSafe(|| store.with_key("ann", event)));
        let panic = panic.map(drop).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"out of coffee"));
    });
}
on_every_backend!(a_panic_undoes_and_goes_on);

fn a_latched_failure_undoes_and_is_returned<P: Place>(place: P) {
    on_every_ground(&place, |store, disturb| {
        let failed = store.with_key("ann", |state| {
            disturb(state);
            assert_eq!(ValueState::<bool>::new("value").get(), None);
            disturb(state);
            "this answer is not to be trusted"
        });
        let error = failed.unwrap_err();
        assert_eq!(error.state(), Some("value"));
        assert_eq!(error.key(), Some("\"ann\""));
        assert!(error.operator().is_some());
        assert_eq!(error.kind(), ErrorKind::Invalid);
    });
}
on_every_backend!(a_latched_failure_undoes_and_is_returned);

#[test]
fn the_first_of_many_failures_is_returned() {
    let mut store = memory();
    let error = store.with_key("ann", |_| {
        ListState::<bool>::new("list").get();
        ValueState::<bool>::new("value").get();
    });
    assert_eq!(error.unwrap_err().state(), Some("list"));
}

#[test]
fn an_event_that_failed_leaves_no_failure_behind() {
    let mut store = memory();
    let latch = || ValueState::<bool>::new("value").get();
    assert!(store.with_key("ann", |_| latch()).is_err());
    store.with_key("ann", |_| ()).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        store.with_key("ann", |_| {
            latch();
            std::panic::resume_unwind(Box::new(()))
        })
    }));
    assert!(panicked.is_err());
    store.with_key("ann", |_| ()).unwrap();
}

#[test]
fn a_broadcast_that_panicked_leaves_no_failure_behind() {
    let mut store = memory();
    let rules = BroadcastState::<u32, u32>::new("rules");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        store.broadcast(|_, scope| {
            rules.put(scope, 1, 1);
            BroadcastState::<u32, bool>::new("rules").get(&1);
            std::panic::resume_unwind(Box::new(()))
        })
    }));
    assert!(panicked.is_err());
    store.with_key("ann", |_| assert_eq!(rules.get(&1), None)).unwrap();
}

#[test]
fn the_try_twins_do_not_latch() {
    let mut store = memory();
    let read = store.with_key("ann", |state| {
        state.value.set(1);
        assert_eq!(ValueState::<bool>::new("value").try_get().unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(ListState::<bool>::new("list").try_get().unwrap_err().state(), Some("list"));
        assert!(MapState::<String, bool>::new("map").try_put("a".to_owned(), true).is_err());
        assert!(ReducingState::<bool>::new("most").try_merge(true).is_err());
        state.value.get()
    });
    assert_eq!(read.unwrap(), Some(1));
}

#[test]
fn an_err_of_the_callers_own_type_comes_back_as_it_is() {
    #[derive(Debug)]
    enum Refused {
        Overdrawn(i64),
        State(StateError),
    }
    impl From<StateError> for Refused {
        fn from(error: StateError) -> Self {
            Self::State(error)
        }
    }
    let mut store = memory();
    let overdrawn = store.try_with_key("ann", |state| {
        state.value.set(-5);
        Err::<(), _>(Refused::Overdrawn(-5))
    });
    assert!(matches!(overdrawn, Err(Refused::Overdrawn(-5))));
    let latched = store.try_with_key("ann", |_| Ok::<_, Refused>(ValueState::<bool>::new("value").get()));
    assert!(matches!(latched, Err(Refused::State(error)) if error.state() == Some("value")));
    assert_eq!(show(&mut store).0, None);
}

#[test]
fn for_each_event_says_which_failed_and_keeps_those_before() {
    let mut store = memory();
    let batch = [("ann", 1), ("bob", 2), ("ann", 30), ("bob", 4)];
    let failed = store.for_each_event(
        batch,
        |(name, _)| *name,
        |state, (_, amount)| {
            state.value.update(|value| *value.get_or_insert(0) += amount);
            if amount == 30 { Err(StateError::backend("too much")) } else { Ok(()) }
        },
    );
    let failed = failed.unwrap_err();
    assert_eq!(failed.index, 2);
    assert!(failed.to_string().contains("event 2") && failed.to_string().contains("too much"));
    let read = |store: &mut Keyed<Account>, name: &str| store.with_key(name, |state| state.value.get()).unwrap();
    assert_eq!((read(&mut store, "ann"), read(&mut store, "bob")), (Some(1), Some(2)));
}

#[test]
fn for_each_event_reports_latched_failures_too() {
    let mut store = memory();
    let failed = store.for_each_event(
        ["ann", "bob"],
        |name| *name,
        |_, name| {
            if name == "bob" {
                ValueState::<bool>::new("value").get();
            }
        },
    );
    let failed = failed.unwrap_err();
    assert_eq!((failed.index, failed.error.key()), (1, Some("\"bob\"")));
}

#[derive(KeyedState)]
#[state(key = u32)]
struct Branch {
    value: ValueState<String>,
}

#[test]
fn stores_nest() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut outer = Keyed::<Account>::open(Arc::clone(&backend)).unwrap();
    let mut inner = Keyed::<Branch>::open(backend).unwrap();
    let (note, same_name) = (ValueState::<u8>::new("note"), ValueState::<String>::new("value"));
    let nested = |account: &Account| {
        account.value.set(1);
        note.set(1);
        inner
            .with_key(&7, |branch| {
                // An unbound handle belongs to the store being processed; a bound one stays where it is.
                note.set(2);
                same_name.set("inner".to_owned());
                assert_eq!(branch.value.get().as_deref(), Some("inner"));
                assert_eq!(account.value.get(), Some(1));
                account.value.set(3);
                account.list.add("from inside".to_owned());
            })
            .unwrap();
        assert_eq!((note.get(), account.value.get()), (Some(1), Some(3)));
    };
    outer.with_key("ann", nested).unwrap();
    assert_eq!(inner.with_key(&7, |_| note.get()).unwrap(), Some(2));
    assert_eq!(show(&mut outer).1, ["from inside"]);
}

#[test]
fn a_failure_of_an_inner_event_is_the_inner_stores() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut outer = Keyed::<Account>::open(Arc::clone(&backend)).unwrap();
    let mut inner = Keyed::<Branch>::open(backend).unwrap();
    let nested = outer.with_key("ann", |account| {
        account.value.set(1);
        inner.with_key(&7, |branch| {
            branch.value.set("lost".to_owned());
            account.value.set(2);
            ValueState::<u8>::new("value").set(1);
        })
    });
    assert_eq!(nested.unwrap().unwrap_err().operator(), Some("branch"));
    assert_eq!(show(&mut outer).0, Some(2));
    assert_eq!(inner.with_key(&7, |branch| branch.value.get()).unwrap(), None);
}

#[test]
fn a_panic_unwinds_through_nested_events() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut outer = Keyed::<Account>::open(Arc::clone(&backend)).unwrap();
    let mut inner = Keyed::<Branch>::open(backend).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        outer.with_key("ann", |account| {
            account.value.set(1);
            let _ = inner.with_key(&7, |branch| {
                branch.value.set("lost".to_owned());
                account.value.update(|_| std::panic::resume_unwind(Box::new(())))
            });
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(show(&mut outer).0, None);
    assert_eq!(inner.with_key(&7, |branch| branch.value.get()).unwrap(), None);
}

#[test]
fn a_handle_used_outside_any_key_says_what_to_do() {
    let handle = ValueState::<u32>::new("seen_count");
    let error = handle.try_get().unwrap_err();
    assert_eq!((error.kind(), error.state()), (ErrorKind::Invalid, Some("seen_count")));
    assert!(matches!(error.cause(), Cause::OutsideEvent));
    let panic = catch_unwind(AssertUnwindSafe(|| handle.get())).unwrap_err();
    let panic = panic.downcast_ref::<String>().unwrap();
    assert!(panic.contains("seen_count") && panic.contains("no key is being processed"), "{panic}");
    assert!(panic.contains("with_key"), "{panic}");
}

#[test]
fn keyed_state_has_no_key_in_a_broadcast() {
    let mut store = memory();
    let tried = store.broadcast(|state, _| {
        let errors = [
            state.value.try_set(1).unwrap_err(),
            state.list.try_add(String::new()).unwrap_err(),
            state.map.try_get("a").unwrap_err(),
            undeclared().try_get().unwrap_err(),
        ];
        assert!(errors.iter().all(|error| error.kind() == ErrorKind::Invalid));
    });
    tried.unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| store.broadcast(|state, _| state.value.set(1))));
    assert!(panicked.is_err());
    assert_eq!(show(&mut store).0, None);
}

#[test]
fn the_handles_are_outside_again_after_a_panic() {
    let mut store = memory();
    let _ = catch_unwind(AssertUnwindSafe(|| store.with_key("ann", |_| std::panic::resume_unwind(Box::new(())))));
    assert_eq!(undeclared().try_get().unwrap_err().kind(), ErrorKind::Invalid);
}

/// Writing, changing and reading inside closures of the same handle: what cannot work says so, by the latch.
#[test]
fn a_handle_in_use_by_its_own_closure_is_an_error_and_no_panic() {
    fn reentrant(case: &str, event: impl FnOnce(&Account)) {
        let mut store = memory();
        fill(&mut store);
        let before = show(&mut store);
        let ran = catch_unwind(AssertUnwindSafe(|| store.with_key("ann", event)));
        let error = ran.unwrap_or_else(|_| panic!("{case} panicked")).unwrap_err();
        assert!(matches!(error.cause(), Cause::Reentrant), "{case}: {error}");
        assert_eq!(show(&mut store), before, "{case}");
    }
    reentrant("value: set in with", |state| state.value.with(|_| state.value.set(1)));
    reentrant("value: update in with", |state| state.value.with(|_| state.value.update(|v| *v = None)));
    reentrant("list: add in for_each", |state| state.list.for_each(|_| state.list.add(String::new())));
    reentrant("list: retain in for_each", |state| state.list.for_each(|_| state.list.retain(|_| false)));
    reentrant("list: clear in for_each", |state| state.list.for_each(|_| state.list.clear()));
    reentrant("list: add in retain", |state| {
        state.list.retain(|_| {
            state.list.add(String::new());
            true
        });
    });
    reentrant("map: put in for_each", |state| state.map.for_each(|key, _| state.map.put(key.clone(), 0)));
    reentrant("map: update in for_each", |state| {
        state.map.for_each(|key, _| state.map.update(key.clone(), |value| *value = None));
    });
    reentrant("map: retain in for_each", |state| state.map.for_each(|_, _| state.map.retain(|_, _| false)));
    reentrant("map: clear in retain", |state| {
        state.map.retain(|_, _| {
            state.map.clear();
            true
        });
    });
}

/// The one closure of a `get` is the `Clone` of its value.
#[test]
fn an_entry_that_is_asked_for_while_another_is_cloned_is_never_taken_for_absent() {
    thread_local!(static ASKED: RefCell<Option<Result<bool, StateError>>> = const { RefCell::new(None) });

    #[derive(Serialize, Deserialize)]
    struct Nosy {
        asks: bool,
    }
    impl Clone for Nosy {
        fn clone(&self) -> Self {
            if self.asks {
                let other = MapState::<u8, Nosy>::new("nosy").try_contains(&2);
                ASKED.with(|asked| asked.replace(Some(other)));
            }
            Self { asks: self.asks }
        }
    }

    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Dynamic<String>>::open(Arc::clone(&backend)).unwrap();
    let nosy = MapState::<u8, Nosy>::new("nosy");
    store.with_key("ann", |_| nosy.put_all([(1, Nosy { asks: true }), (2, Nosy { asks: false })])).unwrap();
    store.commit("").unwrap();
    drop(store);

    let mut store = Keyed::<Dynamic<String>>::open(backend).unwrap();
    assert!(store.with_key("ann", |_| nosy.get(&1).is_some()).unwrap());
    let asked = ASKED.with(RefCell::take).expect("the value was cloned");
    assert!(matches!(asked.unwrap_err().cause(), Cause::Reentrant));
    store.with_key("ann", |_| assert!(nosy.contains(&2) && nosy.get(&1).is_some())).unwrap();
    assert!(ASKED.with(RefCell::take).expect("the value was cloned").unwrap());
}

#[test]
fn reading_a_handle_inside_its_own_reading_closure_works() {
    #[derive(KeyedState)]
    #[state(key = String)]
    struct Both {
        value: ValueState<i64>,
        list: ListState<i64>,
        map: MapState<i64, i64>,
        #[state(ttl = "1h", ttl_update = "read_and_write")]
        ending_value: ValueState<i64>,
        #[state(ttl = "1h", ttl_update = "read_and_write")]
        ending_list: ListState<i64>,
        #[state(ttl = "1h", ttl_update = "read_and_write")]
        ending_map: MapState<i64, i64>,
    }
    let mut store = Keyed::<Both>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    let read = |value: &ValueState<i64>, list: &ListState<i64>, map: &MapState<i64, i64>| {
        value.set(1);
        list.add(2);
        map.put(3, 4);
        value.with(|_| assert_eq!(value.get(), Some(1)));
        list.for_each(|_| assert_eq!(list.length(), 1));
        map.for_each(|key, _| assert_eq!((map.get(key), map.length()), (Some(4), 1)));
    };
    store.with_key("ann", |state| read(&state.value, &state.list, &state.map)).unwrap();
    store.with_key("ann", |state| read(&state.ending_value, &state.ending_list, &state.ending_map)).unwrap();
}

fn clearing_inside_an_event_clears<P: Place>(place: P) {
    let mut store = Keyed::<Account>::open(place.open()).unwrap();
    fill(&mut store);
    store.commit("").unwrap();
    store
        .with_key("ann", |state| {
            state.value.clear();
            state.list.clear();
            state.map.clear();
            state.most.clear();
            undeclared().clear();
            assert_eq!((state.value.get(), state.list.length(), state.map.length()), (None, 0, 0));
        })
        .unwrap();
    let nothing = (None, Vec::new(), Vec::new(), None, None);
    assert_eq!(show(&mut store), nothing);
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Account>::open(place.open()).unwrap();
    assert_eq!(show(&mut store), nothing);
    assert!(store.keys().unwrap().is_empty());
}
on_every_backend!(clearing_inside_an_event_clears);

fn nothing_is_written_before_a_commit<P: Place>(place: P) {
    let mut store = Keyed::<Account>::builder().memory_budget(0).open(place.open()).unwrap();
    fill(&mut store);
    store.commit("one").unwrap();
    store.with_key("ann", |state| state.value.set(2)).unwrap();
    store.commit("two").unwrap();
    store.with_key("ann", |state| change(state, 30)).unwrap();
    store.with_key("bob", |state| change(state, 30)).unwrap();
    store.set_watermark(5);
    // The crash: a store flushes nothing in its `Drop`.
    drop(store);
    let mut store = Keyed::<Account>::open(place.open()).unwrap();
    assert_eq!((store.position(), store.watermark()), (Some(&b"two"[..]), None));
    assert_eq!(store.keys().unwrap(), ["ann"]);
    let (value, list, ..) = show(&mut store);
    assert_eq!((value, list.len()), (Some(2), 5));
}
on_every_backend!(nothing_is_written_before_a_commit);

fn a_commit_lasts<P: Place>(place: P) {
    for round in 0..20 {
        let mut store = Keyed::<Account>::open(place.open()).unwrap();
        let before = round.to_string().into_bytes();
        assert_eq!(store.position(), (round > 0).then_some(&before[..]));
        assert_eq!(store.watermark(), (round > 0).then_some(round));
        store.with_key("ann", |state| state.list.add(round.to_string())).unwrap();
        store.set_watermark(round + 1);
        store.commit((round + 1).to_string()).unwrap();
    }
    let mut store = Keyed::<Account>::open(place.open()).unwrap();
    let expected: Vec<_> = (0..20).map(|round| round.to_string()).collect();
    assert_eq!(show(&mut store).1, expected);
}
on_every_backend!(a_commit_lasts);

fn a_commit_is_in_its_files_when_it_returns<F: Folder>(place: F) {
    let mut store = Keyed::<Account>::open(place.open()).unwrap();
    fill(&mut store);
    let expected = show(&mut store);
    store.commit("offset").unwrap();
    // A copy of the files as they are now, while the store is still open, is what a crash would leave.
    let copy = tempfile::tempdir().unwrap();
    copy_all(place.path(), copy.path()).unwrap();
    let mut copied = Keyed::<Account>::open(F::try_open(copy.path()).unwrap()).unwrap();
    assert_eq!(copied.position(), Some(&b"offset"[..]));
    assert_eq!(show(&mut copied), expected);
}
on_every_folder!(a_commit_is_in_its_files_when_it_returns);

fn eviction_never_loses_what_is_not_committed<P: Place>(place: P) {
    let mut store = Keyed::<Account>::builder().memory_budget(4 << 10).open(place.open()).unwrap();
    let keys = || (0..200).map(|n| format!("{n}"));
    for round in 1..=5 {
        for key in keys() {
            store
                .with_key(&key, |state| {
                    state.value.update(|value| *value.get_or_insert(0) += 1);
                    state.list.add(format!("{round}"));
                    state.map.put(format!("{round}"), round);
                })
                .unwrap();
            // Reading others pushes rows out.
            store.with_key("somebody else", |state| state.value.get()).unwrap();
        }
        assert!(store.needs_commit());
        if round % 2 == 0 {
            store.commit("").unwrap();
            assert!(!store.needs_commit());
        }
    }
    let all: Vec<_> = (1..=5).map(|round| round.to_string()).collect();
    for key in keys() {
        let read = store.with_key(&key, |state| (state.value.get(), state.list.get(), state.map.length())).unwrap();
        assert_eq!(read, (Some(5), all.clone(), 5));
    }
}
on_every_backend!(eviction_never_loses_what_is_not_committed);

#[test]
fn needs_commit_turns_true_when_uncommitted_rows_fill_half_the_budget() {
    let mut store =
        Keyed::<Account>::builder().memory_budget(100_000).open(Arc::new(InMemoryStateBackend::new())).unwrap();
    let write = |store: &mut Keyed<Account>, key: &str, bytes: usize| {
        store.with_key(key, |_| undeclared().set("x".repeat(bytes))).unwrap();
    };
    write(&mut store, "ann", 40_000);
    assert!(!store.needs_commit());
    write(&mut store, "bob", 20_000);
    assert!(store.needs_commit());
    // Going on is allowed.
    write(&mut store, "cid", 100_000);
    store.commit("").unwrap();
    assert!(!store.needs_commit());
    store.with_key("ann", |_| assert_eq!(undeclared().get().unwrap().len(), 40_000)).unwrap();
    assert!(!store.needs_commit());
}

/// A damaged counter must not start again at zero, however often it is asked.
#[test]
fn damaged_bytes_never_turn_into_absence() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Account>::builder().memory_budget(0).open(Arc::clone(&backend)).unwrap();
    store.with_key("ann", |state| state.value.set(1)).unwrap();
    store.with_key("ann", |state| state.most.merge(1)).unwrap();
    store.commit("").unwrap();
    damage(&backend);
    for _ in 0..2 {
        let event = store.with_key("ann", |state| {
            for _ in 0..2 {
                assert_eq!(state.value.try_get().unwrap_err().kind(), ErrorKind::Corrupt);
                assert_eq!(state.most.try_get().unwrap_err().kind(), ErrorKind::Corrupt);
            }
        });
        event.unwrap();
        let error = store.with_key("ann", |state| state.value.get()).unwrap_err();
        assert_eq!((error.kind(), error.state(), error.key()), (ErrorKind::Corrupt, Some("value"), Some("\"ann\"")));
    }
}

/// Cuts the payload off every record that is no part of the catalog.
fn damage(backend: &InMemoryStateBackend) {
    let mut batch = WriteBatch::default();
    for record in backend.scan(b"") {
        let (key, value) = record.unwrap();
        if !key.starts_with(&[0, 0]) {
            batch.put(&key, &value[..1]);
        }
    }
    assert!(!batch.is_empty());
    backend.write(batch).unwrap();
}

fn memory() -> Keyed<Account> {
    Keyed::open(Arc::new(InMemoryStateBackend::new())).unwrap()
}

#[test]
fn a_store_moves_between_threads() {
    let mut store = memory();
    fill(&mut store);
    let expected = show(&mut store);
    let moved = std::thread::spawn(move || show(&mut store)).join().unwrap();
    assert_eq!(moved, expected);
    fn is_send<T: Send>() {}
    is_send::<Keyed<Dynamic<String>>>();
}

#[test]
fn a_value_that_grows_where_it_lies_counts_and_one_that_is_undone_does_not() {
    let mut store = Keyed::<Note>::builder().memory_budget(40_000).open(Arc::new(InMemoryStateBackend::new())).unwrap();
    // Used and written before, so that nothing but the size changes.
    for _ in 0..3 {
        store.with_key(&1, |state| state.text.set("short".to_owned())).unwrap();
    }
    assert!(!store.needs_commit());
    let undone: Result<(), StateError> = store.try_with_key(&1, |state| {
        state.text.set("long".repeat(10_000));
        Err(StateError::backend("this event fails"))
    });
    undone.unwrap_err();
    assert!(!store.needs_commit(), "what was undone");
    store.with_key(&1, |state| state.text.set("long".repeat(10_000))).unwrap();
    assert!(store.needs_commit(), "what has grown");
    store.with_key(&1, |state| state.text.set("short".to_owned())).unwrap();
    assert!(!store.needs_commit(), "what has shrunk");
}

#[derive(KeyedState)]
#[state(key = u64)]
struct Note {
    text: ValueState<String>,
}

#[derive(KeyedState)]
#[state(key = String, name = "outer")]
struct Outer {
    names: ListState<String>,
    by_number: MapState<u8, u32>,
}

fn what_an_event_has_not_read_yet_is_found_inside_an_event_of_another_store<P: Place>(place: P) {
    let fill = |store: &mut Keyed<Outer>, key: &str| {
        store
            .with_key(key, |state| {
                state.names.add(format!("of {key}"));
                state.by_number.put(1, 10);
                state.by_number.put(2, 20);
            })
            .unwrap();
    };
    let mut outer = Keyed::<Outer>::open(place.open()).unwrap();
    fill(&mut outer, "ann");
    fill(&mut outer, "bob");
    outer.commit("").unwrap();
    drop(outer);

    let mut outer = Keyed::<Outer>::open(place.open()).unwrap();
    let mut inner = Keyed::<Dynamic<u64>>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    for round in 0..3 {
        for key in ["ann", "bob"] {
            // In the first round its row is new, in the second in memory, and never read before the event of the other store.
            let seen = outer.with_key(key, |state| {
                if round == 0 {
                    return Default::default();
                }
                inner.with_key(&7, |_| (state.names.get(), state.by_number.get(&1))).unwrap()
            });
            let read = (vec![format!("of {key}")], Some(10));
            assert_eq!(seen.unwrap(), if round == 0 { Default::default() } else { read }, "of {key} in round {round}");
        }
    }
    // And behind it.
    let seen = outer.with_key("ann", |state| {
        inner.with_key(&7, |_| ()).unwrap();
        state.by_number.get(&2)
    });
    assert_eq!(seen.unwrap(), Some(20));
}
on_every_backend!(what_an_event_has_not_read_yet_is_found_inside_an_event_of_another_store);
