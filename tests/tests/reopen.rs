//! A program finds its state again, whatever it changed that does not matter, and is refused where it would
//! misread; opening writes nothing, and parallel instances share what was one.

use krishiv_api::{
    Cause, Dynamic, ErrorKind, InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock, MapState, Record,
    ReducingState, StateBackend, StateError, StateKind, TtlConfig, TtlStateBackend, ValueState, WriteBatch,
};
use krishiv_tests::{Fjall, Folder, Memory, Place, RocksDb, on_every_backend, on_every_folder};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

fn dump(backend: &impl StateBackend) -> Vec<Record> {
    backend.scan(b"").map(Result::unwrap).collect()
}

/// The `Err` of an open.
fn refused<S: KeyedState>(opened: Result<Keyed<S>, StateError>) -> StateError {
    opened.err().expect("the store is refused")
}

#[derive(KeyedState)]
#[state(key = String)]
struct Plane {
    streak: ValueState<u32>,
    delays: ListState<i32>,
    visits: MapState<String, u32>,
    #[state(reduce = i32::max)]
    worst: ReducingState<i32>,
}

fn fly(backend: &Arc<impl StateBackend>) {
    let mut store = Keyed::<Plane>::open(Arc::clone(backend)).unwrap();
    store
        .with_key("N1", |state| {
            state.streak.set(1);
            state.delays.add_all([2, 3]);
            state.visits.put("IAH".into(), 4);
            state.worst.merge(5);
        })
        .unwrap();
    store.commit("flown").unwrap();
}

fn reordered_fields_change_nothing<P: Place>(place: P) {
    #[derive(KeyedState)]
    #[state(key = String, name = "plane")]
    struct Reordered {
        #[state(reduce = i32::max)]
        worst: ReducingState<i32>,
        visits: MapState<String, u32>,
        added: ValueState<u32>,
        delays: ListState<i32>,
        streak: ValueState<u32>,
    }
    fly(&place.open());
    let mut store = Keyed::<Reordered>::open(place.open()).unwrap();
    assert_eq!(store.undeclared(), []);
    store
        .with_key("N1", |state| {
            assert_eq!(state.streak.get(), Some(1));
            assert_eq!(state.delays.get(), [2, 3]);
            assert_eq!(state.visits.entries(), [("IAH".to_owned(), 4)]);
            assert_eq!(state.worst.get(), Some(5));
            assert_eq!(state.added.get(), None);
            state.added.set(6);
        })
        .unwrap();
    store.commit("").unwrap();
    drop(store);
    // The old program goes on with what the new one left.
    let mut store = Keyed::<Plane>::open(place.open()).unwrap();
    assert_eq!(store.with_key("N1", |state| state.streak.get()).unwrap(), Some(1));
    assert_eq!(store.undeclared().iter().map(|state| state.name()).collect::<Vec<_>>(), ["added"]);
}

fn a_renamed_field_is_a_new_state_and_the_old_one_is_reported<P: Place>(place: P) {
    #[derive(KeyedState)]
    #[state(key = String, name = "plane")]
    struct Renamed {
        late_streak: ValueState<u32>,
        #[state(name = "delays")]
        recent_delays: ListState<i32>,
    }
    fly(&place.open());
    let mut store = Keyed::<Renamed>::open(place.open()).unwrap();
    let reported: BTreeMap<_, _> = store.undeclared().iter().map(|state| (state.name(), state.kind())).collect();
    let expected = [("streak", StateKind::Value), ("visits", StateKind::Map), ("worst", StateKind::Reducing)];
    assert_eq!(reported, BTreeMap::from(expected));
    store
        .with_key("N1", |state| {
            assert_eq!(state.late_streak.get(), None);
            assert_eq!(state.recent_delays.get(), [2, 3]);
            state.late_streak.set(7);
            state.recent_delays.clear();
        })
        .unwrap();
    store.commit("").unwrap();
    drop(store);
    // What is not declared is not lost.
    let mut store = Keyed::<Plane>::open(place.open()).unwrap();
    let found = store.with_key("N1", |state| (state.streak.get(), state.delays.length(), state.worst.get())).unwrap();
    assert_eq!(found, (Some(1), 0, Some(5)));
}

on_every_backend!(reordered_fields_change_nothing, a_renamed_field_is_a_new_state_and_the_old_one_is_reported,);

/// Declares another `plane` and expects that it is refused, with both sides in the message and nothing written.
macro_rules! refuses {
    ($what:literal, $stored:literal, $declared:literal: #[state(key = $key:ty)] { $($field:ident: $type:ty),* }) => {{
        #[derive(KeyedState)]
        #[state(key = $key, name = "plane")]
        #[allow(dead_code)]
        struct Other {
            // A state that fits, and one that is new, in front of the one that does not fit.
            #[state(name = "visits")]
            fits: MapState<String, u32>,
            new: ValueState<u8>,
            $($field: $type,)*
        }
        let backend = Arc::new(InMemoryStateBackend::new());
        fly(&backend);
        let before = dump(&*backend);
        // Alone, and beside an instance that is open.
        let half = || Keyed::<Other>::builder().key_groups(64..128);
        let open = Keyed::<Plane>::builder().key_groups(0..64).open(Arc::clone(&backend)).unwrap();
        let beside = refused(half().open(Arc::clone(&backend)));
        drop(open);
        for error in [beside, refused(half().open(Arc::clone(&backend)))] {
            assert_eq!(error.kind(), ErrorKind::Incompatible);
            assert_eq!(error.operator(), Some("plane"));
            let state: &[&str] = &[$(stringify!($field)),*];
            assert_eq!(error.state(), state.first().copied());
            let Cause::Mismatch { what, stored, declared, .. } = error.cause() else { panic!("{error}") };
            assert_eq!((*what, stored.as_str(), declared.as_str()), ($what, $stored, $declared));
            assert!(error.to_string().contains($stored) && error.to_string().contains($declared), "{error}");
        }
        assert_eq!(dump(&*backend), before);
        // Nothing is claimed, and nothing registered: the old program goes on, and writes what it would have.
        let mut store = Keyed::<Plane>::open(Arc::clone(&backend)).unwrap();
        assert_eq!(store.undeclared(), []);
        store.commit("flown").unwrap();
        let catalog = |records: Vec<Record>| records.into_iter().filter(|(key, _)| key.starts_with(b"\0\0o"));
        assert!(catalog(dump(&*backend)).eq(catalog(before)));
    }};
}

#[test]
fn another_kind_is_refused() {
    refuses!("kind", "ValueState", "ReducingState": #[state(key = String)] { streak: ReducingState<u32> });
    refuses!("kind", "ListState", "ValueState": #[state(key = String)] { delays: ValueState<Vec<i32>> });
}

#[test]
fn another_value_shape_is_refused() {
    refuses!("value", "u32", "bool": #[state(key = String)] { streak: ValueState<bool> });
    refuses!("value", "i32", "(i32, str)": #[state(key = String)] { delays: ListState<(i32, String)> });
    refuses!("value", "i32", "Vec<i32>": #[state(key = String)] { worst: ReducingState<Vec<i32>> });
}

#[test]
fn another_map_key_shape_is_refused() {
    #[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
    enum Airport {
        Code(String),
        Unknown,
    }
    #[derive(KeyedState)]
    #[state(key = String, name = "plane")]
    struct Other {
        visits: MapState<Airport, u32>,
    }
    let backend = Arc::new(InMemoryStateBackend::new());
    fly(&backend);
    let before = dump(&*backend);
    let error = refused(Keyed::<Other>::open(Arc::clone(&backend)));
    let expected = "operator `plane`, state `visits`: the stored map key is str, \
                    but the program declares enum Airport { Code(str), Unknown }";
    assert!(error.to_string().starts_with(expected), "{error}");
    assert_eq!(error.kind(), ErrorKind::Incompatible);
    assert_eq!(dump(&*backend), before);
}

#[test]
fn another_key_shape_is_refused() {
    refuses!("key", "str", "u64": #[state(key = u64)] {});
    refuses!("key", "str", "(str, u32)": #[state(key = (String, u32))] {});
}

#[test]
fn another_max_parallelism_is_refused_and_the_stored_one_adopted_when_unset() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let open = |groups| Keyed::<Plane>::builder().max_parallelism(groups).open(Arc::clone(&backend));
    open(16).unwrap().commit("").unwrap();
    let before = dump(&*backend);
    let error = refused(open(17));
    assert_eq!((error.kind(), error.operator()), (ErrorKind::Incompatible, Some("plane")));
    assert!(error.to_string().contains("the stored max parallelism is 16, but the program declares 17"), "{error}");
    assert_eq!(dump(&*backend), before);
    assert_eq!(Keyed::<Plane>::open(Arc::clone(&backend)).unwrap().key_groups(), 0..16);
    assert_eq!(open(16).unwrap().key_groups(), 0..16);
}

#[test]
fn settings_out_of_bounds_are_refused_and_claim_nothing() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let builder = Keyed::<Plane>::builder;
    let empty = Range { start: 5, end: 5 };
    let reversed = Range { start: 6, end: 5 };
    for wrong in [
        builder().max_parallelism(0),
        builder().max_parallelism(32_769),
        builder().key_groups(0..129),
        builder().max_parallelism(16).key_groups(16..17),
        builder().key_groups(empty),
        builder().key_groups(reversed),
        builder().operator(""),
        builder().operator("x".repeat(256)),
    ] {
        let error = refused(wrong.open(Arc::clone(&backend)));
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert_eq!(dump(&*backend), []);
    builder().max_parallelism(32_768).operator("x".repeat(255)).open(Arc::clone(&backend)).unwrap().commit("").unwrap();
    builder().open(backend).unwrap().commit("").unwrap();
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let backend = Arc::new(InMemoryStateBackend::new());
    fly(&backend);
    let mut newer = WriteBatch::default();
    newer.put(b"\0\0f", br#"{"format":8,"and":"more"}"#);
    backend.write(newer).unwrap();
    let before = dump(&*backend);
    let wrapped = Arc::new(TtlStateBackend::new(Arc::clone(&backend), TtlConfig::new(1)));
    let known = refused(Keyed::<Plane>::open(Arc::clone(&backend)));
    let unknown = refused(Keyed::<Dynamic<u8>>::open(Arc::clone(&backend)));
    for error in [known, unknown, refused(Keyed::<Plane>::open(wrapped))] {
        assert_eq!(error.kind(), ErrorKind::Incompatible);
        assert!(matches!(error.cause(), Cause::NewerFormat { found: 8, supported: 7, .. }), "{error}");
    }
    assert_eq!(dump(&*backend), before);
}

mod here {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub struct Leg {
        pub from: String,
        pub stops: Vec<Stop>,
    }

    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub enum Stop {
        None,
        At { airport: String },
    }

    #[derive(KeyedState)]
    #[state(key = Leg)]
    pub struct Moving {
        pub value: ValueState<Leg>,
        pub map: MapState<Stop, Leg>,
    }
}

mod there {
    pub mod deeper {
        use serde::{Deserialize, Serialize};

        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Stop {
            None,
            At { airport: String },
        }
    }

    use super::*;
    use deeper::Stop;

    /// The same to serde, which knows neither paths nor Rust's names of types.
    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename = "Leg")]
    pub struct Flown {
        pub from: String,
        pub stops: Box<[Stop]>,
    }

    #[derive(KeyedState)]
    #[state(key = Flown)]
    pub struct Moving {
        pub value: ValueState<Flown>,
        pub map: MapState<Stop, Flown>,
    }
}

/// Named as the others, but not the same.
mod elsewhere {
    use super::*;

    #[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub struct Leg {
        from: String,
        stops: Vec<Stop>,
    }

    #[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub enum Stop {
        None,
        At { airport: u32 },
    }

    #[derive(KeyedState)]
    #[state(key = Leg)]
    pub struct Moving {
        _value: ValueState<Leg>,
    }
}

fn moving_a_type_between_modules_changes_nothing<P: Place>(place: P) {
    let from = || "EWR".to_owned();
    let leg = here::Leg { from: from(), stops: vec![here::Stop::None, here::Stop::At { airport: from() }] };
    let mut store = Keyed::<here::Moving>::open(place.open()).unwrap();
    store
        .with_key(&leg, |state| {
            state.value.set(leg.clone());
            state.map.put(leg.stops[1].clone(), leg.clone());
        })
        .unwrap();
    store.commit("").unwrap();
    drop(store);

    let at = there::deeper::Stop::At { airport: from() };
    let leg = there::Flown { from: from(), stops: [there::deeper::Stop::None, at.clone()].into() };
    let mut store = Keyed::<there::Moving>::open(place.open()).unwrap();
    let found = store.with_key(&leg, |state| (state.value.get(), state.map.entries())).unwrap();
    assert_eq!(found, (Some(leg.clone()), vec![(at, leg)]));
    drop(store);

    let error = refused(Keyed::<elsewhere::Moving>::open(place.open()));
    assert!(error.to_string().contains("enum Stop { None, At { airport: str } }"), "{error}");
    assert!(error.to_string().contains("enum Stop { None, At { airport: u32 } }"), "{error}");
}

/// Accepts nothing that a tracer could think of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Iban(String);

impl TryFrom<String> for Iban {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.starts_with("DE89 3704") { Ok(Self(text)) } else { Err("not an IBAN") }
    }
}

impl From<Iban> for String {
    fn from(iban: Iban) -> Self {
        iban.0
    }
}

fn a_type_that_cannot_be_traced_is_opaque_with_its_serde_name<P: Place>(place: P) {
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Account {
        iban: Iban,
    }
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Deposit {
        iban: Iban,
    }
    #[derive(KeyedState)]
    #[state(key = u8, name = "bank")]
    struct Accounts {
        account: ValueState<Account>,
    }
    #[derive(KeyedState)]
    #[state(key = u8, name = "bank")]
    struct Deposits {
        account: ValueState<Deposit>,
    }
    let account = Account { iban: Iban("DE89 3704 0044".into()) };
    let mut store = Keyed::<Accounts>::open(place.open()).unwrap();
    store.with_key(&1, |state| state.account.set(account.clone())).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Accounts>::open(place.open()).unwrap();
    assert_eq!(store.with_key(&1, |state| state.account.get()).unwrap(), Some(account));
    drop(store);
    // Another type is another one, and describes itself: it is read by its names.
    let plan = Keyed::<Deposits>::builder().plan(&place.open()).unwrap().to_string();
    let sides = ["stored    ValueState<opaque Account>", "declared  ValueState<opaque Deposit>"];
    assert!(sides.iter().all(|side| plan.contains(side)), "{plan}");
    let mut store = Keyed::<Deposits>::open(place.open()).unwrap();
    let found = store.with_key(&1, |state| state.account.get()).unwrap();
    assert_eq!(found, Some(Deposit { iban: Iban("DE89 3704 0044".into()) }));
}

on_every_backend!(
    moving_a_type_between_modules_changes_nothing,
    a_type_that_cannot_be_traced_is_opaque_with_its_serde_name,
);

#[derive(KeyedState)]
#[state(key = u32)]
struct Lists {
    list: ListState<u32>,
}

const KEYS: Range<u32> = 0..200;

/// Lets the instances that divide `ranges` append `round` to every key; returns how many keys each took.
fn append(backend: &Arc<impl StateBackend>, round: u32, ranges: &[Range<u16>]) -> Vec<usize> {
    let open = |range: &Range<u16>| Keyed::<Lists>::builder().key_groups(range.clone()).open(Arc::clone(backend));
    let mut stores: Vec<_> = ranges.iter().map(|range| open(range).unwrap()).collect();
    let mut taken = vec![0; stores.len()];
    for key in KEYS {
        // The key groups say whose key it is: all but one instance refuse it.
        let mut owners = Vec::new();
        for (index, store) in stores.iter_mut().enumerate() {
            match store.with_key(&key, |state| state.list.add_all([10 * round, 10 * round + 1])) {
                Ok(()) => owners.push(index),
                Err(error) => assert!(matches!(error.cause(), Cause::ForeignKey { .. }), "{error}"),
            }
        }
        assert_eq!(owners.len(), 1, "key {key} belongs to {owners:?}");
        taken[owners[0]] += 1;
        if key % 50 == 0 {
            stores.iter_mut().for_each(|store| store.commit("on the way").unwrap());
        }
    }
    for (number, store) in (0..).zip(&mut stores) {
        store.set_watermark(1_000 * i64::from(round) + number);
        store.commit([round as u8, number as u8]).unwrap();
    }
    taken
}

fn state_and_list_order_survive_rescaling<P: Place>(place: P) {
    let rounds: [&[Range<u16>]; 5] =
        [&[0..128], &[0..64, 64..128], &[0..43, 43..86, 86..128], &[0..127, 127..128], &[0..128]];
    for (round, ranges) in (0..).zip(rounds) {
        let taken = append(&place.open(), round, ranges);
        assert_eq!(taken.iter().sum::<usize>(), KEYS.len());
    }
    let mut store = Keyed::<Lists>::open(place.open()).unwrap();
    let expected: Vec<u32> = (0..5).flat_map(|round| [10 * round, 10 * round + 1]).collect();
    for key in KEYS {
        assert_eq!(store.with_key(&key, |state| state.list.get()).unwrap(), expected);
    }
    let mut keys = store.keys().unwrap();
    keys.sort();
    assert!(keys.into_iter().eq(KEYS));
    assert_eq!(store.position(), Some(&[4, 0][..]));
    assert_eq!(store.watermark(), Some(4_000));
}

fn positions_and_watermark_belong_to_their_range<P: Place>(place: P) {
    let backend = place.open();
    let open = |range: Range<u16>| Keyed::<Lists>::builder().key_groups(range).open(Arc::clone(&backend)).unwrap();
    let at = |store: &Keyed<Lists>| (store.position().map(<[u8]>::to_vec), store.watermark());
    let bytes = |text: &str| text.as_bytes().to_vec();

    let mut whole = open(0..128);
    assert_eq!(at(&whole), (None, None));
    assert_eq!(whole.positions(), []);
    whole.set_watermark(50);
    assert_eq!(at(&whole), (None, Some(50)));
    whole.commit("whole").unwrap();
    assert_eq!(at(&whole), (Some(bytes("whole")), Some(50)));
    drop(whole);
    assert_eq!(at(&open(0..128)), (Some(bytes("whole")), Some(50)));

    let mut left = open(0..64);
    assert_eq!(at(&left), (None, Some(50)));
    assert_eq!(left.positions(), [(0..128, bytes("whole"))]);
    left.set_watermark(40);
    assert_eq!(left.watermark(), Some(50), "a watermark never goes back");
    left.set_watermark(70);
    left.commit("left").unwrap();
    drop(left);
    // What was committed last for a part is no position of the whole any more.
    let whole = open(0..128);
    assert_eq!(at(&whole), (None, Some(50)));
    assert_eq!(whole.positions(), [(0..64, bytes("left")), (0..128, bytes("whole"))]);
    drop(whole);
    assert_eq!(at(&open(0..64)), (Some(bytes("left")), Some(70)));

    let mut right = open(64..128);
    assert_eq!(at(&right), (None, Some(50)));
    right.set_watermark(60);
    right.commit("").unwrap();
    drop(right);
    // Nothing is left of the whole.
    let whole = open(0..128);
    assert_eq!(at(&whole), (None, Some(60)));
    assert_eq!(whole.positions(), [(64..128, bytes("")), (0..64, bytes("left"))]);
    drop(whole);
    assert_eq!(at(&open(64..128)), (Some(vec![]), Some(60)), "an empty position is one");
    assert_eq!(at(&open(0..43)), (None, Some(70)));
    assert_eq!(at(&open(43..86)), (None, Some(60)));
    let positions = open(1..2).positions();
    drop((backend, positions));

    let backend = place.open();
    let mut whole = Keyed::<Lists>::open(Arc::clone(&backend)).unwrap();
    assert_eq!(at(&whole), (None, Some(60)));
    whole.commit("whole again").unwrap();
    assert_eq!(whole.positions(), [(0..128, bytes("whole again"))]);
}

fn a_range_without_a_watermark_leaves_the_whole_without_one<P: Place>(place: P) {
    let backend = place.open();
    let open = |range: Range<u16>| Keyed::<Lists>::builder().key_groups(range).open(Arc::clone(&backend)).unwrap();
    let (mut left, mut right) = (open(0..64), open(64..128));
    left.set_watermark(7);
    left.commit("").unwrap();
    right.commit("").unwrap();
    drop((left, right));
    assert_eq!(open(0..128).watermark(), None);
    assert_eq!(open(0..64).watermark(), Some(7));
}

fn overlapping_ranges_are_refused_only_while_both_are_open<P: Place>(place: P) {
    let backend = place.open();
    let open = |range: Range<u16>| Keyed::<Lists>::builder().key_groups(range).open(Arc::clone(&backend));
    let middle = open(32..64).unwrap();
    for range in [0..128, 32..64, 0..33, 63..128, 40..41] {
        let error = refused(open(range.clone()));
        assert_eq!((error.kind(), error.operator()), (ErrorKind::Invalid, Some("lists")));
        let Cause::RangeInUse { asked, open, .. } = error.cause() else { panic!("{error}") };
        assert_eq!((asked, open), (&range, &(32..64)));
    }
    let neighbours = (open(0..32).unwrap(), open(64..128).unwrap());
    // Another operator has ranges of its own.
    drop(Keyed::<Lists>::builder().operator("other").open(Arc::clone(&backend)).unwrap());
    drop(middle);
    refused(open(0..128));
    drop(open(32..64).unwrap());
    drop(neighbours);
    open(0..128).unwrap();
}

on_every_backend!(
    state_and_list_order_survive_rescaling,
    positions_and_watermark_belong_to_their_range,
    a_range_without_a_watermark_leaves_the_whole_without_one,
    overlapping_ranges_are_refused_only_while_both_are_open,
);

fn nothing_is_written_but_by_commit<P: Place>(place: P, before: bool) {
    let backend = place.open();
    if before {
        fly(&backend);
    }
    let records = dump(&*backend);
    let mut store = Keyed::<Plane>::builder().memory_budget(1).open(Arc::clone(&backend)).unwrap();
    for key in ["N1", "N2", "N3"] {
        store
            .with_key(key, |state| {
                state.streak.update(|streak| *streak.get_or_insert(0) += 1);
                state.delays.add(1);
                state.delays.truncate_front(1);
                state.visits.clear();
                state.visits.put("EWR".into(), 1);
                state.worst.merge(9);
                ValueState::<u8>::new("by_name").set(1);
            })
            .unwrap();
    }
    store.set_watermark(5);
    store.for_each_key(|_, state| state.delays.clear()).unwrap();
    assert_eq!(dump(&*backend), records);
    drop(store);
    assert_eq!(dump(&*backend), records);
    drop(backend);
    let backend = place.open();
    assert_eq!(dump(&*backend), records);
    let mut store = Keyed::<Plane>::open(backend).unwrap();
    let found = store.with_key("N1", |state| (state.streak.get(), state.delays.get())).unwrap();
    assert_eq!(found, if before { (Some(1), vec![2, 3]) } else { (None, vec![]) });
}

#[test]
fn nothing_is_written_before_commit_and_nothing_by_drop() {
    for before in [false, true] {
        nothing_is_written_but_by_commit(Memory::new(), before);
        nothing_is_written_but_by_commit(RocksDb::new(), before);
        nothing_is_written_but_by_commit(Fjall::new(), before);
    }
}

fn operators_on_one_backend_do_not_mix<P: Place>(place: P) {
    #[derive(KeyedState)]
    #[state(key = u64)]
    struct Other {
        // Another type and kind under a name that the first operator has, too.
        streak: ListState<String>,
    }
    let backend = place.open();
    let open = |operator: &str| Keyed::<Plane>::builder().operator(operator).open(Arc::clone(&backend)).unwrap();
    let names = ["plane", "plan", "planes", "plane."];
    let mut planes = names.map(open);
    let mut other = Keyed::<Other>::open(Arc::clone(&backend)).unwrap();
    for (number, store) in (0..).zip(&mut planes) {
        store.with_key("N1", |state| state.streak.set(number)).unwrap();
        store.with_key(&format!("only {number}"), |state| state.worst.merge(1)).unwrap();
        store.set_watermark(number.into());
        store.commit(number.to_string()).unwrap();
    }
    other.with_key(&1, |state| state.streak.add("a".into())).unwrap();
    other.commit("other").unwrap();
    drop((planes, other, backend));

    let backend = place.open();
    for (number, name) in (0..).zip(names) {
        let mut store = Keyed::<Plane>::builder().operator(name).open(Arc::clone(&backend)).unwrap();
        assert_eq!(store.with_key("N1", |state| state.streak.get()).unwrap(), Some(number));
        let mut keys = store.keys().unwrap();
        keys.sort();
        assert_eq!(keys, ["N1".to_owned(), format!("only {number}")]);
        assert_eq!(store.position(), Some(number.to_string().as_bytes()));
        assert_eq!(store.watermark(), Some(number.into()));
        store.for_each_key(|_, state| state.streak.clear()).unwrap();
    }
    let mut other = Keyed::<Other>::open(backend).unwrap();
    assert_eq!(other.with_key(&1, |state| state.streak.get()).unwrap(), ["a"]);
    assert_eq!(other.keys().unwrap(), [1]);
}

fn two_structs_and_two_threads_share_a_backend<P: Place>(place: P) {
    #[derive(KeyedState)]
    #[state(key = u32)]
    struct Count {
        count: ValueState<u32>,
    }
    #[derive(KeyedState)]
    #[state(key = String)]
    struct Names {
        names: MapState<u32, String>,
    }
    const ROUNDS: u32 = 25;
    let backend = place.open();
    std::thread::scope(|scope| {
        // The instances of one operator, and another operator, each in a thread of its own.
        for range in [0..64, 64..128] {
            let mut store = Keyed::<Count>::builder().key_groups(range).open(Arc::clone(&backend)).unwrap();
            scope.spawn(move || {
                let own: Vec<u32> = KEYS.filter(|key| store.with_key(key, |_| ()).is_ok()).collect();
                for round in 0..ROUNDS {
                    for key in &own {
                        store.with_key(key, |state| state.count.set(state.count.get_or(0) + 1)).unwrap();
                    }
                    store.commit(round.to_string()).unwrap();
                }
            });
        }
        let mut store = Keyed::<Names>::open(Arc::clone(&backend)).unwrap();
        scope.spawn(move || {
            for round in 0..ROUNDS {
                for key in ["a", "b"] {
                    store.with_key(key, |state| state.names.put(round, format!("{key}{round}"))).unwrap();
                }
                store.commit(round.to_string()).unwrap();
            }
        });
    });
    drop(backend);
    let backend = place.open();
    let mut store = Keyed::<Count>::open(Arc::clone(&backend)).unwrap();
    for key in KEYS {
        assert_eq!(store.with_key(&key, |state| state.count.get()).unwrap(), Some(ROUNDS));
    }
    let last = (ROUNDS - 1).to_string().into_bytes();
    let mut positions = store.positions();
    positions.sort_by_key(|(range, _)| range.start);
    assert_eq!(positions, [(0..64, last.clone()), (64..128, last)]);
    let mut store = Keyed::<Names>::open(backend).unwrap();
    let expected: Vec<String> = (0..ROUNDS).map(|round| format!("b{round}")).collect();
    assert_eq!(store.with_key("b", |state| state.names.values()).unwrap(), expected);
}

on_every_backend!(operators_on_one_backend_do_not_mix, two_structs_and_two_threads_share_a_backend);

/// A handle made by name finds the state that a struct declared, and the other way round.
#[test]
fn a_declared_state_is_found_by_name_after_a_reopen() {
    let backend = Arc::new(InMemoryStateBackend::new());
    fly(&backend);
    let builder = Keyed::<Dynamic<String>>::builder().operator("plane");
    let mut store = builder.open(Arc::clone(&backend)).unwrap();
    assert_eq!(store.undeclared().len(), 4);
    let (streak, delays) = (ValueState::<u32>::new("streak"), ListState::<i32>::new("delays"));
    assert_eq!(store.with_key("N1", |_| (streak.get(), delays.get())).unwrap(), (Some(1), vec![2, 3]));
    let wrong = ValueState::<String>::new("streak");
    let error = store.with_key("N1", |_| wrong.set("x".into())).unwrap_err();
    assert_eq!((error.state(), error.key()), (Some("streak"), Some("\"N1\"")), "{error}");
    drop(store);

    // A name with the wrong type is refused without a handle of the right type before it, too.
    let builder = Keyed::<Dynamic<String>>::builder().operator("plane");
    let mut store = builder.open(Arc::clone(&backend)).unwrap();
    let error = store.with_key("N1", |_| wrong.get()).unwrap_err();
    assert_eq!((error.kind(), error.state()), (ErrorKind::Incompatible, Some("streak")), "{error}");
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Plane>::open(backend).unwrap();
    assert_eq!(store.with_key("N1", |state| state.streak.get()).unwrap(), Some(1));
}

/// A store that fails to open must not change by which clock the records of the others expire.
fn a_refused_store_leaves_those_that_are_open_alone<F: Folder>(place: F) {
    #[derive(KeyedState)]
    #[state(key = u8, name = "timed")]
    struct Timed {
        #[state(ttl = "1s", clock = "processing")]
        value: ValueState<u8>,
    }
    #[derive(KeyedState)]
    #[state(key = u8, name = "timed")]
    struct Misfit {
        #[state(ttl = "1s", clock = "processing", name = "value")]
        _value: ValueState<String>,
    }
    let backend = place.open();
    let open = Keyed::<Timed>::builder().key_groups(0..127).clock(Arc::new(ManualClock::new(0)));
    let mut store = open.open(Arc::clone(&backend)).unwrap();
    let key = (0..).find(|key| store.with_key(key, |state| state.value.set(1)).is_ok()).unwrap();
    store.commit("").unwrap();
    let late = Keyed::<Misfit>::builder().key_groups(127..128).clock(Arc::new(ManualClock::new(10_000)));
    refused(late.open(Arc::clone(&backend)));
    F::compact(&backend);
    drop(store);
    let again = Keyed::<Timed>::builder().clock(Arc::new(ManualClock::new(999)));
    let mut store = again.open(backend).unwrap();
    assert_eq!(store.with_key(&key, |state| state.value.get()).unwrap(), Some(1));
}
on_every_folder!(a_refused_store_leaves_those_that_are_open_alone);
