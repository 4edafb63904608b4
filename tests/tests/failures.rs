//! Whichever call to the backend fails: an event is undone wholly, a commit writes all or nothing and can be
//! repeated, and what is tried again ends as if nothing had failed.

use krishiv_api::{
    BroadcastState, ErrorKind, InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock, MapState,
    ReducingState, Scan, StateBackend, StateError, TtlConfig, TtlStateBackend, ValueState, WriteBatch,
};
use serde::ser::Error;
use serde::{Deserialize, Serialize, Serializer};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Once,
    /// And so do all after it.
    Lasting,
    Panic,
    /// Only writes, and they do write before they say that they did not.
    AfterWriting,
}

/// A backend, of which one call fails: a read, an item or the end of a scan, a write.
struct Failing<B> {
    inner: B,
    plan: Mutex<Plan>,
}

struct Plan {
    how: How,
    /// Calls until the one that fails.
    left: Option<usize>,
    struck: bool,
}

impl<B> Failing<B> {
    fn new(inner: B) -> Arc<Self> {
        Arc::new(Self { inner, plan: Mutex::new(Plan { how: How::Once, left: None, struck: false }) })
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the call after `calls` others fail.
    fn fail(&self, calls: usize, how: How) {
        *self.plan() = Plan { how, left: Some(calls), struck: false };
    }

    /// Lets nothing fail any more; says whether something has.
    fn heal(&self) -> bool {
        let mut plan = self.plan();
        plan.left = None;
        plan.struck
    }

    fn call(&self, writes: bool) -> Result<(), StateError> {
        let mut plan = self.plan();
        if plan.how == How::AfterWriting && !writes {
            return Ok(());
        }
        match plan.left {
            None => return Ok(()),
            Some(0) => plan.struck = true,
            Some(left) => {
                plan.left = Some(left - 1);
                return Ok(());
            }
        }
        if plan.how != How::Lasting {
            plan.left = None;
        }
        if plan.how == How::Panic {
            drop(plan);
            resume_unwind(Box::new("on purpose"));
        }
        Err(StateError::backend("on purpose"))
    }
}

impl<B: StateBackend> StateBackend for Failing<B> {
    type Survival = B::Survival;
    const MERGES: bool = B::MERGES;
    const LONGEST_KEY: usize = B::LONGEST_KEY;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.call(false)?;
        self.inner.get(key)
    }

    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        self.call(false)?;
        self.inner.multi_get(keys)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        let mut records = self.inner.scan(prefix);
        Box::new(std::iter::from_fn(move || match self.call(false) {
            Ok(()) => records.next(),
            Err(error) => Some(Err(error)),
        }))
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        if self.plan().how == How::AfterWriting {
            self.inner.write(batch)?;
            return self.call(true);
        }
        self.call(true)?;
        self.inner.write(batch)
    }
}

type Backend = Failing<InMemoryStateBackend>;

fn join(a: String, b: String) -> String {
    if b == "!" { resume_unwind(Box::new("on purpose")) } else { a + &b }
}

#[derive(KeyedState)]
#[state(key = String)]
struct Account {
    balance: ValueState<i64>,
    owner: ValueState<String>,
    log: ListState<String>,
    old_log: ListState<String>,
    #[state(ttl = "10ms", clock = "event", ttl_update = "read_and_write")]
    recent: ListState<u8>,
    tags: MapState<String, u32>,
    old_tags: MapState<String, u32>,
    #[state(reduce = join)]
    joined: ReducingState<String>,
    rates: BroadcastState<String, i32>,
}

/// Opens the account store on `backend`, or on a TTL around it.
fn open(backend: &Arc<Backend>, wrapped: bool) -> Result<Keyed<Account>, StateError> {
    let backend = Arc::clone(backend);
    let builder = Keyed::builder().clock(Arc::new(ManualClock::new(0)));
    match wrapped {
        true => builder.open(Arc::new(TtlStateBackend::new(backend, TtlConfig::new(u64::MAX)))),
        false => builder.open(backend),
    }
}

/// Every state of Ann gets something.
fn fill(state: &Account) {
    state.balance.set(1);
    state.owner.set("Ann".to_owned());
    state.log.add_all(["a".to_owned(), "b".to_owned()]);
    state.old_log.add_all(["x".to_owned(), "y".to_owned()]);
    state.recent.add(1);
    state.tags.put_all([("a".to_owned(), 1), ("b".to_owned(), 2), ("c".to_owned(), 3)]);
    state.old_tags.put("x".to_owned(), 1);
    state.joined.merge("a".to_owned());
    ValueState::<String>::new("note").set("first".to_owned());
    MapState::<u8, u8>::new("marks").put_all([(1, 1), (2, 2)]);
}

/// Reads and writes every state of Ann, blindly where that is possible.
fn change(state: &Account) -> String {
    state.log.add("c".to_owned());
    state.tags.put("d".to_owned(), 4);
    state.old_log.clear();
    state.old_log.add("z".to_owned());
    state.old_tags.clear();
    state.balance.update(|balance| *balance.get_or_insert(0) += 10);
    state.joined.merge("b".to_owned());
    let recent = state.recent.length();
    let removed = state.tags.remove("a");
    state.tags.retain(|_, count| *count != 2);
    state.log.truncate_front(2);
    let note = ValueState::<String>::new("note").take();
    let marks = MapState::<u8, u8>::new("marks");
    marks.update(1, |mark| mark.as_mut().map(|mark| *mark += 1));
    format!("{recent} {removed:?} {note:?} {:?} {:?}", marks.values(), state.owner.get())
}

/// All that the store knows of Ann, looked at in an event that changes nothing.
fn look(store: &mut Keyed<Account>) -> String {
    let mut seen = String::new();
    let looked = store.try_with_key("ann", |state| {
        let mut add = |part: &dyn Debug| seen += &format!("{part:?}\n");
        add(&(state.balance.get(), state.owner.get(), state.joined.get()));
        add(&(state.log.get(), state.old_log.get(), state.recent.get()));
        add(&(state.tags.entries(), state.old_tags.entries(), state.rates.entries()));
        add(&(ValueState::<String>::new("note").get(), MapState::<u8, u8>::new("marks").entries()));
        Err::<(), _>(StateError::backend("only looking"))
    });
    assert!(looked.unwrap_err().to_string().contains("only looking"));
    seen
}

/// All records of the backend, readable.
fn dump(backend: &Backend) -> BTreeMap<String, String> {
    let show = |bytes: Vec<u8>| bytes.escape_ascii().to_string();
    backend.inner.scan(&[]).map(|record| record.unwrap()).map(|(key, value)| (show(key), show(value))).collect()
}

/// Those of keys and broadcasts, without the catalog.
fn rows(records: BTreeMap<String, String>) -> BTreeMap<String, String> {
    records.into_iter().filter(|(key, _)| !key.starts_with(r"\x00\x00")).collect()
}

/// Those of keys and broadcasts, without the lists that `change` writes.
fn besides_lists(records: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let lists = [r"ann\x00\x03", r"ann\x00\x04", r"ann\x80\x03", r"ann\x80\x04"];
    rows(records).into_iter().filter(|(key, _)| !lists.iter().any(|list| key.contains(list))).collect()
}

/// Fails with no more than the records that differ.
#[track_caller]
fn assert_same(mut found: BTreeMap<String, String>, expected: &BTreeMap<String, String>) {
    let mut expected = expected.clone();
    let same: Vec<_> = found.iter().filter(|(key, value)| expected.get(*key) == Some(value)).collect();
    let same: Vec<_> = same.into_iter().map(|(key, _)| key.clone()).collect();
    for key in same {
        found.remove(&key);
        expected.remove(&key);
    }
    assert_eq!(found, expected);
}

/// A backend with Ann filled and committed.
fn filled(wrapped: bool) -> Arc<Backend> {
    let backend = Failing::new(InMemoryStateBackend::new());
    let mut store = open(&backend, wrapped).unwrap();
    store.set_watermark(100);
    store.with_key("ann", fill).unwrap();
    store.broadcast(|state, scope| state.rates.put(scope, "EUR".to_owned(), 1)).unwrap();
    store.commit("1").unwrap();
    backend
}

/// What happens after that when nothing fails: the answer of the event, Ann after it, and the bytes committed.
struct Undisturbed {
    before: String,
    answer: String,
    after: String,
    records: BTreeMap<String, String>,
}

impl Undisturbed {
    fn new(wrapped: bool) -> Self {
        let backend = filled(wrapped);
        let mut store = open(&backend, wrapped).unwrap();
        let before = look(&mut store);
        let mut store = reopen(&backend, store, wrapped);
        let answer = store.with_key("ann", change).unwrap();
        store.broadcast(|state, scope| state.rates.put(scope, "USD".to_owned(), 2)).unwrap();
        store.commit("2").unwrap();
        let after = look(&mut store);
        Self { before, answer, after, records: dump(&backend) }
    }
}

fn reopen(backend: &Arc<Backend>, store: Keyed<Account>, wrapped: bool) -> Keyed<Account> {
    drop(store);
    open(backend, wrapped).unwrap()
}

/// Runs `test` with the first call failing, the second, and so on, until one run has no call left to fail.
fn at_every_call(at_least: usize, wrapped: bool, test: impl Fn(&Arc<Backend>, usize) -> bool) {
    let calls = (0..1_000).take_while(|call| test(&filled(wrapped), *call)).count();
    assert!((at_least..1_000).contains(&calls), "{calls} calls failed");
}

/// The error, or `None` for the panic of the backend.
fn failure<R>(how: How, result: std::thread::Result<Result<R, StateError>>) -> Option<StateError> {
    match result {
        Ok(result) => {
            let error = result.err().expect("the call that failed to be reported");
            assert_eq!(error.kind(), ErrorKind::Backend, "{error}");
            assert_eq!(error.operator(), Some("account"), "{error}");
            Some(error)
        }
        Err(_) => {
            assert_eq!(how, How::Panic);
            None
        }
    }
}

const STATES: [&str; 11] =
    ["balance", "owner", "log", "old_log", "recent", "tags", "old_tags", "joined", "rates", "note", "marks"];

/// Every way to fail, directly and under a TTL.
fn failures() -> impl Iterator<Item = (How, bool)> {
    [How::Once, How::Lasting, How::Panic].into_iter().flat_map(|how| [(how, false), (how, true)])
}

#[test]
fn an_event_in_which_any_call_fails_is_undone_and_succeeds_when_tried_again() {
    for (how, wrapped) in failures() {
        let expected = Undisturbed::new(wrapped);
        at_every_call(12, wrapped, |backend, call| {
            let mut store = open(backend, wrapped).unwrap();
            let records = dump(backend);
            backend.fail(call, how);
            let result = catch_unwind(AssertUnwindSafe(|| store.with_key("ann", change)));
            if !backend.heal() {
                assert_eq!(result.unwrap().unwrap(), expected.answer);
                return false;
            }
            if let Some(error) = failure(how, result) {
                assert_eq!(error.key(), Some("\"ann\""), "{error}");
                assert!(error.state().is_some_and(|state| STATES.contains(&state)), "{error}");
            }
            // What is undone is not written either.
            store.commit("1").unwrap();
            assert_same(rows(dump(backend)), &rows(records));
            assert_eq!(store.keys().unwrap(), ["ann"]);
            assert_eq!(look(&mut store), expected.before, "call {call} {how:?}");

            let mut store = reopen(backend, store, wrapped);
            backend.fail(call, how);
            drop(catch_unwind(AssertUnwindSafe(|| store.with_key("ann", change))));
            backend.heal();
            assert_eq!(store.with_key("ann", change).unwrap(), expected.answer);
            store.broadcast(|state, scope| state.rates.put(scope, "USD".to_owned(), 2)).unwrap();
            assert_eq!(look(&mut store), expected.after);
            store.commit("2").unwrap();
            // How lists are cut into records depends on what was in memory, so they are read back.
            assert_same(besides_lists(dump(backend)), &besides_lists(expected.records.clone()));
            assert_eq!(look(&mut reopen(backend, store, wrapped)), expected.after);
            true
        });
    }
}

/// A store with all that `Undisturbed` has, before its second commit.
fn changed(backend: &Arc<Backend>, wrapped: bool) -> Keyed<Account> {
    let mut store = open(backend, wrapped).unwrap();
    store.with_key("ann", change).unwrap();
    store.broadcast(|state, scope| state.rates.put(scope, "USD".to_owned(), 2)).unwrap();
    store
}

#[test]
fn a_commit_in_which_any_call_fails_writes_nothing_and_is_exact_when_repeated() {
    for (how, wrapped) in failures() {
        let expected = Undisturbed::new(wrapped);
        at_every_call(5, wrapped, |backend, call| {
            let mut store = changed(backend, wrapped);
            let records = dump(backend);
            for _ in 0..2 {
                backend.fail(call, how);
                let result = catch_unwind(AssertUnwindSafe(|| store.commit("2")));
                if !backend.heal() {
                    return false;
                }
                failure(how, result);
                assert_same(dump(backend), &records);
                assert_eq!(store.position(), Some(&b"1"[..]));
                assert_eq!(look(&mut store), expected.after, "call {call} {how:?}");
            }
            store.commit("2").unwrap();
            assert_same(dump(backend), &expected.records);
            assert_eq!(look(&mut reopen(backend, store, wrapped)), expected.after);
            true
        });
    }
}

#[test]
fn a_commit_that_was_written_but_reported_as_failed_is_exact_when_repeated() {
    let expected = Undisturbed::new(false);
    let backend = filled(false);
    let mut store = changed(&backend, false);
    for _ in 0..3 {
        backend.fail(0, How::AfterWriting);
        failure(How::AfterWriting, Ok(store.commit("2")));
        assert!(backend.heal());
        assert_eq!(store.position(), Some(&b"1"[..]));
    }
    store.commit("2").unwrap();
    assert_same(dump(&backend), &expected.records);
    assert_eq!(look(&mut store), expected.after);
}

/// Events between such a commit and its repetition see each record once, and can take back what it has written.
#[test]
fn events_after_a_commit_that_was_written_but_reported_as_failed_go_on_from_their_own_state() {
    let changes: [(&str, fn(&Account)); 8] = [
        ("nothing", |_| ()),
        ("appending", |state| state.log.add("d".to_owned())),
        ("reading and appending", |state| state.log.add(state.log.length().to_string())),
        ("taking elements out", |state| state.log.retain(|line| line != "new")),
        ("truncating", |state| state.log.truncate_front(1)),
        ("replacing", |state| state.log.replace(["e".to_owned()])),
        ("clearing", |state| {
            state.log.clear();
            state.tags.clear();
            state.balance.clear();
            state.joined.clear();
        }),
        ("removing", |state| {
            state.tags.remove("new");
            state.tags.put("newer".to_owned(), 1);
            state.balance.take();
        }),
    ];
    let blind = |state: &Account| {
        state.log.add("new".to_owned());
        state.tags.put("new".to_owned(), 9);
        state.balance.set(9);
    };
    for (name, change) in changes {
        let [exact, disturbed] = [false, true].map(|disturbed| {
            let backend = filled(false);
            let mut store = open(&backend, false).unwrap();
            store.with_key("ann", blind).unwrap();
            if disturbed {
                backend.fail(0, How::AfterWriting);
                store.commit("2").unwrap_err();
                assert!(backend.heal());
                // An event that fails meanwhile takes nothing along.
                store
                    .try_with_key("ann", |state| Err::<(), _>((change(state), StateError::backend("")).1))
                    .unwrap_err();
            }
            store.with_key("ann", change).unwrap();
            let before = look(&mut store);
            store.commit("3").unwrap();
            assert_eq!(look(&mut reopen(&backend, store, false)), before, "{name}");
            (before, backend)
        });
        assert_eq!(disturbed.0, exact.0, "{name}");
        // Nothing is left behind. Positions in the list may differ: the failed commit has used some up.
        assert_eq!(dump(&disturbed.1).len(), dump(&exact.1).len(), "{name}");
    }
}

#[test]
fn an_open_in_which_any_call_fails_writes_nothing_and_holds_nothing() {
    for (how, wrapped) in failures() {
        let expected = Undisturbed::new(wrapped);
        at_every_call(4, wrapped, |backend, call| {
            let records = dump(backend);
            backend.fail(call, how);
            let result = catch_unwind(AssertUnwindSafe(|| open(backend, wrapped)));
            if !backend.heal() {
                return false;
            }
            failure(how, result);
            let mut store = open(backend, wrapped).unwrap();
            assert_same(dump(backend), &records);
            assert_eq!(look(&mut store), expected.before, "call {call} {how:?}");
            true
        });
    }
}

#[test]
fn a_walk_over_the_keys_in_which_any_call_fails_leaves_every_event_whole() {
    let names = ["ann", "bob", "cid", "dan"];
    at_every_call(10, false, |backend, call| {
        let mut store = open(backend, false).unwrap();
        store.with_key("bob", fill).unwrap();
        store.with_key("cid", |state| state.balance.set(1)).unwrap();
        store.commit("2").unwrap();
        store.with_key("cid", |state| state.log.add("c".to_owned())).unwrap();
        store.with_key("dan", |state| state.balance.set(1)).unwrap();

        backend.fail(call, How::Once);
        let keys = store.keys();
        let struck = backend.heal();
        assert_eq!(keys.is_err(), struck, "call {call}");
        let sorted = |mut keys: Vec<String>| {
            keys.sort();
            keys
        };
        assert_eq!(sorted(store.keys().unwrap()), names);

        let mut visited = Vec::new();
        backend.fail(call, How::Once);
        let walked = store.for_each_key(|name, state| {
            visited.push(name.clone());
            state.tags.clear();
            state.log.add("walked".to_owned());
            state.balance.update(|balance| *balance = balance.map(|balance| balance + 10));
        });
        let struck_again = backend.heal();
        assert_eq!(walked.is_err(), struck_again, "call {call}");
        for name in names {
            let (balance, log, tags) =
                store.with_key(name, |state| (state.balance.get(), state.log.last(), state.tags.length())).unwrap();
            let whole = (Some(11), Some("walked".to_owned()), 0);
            if balance == Some(11) {
                assert!(visited.contains(&name.to_owned()));
                assert_eq!((balance, log, tags), whole, "{name}, call {call}");
            } else {
                assert_eq!(balance, Some(1), "{name}, call {call}");
                assert_ne!(log, whole.1, "{name}, call {call}");
                assert_eq!(tags, if name < "c" { 3 } else { 0 }, "{name}, call {call}");
            }
        }
        struck || struck_again
    });
}

#[test]
fn a_broadcast_in_which_any_call_fails_is_undone_and_succeeds_when_tried_again() {
    for how in [How::Once, How::Lasting, How::Panic] {
        at_every_call(1, false, |backend, call| {
            let mut store = open(backend, false).unwrap();
            let limits = BroadcastState::<String, i32>::new("limits");
            let put = |store: &mut Keyed<Account>| {
                store.broadcast(|state, scope| {
                    state.rates.put(scope, "USD".to_owned(), 2);
                    // Not known before, so that the store has to look for it.
                    limits.put(scope, "EUR".to_owned(), 3);
                })
            };
            backend.fail(call, how);
            let result = catch_unwind(AssertUnwindSafe(|| put(&mut store)));
            if !backend.heal() {
                return false;
            }
            failure(how, result);
            let read = |store: &mut Keyed<Account>| {
                store.with_key("ann", |state| (state.rates.get("USD"), limits.get("EUR"))).unwrap()
            };
            assert_eq!(read(&mut store), (None, None));
            put(&mut store).unwrap();
            assert_eq!(read(&mut store), (Some(2), Some(3)));
            store.commit("2").unwrap();
            assert_eq!(read(&mut reopen(backend, store, false)), (Some(2), Some(3)));
            true
        });
    }
}

thread_local! {
    static MOODY: Cell<bool> = const { Cell::new(false) };
}

/// A number that can be stored when it is set, and no longer when it is committed, if it is negative.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Picky(i64);

impl Serialize for Picky {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 < 0 && MOODY.get() {
            Err(S::Error::custom("negative"))
        } else {
            serializer.serialize_newtype_struct("Picky", &self.0)
        }
    }
}

#[test]
fn a_commit_of_a_value_that_cannot_be_stored_writes_nothing_and_can_be_repeated_without_it() {
    let backend = filled(false);
    let mut store = open(&backend, false).unwrap();
    let records = dump(&backend);
    let picky = ValueState::<Picky>::new("picky");
    for name in ["ann", "bob", "cid"] {
        store.with_key(name, |state| state.balance.set(2)).unwrap();
    }
    store.with_key("bob", |_| picky.set(Picky(-1))).unwrap();
    MOODY.set(true);
    for _ in 0..2 {
        let error = store.commit("2").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        let place = (error.operator(), error.state(), error.key());
        assert_eq!(place, (Some("account"), Some("picky"), Some("\"bob\"")));
        assert_same(dump(&backend), &records);
    }
    store.with_key("bob", |_| picky.set(Picky(1))).unwrap();
    store.commit("2").unwrap();
    let mut store = reopen(&backend, store, false);
    for name in ["ann", "bob", "cid"] {
        assert_eq!(store.with_key(name, |state| state.balance.get()).unwrap(), Some(2));
    }
    assert_eq!(store.with_key("bob", |_| picky.get()).unwrap(), Some(Picky(1)));
}

/// A text that cannot be stored when it says so.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Secret(String);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == "secret" {
            Err(S::Error::custom("secret"))
        } else {
            serializer.serialize_newtype_struct("Secret", &self.0)
        }
    }
}

#[test]
fn an_update_that_makes_what_cannot_be_stored_fails_its_event_and_returns_what_its_closure_did() {
    let (value, map) = (ValueState::<Secret>::new("value"), MapState::<u8, Secret>::new("map"));
    let tell = |to: &mut Option<Secret>| to.replace(Secret("secret".to_owned()));
    for known in [false, true] {
        let mut store = open(&filled(false), false).unwrap();
        let told = known.then(|| Secret("told".to_owned()));
        if let Some(told) = &told {
            store.with_key("ann", |_| (value.set(told.clone()), map.put(1, told.clone()))).unwrap();
        }
        let changes: [(&str, &dyn Fn() -> Option<Secret>); 2] =
            [("value", &|| value.update(tell)), ("map", &|| map.update(1, tell))];
        for (state, change) in changes {
            let mut returned = None;
            let error = store.with_key("ann", |_| returned = change()).unwrap_err();
            assert_eq!((error.kind(), error.state()), (ErrorKind::Invalid, Some(state)), "{error}");
            assert_eq!(returned, told, "{state}");
            assert_eq!(store.with_key("ann", |_| (value.get(), map.get(&1))).unwrap(), (told.clone(), told.clone()));
        }
    }
}

/// Events that fail, each on another key, must not fill the memory.
#[test]
fn rows_of_failed_events_leave_memory_like_others() {
    let backend = filled(false);
    let mut store = Keyed::<Account>::builder().memory_budget(0).open(Arc::clone(&backend)).unwrap();
    let keys: Vec<_> = (0..500).map(|key| key.to_string()).collect();
    for key in &keys {
        let poison = |state: &Account| Err::<(), _>((state.balance.get(), StateError::backend("poison")).1);
        store.try_with_key(key, poison).unwrap_err();
    }
    backend.fail(0, How::Lasting);
    let in_memory = keys.iter().filter(|key| store.with_key(key.as_str(), |state| state.balance.get()).is_ok());
    assert!(in_memory.count() < 50);
}

#[derive(KeyedState)]
#[state(key = String)]
struct Session {
    #[state(ttl = "10ms", clock = "event", ttl_update = "read_and_write")]
    token: ValueState<u8>,
    #[state(ttl = "10ms", clock = "event", ttl_update = "read_and_write")]
    pages: ListState<u8>,
    #[state(ttl = "10ms", clock = "event", ttl_update = "read_and_write")]
    clicks: MapState<u8, u8>,
}

/// Reading renews these, and what the event does next must not make that stick.
#[test]
fn an_event_that_fails_renews_nothing() {
    let look = |session: &Session| (session.token.get(), session.pages.get(), session.clicks.get(&1));
    let changes: [fn(&Session); 3] = [
        |_| (),
        |session| {
            session.token.set(2);
            session.pages.add(2);
            session.clicks.put(1, 2);
        },
        |session| {
            session.token.clear();
            session.pages.clear();
            session.clicks.clear();
        },
    ];
    for change in changes {
        let mut store = Keyed::<Session>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
        store.set_watermark(0);
        let fill = |session: &Session| {
            session.token.set(1);
            session.pages.add(1);
            session.clicks.put(1, 1);
        };
        store.with_key("ann", fill).unwrap();
        store.set_watermark(5);
        let fails = |session: &Session| {
            assert_eq!(look(session), (Some(1), vec![1], Some(1)));
            change(session);
            Err::<(), _>(StateError::backend("on purpose"))
        };
        store.try_with_key("ann", fails).unwrap_err();
        store.set_watermark(10);
        assert_eq!(store.with_key("ann", look).unwrap(), (None, vec![], None));
    }
}

/// What a twin returns is the caller's to handle: the calls that succeeded count, the one that failed did nothing.
#[test]
fn a_failure_that_a_twin_returns_leaves_the_rest_of_the_event() {
    type Step = (fn(&Account) -> Result<(), StateError>, fn(&mut Plain));
    #[derive(Debug, Default, PartialEq)]
    struct Plain {
        balance: i64,
        log: Vec<String>,
        tags: BTreeMap<String, u32>,
        joined: String,
    }
    let steps: [Step; 9] = [
        (|state| state.balance.try_update(|balance| *balance = balance.map(|b| b + 10)), |plain| plain.balance += 10),
        (|state| state.joined.try_merge("b".to_owned()), |plain| plain.joined += "b"),
        (|state| state.tags.try_remove("a").map(drop), |plain| plain.tags.retain(|key, _| key != "a")),
        (|state| state.tags.try_put("d".to_owned(), 4), |plain| plain.tags.extend([("d".to_owned(), 4)])),
        (
            |state| state.tags.try_update("b".to_owned(), |count| *count.get_or_insert(0) += 1),
            |plain| *plain.tags.entry("b".to_owned()).or_default() += 1,
        ),
        (|state| state.tags.try_retain(|_, count| *count < 4), |plain| plain.tags.retain(|_, count| *count < 4)),
        (|state| state.log.try_add("c".to_owned()), |plain| plain.log.push("c".to_owned())),
        (|state| state.log.try_truncate_front(2), |plain| drop(plain.log.drain(..plain.log.len().saturating_sub(2)))),
        (|state| state.log.try_retain(|line| line != "b"), |plain| plain.log.retain(|line| line != "b")),
    ];
    let read = |state: &Account| Plain {
        balance: state.balance.get().unwrap(),
        log: state.log.get(),
        tags: state.tags.entries().into_iter().collect(),
        joined: state.joined.get().unwrap(),
    };
    for how in [How::Once, How::Lasting] {
        at_every_call(5, false, |backend, call| {
            let mut store = open(backend, false).unwrap();
            let mut expected = store.with_key("ann", read).unwrap();
            let mut store = reopen(backend, store, false);
            backend.fail(call, how);
            store
                .with_key("ann", |state| {
                    for (real, plain) in &steps {
                        if real(state).is_ok() {
                            plain(&mut expected);
                        }
                    }
                })
                .unwrap();
            let struck = backend.heal();
            assert_eq!(store.with_key("ann", read).unwrap(), expected, "call {call}");
            store.commit("2").unwrap();
            assert_eq!(reopen(backend, store, false).with_key("ann", read).unwrap(), expected, "call {call}");
            struck
        });
    }
}

#[test]
fn a_panic_in_a_closure_that_the_event_catches_changes_nothing() {
    fn panic<R>() -> R {
        resume_unwind(Box::new("on purpose"))
    }
    let panics: [fn(&Account); 12] = [
        |state| state.balance.with(|_| panic()),
        |state| {
            state.balance.update(|balance| {
                *balance = None;
                panic()
            })
        },
        |state| state.log.for_each(|_| panic()),
        |state| {
            let mut first = true;
            state.log.retain(|_| if std::mem::take(&mut first) { false } else { panic() });
        },
        |state| state.log.add_all(["c", "d"].map(|line| if line == "d" { panic() } else { line.to_owned() })),
        |state| state.log.add_all((0..2).map(|line| if line == 1 { panic() } else { "c".to_owned() })),
        |state| state.log.replace((0..2).map(|line| if line == 1 { panic() } else { "c".to_owned() })),
        |state| state.tags.for_each(|_, _| panic()),
        |state| state.tags.retain(|key, _| if key == "b" { panic() } else { false }),
        |state| state.tags.put_all((0..2).map(|count| if count == 1 { panic() } else { ("z".to_owned(), count) })),
        |state| {
            state.tags.update("a".to_owned(), |count| {
                *count = Some(9);
                panic()
            })
        },
        |state| state.joined.merge("!".to_owned()),
    ];
    let backend = filled(false);
    for (index, panics) in panics.iter().enumerate() {
        for loaded in [false, true] {
            let mut store = open(&backend, false).unwrap();
            if loaded {
                look(&mut store);
            }
            store
                .with_key("ann", |state| {
                    let caught = catch_unwind(AssertUnwindSafe(|| panics(state)));
                    assert!(caught.is_err(), "{index}");
                    // Nothing is left in use.
                    state.owner.set("Ann".to_owned());
                    state.log.add("e".to_owned());
                    state.log.retain(|line| line != "e");
                    state.tags.update("c".to_owned(), |count| assert_eq!(*count, Some(3)));
                    state.joined.merge(String::new());
                    state.balance.update(|balance| assert_eq!(*balance, Some(1)));
                })
                .unwrap();
            let expected = look(&mut open(&filled(false), false).unwrap());
            assert_eq!(look(&mut store), expected, "{index}");
            store.commit("2").unwrap();
            assert_eq!(look(&mut reopen(&backend, store, false)), expected, "{index}");
        }
    }
}
