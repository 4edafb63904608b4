//! A key is its encoded form, in memory as at rest: for operator keys, map keys and broadcast keys.

use krishiv_api::{
    BoxError, BroadcastState, Cause, ErrorKind, EventContext, Harness, InMemoryStateBackend, Keyed, KeyedState,
    MapState, Operator, StateError, StateKey, Timer, ValueState,
};
use krishiv_tests::{Anywhere, Place, on_every_backend};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = K, name = "law")]
struct Law<K: StateKey> {
    count: ValueState<u32>,
    map: MapState<K, u32>,
    rules: BroadcastState<K, u32>,
}

/// Equal are numbers of one value, whatever their number of digits: as decimal types do it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Decimal(String);

impl Decimal {
    fn value(&self) -> &str {
        self.0.trim_end_matches('0').trim_end_matches('.')
    }
}

/// Texts without regard to case.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct NoCase(String);

/// An instant in a zone: equal where the instant is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Zoned {
    seconds: i64,
    zone: String,
}

/// Ordered as numbers: 0.0 is -0.0.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Number(f64);

macro_rules! equal_by {
    ($($type:ty: $by:expr;)*) => {
        $(
            impl PartialEq for $type {
                fn eq(&self, other: &Self) -> bool {
                    let by: fn(&Self) -> _ = $by;
                    by(self) == by(other)
                }
            }
            impl Eq for $type {}
            impl Hash for $type {
                fn hash<H: Hasher>(&self, state: &mut H) {
                    let by: fn(&Self) -> _ = $by;
                    by(self).hash(state);
                }
            }
        )*
    };
}
equal_by! {
    Decimal: |decimal| decimal.value().to_owned();
    NoCase: |text| text.0.to_lowercase();
    Zoned: |zoned| zoned.seconds;
    Number: |number| (number.0 + 0.0).to_bits();
}

/// Keys that are equal and have different forms are different keys, in memory and at rest.
fn are_two<K: StateKey + Debug>(a: &K, b: &K) {
    assert!(a == b);
    Anywhere::each().iter().for_each(|place| are_two_in(place, (a, b)));
}

fn are_two_in<K: StateKey + Debug>(place: &Anywhere, (a, b): (&K, &K)) {
    for budget in [usize::MAX, 0] {
        let name = format!("law-{budget}");
        let open = || place.open(Keyed::<Law<K>>::builder().operator(name.clone()).memory_budget(budget));
        let mut store = open();
        let read = |store: &mut Keyed<Law<K>>, expected: [u32; 2]| {
            for (key, expected) in [a, b].into_iter().zip(expected) {
                let seen = store.with_key(key, |state| (state.count.get(), state.map.get(key), state.rules.get(key)));
                assert_eq!(seen.unwrap(), (Some(expected), Some(expected), Some(expected)), "{key:?}");
                store.with_key(key, |state| assert_eq!(state.map.length(), 2)).unwrap();
                store.with_key(key, |state| assert_eq!(state.rules.length(), 2)).unwrap();
            }
            let keys = store.keys().unwrap();
            assert_eq!(keys.len(), 2, "{keys:?}");
        };
        let write = |store: &mut Keyed<Law<K>>, values: [u32; 2]| {
            for (key, value) in [a, b].into_iter().zip(values) {
                store.with_key(key, |state| state.count.set(value)).unwrap();
                for row in [a, b] {
                    store.with_key(row, |state| state.map.put(key.clone(), value)).unwrap();
                }
                store.broadcast(|state, scope| state.rules.put(scope, key.clone(), value)).unwrap();
            }
        };
        write(&mut store, [1, 2]);
        read(&mut store, [1, 2]);
        store.commit("").unwrap();
        read(&mut store, [1, 2]);
        drop(store);
        let mut store = open();
        read(&mut store, [1, 2]);
        write(&mut store, [3, 4]);
        read(&mut store, [3, 4]);
        // A batch finds the same rows.
        let batch = (0..600).map(|n| if n % 2 == 0 { a.clone() } else { b.clone() });
        store.for_each_event(batch, |key| key, |state, _| state.count.update(|n| *n = n.map(|n| n + 1))).unwrap();
        store.commit("").unwrap();
        let counts = [a, b].map(|key| store.with_key(key, |state| state.count.get()).unwrap());
        assert_eq!(counts, [Some(303), Some(304)]);
        // One goes, and the other stays.
        store.with_key(a, |state| (state.count.clear(), state.map.clear())).unwrap();
        store.with_key(b, |state| assert_eq!(state.map.remove(a), Some(3))).unwrap();
        store.broadcast(|state, scope| state.rules.remove(scope, a)).unwrap();
        store.commit("").unwrap();
        drop(store);
        let mut store = open();
        assert_eq!(store.keys().unwrap().len(), 1);
        store.with_key(b, |state| assert_eq!(state.map.entries().len(), 1)).unwrap();
        store.with_key(b, |state| assert_eq!((state.rules.get(a), state.rules.get(b)), (None, Some(4)))).unwrap();
    }
}

#[test]
fn equal_keys_with_other_bytes_are_two() {
    let zoned = |zone: &str| Zoned { seconds: 1_700_000_000, zone: zone.to_owned() };
    are_two(&Decimal("1.0".to_owned()), &Decimal("1.00".to_owned()));
    are_two(&NoCase("Ann".to_owned()), &NoCase("ANN".to_owned()));
    are_two(&zoned("UTC"), &zoned("CET"));
    are_two(&Number(0.0), &Number(-0.0));
    are_two(&PathBuf::from("a/b"), &PathBuf::from("a//b"));
    are_two(&(1_u8, Some(Decimal("2".to_owned()))), &(1, Some(Decimal("2.0".to_owned()))));
    are_two(&vec![Number(0.0)], &vec![Number(-0.0)]);
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Skips {
    id: u32,
    #[serde(skip)]
    note: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Millis(u64);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0 / 1_000)
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(|seconds| Self(seconds * 1_000))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Left(u64),
    Right(u64),
}

/// Reads every text as its trimmed self.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
struct Trims(String);

impl<'de> Deserialize<'de> for Trims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.trim().to_owned()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum WideKey {
    Small { id: u8 },
    Wide { id: u128 },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum TaggedKey {
    User { by_number: BTreeMap<u32, bool> },
    Device(Skips),
}

/// `bad` is refused wherever a key can stand, whether `good` is there or not.
fn is_refused<K: StateKey + Debug>(good: &K, bad: &K, parts: [&str; 2]) {
    assert!(good != bad);
    Anywhere::each().iter().for_each(|place| is_refused_in(place, (good, bad), parts));
}

fn is_refused_in<K: StateKey + Debug>(place: &Anywhere, (good, bad): (&K, &K), parts: [&str; 2]) {
    let open = || place.open(Keyed::<Law<K>>::builder().memory_budget(0));
    let mut store = open();
    let check = |error: StateError, state: Option<&str>| {
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(matches!(error.cause(), Cause::Encode { .. }), "{error}");
        assert_eq!((error.operator(), error.state()), (Some("law"), state), "{error}");
        assert!(parts.iter().all(|part| error.to_string().contains(part)), "{error}");
    };
    for round in 0..4 {
        check(store.with_key(bad, |state| state.count.set(9)).unwrap_err(), None);
        check(store.for_each_event([bad], |key| *key, |state, _| state.count.set(9)).unwrap_err().error, None);
        for write in [
            (|state, bad| state.map.put(bad, 9)) as fn(&Law<K>, K),
            |state, bad| state.map.put_all([(bad, 9)]),
            |state, bad| state.map.update(bad, |value| *value = Some(9)),
            |state, bad| assert_eq!(state.map.get(&bad), None),
            |state, bad| assert_eq!(state.map.remove(&bad), None),
            |state, bad| assert!(!state.map.contains(&bad)),
            |state, bad| assert_eq!((state.map.clear(), state.map.get(&bad)), ((), None)),
            |state, bad| state.map.put_json(bad, 9),
        ] {
            check(store.with_key(good, |state| write(state, bad.clone())).unwrap_err(), Some("map"));
        }
        check(store.broadcast(|state, scope| state.rules.put(scope, bad.clone(), 9)).unwrap_err(), Some("rules"));
        check(store.broadcast(|state, scope| state.rules.remove(scope, bad)).unwrap_err(), Some("rules"));
        check(store.with_key(good, |state| state.rules.get(bad)).unwrap_err(), Some("rules"));
        store.commit("").unwrap();
        // Next time with the good one there, in memory or in storage alone.
        if round == 0 {
            assert!(store.keys().unwrap().is_empty());
            store.with_key(good, |state| (state.count.set(1), state.map.put(good.clone(), 1))).unwrap();
            store.broadcast(|state, scope| state.rules.put(scope, good.clone(), 1)).unwrap();
        }
        if round == 1 {
            store.commit("").unwrap();
            drop(store);
            store = open();
        }
        let seen = store.with_key(good, |state| (state.count.get(), state.map.entries(), state.rules.entries()));
        let one = vec![(good.clone(), 1)];
        assert_eq!(seen.unwrap(), (Some(1), one.clone(), one));
    }
}

#[test]
fn keys_that_are_not_what_they_decode_to_are_refused() {
    let skips = |note| Skips { id: 7, note };
    is_refused(&skips(0), &skips(1), [r#"{"id":7}"#, "not equal to it"]);
    is_refused(&Millis(1_000), &Millis(1_500), ["the key 1", "not equal to it"]);
    is_refused(&Either::Left(5), &Either::Right(5), ["the key 5", "not equal to it"]);
    is_refused(&Trims("a".to_owned()), &Trims(" a".to_owned()), [r#"the key " a""#, r#"reads back as "a""#]);
    let wide = WideKey::Wide { id: 5 };
    is_refused(&WideKey::Small { id: 5 }, &wide, [r#"{"kind":"Wide","id":5}"#, "does not read back"]);
    let device = |note| TaggedKey::Device(skips(note));
    is_refused(&device(0), &device(2), [r#"{"kind":"Device","id":7}"#, "not equal to it"]);
    is_refused(&(1_u8, vec![skips(0)]), &(1, vec![skips(3)]), [r#"[1,[{"id":7}]]"#, "not equal to it"]);
}

fn self_describing_keys_come_back<P: Place>(place: P) {
    let keys: Vec<_> = (0..20).map(|n| TaggedKey::User { by_number: [(n, n % 2 == 0)].into() }).collect();
    let open = || Keyed::<Law<TaggedKey>>::builder().memory_budget(0).open(place.open()).unwrap();
    let mut store = open();
    for (n, key) in keys.iter().enumerate() {
        let all = || keys.iter().map(|key| (key.clone(), n as u32));
        store.with_key(key, |state| (state.count.set(n as u32), state.map.put_all(all()))).unwrap();
    }
    store.commit("").unwrap();
    drop(store);
    let mut store = open();
    for (n, key) in keys.iter().enumerate() {
        let seen = store.with_key(key, |state| (state.count.get(), state.map.get(key), state.map.length())).unwrap();
        assert_eq!(seen, (Some(n as u32), Some(n as u32), keys.len()));
    }
    let mut found = store.keys().unwrap();
    found.sort_by_key(|key| format!("{key:?}"));
    let mut expected = keys;
    expected.sort_by_key(|key| format!("{key:?}"));
    assert_eq!(found, expected);
}
on_every_backend!(self_describing_keys_come_back);

/// Many keys of a type that is found by its bytes, with rows that come and go, against a plain map by bytes.
#[test]
fn rows_found_by_their_bytes_are_found_whatever_came_before() {
    let place = krishiv_tests::Memory::new();
    let key = |n: u32| Decimal(format!("{}.{}", n % 50, "0".repeat(n as usize / 50)));
    for budget in [0, 20_000, usize::MAX] {
        let name = format!("rows-{budget}");
        let open = || Keyed::<Law<Decimal>>::builder().operator(name.clone()).memory_budget(budget).open(place.open());
        let mut store = open().unwrap();
        let mut model = BTreeMap::new();
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        for step in 0..5_000_u32 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let key = key((seed >> 32) as u32 % 150);
            let expected = model.entry(key.0.clone()).or_insert(0_u32);
            *expected += 1;
            let seen = store.with_key(&key, |state| {
                state.map.update(key.clone(), |n| *n = Some(n.unwrap_or(0) + 1));
                state.count.update(|n| {
                    *n = Some(n.unwrap_or(0) + 1);
                    *n
                })
            });
            assert_eq!(seen.unwrap(), Some(*expected), "{key:?} at {step}");
            match step % 700 {
                0 => store.commit("").unwrap(),
                350 => {
                    store.commit("").unwrap();
                    drop(store);
                    store = open().unwrap();
                }
                _ => {}
            }
        }
        assert_eq!(store.keys().unwrap().len(), model.len());
        for (key, expected) in model {
            let key = Decimal(key);
            let seen = store.with_key(&key, |state| (state.count.get(), state.map.get(&key))).unwrap();
            assert_eq!(seen, (Some(expected), Some(expected)));
        }
    }
}

struct Waits;

#[derive(KeyedState)]
#[state(key = NoCase)]
struct Waiting {
    count: ValueState<u32>,
}

impl Operator for Waits {
    type State = Waiting;
    type In = String;
    type Out = (String, u32);
    fn key(&self, event: &String) -> NoCase {
        NoCase(event.clone())
    }
    fn on_event(&mut self, state: &Waiting, _: String, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        state.count.update(|n| *n = Some(n.unwrap_or(0) + 1));
        Ok(ctx.register_event_timer(10))
    }
    fn on_timer(&mut self, state: &Waiting, _: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let key = ctx.current_key().0.clone();
        Ok(ctx.emit((key, state.count.get_or(0))))
    }
}

/// Timers go to the row of their own key, and each form of it has its instance.
#[test]
fn operators_and_timers_go_by_the_encoded_key() {
    for instances in [1, 3] {
        let mut harness = Harness::builder(|| Waits).instances(instances).open().unwrap();
        for event in ["ann", "ANN", "ann", "Ann", "ann"] {
            harness.event(event.to_owned()).unwrap();
        }
        harness.commit().unwrap();
        harness.crash_and_reopen().unwrap();
        harness.watermark(10).unwrap();
        let mut emitted = harness.emitted().to_vec();
        emitted.sort();
        assert_eq!(emitted, [("ANN", 1), ("Ann", 1), ("ann", 3)].map(|(key, n)| (key.to_owned(), n)));
    }
}

/// Keys of before are written as the catalog says, and obey the same law.
#[test]
fn keys_in_json_of_before_obey_the_law() {
    // The catalog of a store of format 1 whose key is written as JSON.
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Law<TaggedKey>>::open(Arc::clone(&backend)).unwrap();
    store.commit("").unwrap();
    drop(store);
    let edit = |text: &str| text.replace("\"message_pack\"", "\"json\"");
    let catalog: Vec<_> = krishiv_api::StateBackend::scan(&*backend, b"\0\0o").map(Result::unwrap).collect();
    let mut batch = krishiv_api::WriteBatch::default();
    for (key, value) in catalog {
        let text = String::from_utf8(value).unwrap();
        assert!(text.contains("\"message_pack\""), "{text}");
        batch.put(&key, edit(&text).as_bytes());
    }
    krishiv_api::StateBackend::write(&*backend, batch).unwrap();
    let mut store = Keyed::<Law<TaggedKey>>::open(Arc::clone(&backend)).unwrap();
    let good = TaggedKey::Device(Skips { id: 1, note: 0 });
    store.with_key(&good, |state| (state.count.set(1), state.map.put(good.clone(), 2))).unwrap();
    // JSON makes texts of such keys, which serde does not read back inside of a tagged type.
    let bad = TaggedKey::User { by_number: [(1, true)].into() };
    let error = store.with_key(&bad, |state| state.count.set(1)).unwrap_err();
    assert!(error.to_string().contains("does not read back"), "{error}");
    store.commit("").unwrap();
    let has_json = |key: &[u8]| key.windows(8).any(|window| window == b"\"Device\"");
    assert!(krishiv_api::StateBackend::scan(&*backend, b"").any(|record| has_json(&record.unwrap().0)));
    drop(store);
    let mut store = Keyed::<Law<TaggedKey>>::open(backend).unwrap();
    let seen = store.with_key(&good, |state| (state.count.get(), state.map.get(&good))).unwrap();
    assert_eq!(seen, (Some(1), Some(2)));
}
