//! Any serde type is a value, any deterministic serde type is a key, and both come back as they were put in.

use krishiv_api::{
    BroadcastState, ErrorKind, InMemoryStateBackend, Keyed, KeyedState, ListState, MapState, ReducingState,
    StateBackend, StateKey, StateValue, ValueState,
};
use krishiv_tests::{Place, on_every_backend};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Compares what is printed: NaN is not equal to itself, and zero equal to minus zero.
#[track_caller]
fn same(what: &str, found: &dyn Debug, expected: &dyn Debug) {
    assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{what}");
}

/// A list of each type, all in one store; every sample goes in by both codecs.
macro_rules! samples {
    ($($name:ident: $type:ty = $samples:expr;)+) => {
        #[derive(KeyedState)]
        #[state(key = String)]
        struct Samples {
            $($name: ListState<$type>,)+
        }

        fn put_samples(store: &mut Keyed<Samples>) {
            $(
                let event = store.with_key(stringify!($name), |state| {
                    for sample in $samples {
                        state.$name.add(sample.clone());
                        state.$name.add_json(sample);
                    }
                });
                event.unwrap();
            )+
        }

        fn find_samples(store: &mut Keyed<Samples>) {
            $(
                let twice: Vec<$type> = $samples.into_iter().flat_map(|sample| [sample.clone(), sample]).collect();
                let found = store.with_key(stringify!($name), |state| state.$name.get()).unwrap();
                same(stringify!($name), &found, &twice);
            )+
        }
    };
}

samples! {
    // Numbers at their limits.
    unsigned: u64 = [0, 127, 128, 1 << 53, (1 << 53) + 1, u64::MAX];
    wide: i128 = [i128::MIN, i128::from(i64::MIN) - 1, -1, i128::from(u64::MAX), i128::from(u64::MAX) + 1, i128::MAX];
    mixed: (u8, u16, u32, u128, i8, i16, i32, i64, NonZeroU16, bool) = [
        (0, 0, 0, 0, i8::MIN, i16::MIN, i32::MIN, i64::MIN, NonZeroU16::MIN, false),
        (u8::MAX, u16::MAX, u32::MAX, u128::MAX, i8::MAX, i16::MAX, i32::MAX, i64::MAX, NonZeroU16::MAX, true),
    ];
    floats: f64 = [0.0, -0.0, 5e-324, 0.1, f64::MAX, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    singles: Option<[f32; 8]> =
        [Some([0.0, -0.0, 1e-45, 0.1, f32::MAX, f32::NAN, f32::INFINITY, f32::NEG_INFINITY])];

    // Text and bytes.
    text: String = ["", "\0", "\"\\\n\u{2028}𝄞", &"long ".repeat(20_000)].map(str::to_owned);
    chars: [char; 4] = [['\0', 'é', '𝄞', char::MAX]];
    octets: Vec<u8> = [Vec::new(), (0..=255).collect(), vec![0xff; 100_000]];
    bytes: Bytes = [Bytes(vec![]), Bytes((0..=255).collect())];
    cow: (Cow<'static, str>, PathBuf) = [("cow".into(), "/var/krishiv/state".into())];

    // Types with little in them.
    unit: () = [()];
    unit_struct: Wrapped<Nothing> = [Wrapped(Nothing)];
    empty: ([u8; 0], PhantomData<u64>, ((),), [(); 3]) = [([], PhantomData, ((),), [(); 3])];
    optional: Option<Option<Option<u8>>> = [None, Some(None), Some(Some(None)), Some(Some(Some(0)))];
    optional_unit: Option<Option<()>> = [None, Some(None), Some(Some(()))];
    units: Vec<()> = [0, 3, 65_536, 100_000].map(|length| vec![(); length]);

    // Collections, whatever is in them.
    map: BTreeMap<String, u8> = [BTreeMap::new(), BTreeMap::from([("a".to_owned(), 1), (String::new(), 2)])];
    map_of_maps: BTreeMap<(Option<bool>, char), BTreeMap<Vec<u8>, f64>> = [
        BTreeMap::from([((None, 'b'), BTreeMap::from([(vec![1], f64::NAN)])), ((Some(false), 'c'), BTreeMap::new())]),
    ];
    lists: Vec<Vec<Vec<String>>> = [vec![vec![]], vec![vec![vec!["deep".to_owned()]], vec![]]];
    hashed: (HashSet<u8>, HashMap<u8, u8>) = [(HashSet::from([1]), HashMap::from([(2, 3)]))];
    results: [Result<u8, String>; 2] = [[Ok(1), Err("no".to_owned())]];
    standard: (Duration, IpAddr, std::ops::Range<u8>, [i32; 32]) =
        ["::1", "127.0.0.1"].map(|address| (Duration::MAX, address.parse().unwrap(), 1..5, [7; 32]));

    // Structs and enums, with serde's attributes.
    point: Point = [Point { x: 1.5, y: f64::NAN }];
    shape: Shape =
        [Shape::Empty, Shape::Round(1), Shape::Flat(1, "b".into()), Shape::Named { side: Some(Color::Red) }];
    adjacent: Adjacent = [Adjacent::Unit, Adjacent::Number(4), Adjacent::Struct { a: 1 }];
    internal: Internal = [Internal::Unit, Internal::Struct { a: 1, b: None }];
    untagged: Untagged =
        [Untagged::Number(5), Untagged::Text("t".into()), Untagged::Struct { a: 6 }, Untagged::Nothing];
    skips: Skips = [Skips { a: None, b: vec![], c: 3 }, Skips { a: Some(1), b: vec![2], c: 3 }];
    flat: Flat = [0.5, -0.0].map(flat);
    renamed: Renamed = [Renamed { kind: 1, other: 2 }];
    odd: Odd = [Odd { millis: Duration::from_millis(1500), pair: (1, 2) }];
    forgetful: Forgetful = [Forgetful { kept: 1, _gone: 0 }];

    // Values that say themselves what they are.
    any: Value = [
        Value::Null,
        json!(true),
        json!([u64::MAX, i64::MIN, 0.1, -0.0]),
        json!({ "nested": [{ "a": [null, 1.5, "x", { "": {} }] }, []] }),
    ];
    any_inside: (u8, Vec<Option<Value>>) = [(1, vec![Some(json!({ "b": 2 })), None])];

    // Types inside themselves.
    chain: Option<Box<Link>> = [0, 1, 100, 200].map(|length| {
        (0..length).fold(None, |tail, value| Some(Box::new(Link { value, tail })))
    });
    expression: Expression =
        [Expression::Sum(vec![Expression::Number(1), Expression::Not(Box::new(Expression::Number(2)))])];
}

fn any_serde_type_is_a_value<P: Place>(place: P) {
    let mut store = Keyed::open(place.open()).unwrap();
    put_samples(&mut store);
    find_samples(&mut store);
    store.commit("all").unwrap();
    drop(store);
    find_samples(&mut Keyed::open(place.open()).unwrap());
}

/// A state of every kind, in both codecs where there are two.
#[derive(KeyedState)]
#[state(key = String)]
struct Kinds<T: StateValue + Clone> {
    value: ValueState<T>,
    json: ValueState<T>,
    list: ListState<T>,
    map: MapState<usize, T>,
    reducing: ReducingState<T>,
    broadcast: BroadcastState<usize, T>,
}

fn put_kinds<T: StateValue + Clone>(mut store: Keyed<Kinds<T>>, sample: &T) {
    let event = store.with_key("key", |state| {
        state.value.set(sample.clone());
        state.json.set_json(sample.clone());
        state.reducing.merge(sample.clone());
        state.list.add(sample.clone());
        state.list.add_json(sample.clone());
        state.map.put(0, sample.clone());
        state.map.put_json(1, sample.clone());
    });
    event.unwrap();
    store.broadcast(|state, scope| state.broadcast.put(scope, 7, sample.clone())).unwrap();
    store.commit("all").unwrap();
}

fn find_kinds<T: StateValue + Clone + Debug>(mut store: Keyed<Kinds<T>>, sample: &T) {
    let event = store.with_key("key", |state| {
        // Each by the methods of the codec that did not write it.
        same("value", &state.value.get_json(), &Some(sample));
        same("json", &state.json.get(), &Some(sample));
        same("reducing", &state.reducing.get(), &Some(sample));
        same("list", &state.list.get_json(), &[sample, sample]);
        same("map", &state.map.get_json(&0), &Some(sample));
        same("map", &state.map.get(&1), &Some(sample));
        same("map", &state.map.values(), &[sample, sample]);
        same("broadcast", &state.broadcast.get(&7), &Some(sample));
    });
    event.unwrap();
}

/// Opens an operator of its own for each, and does `what` with it.
macro_rules! each {
    ($backend:ident $what:ident: $($each:expr),+ $(,)?) => {{
        let mut operators = 0..;
        $(
            let operator = format!("operator-{}", operators.next().unwrap_or(0));
            $what(Keyed::builder().operator(operator).open(Arc::clone(&$backend)).unwrap(), &$each);
        )+
    }};
}

fn every_kind_of_state_holds_any_value_in_either_codec<P: Place>(place: P) {
    let nested = Some(None::<u8>);
    let tree = json!({ "a": [null, 1.5, {}] });
    let backend = place.open();
    each!(backend put_kinds: f64::NAN, nested, flat(0.5), tree, Untagged::Number(1), ());
    drop(backend);
    let backend = place.open();
    each!(backend find_kinds: f64::NAN, nested, flat(0.5), tree, Untagged::Number(1), ());
}

on_every_backend!(any_serde_type_is_a_value, every_kind_of_state_holds_any_value_in_either_codec);

/// Bytes that tell serde so, unlike a `Vec<u8>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Bytes, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Nothing;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Wrapped<T>(T);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Site {
    name: String,
    at: BTreeSet<u8>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Point {
    x: f64,
    y: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Color {
    Red,
    Blue,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Shape {
    Empty,
    Round(u8),
    Flat(u8, String),
    Named { side: Option<Color> },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "is")]
enum Adjacent {
    Unit,
    Number(u8),
    Struct { a: u8 },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Internal {
    Unit,
    Struct { a: u8, b: Option<String> },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    Text(String),
    Struct { a: u8 },
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Skips {
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    b: Vec<u8>,
    c: u8,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Round {
    radius: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    point: Round,
    #[serde(flatten)]
    extra: BTreeMap<String, u8>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Renamed {
    #[serde(rename = "type", alias = "sort")]
    kind: u8,
    #[serde(default)]
    other: u8,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Odd {
    #[serde(serialize_with = "as_millis", deserialize_with = "from_millis")]
    millis: Duration,
    #[serde(with = "as_text")]
    pair: (u8, u8),
}

fn as_millis<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    (value.as_millis() as u64).serialize(serializer)
}

fn from_millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

/// Rejects what it has not written itself.
mod as_text {
    use super::*;

    pub fn serialize<S: Serializer>((a, b): &(u8, u8), serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{a}/{b}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(u8, u8), D::Error> {
        let text = String::deserialize(deserializer)?;
        let parts = text.split_once('/').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        parts.ok_or_else(|| serde::de::Error::custom("not a pair"))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Forgetful {
    kept: u8,
    #[serde(skip)]
    _gone: u8,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Link {
    value: u32,
    tail: Option<Box<Link>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Expression {
    Number(i64),
    Not(Box<Expression>),
    Sum(Vec<Expression>),
}

fn flat(radius: f64) -> Flat {
    Flat { id: 1, point: Round { radius }, extra: BTreeMap::from([("x".to_owned(), 1)]) }
}

/// A map for each type of key, all in one store.
macro_rules! map_keys {
    ($($name:ident: $type:ty = $keys:expr;)+) => {
        #[derive(KeyedState)]
        #[state(key = ())]
        struct MapKeys {
            $($name: MapState<$type, usize>,)+
        }

        fn put_map_keys(state: &MapKeys) {
            $($keys.into_iter().enumerate().for_each(|(number, key)| state.$name.put(key, number));)+
        }

        fn find_map_keys(state: &MapKeys) {
            $(
                for (number, key) in $keys.into_iter().enumerate() {
                    assert_eq!(state.$name.get(&key), Some(number), "{key:?}");
                }
                let found: HashSet<$type> = state.$name.keys().into_iter().collect();
                assert_eq!(found, $keys.into_iter().collect());
                assert_eq!(state.$name.length(), $keys.into_iter().count());
            )+
        }
    };
}

map_keys! {
    text: String = TEXTS.map(str::to_owned);
    bytes: Vec<u8> = BYTES.map(<[u8]>::to_vec);
    serde_bytes: Bytes = BYTES.map(|bytes| Bytes(bytes.to_vec()));
    numbers: u64 = [0, 1, 127, 128, 255, 256, u64::MAX];
    signed: i8 = i8::MIN..=i8::MAX;
    pairs: (String, u32) = [("a", 1), ("a", 2), ("", 1)].map(|(text, number)| (text.to_owned(), number));
    unit: () = [()];
    optional: Option<Option<Nothing>> = [None, Some(None), Some(Some(Nothing))];
    shapes: Shape = shapes();
    adjacent: Adjacent = [Adjacent::Unit, Adjacent::Number(0), Adjacent::Struct { a: 0 }];
    sites: Site = sites();
    arrays: ([i8; 16], u128, bool, char) = [([0; 16], u128::MAX, false, '\0'), ([-1; 16], 0, true, char::MAX)];
    addresses: IpAddr = ["::1", "127.0.0.1"].map(|address| address.parse::<IpAddr>().unwrap());
    long: String = LENGTHS.map(|length| "x".repeat(length));
    // As postcard, a number and a text might be the same bytes.
    untagged: Untagged = untagged();
    internal: Internal = [Internal::Unit, Internal::Struct { a: 0, b: None }];
    any: Value = [json!(null), json!(0), json!("0"), json!("null"), json!([]), json!({ "a": 1 })];
}

const TEXTS: [&str; 10] = ["", "\0", "\0\0", "a", "a\0", "a\0b", "ab", "\u{ff}", "𝄞", "a/b"];
const BYTES: [&[u8]; 9] = [b"", b"\0", b"\0\0", b"\xff", b"\xff\xff", b"\xff\0", b"\0\xff", b"\x80", b"\x01\x02"];
/// Around the lengths where a varint grows by a byte, and as long as every backend takes; `long_keys` has longer ones.
const LENGTHS: [usize; 7] = [126, 127, 128, 300, 16_383, 16_384, 32_000];

fn shapes() -> [Shape; 6] {
    let named = [None, Some(Color::Red)].map(|side| Shape::Named { side });
    let [none, red] = named;
    [Shape::Empty, Shape::Round(0), Shape::Round(1), Shape::Flat(0, String::new()), none, red]
}

fn untagged() -> [Untagged; 4] {
    [Untagged::Number(0), Untagged::Text(String::new()), Untagged::Text("0".to_owned()), Untagged::Nothing]
}

fn sites() -> [Site; 2] {
    [BTreeSet::from([1, 2]), BTreeSet::from([2])].map(|at| Site { name: "a".to_owned(), at })
}

fn any_deterministic_type_is_a_map_key<P: Place>(place: P) {
    let mut store = Keyed::<MapKeys>::open(place.open()).unwrap();
    store.with_key(&(), put_map_keys).unwrap();
    store.with_key(&(), find_map_keys).unwrap();
    store.commit("all").unwrap();
    drop(store);
    Keyed::<MapKeys>::open(place.open()).unwrap().with_key(&(), find_map_keys).unwrap();
}

#[derive(KeyedState)]
#[state(key = K)]
struct ByKey<K: StateKey> {
    value: ValueState<usize>,
    broadcast: BroadcastState<K, usize>,
}

fn put_keys<K: StateKey + Debug>(mut store: Keyed<ByKey<K>>, keys: &[K]) {
    for (number, key) in keys.iter().enumerate() {
        let before = store.with_key(key, |state| {
            let before = state.value.get();
            state.value.set(number);
            before
        });
        assert_eq!(before.unwrap(), None, "{key:?} shows the state of another key");
    }
    let broadcast = store.broadcast(|state, scope| {
        keys.iter().enumerate().for_each(|(number, key)| state.broadcast.put(scope, key.clone(), number));
    });
    broadcast.unwrap();
    store.commit("all").unwrap();
}

fn find_keys<K: StateKey + Debug>(mut store: Keyed<ByKey<K>>, keys: &[K]) {
    assert_eq!(store.keys().unwrap().len(), keys.len());
    let found: HashSet<K> = store.keys().unwrap().into_iter().collect();
    assert_eq!(found, keys.iter().cloned().collect());
    for (number, key) in keys.iter().enumerate() {
        let found = store.with_key(key, |state| (state.value.get(), state.broadcast.get(key))).unwrap();
        assert_eq!(found, (Some(number), Some(number)), "{key:?}");
    }
}

fn any_deterministic_type_is_a_key<P: Place>(place: P) {
    let texts = TEXTS.map(str::to_owned);
    let bytes = BYTES.map(<[u8]>::to_vec);
    let pairs = [("a", 1_u32), ("a", 2), ("", 1)].map(|(text, number)| (text.to_owned(), number));
    let long = LENGTHS.map(|length| "x".repeat(length));
    let backend = place.open();
    each!(backend put_keys: texts, long, bytes, [0, 127, 128, u64::MAX], pairs, [()], shapes(), untagged());
    drop(backend);
    let backend = place.open();
    each!(backend find_keys: texts, long, bytes, [0, 127, 128, u64::MAX], pairs, [()], shapes(), untagged());
}

on_every_backend!(any_deterministic_type_is_a_map_key, any_deterministic_type_is_a_key);

#[test]
fn keys_are_borrowed_as_a_hash_map_borrows_them() {
    #[derive(KeyedState)]
    #[state(key = Vec<u8>)]
    struct ByBytes {
        map: MapState<String, u8>,
        rules: BroadcastState<Vec<u8>, u8>,
    }
    let mut store = Keyed::<ByBytes>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    store.broadcast(|state, scope| state.rules.put(scope, vec![1], 7)).unwrap();
    store
        .with_key(&b"key"[..], |state| {
            state.map.put("a".to_owned(), 1);
            assert!(state.map.contains("a"));
            assert_eq!(state.map.get("a"), Some(1));
            assert_eq!(state.map.remove("a"), Some(1));
            assert_eq!(state.rules.get(&[1_u8][..]), Some(7));
        })
        .unwrap();
    assert_eq!(store.with_key(&b"key".to_vec(), |state| state.map.length()).unwrap(), 0);
}

/// Its bytes would depend on the value, and equal keys must give equal bytes.
#[test]
fn a_key_that_leaves_fields_out_is_refused() {
    #[derive(KeyedState)]
    #[state(key = Skips)]
    struct BySkips {
        map: MapState<Skips, u8>,
    }
    let [whole, part] = [Some(1), None].map(|a| Skips { a, b: vec![2], c: 3 });
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<BySkips>::open(Arc::clone(&backend)).unwrap();
    let error = store.with_key(&part, |_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    let error = store.with_key(&whole, |state| state.map.put(part, 1)).unwrap_err();
    assert_eq!((error.kind(), error.state()), (ErrorKind::Invalid, Some("map")), "{error}");
}

/// JSON, which such a type was stored as before format 4, has no NaN.
#[test]
fn a_flattened_nan_comes_back() {
    #[derive(KeyedState)]
    #[state(key = String)]
    struct Flattened {
        flat: ValueState<Flat>,
    }
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Flattened>::open(Arc::clone(&backend)).unwrap();
    let flat = Flat { id: 1, point: Round { radius: f64::NAN }, extra: BTreeMap::new() };
    store.with_key("ann", |state| state.flat.set(flat)).unwrap();
    store.commit("1").unwrap();
    drop(store);
    let mut store = Keyed::<Flattened>::open(backend).unwrap();
    let flat = store.with_key("ann", |state| state.flat.get()).unwrap().unwrap();
    assert!(flat.point.radius.is_nan() && flat.id == 1);
}

/// No codec can carry a key that two parts of a value claim: that is an error with a name, not a changed value.
#[test]
fn what_no_codec_can_carry_is_an_error_that_names_state_and_key() {
    #[derive(KeyedState)]
    #[state(key = String)]
    struct Flattened {
        flat: ValueState<Flat>,
    }
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Flattened>::open(Arc::clone(&backend)).unwrap();
    let extra = [("id".to_owned(), 2)].into();
    let flat = Flat { id: 1, point: Round { radius: 0.5 }, extra };
    let error = store.with_key("ann", |state| state.flat.set(flat)).and_then(|()| store.commit("1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert_eq!((error.operator(), error.state(), error.key()), (Some("flattened"), Some("flat"), Some("\"ann\"")));
    assert_eq!(backend.scan(b"").count(), 0);
    // The store is not stuck with it.
    store.with_key("ann", |state| state.flat.clear()).unwrap();
    store.commit("2").unwrap();
}

#[test]
fn values_need_not_be_clone() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Ticket(u32);
    #[derive(KeyedState)]
    #[state(key = String)]
    struct Desk {
        one: ValueState<Ticket>,
        queue: ListState<Ticket>,
        lost: MapState<u8, Ticket>,
        rules: BroadcastState<u8, Ticket>,
    }
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Desk>::open(Arc::clone(&backend)).unwrap();
    store.broadcast(|state, scope| state.rules.put(scope, 1, Ticket(1))).unwrap();
    store
        .with_key("ann", |state| {
            state.one.set(Ticket(2));
            state.queue.add_all([Ticket(3), Ticket(4), Ticket(5)]);
            state.queue.retain(|ticket| ticket.0 != 4);
            state.lost.put(1, Ticket(6));
            state.lost.put(2, Ticket(7));
            state.lost.retain(|key, _| *key == 1);
        })
        .unwrap();
    store.commit("1").unwrap();
    drop(store);
    let mut store = Keyed::<Desk>::open(backend).unwrap();
    store
        .with_key("ann", |state| {
            assert!(state.one.with(|ticket| ticket == Some(&Ticket(2))));
            let mut queue = Vec::new();
            state.queue.for_each(|ticket| queue.push(ticket.0));
            assert_eq!(queue, [3, 5]);
            state.lost.for_each(|key, ticket| assert_eq!((*key, ticket.0), (1, 6)));
            assert_eq!(state.lost.length(), 1);
            assert!(state.rules.contains(&1));
            state.one.clear();
            assert!(!state.one.exists());
        })
        .unwrap();
}

/// Many stores in one test would hide which of their types were mixed up: this one holds several side by side.
#[test]
fn a_struct_may_hold_states_of_many_types() {
    #[derive(KeyedState)]
    #[state(key = (String, u32))]
    struct Mixed {
        unit: ValueState<()>,
        nested: ValueState<Option<Option<u8>>>,
        shapes: ListState<Shape>,
        any: MapState<Color, Value>,
        sum: ReducingState<f64>,
    }
    let backend = Arc::new(InMemoryStateBackend::new());
    let key = ("ann".to_owned(), 7);
    let mut store = Keyed::<Mixed>::open(Arc::clone(&backend)).unwrap();
    store
        .with_key(&key, |state| {
            state.nested.set(Some(None));
            state.shapes.add_all([Shape::Empty, Shape::Round(1)]);
            state.any.put(Color::Blue, json!({ "a": [1, null] }));
            state.sum.merge(f64::INFINITY);
        })
        .unwrap();
    store.commit("1").unwrap();
    drop(store);
    let mut store = Keyed::<Mixed>::open(backend).unwrap();
    store
        .with_key(&key, |state| {
            assert_eq!(state.unit.get(), None);
            assert_eq!(state.nested.get(), Some(Some(None)));
            assert_eq!(state.shapes.get(), [Shape::Empty, Shape::Round(1)]);
            assert_eq!(state.any.get(&Color::Blue), Some(json!({ "a": [1, null] })));
            assert_eq!(state.sum.get(), Some(f64::INFINITY));
        })
        .unwrap();
}
