//! What is stored reads back as itself, or its event fails: in memory, after a commit, from storage, and after a reopen.

use krishiv_api::{
    BroadcastState, Cause, ErrorKind, Keyed, KeyedState, ListState, MapState, ReducingState, StateError,
};
use krishiv_api::{InMemoryStateBackend, StateBackend, StateValue, ValueState, WriteBatch};
use krishiv_tests::row;
use krishiv_tests::{Anywhere, Place};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;
use std::num::NonZeroU8;
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String, name = "holds")]
struct Holds<T: StateValue + Clone> {
    value: ValueState<T>,
    text: ValueState<T>,
    list: ListState<T>,
    map: MapState<u8, T>,
    reduced: ReducingState<T>,
    rules: BroadcastState<u8, T>,
}

/// Ways to write a value, each into a state of its own.
type Write<T> = fn(&Holds<T>, T);

fn writes<T: StateValue + Clone>() -> [(&'static str, Write<T>); 12] {
    [
        ("set", |state, value| state.value.set(value)),
        ("set_json", |state, value| state.text.set_json(value)),
        ("update", |state, value| state.value.update(|old| *old = Some(value))),
        ("add", |state, value| state.list.add(value)),
        ("add_json", |state, value| state.list.add_json(value)),
        ("add_all", |state, value| state.list.add_all([value.clone(), value])),
        ("replace", |state, value| state.list.replace([value])),
        ("put", |state, value| state.map.put(1, value)),
        ("put_json", |state, value| state.map.put_json(2, value)),
        ("put_all", |state, value| state.map.put_all([(3, value)])),
        ("map update", |state, value| state.map.update(4, |old| *old = Some(value))),
        ("merge", |state, value| state.reduced.merge(value)),
    ]
}

/// All that is there, as JSON that shows what is NaN.
fn seen<T: StateValue + Clone + Debug>(store: &mut Keyed<Holds<T>>, key: &str) -> String {
    let all = |state: &Holds<T>| {
        let lists = (state.value.get(), state.text.get(), state.list.get(), state.reduced.get());
        format!("{lists:?} {:?} {:?}", state.map.entries(), state.rules.entries())
    };
    store.with_key(key, all).unwrap()
}

fn survives<T: StateValue + Clone + Debug>(value: &T) {
    Anywhere::each().iter().for_each(|place| survives_in(place, value));
}

fn survives_in<T: StateValue + Clone + Debug>(place: &Anywhere, value: &T) {
    let open = || place.open(Keyed::<Holds<T>>::builder().memory_budget(0));
    let mut store = open();
    store.broadcast(|state, scope| state.rules.put(scope, 1, value.clone())).unwrap();
    let mut expected = Vec::new();
    for (how, write) in writes::<T>() {
        store.with_key(how, |state| write(state, value.clone())).unwrap_or_else(|error| panic!("{how}: {error}"));
        let shown = seen(&mut store, how);
        assert!(shown.contains(&format!("{value:?}")), "{how}: {shown}");
        expected.push((how, shown));
    }
    store.commit("").unwrap();
    for _ in 0..2 {
        for (how, shown) in &expected {
            assert_eq!(seen(&mut store, how), *shown, "{how}, read again");
            // Written once more by what was read.
            let copy = |state: &Holds<T>| {
                state.value.update(|_| ());
                state.list.retain(|_| true);
                state.map.retain(|_, _| true);
                (1..5).for_each(|key| state.map.update(key, |_| ()));
            };
            store.with_key(*how, copy).unwrap();
        }
        store.commit("").unwrap();
        drop(store);
        store = open();
    }
}

/// Each way fails its event and leaves what was there.
fn is_refused<T: StateValue + Clone + Debug>(good: &T, bad: &T, reason: &str) {
    Anywhere::each().iter().for_each(|place| is_refused_in(place, (good, bad), reason));
}

fn is_refused_in<T: StateValue + Clone + Debug>(place: &Anywhere, (good, bad): (&T, &T), reason: &str) {
    let open = || place.open(Keyed::<Holds<T>>::builder().memory_budget(0));
    let mut store = open();
    let check = |error: StateError, how: &str, state: &str| {
        assert_eq!(error.kind(), ErrorKind::Invalid, "{how}: {error}");
        assert!(matches!(error.cause(), Cause::Encode { .. }), "{how}: {error}");
        assert_eq!(error.operator(), Some("holds"), "{how}: {error}");
        assert_eq!(error.state(), Some(state), "{how}: {error}");
        assert!(error.to_string().contains(reason), "{how}: {error}");
    };
    for round in 0..2 {
        for (how, write) in writes::<T>() {
            let state = match how {
                "set" | "update" => "value",
                "set_json" => "text",
                "merge" => "reduced",
                _ if how.starts_with("add") || how == "replace" => "list",
                _ => "map",
            };
            store.with_key(how, |state| write(state, good.clone())).unwrap();
            let before = seen(&mut store, how);
            let error = store.with_key(how, |state| write(state, bad.clone())).unwrap_err();
            assert_eq!(error.key(), Some(format!("{how:?}").as_str()));
            check(error, how, state);
            assert_eq!(seen(&mut store, how), before, "{how}");
        }
        let error = store.broadcast(|state, scope| state.rules.put(scope, 1, bad.clone())).unwrap_err();
        check(error, "broadcast", "rules");
        // Every commit succeeds: what could not be stored was found in its event.
        store.commit(round.to_string()).unwrap();
        drop(store);
        store = open();
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Tagged {
    Nothing,
    Counts { by_number: BTreeMap<u32, u64>, by_truth: BTreeMap<bool, f64> },
    Deep { one: Option<Option<u8>>, two: Vec<Option<()>> },
    Inner(Inner),
    Again { inside: Box<Tagged> },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Inner {
    speed: f32,
    letter: char,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bytes: Vec<u8>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Flat {
    id: u64,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct FlatNumbers {
    #[serde(flatten)]
    by_number: BTreeMap<u32, f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Exact {
    Int(i64),
    Float(f64),
    Text(String),
    Many(Vec<Exact>),
    Named(BTreeMap<i8, Exact>),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Spare {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default)]
    speed: f64,
    set: HashSet<String>,
}

#[test]
fn self_describing_values_survive() {
    let counts = || Tagged::Counts {
        by_number: [(0, 1), (u32::MAX, u64::MAX)].into(),
        by_truth: [(true, f64::NAN), (false, f64::NEG_INFINITY)].into(),
    };
    survives(&Tagged::Nothing);
    survives(&vec![counts(); 2]);
    survives(&Tagged::Deep { one: Some(None), two: vec![Some(()), None] });
    survives(&Tagged::Deep { one: Some(Some(1)), two: vec![] });
    let inner = || Inner { speed: f32::NAN, letter: '\u{10ffff}', bytes: Vec::new() };
    survives(&Tagged::Again { inside: Box::new(Tagged::Inner(inner())) });
    let rest = [("a".to_owned(), json!([1, -1, 0.5, null, {"b": u64::MAX}]))].into();
    survives(&Flat { id: u64::MAX, inner: inner(), rest });
    survives(&FlatNumbers { by_number: [(7, f64::INFINITY), (8, -0.0)].into() });
    survives(&Exact::Int(9_007_199_254_740_993));
    survives(&Exact::Float(5.0));
    survives(&Exact::Many(vec![Exact::Text("1".to_owned()), Exact::Named([(-1, Exact::Int(1))].into())]));
    survives(&json!({"n": 9_007_199_254_740_993_u64, "x": 1.0, "y": 1}));
    survives(&Some(Value::Null));
}

#[test]
fn values_that_postcard_would_lose_survive() {
    let set: HashSet<_> = (0..1).map(|n| n.to_string()).collect();
    survives(&Spare { name: None, speed: f64::INFINITY, set });
    survives(&vec![Some(f64::NAN), None]);
    survives(&u128::MAX);
    survives(&(BTreeMap::from([((1_u8, 'x'), BTreeSet::from([vec![1_u8]]))]), Some(None::<u8>)));
    survives(&NonZeroU8::MAX);
}

/// A set of many in any order is the same set.
#[test]
fn hashed_collections_survive_whatever_their_order() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Hashed {
        #[serde(flatten)]
        map: HashMap<String, HashSet<u32>>,
    }
    let value = Hashed { map: (0..50).map(|n| (n.to_string(), (0..50).collect())).collect() };
    let backend = Arc::new(InMemoryStateBackend::new());
    for _ in 0..3 {
        let mut store = Keyed::<Holds<Hashed>>::builder().memory_budget(0).open(Arc::clone(&backend)).unwrap();
        store.with_key("ann", |state| state.list.add_all([value.clone(), value.clone()])).unwrap();
        store.with_key("ann", |state| state.value.set(value.clone())).unwrap();
        store.commit("").unwrap();
        let back = store.with_key("ann", |state| (state.value.get(), state.list.get())).unwrap();
        assert_eq!(back.0.as_ref(), Some(&value));
        assert!(back.1.iter().all(|back| *back == value));
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Wide {
    Small { number: u8 },
    Unsigned { number: u128 },
    Signed { number: i128 },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Loose {
    Float(f64),
    Int(i64),
    Value { value: u8 },
    WithUnit { value: u8, unit: String },
    Swapped { unit: u8, value: u8 },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Maybe {
    #[serde(flatten)]
    inside: Option<Choice>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Choice {
    a: Option<u8>,
    #[serde(default)]
    b: u8,
}

/// Writes what it does not read.
#[derive(Clone, Debug)]
struct Rounds(f64);

impl Serialize for Rounds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("rounded", self.0.round())])
    }
}

impl<'de> Deserialize<'de> for Rounds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self(value["rounded"].as_f64().unwrap_or_default() + if value["rounded"] == 3.0 { 1.0 } else { 0.0 }))
    }
}

#[test]
fn values_that_serde_makes_others_of_are_refused() {
    let small = Wide::Small { number: 1 };
    is_refused(&small, &Wide::Unsigned { number: 5 }, "does not read back");
    is_refused(&small, &Wide::Signed { number: -5 }, "does not read back");
    let float = Loose::Float(0.5);
    is_refused(&float, &Loose::Int(9_007_199_254_740_993), "it reads back as 9007199254740992.0");
    is_refused(&float, &Loose::Int(5), "it reads back as 5.0");
    let unit = Loose::WithUnit { value: 1, unit: "kg".to_owned() };
    is_refused(&float, &unit, r#"it reads back as {"value":1}"#);
    is_refused(&float, &Loose::Swapped { unit: 1, value: 1 }, r#"it reads back as {"value":1}"#);
    let some = Maybe { inside: Some(Choice { a: Some(1), b: 2 }) };
    is_refused(&some, &Maybe { inside: None }, r#"it reads back as {"a":null,"b":0}"#);
    is_refused(&Rounds(1.0), &Rounds(3.0), r#"it reads back as {"rounded":4.0}"#);
    let deep = (0..600).fold(json!(0), |inside, _| json!([inside]));
    is_refused(&json!(1), &deep, "nested too deeply");
}

/// Of a copied type nothing is lost either, though no event is asked to look at it.
#[test]
fn a_refused_value_of_a_copied_type_fails_its_event_too() {
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Number {
        Float(f64),
        Int(i64),
    }
    let place = krishiv_tests::Memory::new();
    let mut store = Keyed::<Holds<Number>>::open(place.open()).unwrap();
    // Set again and again in one place: each of them is looked at.
    for round in 0..3 {
        store.with_key("ann", |state| state.value.set(Number::Float(0.5))).unwrap();
        let error = store.with_key("ann", |state| state.value.set(Number::Int(5))).unwrap_err();
        assert!(error.to_string().contains("reads back as 5.0"), "{error}");
        let error = store.with_key("ann", |state| state.value.update(|n| *n = Some(Number::Int(1)))).unwrap_err();
        assert!(error.to_string().contains("reads back as 1.0"), "{error}");
        let value = store.with_key("ann", |state| state.value.get()).unwrap();
        assert_eq!(value, Some(Number::Float(0.5)), "round {round}");
        store.commit("").unwrap();
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Old {
    A { by_number: BTreeMap<u32, u64> },
    B { value: f64 },
}

/// Before format 4, such values were stored as JSON; what serde cannot read of it is not called damage.
#[test]
fn json_of_before_is_read_and_what_it_lost_is_named() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Holds<Old>>::open(Arc::clone(&backend)).unwrap();
    store.with_key("ann", |state| state.text.set_json(Old::B { value: 0.5 })).unwrap();
    store.with_key("ann", |state| state.list.add_json(Old::B { value: 1.5 })).unwrap();
    store.commit("").unwrap();
    drop(store);
    let find = |json: &[u8]| {
        let mut found = backend.scan(b"").map(Result::unwrap);
        found.find(|(_, value)| value.windows(json.len()).any(|window| window == json)).unwrap()
    };
    let (key, old) = find(br#"{"kind":"B","value":0.5}"#);
    // Header of version 1, codec JSON: the bytes of format 1.
    let json = |json: &[u8]| row::of_one(2, &[&[1 << 3 | 1], json].concat());
    assert_eq!(old, json(br#"{"kind":"B","value":0.5}"#));
    let read = || {
        let mut store = Keyed::<Holds<Old>>::open(Arc::clone(&backend)).unwrap();
        store.with_key("ann", |state| format!("{:?} {:?}", state.text.get(), state.list.get()))
    };
    assert_eq!(read().unwrap(), "Some(B { value: 0.5 }) [B { value: 1.5 }]");

    let mut batch = WriteBatch::default();
    batch.put(&key, &json(br#"{"kind":"A","by_number":{"1":2}}"#));
    backend.write(batch).unwrap();
    let error = read().unwrap_err();
    assert!(matches!(error.cause(), Cause::Unreadable { .. }), "{error}");
    assert_eq!((error.kind(), error.state(), error.key()), (ErrorKind::Incompatible, Some("text"), Some("\"ann\"")));
    assert!(error.to_string().contains("not damaged"), "{error}");

    // What is cut short is.
    let mut batch = WriteBatch::default();
    batch.put(&key, &json(br#"{"kind":"A","by_nu"#));
    backend.write(batch).unwrap();
    assert_eq!(read().unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn text_stays_text_when_it_is_changed() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Holds<Tagged>>::open(Arc::clone(&backend)).unwrap();
    store.with_key("ann", |state| state.value.set_json(Tagged::Nothing)).unwrap();
    let again = || Tagged::Again { inside: Box::new(Tagged::Nothing) };
    store.with_key("ann", |state| state.value.update(|value| *value = Some(again()))).unwrap();
    store.commit("").unwrap();
    let holds = |text: &[u8]| backend.scan(b"").any(|record| record.unwrap().1.ends_with(text));
    assert!(holds(br#"{"kind":"again","inside":{"kind":"nothing"}}"#));
    store.with_key("ann", |state| state.value.set(Tagged::Nothing)).unwrap();
    store.commit("").unwrap();
    assert!(!holds(br#""kind":"nothing"}"#) && !holds(br#""nothing"}}"#));
}
