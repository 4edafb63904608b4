//! Every failure that a user can meet says where it happened and what to do.

use krishiv_api::{
    BatchError, BoxError, BroadcastState, Cause, Dynamic, ErrorKind, EventContext, Harness, InMemoryStateBackend,
    KeyMigration, Keyed, KeyedState, ListState, MapState, Operator, OperatorCause, RocksDbStateBackend, Scan,
    StateBackend, StateError, ValueState, Volatile, WriteBatch,
};
use krishiv_pipeline::{CsvSource, IterSource, MemorySink, Pipeline, PipelineError, Source, TooFewItems};
use krishiv_tests::{Folder, Place, RocksDb};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[derive(KeyedState)]
#[state(key = String)]
struct Account {
    balance: ValueState<i64>,
    history: ListState<i64>,
    limits: MapState<String, i64>,
    rates: BroadcastState<String, String>,
}

fn memory() -> Arc<InMemoryStateBackend> {
    Arc::new(InMemoryStateBackend::new())
}

fn open(backend: &Arc<impl StateBackend>) -> Keyed<Account> {
    Keyed::open(Arc::clone(backend)).unwrap()
}

/// Checks what the error tells about the place, and that its message has the place and all of `parts`.
#[track_caller]
fn tells(error: &StateError, kind: ErrorKind, place: [Option<&str>; 3], parts: &[&str]) {
    let message = error.to_string();
    assert_eq!(error.kind(), kind, "{message}");
    assert_eq!([error.operator(), error.state(), error.key()], place, "{message}");
    for (word, name) in ["operator", "state", "key"].iter().zip(place) {
        if let Some(name) = name {
            assert!(message.contains(&format!("{word} `{name}`")), "{message}");
        }
    }
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
}

const ANN: Option<&str> = Some("\"ann\"");
const ACCOUNT: Option<&str> = Some("account");

/// Replaces what the backend has under every key that fits.
fn overwrite(backend: &impl StateBackend, fits: impl Fn(&[u8]) -> bool, with: impl Fn(&[u8]) -> Vec<u8>) {
    let mut batch = WriteBatch::default();
    for record in backend.scan(b"") {
        let (key, value) = record.unwrap();
        if fits(&key) {
            batch.put(&key, &with(&value));
        }
    }
    assert!(!batch.is_empty());
    backend.write(batch).unwrap();
}

fn is_row(key: &[u8]) -> bool {
    !key.starts_with(&[0, 0])
}

#[test]
fn decode() {
    let backend = memory();
    let mut store = Keyed::<Account>::builder().memory_budget(0).open(Arc::clone(&backend)).unwrap();
    store
        .with_key("ann", |state| {
            state.balance.set(1);
            state.history.add(1);
            state.limits.put("a".to_owned(), 1);
        })
        .unwrap();
    store.commit("").unwrap();
    overwrite(&*backend, is_row, |value| value[..1].to_vec());
    let parts = ["do not decode", "restore the state from a copy"];
    let reads: [(&str, fn(&Account)); 5] = [
        ("balance", |state| _ = state.balance.get()),
        ("history", |state| _ = state.history.get()),
        ("limits", |state| _ = state.limits.get("a")),
        ("limits", |state| _ = state.limits.entries()),
        ("balance", |state| state.balance.update(|_| ())),
    ];
    for (state, read) in reads {
        let error = store.with_key("ann", read).unwrap_err();
        assert!(matches!(error.cause(), Cause::Decode { .. }));
        tells(&error, ErrorKind::Corrupt, [ACCOUNT, Some(state), ANN], &parts);
    }
    // What is replaced need not be read.
    store.with_key("ann", |state| state.balance.set(2)).unwrap();
    assert_eq!(store.with_key("ann", |state| state.balance.get()).unwrap(), Some(2));
}

/// A number that does not write thirteen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Superstitious(u8);

impl Serialize for Superstitious {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == 13 { Err(serde::ser::Error::custom("thirteen")) } else { serializer.serialize_u8(self.0) }
    }
}

impl<'de> Deserialize<'de> for Superstitious {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(Self)
    }
}

#[test]
fn encode() {
    let mut store = Keyed::<Dynamic<Superstitious>>::open(memory()).unwrap();
    let error = store.with_key(&Superstitious(13), |_| ()).unwrap_err();
    assert!(matches!(error.cause(), Cause::Encode { .. }));
    tells(
        &error,
        ErrorKind::Invalid,
        [Some("dynamic"), None, error.key()],
        &["cannot be stored", "thirteen", "serde form"],
    );

    let floor = ValueState::<Superstitious>::new("floor");
    for _ in 0..2 {
        let error = store.with_key(&Superstitious(7), |_| floor.set(Superstitious(13))).unwrap_err();
        assert!(matches!(error.cause(), Cause::Encode { .. }));
        tells(&error, ErrorKind::Invalid, [Some("dynamic"), Some("floor"), Some("7")], &["thirteen", "serde form"]);
    }
    store.with_key(&Superstitious(7), |_| floor.set(Superstitious(14))).unwrap();
    store.commit("up").unwrap();

    let map = MapState::<Superstitious, u8>::new("map");
    let error = store.with_key(&Superstitious(7), |_| map.put(Superstitious(13), 1)).unwrap_err();
    tells(&error, ErrorKind::Invalid, [Some("dynamic"), Some("map"), Some("7")], &["thirteen"]);
    let rules = BroadcastState::<u8, Superstitious>::new("rules");
    let error = store.broadcast(|_, scope| rules.put(scope, 1, Superstitious(13))).unwrap_err();
    tells(&error, ErrorKind::Invalid, [Some("dynamic"), Some("rules"), None], &["thirteen"]);
}

#[test]
fn damaged() {
    let backend = memory();
    open(&backend).commit("").unwrap();
    overwrite(&*backend, |key| key.starts_with(b"\0\0o"), |_| b"{".to_vec());
    let error = Keyed::<Account>::open(backend).err().unwrap();
    assert!(matches!(error.cause(), Cause::Damaged { .. }));
    tells(&error, ErrorKind::Corrupt, [ACCOUNT, None, None], &["catalog", "operator record", "from a copy"]);
}

#[test]
fn newer_format() {
    let backend = memory();
    open(&backend).commit("").unwrap();
    overwrite(&*backend, |key| key.starts_with(b"\0\0f"), |_| br#"{"format":9}"#.to_vec());
    let error = Keyed::<Account>::open(backend).err().unwrap();
    assert!(matches!(error.cause(), Cause::NewerFormat { found: 9, .. }));
    tells(&error, ErrorKind::Incompatible, [ACCOUNT, None, None], &["format 9", "use the newer program"]);
}

#[test]
fn mismatch() {
    macro_rules! other_account {
        ($key:ty, $balance:ty, $limits:ty) => {{
            #[derive(KeyedState)]
            #[state(key = $key, name = "account")]
            #[allow(dead_code)]
            struct Other {
                balance: $balance,
                limits: $limits,
            }
            |backend: &Arc<InMemoryStateBackend>| Keyed::<Other>::open(Arc::clone(backend)).err().unwrap()
        }};
    }
    let backend = memory();
    let mut store = open(&backend);
    store.with_key("ann", |state| state.balance.set(1)).unwrap();
    store.commit("").unwrap();
    drop(store);
    let stored = || backend.scan(b"").map(Result::unwrap).collect::<Vec<_>>();
    let before = stored();
    let advice = ["nothing was written", "declare what is stored, or use another name"];
    type Open = fn(&Arc<InMemoryStateBackend>) -> StateError;
    let cases: [(Open, Option<&str>, [&str; 3]); 5] = [
        (other_account!(u64, ValueState<i64>, MapState<String, i64>), None, ["key", "str", "u64"]),
        (
            other_account!(String, ListState<i64>, MapState<String, i64>),
            Some("balance"),
            ["kind", "ValueState", "ListState"],
        ),
        (other_account!(String, ValueState<String>, MapState<String, i64>), Some("balance"), ["value", "i64", "str"]),
        (other_account!(String, ValueState<i64>, MapState<u16, i64>), Some("limits"), ["map key", "str", "u16"]),
        (other_account!(String, ValueState<i64>, MapState<String, bool>), Some("limits"), ["value", "i64", "bool"]),
    ];
    for (open, state, parts) in cases {
        let error = open(&backend);
        assert!(matches!(error.cause(), Cause::Mismatch { .. }), "{error}");
        // A value can be migrated; what it is stored by cannot.
        let advice = if parts[0] == "value" { [advice[0], "#[state(migrate("] } else { advice };
        tells(&error, ErrorKind::Incompatible, [ACCOUNT, state, None], &[&parts[..], &advice[..]].concat());
        assert_eq!(stored(), before);
    }
    let error = Keyed::<Account>::builder().max_parallelism(5).open(Arc::clone(&backend)).err().unwrap();
    tells(&error, ErrorKind::Incompatible, [ACCOUNT, None, None], &["max parallelism", "128", "5", advice[0]]);
    assert_eq!(stored(), before);
    open(&backend);
}

#[test]
fn handle_type() {
    let error = open(&memory()).with_key("ann", |_| ValueState::<String>::new("balance").get()).unwrap_err();
    assert!(matches!(error.cause(), Cause::HandleType { .. }));
    let parts = ["ValueState<str>", "ValueState<i64>", "use one type for one name"];
    tells(&error, ErrorKind::Invalid, [ACCOUNT, Some("balance"), ANN], &parts);
}

#[test]
fn outside_event() {
    let error = ValueState::<u8>::new("seen").try_get().unwrap_err();
    assert!(matches!(error.cause(), Cause::OutsideEvent));
    tells(&error, ErrorKind::Invalid, [None, Some("seen"), None], &["no key is being processed", "inside `with_key`"]);
}

#[test]
fn reentrant() {
    let mut store = open(&memory());
    store.with_key("ann", |state| state.history.add(1)).unwrap();
    let error = store.with_key("ann", |state| state.history.for_each(|_| state.history.add(2))).unwrap_err();
    assert!(matches!(error.cause(), Cause::Reentrant));
    tells(
        &error,
        ErrorKind::Invalid,
        [ACCOUNT, Some("history"), ANN],
        &["its own closure", "finish that closure first"],
    );
}

#[test]
fn foreign_key() {
    let mut store = Keyed::<Account>::builder().key_groups(3..4).open(memory()).unwrap();
    let error = store.with_key("ann", |_| ()).unwrap_err();
    assert!(matches!(error.cause(), Cause::ForeignKey { .. }));
    tells(&error, ErrorKind::Invalid, [ACCOUNT, None, ANN], &["key group", "3..4", "route the event"]);
}

#[test]
fn range_in_use() {
    let backend = memory();
    let _open = open(&backend);
    let error = Keyed::<Account>::builder().key_groups(3..4).open(backend).err().unwrap();
    assert!(matches!(error.cause(), Cause::RangeInUse { .. }));
    tells(&error, ErrorKind::Invalid, [ACCOUNT, None, None], &["3..4", "0..128", "drop that store first"]);
}

#[test]
fn setting() {
    let error = Keyed::<Account>::builder().max_parallelism(0).open(memory()).err().unwrap();
    assert!(matches!(error.cause(), Cause::Setting { .. }));
    tells(&error, ErrorKind::Invalid, [ACCOUNT, None, None], &["max parallelism", "1 to 32768", "0"]);
    let error = Keyed::<Account>::builder().key_groups(100..200).open(memory()).err().unwrap();
    tells(&error, ErrorKind::Invalid, [ACCOUNT, None, None], &["100..200", "0..128"]);
    let error = Keyed::<Account>::builder().operator("").open(memory()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("name of a"), "{error}");
}

#[test]
fn broadcast_limit() {
    let mut store = Keyed::<Account>::builder().broadcast_limit(100).open(memory()).unwrap();
    let error = store.broadcast(|state, scope| state.rates.put(scope, "a".to_owned(), "x".repeat(200))).unwrap_err();
    assert!(matches!(error.cause(), Cause::BroadcastLimit { .. }));
    let parts = ["the limit is 100", "old content stays", "raise `broadcast_limit`"];
    tells(&error, ErrorKind::Limit, [ACCOUNT, Some("rates"), None], &parts);
}

#[test]
fn exhausted() {
    fn edit(record: &[u8], field: &str, value: u64) -> Vec<u8> {
        let start = record.iter().position(|byte| *byte == b'{').unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&record[start..]).unwrap();
        json[field] = value.into();
        [&record[..start], &serde_json::to_vec(&json).unwrap()[..]].concat()
    }
    let is_operator = |key: &[u8]| key.starts_with(b"\0\0o");
    let backend = memory();
    open(&backend).commit("").unwrap();
    overwrite(&*backend, is_operator, |record| edit(record, "next_slot", 0x7fff));
    let error = open(&backend).with_key("ann", |_| ValueState::<u8>::new("one_more").set(1)).unwrap_err();
    assert!(matches!(error.cause(), Cause::Exhausted { .. }), "{error}");
    tells(&error, ErrorKind::Limit, [ACCOUNT, Some("one_more"), ANN], &["another state", "use fewer names"]);

    let backend = memory();
    open(&backend).commit("").unwrap();
    // Nothing is stored under them, but the catalog says that there may be.
    let mut batch = WriteBatch::default();
    for id in 2..u16::MAX {
        batch.put(&[b"\0\0x", &id.to_be_bytes()[..]].concat(), format!("{{\"id\":{id}}}").as_bytes());
    }
    backend.write(batch).unwrap();
    let error = Keyed::<Dynamic<String>>::open(backend).err().unwrap();
    assert!(matches!(error.cause(), Cause::Exhausted { .. }), "{error}");
    tells(&error, ErrorKind::Limit, [Some("dynamic"), None, None], &["another operator", "use fewer names"]);
}

#[test]
fn key_migration() {
    let backend = memory();
    let mut store = open(&backend);
    store.with_key("ann", |state| state.balance.set(7)).unwrap();
    store.commit("").unwrap();
    drop(store);
    #[derive(KeyedState)]
    #[state(key = u64, name = "account")]
    struct ByNumber {
        balance: ValueState<i64>,
    }
    let error = KeyMigration::<Account, ByNumber>::try_new(|name| name.parse()).run(&backend).unwrap_err();
    assert!(matches!(error.cause(), Cause::KeyMigration { .. }));
    let parts = ["state is as it was", "does not take \"ann\"", "invalid digit", "make something of it"];
    tells(&error, ErrorKind::Incompatible, [ACCOUNT, None, ANN], &parts);
}

#[test]
fn locked() {
    let place = RocksDb::new();
    let _open = place.open();
    let error = RocksDbStateBackend::open(place.path()).unwrap_err();
    assert!(matches!(error.cause(), Cause::Locked { .. }), "{error}");
    let folder = place.path().to_str().unwrap();
    tells(&error, ErrorKind::Backend, [None; 3], &["in use by another", "stop that one first", folder]);
}

/// Fails while it is told to.
#[derive(Default)]
struct Failing {
    inner: InMemoryStateBackend,
    fails: AtomicBool,
}

impl Failing {
    fn check(&self) -> Result<(), StateError> {
        if self.fails.load(Relaxed) { Err(StateError::backend(std::io::Error::other("disk on fire"))) } else { Ok(()) }
    }
}

impl StateBackend for Failing {
    type Survival = Volatile;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.check()?;
        self.inner.get(key)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        match self.check() {
            Ok(()) => self.inner.scan(prefix),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        self.check()?;
        self.inner.write(batch)
    }
}

#[test]
fn backend() {
    let backend = Arc::new(Failing::default());
    let mut store = Keyed::<Account>::builder().memory_budget(0).open(Arc::clone(&backend)).unwrap();
    backend.fails.store(true, Relaxed);
    let parts = ["disk on fire", "try again"];
    let calls: [(&str, fn(&Account)); 5] = [
        ("balance", |state| _ = state.balance.get()),
        ("history", |state| _ = state.history.length()),
        ("history", |state| state.history.truncate_front(1)),
        ("limits", |state| _ = state.limits.remove("a")),
        ("limits", |state| _ = state.limits.values()),
    ];
    for (state, call) in calls {
        let error = store.with_key("ann", call).unwrap_err();
        assert!(matches!(error.cause(), Cause::Backend { .. }));
        tells(&error, ErrorKind::Backend, [ACCOUNT, Some(state), ANN], &parts);
        assert_eq!(error.source().unwrap().to_string(), "disk on fire");
    }
    store.with_key("ann", |state| state.balance.set(1)).unwrap();
    tells(&store.commit("one").unwrap_err(), ErrorKind::Backend, [ACCOUNT, None, None], &parts);
    tells(&store.keys().unwrap_err(), ErrorKind::Backend, [ACCOUNT, None, None], &parts);
    let another = Keyed::<Account>::builder().operator("another").open(Arc::clone(&backend)).err().unwrap();
    tells(&another, ErrorKind::Backend, [Some("another"), None, None], &parts);
    // Nothing was lost on the way.
    backend.fails.store(false, Relaxed);
    store.commit("one").unwrap();
    drop(store);
    let mut store = open(&backend);
    assert_eq!(store.with_key("ann", |state| state.balance.get()).unwrap(), Some(1));
}

#[test]
fn a_batch_error_says_which_event() {
    let failed = open(&memory()).for_each_event(
        [1, 2],
        |_| "ann",
        |_, n| {
            if n == 2 { Err(StateError::damaged("torn")) } else { Ok(()) }
        },
    );
    let failed: BatchError = failed.unwrap_err();
    assert_eq!((failed.index, failed.error.kind()), (1, ErrorKind::Corrupt));
    assert!(failed.to_string().contains("event 1 of the batch failed"), "{failed}");
    assert!(failed.to_string().contains("torn"), "{failed}");
}

#[test]
fn keys_are_shown_as_json() {
    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    enum Who {
        Nobody,
        User { id: u32, name: String },
    }
    let mut store = Keyed::<Dynamic<Who>>::open(memory()).unwrap();
    let mut key_of = |who: &Who| {
        let error = store.with_key(who, |_| ValueState::<u8>::new("").set(1)).unwrap_err();
        error.key().unwrap().to_owned()
    };
    assert_eq!(key_of(&Who::Nobody), r#""Nobody""#);
    assert_eq!(key_of(&Who::User { id: 7, name: "ann".to_owned() }), r#"{"User":{"id":7,"name":"ann"}}"#);
}

#[test]
fn an_error_travels() {
    fn travels<T: Error + Send + Sync + 'static>() {}
    travels::<StateError>();
    travels::<BatchError>();
    let boxed: Box<dyn Error + Send + Sync> = StateError::damaged("torn").into();
    assert!(boxed.downcast_ref::<StateError>().is_some());
    assert!(size_of::<StateError>() <= size_of::<usize>());
}

/// `main` prints the error that it returns by `Debug`, and so do `unwrap` and `expect`.
#[test]
fn debug_says_what_display_says() {
    #[track_caller]
    fn same(error: &impl Error) {
        assert_eq!(format!("{error:?}"), error.to_string());
        assert_eq!(format!("{error:#?}"), error.to_string());
    }

    let mismatch = || {
        let backend = memory();
        Keyed::<Account>::open(Arc::clone(&backend)).unwrap().commit("0").unwrap();
        Keyed::<Dynamic<u64>>::builder().operator("account").open(backend).err().unwrap()
    };
    let torn = || StateError::damaged("torn");
    same(&mismatch());
    same(mismatch().cause());
    same(&open(&memory()).for_each_event([1], |_| "ann", |_, _| Err::<(), _>(torn())).unwrap_err());
    for cause in
        [OperatorCause::State(torn()), OperatorCause::Failed("no".into()), OperatorCause::Panicked("no".into())]
    {
        same(&cause);
    }

    let failed = Harness::new(|| Picky).unwrap().event(13).unwrap_err();
    same(&failed);
    let pipeline = Pipeline::new(memory()).source(IterSource::new([13]));
    same(&pipeline.operator(Picky).sink(MemorySink::new()).run().unwrap_err());
    same(&PipelineError::State(mismatch()));
    same(&PipelineError::Signal(std::io::Error::other("no")));
    same(&CsvSource::<(String, i32)>::open("missing.csv").err().unwrap());
    let short = IterSource::new([1]).seek(2).unwrap_err();
    same(short.downcast_ref::<TooFewItems>().unwrap());
}

struct Picky;

impl Operator for Picky {
    type State = Dynamic<u64>;
    type In = u64;
    type Out = u64;
    fn key(&self, event: &u64) -> u64 {
        *event
    }
    fn on_event(&mut self, _: &Dynamic<u64>, _: u64, _: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        Err("not that one".into())
    }
}

#[test]
fn kinds_have_names() {
    use ErrorKind::{Backend, Corrupt, Incompatible, Invalid, Limit};
    let names = [Corrupt, Incompatible, Invalid, Backend, Limit].map(|kind| kind.to_string());
    assert_eq!(names, ["corrupt", "incompatible", "invalid", "backend", "limit"]);
}
