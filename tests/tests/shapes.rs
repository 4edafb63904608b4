//! A changed type is refused when the store opens, whatever attributes of serde it has, and nothing is written.

use krishiv_api::{
    BroadcastState, Dynamic, ErrorKind, Keyed, KeyedState, ListState, MapState, StateBackend, StateKey, StateValue,
    TypeRole, ValueState, Verdict, Volatile, WriteBatch,
};
use krishiv_tests::{Fjall, Memory, Place, RocksDb, on_every_backend};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

#[derive(KeyedState)]
#[state(key = u8, name = "of")]
struct Of<T: StateValue> {
    value: ValueState<T>,
    list: ListState<T>,
    map: MapState<u8, T>,
    rules: BroadcastState<u8, T>,
}

/// The same states, each of its own type.
#[derive(KeyedState)]
#[state(key = u8, name = "of")]
struct Of4<A: StateValue, B: StateValue, C: StateValue, D: StateValue> {
    #[state(name = "value")]
    _value: ValueState<A>,
    #[state(name = "list")]
    _list: ListState<B>,
    #[state(name = "map")]
    _map: MapState<u8, C>,
    #[state(name = "rules")]
    _rules: BroadcastState<u8, D>,
}

#[derive(KeyedState)]
#[state(key = K, name = "by")]
struct By<K: StateKey> {
    value: ValueState<u8>,
    map: MapState<K, u8>,
    rules: BroadcastState<K, u8>,
}

#[derive(KeyedState)]
#[state(key = K, name = "by")]
struct By3<K: StateKey, M: StateKey, B: StateKey> {
    #[state(name = "value")]
    _value: ValueState<u8>,
    #[state(name = "map")]
    _map: MapState<M, u8>,
    #[state(name = "rules")]
    _rules: BroadcastState<B, u8>,
    #[state(skip)]
    _key: std::marker::PhantomData<K>,
}

fn stored(backend: &impl StateBackend) -> BTreeMap<Vec<u8>, Vec<u8>> {
    backend.scan(&[]).map(Result::unwrap).collect()
}

/// Opening `S` is refused with an error that names both sides, and the backend stays as it is.
fn is_refused<P: Place, S: KeyedState<Needs = Volatile>>(place: &P, what: &str, sides: [&str; 2]) {
    let backend = place.open();
    let before = stored(&*backend);
    let error = Keyed::<S>::open(Arc::clone(&backend)).err().unwrap_or_else(|| panic!("{what} {sides:?}: it opens"));
    assert_eq!(error.kind(), ErrorKind::Incompatible, "{error}");
    let text = error.to_string();
    assert!(text.contains(what) && sides.iter().all(|side| text.contains(side)), "{what} {sides:?}: {text}");
    assert_eq!(stored(&*backend), before);
}

/// The plan of `S` says that the state is another one than it was, with both sides, and the backend stays as it is: either it opens, and
/// reads what is stored by its names, or it is refused.
fn is_noticed<P: Place, S: KeyedState<Needs = Volatile>>(place: &P, state: &str, sides: [&str; 2]) {
    let backend = place.open();
    let before = stored(&*backend);
    let plan = Keyed::<S>::builder().plan(&backend).unwrap();
    let planned = plan.states().iter().find(|planned| planned.state() == state).unwrap();
    assert!(!matches!(planned.verdict(), Verdict::New | Verdict::Same), "{state} {sides:?}: {plan}");
    let text = planned.to_string();
    assert!(sides.iter().all(|side| text.contains(side)), "{state} {sides:?}: {text}");
    if plan.opens() {
        drop(Keyed::<S>::open(Arc::clone(&backend)).unwrap());
        assert_eq!(stored(&*backend), before);
    } else {
        // A plan can count what is stored, so it keeps the backend.
        drop((plan, backend));
        is_refused::<P, S>(place, state, sides);
    }
}

#[derive(KeyedState)]
#[state(key = u8, name = "one")]
struct One<T: StateValue> {
    value: ValueState<T>,
}

/// What was stored as an `A` is known to be another type as a `B`, and is read as an `A` afterwards.
fn changed<P: Place, A, B>(place: &P, value: A, sides: [&str; 2])
where
    A: StateValue + Clone + PartialEq + Debug,
    B: StateValue,
{
    let mut store = Keyed::<One<A>>::builder().memory_budget(0).open(place.open()).unwrap();
    store.with_key(&1, |state| state.value.set(value.clone())).unwrap();
    store.commit("").unwrap();
    drop(store);
    is_noticed::<P, One<B>>(place, "value", sides);
    let mut store = Keyed::<One<A>>::open(place.open()).unwrap();
    assert_eq!(store.with_key(&1, |state| state.value.get()).unwrap(), Some(value));
}

/// The same in each kind of state.
fn changed_everywhere<P: Place, A, B>(place: P, value: A, sides: [&str; 2])
where
    A: StateValue + Clone + PartialEq + Debug,
    B: StateValue,
{
    let mut store = Keyed::<Of<A>>::builder().memory_budget(0).open(place.open()).unwrap();
    store
        .with_key(&1, |state| {
            state.value.set(value.clone());
            state.list.add_all([value.clone(), value.clone()]);
            state.map.put(2, value.clone());
        })
        .unwrap();
    store.broadcast(|state, scope| state.rules.put(scope, 3, value.clone())).unwrap();
    store.commit("").unwrap();
    drop(store);
    is_noticed::<P, Of4<B, A, A, A>>(&place, "value", sides);
    is_noticed::<P, Of4<A, B, A, A>>(&place, "list", sides);
    is_noticed::<P, Of4<A, A, B, A>>(&place, "map", sides);
    is_noticed::<P, Of4<A, A, A, B>>(&place, "rules", sides);
    let mut store = Keyed::<Of<A>>::open(place.open()).unwrap();
    let found =
        store.with_key(&1, |state| (state.value.get(), state.list.get(), state.map.get(&2), state.rules.get(&3)));
    assert_eq!(found.unwrap(), (Some(value.clone()), vec![value.clone(); 2], Some(value.clone()), Some(value)));
}

/// The same of keys.
fn changed_key<P: Place, A, B>(place: P, key: A, sides: [&str; 2])
where
    A: StateKey + Debug,
    B: StateKey,
{
    let mut store = Keyed::<By<A>>::builder().memory_budget(0).open(place.open()).unwrap();
    store
        .with_key(&key, |state| {
            state.value.set(1);
            state.map.put(key.clone(), 2);
        })
        .unwrap();
    store.broadcast(|state, scope| state.rules.put(scope, key.clone(), 3)).unwrap();
    store.commit("").unwrap();
    drop(store);
    is_refused::<P, By3<B, A, A>>(&place, "key", sides);
    is_refused::<P, By3<A, B, A>>(&place, "map key", sides);
    is_refused::<P, By3<A, A, B>>(&place, "rules", sides);
    let mut store = Keyed::<By<A>>::open(place.open()).unwrap();
    let found = store.with_key(&key, |state| (state.value.get(), state.map.get(&key), state.rules.get(&key)));
    assert_eq!(found.unwrap(), (Some(1), Some(2), Some(3)));
}

/// A module with a type as it was, called `Plane`, and as it is now.
macro_rules! versions {
    ($($name:ident { $before:item $after:item })*) => {
        mod types {
            $(pub mod $name {
                pub mod before {
                    use super::super::super::*;
                    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
                    $before
                }
                pub mod after {
                    use super::super::super::*;
                    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
                    $after
                }
            })*
        }
    };
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place2 {
    latitude: i32,
    longitude: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Moved {
    lat: i32,
    longitude: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Load {
    Cargo { tons: u32 },
    People { seats: u16 },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Load2 {
    Cargo { tons: u32 },
    People { places: u16 },
}

versions! {
    outer_renamed {
        pub struct Plane { pub tail: String, #[serde(flatten)] pub place: Place2 }
        pub struct Plane { pub tail_number: String, #[serde(flatten)] pub place: Place2 }
    }
    inner_renamed {
        pub struct Plane { pub tail: String, #[serde(flatten)] pub place: Place2 }
        pub struct Plane { pub tail: String, #[serde(flatten)] pub place: Moved }
    }
    optional_renamed {
        pub struct Plane { pub note: Option<String>, #[serde(flatten)] pub place: Place2 }
        pub struct Plane { pub remark: Option<String>, #[serde(flatten)] pub place: Place2 }
    }
    defaulted_renamed {
        pub struct Plane { #[serde(default)] pub hours: u32, #[serde(flatten)] pub place: Option<Place2> }
        pub struct Plane { #[serde(default)] pub time: u32, #[serde(flatten)] pub place: Option<Place2> }
    }
    optional_part_renamed {
        pub struct Plane { pub tail: String, #[serde(flatten)] pub place: Option<Place2> }
        pub struct Plane { pub tail: String, #[serde(flatten)] pub place: Option<Moved> }
    }
    retyped {
        pub struct Plane { pub hours: u32, #[serde(flatten)] pub place: Place2 }
        pub struct Plane { pub hours: u64, #[serde(flatten)] pub place: Place2 }
    }
    rest_retyped {
        pub struct Plane { pub tail: u8, #[serde(flatten)] pub rest: BTreeMap<String, u32> }
        pub struct Plane { pub tail: u8, #[serde(flatten)] pub rest: BTreeMap<String, Option<u32>> }
    }
    field_added {
        pub struct Plane { pub tail: String, #[serde(flatten)] pub place: Place2 }
        pub struct Plane { pub tail: String, #[serde(default)] pub age: u8, #[serde(flatten)] pub place: Place2 }
    }
    part_added {
        pub struct Plane { pub tail: String }
        pub struct Plane { pub tail: String, #[serde(flatten)] pub place: Option<Place2> }
    }
    tagged_beside {
        pub struct Plane { pub tail: String, #[serde(flatten)] pub load: Load }
        pub struct Plane { pub tail: String, #[serde(flatten)] pub load: Load2 }
    }
    variant_field_renamed {
        #[serde(tag = "type")] pub enum Plane { Jet { thrust: u32 }, Glider { wing: Option<u8> } }
        #[serde(tag = "type")] pub enum Plane { Jet { thrust: u32 }, Glider { span: Option<u8> } }
    }
    variant_hidden_field_renamed {
        #[serde(tag = "type")]
        pub enum Plane { Jet { #[serde(default, skip_serializing_if = "Option::is_none")] thrust: Option<u32> }, Glider }
        #[serde(tag = "type")]
        pub enum Plane { Jet { #[serde(default, skip_serializing_if = "Option::is_none")] force: Option<u32> }, Glider }
    }
    variant_renamed {
        #[serde(tag = "type")] pub enum Plane { Jet { thrust: u32 }, Glider }
        #[serde(tag = "type")] pub enum Plane { Jet { thrust: u32 }, Sailplane }
    }
    variant_added {
        #[serde(tag = "type")] pub enum Plane { Jet { thrust: u32 } }
        #[serde(tag = "type")] pub enum Plane { Jet { thrust: u32 }, Glider }
    }
    variant_content_renamed {
        #[serde(tag = "type")] pub enum Plane { At(Place2) }
        #[serde(tag = "type")] pub enum Plane { At(Moved) }
    }
    tag_renamed {
        #[serde(tag = "type")] pub enum Plane { Jet { thrust: u32 } }
        #[serde(tag = "kind")] pub enum Plane { Jet { thrust: u32 } }
    }
    case_renamed {
        #[serde(tag = "type")] pub enum Plane { JetPlane { max_thrust: u32 } }
        #[serde(tag = "type", rename_all = "kebab-case")] pub enum Plane { JetPlane { max_thrust: u32 } }
    }
    adjacent_variant_renamed {
        #[serde(tag = "t", content = "c")] pub enum Plane { Jet(u32), Glider }
        #[serde(tag = "t", content = "c")] pub enum Plane { Jet(u32), Sailplane }
    }
    adjacent_content_renamed {
        #[serde(tag = "t", content = "c")] pub enum Plane { Jet { thrust: u32 }, Glider }
        #[serde(tag = "t", content = "c")] pub enum Plane { Jet { force: u32 }, Glider }
    }
    adjacent_name_renamed {
        #[serde(tag = "t", content = "c")] pub enum Plane { Jet(u32), Glider }
        #[serde(tag = "t", content = "content")] pub enum Plane { Jet(u32), Glider }
    }
    adjacent_retyped {
        #[serde(tag = "t", content = "c")] pub enum Plane { Jet(u32), Glider }
        #[serde(tag = "t", content = "c")] pub enum Plane { Jet(Option<u32>), Glider }
    }
    untagged_field_renamed {
        #[serde(untagged)] pub enum Plane { Jet { thrust: u32 }, Glider { wing: u8 }, Text(String) }
        #[serde(untagged)] pub enum Plane { Jet { thrust: u32 }, Glider { span: u8 }, Text(String) }
    }
    nested {
        pub struct Plane { pub all: Vec<(u8, Option<Load>)> }
        pub struct Plane { pub all: Vec<(u8, Option<Load2>)> }
    }
    alias_and_rename {
        pub struct Plane { #[serde(alias = "old")] pub tail: String, pub hours: u32 }
        pub struct Plane { #[serde(alias = "old")] pub tail: String, pub time: u32 }
    }
    recursive {
        #[serde(tag = "t")] pub enum Plane { Leaf { x: u8 }, Two { a: Box<Plane>, b: Vec<Plane> } }
        #[serde(tag = "t")] pub enum Plane { Leaf { x: u8 }, Two { a: Box<Plane>, c: Vec<Plane> } }
    }
}

macro_rules! refuses {
    ($($name:ident: $value:expr, $before:literal => $after:literal;)*) => {
        $(#[test]
        fn $name() {
            use types::$name::{after, before};
            use before::Plane;
            changed::<_, Plane, after::Plane>(&Memory::new(), $value, [$before, $after]);
            changed::<_, Plane, after::Plane>(&RocksDb::new(), $value, [$before, $after]);
            changed::<_, Plane, after::Plane>(&Fjall::new(), $value, [$before, $after]);
        })*
    };
}

fn place() -> Place2 {
    Place2 { latitude: -5, longitude: 7 }
}

refuses! {
    outer_renamed: Plane { tail: "N1".into(), place: place() }, "{ tail: str," => "{ tail_number: str,";
    inner_renamed: Plane { tail: "N1".into(), place: place() }, "latitude: i32" => "lat: i32";
    optional_renamed: Plane { note: None, place: place() }, "note: Option<str>" => "remark: Option<str>";
    defaulted_renamed: Plane { hours: 5, place: Some(place()) }, "hours: u32" => "time: u32";
    optional_part_renamed: Plane { tail: "N1".into(), place: Some(place()) }, "latitude: i32" => "lat: i32";
    retyped: Plane { hours: 5, place: place() }, "hours: u32" => "hours: u64";
    rest_retyped: Plane { tail: 1, rest: [("a".into(), 1)].into() }, "any other: u32" => "any other: Option<u32>";
    field_added: Plane { tail: "N1".into(), place: place() }, "tail: str, lat" => "tail: str, age: u8, lat";
    part_added: Plane { tail: "N1".into() }, "struct Plane { tail: str }" => "tail: str, latitude: i32";
    tagged_beside: Plane { tail: "N1".into(), load: Load::People { seats: 3 } }, "seats: u16" => "places: u16";
    variant_field_renamed: Plane::Glider { wing: Some(3) }, "wing: Option<u8>" => "span: Option<u8>";
    variant_hidden_field_renamed: Plane::Jet { thrust: Some(3) }, "thrust: Option<u32>" => "force: Option<u32>";
    variant_renamed: Plane::Glider, "Glider" => "Sailplane";
    variant_added: Plane::Jet { thrust: 1 }, "{ Jet { thrust: u32 } }" => "Glider";
    variant_content_renamed: Plane::At(place()), "latitude: i32" => "lat: i32";
    tag_renamed: Plane::Jet { thrust: 1 }, "by type" => "by kind";
    case_renamed: Plane::JetPlane { max_thrust: 1 }, "JetPlane" => "jet-plane";
    adjacent_variant_renamed: Plane::Glider, "Glider" => "Sailplane";
    adjacent_content_renamed: Plane::Jet { thrust: 3 }, "thrust: u32" => "force: u32";
    adjacent_name_renamed: Plane::Jet(3), "Jet { c: u32 }" => "Jet { content: u32 }";
    adjacent_retyped: Plane::Jet(3), "c: u32" => "c: Option<u32>";
    untagged_field_renamed: Plane::Glider { wing: 3 }, "wing: u8" => "span: u8";
    nested: Plane { all: vec![(1, Some(Load::People { seats: 3 }))] }, "seats: u16" => "places: u16";
    alias_and_rename: Plane { tail: "N1".into(), hours: 3 }, "hours: u32" => "time: u32";
    recursive: Plane::Two { a: Box::new(Plane::Leaf { x: 1 }), b: vec![] }, "b: Vec<" => "c: Vec<";
}

fn a_flattened_field_in_every_kind_of_state<P: Place>(place: P) {
    use types::inner_renamed::{after, before};
    let plane = before::Plane { tail: "N1".into(), place: crate::place() };
    changed_everywhere::<P, before::Plane, after::Plane>(place, plane, ["latitude: i32", "lat: i32"]);
}

fn a_variant_in_every_kind_of_key<P: Place>(place: P) {
    use types::variant_renamed::{after, before};
    changed_key::<P, before::Plane, after::Plane>(place, before::Plane::Glider, ["Glider", "Sailplane"]);
}

mod same {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Plane {
        pub tail: String,
        pub hours: u32,
        pub load: Option<Load>,
    }

    pub mod aliased {
        use super::*;
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct Plane {
            #[serde(alias = "number", alias = "a")]
            pub tail: String,
            #[serde(default)]
            pub hours: u32,
            #[serde(alias = "cargo")]
            pub load: Option<Load>,
        }
    }
}

/// What serde reads and writes alike is the same type.
fn an_alias_or_a_default_may_come_and_go<P: Place>(place: P) {
    let plane = same::Plane { tail: "N1".into(), hours: 3, load: Some(Load::Cargo { tons: 4 }) };
    let mut store = Keyed::<Of<same::Plane>>::open(place.open()).unwrap();
    store.with_key(&1, |state| state.value.set(plane)).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Of<same::aliased::Plane>>::open(place.open()).unwrap();
    let found = store.with_key(&1, |state| state.value.update(|plane| plane.as_mut().map(|plane| plane.hours += 1)));
    assert_eq!(found.unwrap(), Some(()));
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Of<same::Plane>>::open(place.open()).unwrap();
    let plane = same::Plane { tail: "N1".into(), hours: 4, load: Some(Load::Cargo { tons: 4 }) };
    assert_eq!(store.with_key(&1, |state| state.value.get()).unwrap(), Some(plane));
}

fn catalog(backend: &impl StateBackend, operator: &str) -> Value {
    serde_json::from_slice(&backend.get(&catalog_key(operator)).unwrap().unwrap()).unwrap()
}

fn catalog_key(operator: &str) -> Vec<u8> {
    [b"\0\0o", operator.as_bytes()].concat()
}

/// A catalog of a version that could not trace the types.
fn forget(backend: &impl StateBackend, operator: &str, edit: impl FnOnce(&mut Value)) {
    let mut record = catalog(backend, operator);
    edit(&mut record);
    let mut batch = WriteBatch::default();
    batch.put(&catalog_key(operator), &serde_json::to_vec(&record).unwrap());
    backend.write(batch).unwrap();
}

fn a_catalog_of_before_opens_and_learns<P: Place>(place: P) {
    type Plane = types::inner_renamed::before::Plane;
    type After = types::inner_renamed::after::Plane;
    let plane = Plane { tail: "N1".into(), place: crate::place() };
    let mut store = Keyed::<Of<Plane>>::open(place.open()).unwrap();
    store.with_key(&1, |state| state.value.set(plane.clone())).unwrap();
    store.commit("").unwrap();
    drop(store);
    let backend = place.open();
    let known = catalog(&*backend, "of");
    forget(&*backend, "of", |record| {
        for state in record["states"].as_array_mut().unwrap() {
            state["value"] = json!({ "root": { "opaque": "map" } });
        }
    });
    drop(backend);
    // Nothing of before tells one from the other.
    drop(Keyed::<Of<After>>::open(place.open()).unwrap());
    let mut store = Keyed::<Of<Plane>>::open(place.open()).unwrap();
    assert_eq!(store.with_key(&1, |state| state.value.get()).unwrap(), Some(plane.clone()));
    store.commit("").unwrap();
    drop(store);
    assert_eq!(catalog(&*place.open(), "of")["states"], known["states"]);
    is_refused::<P, Of<After>>(&place, "value", ["latitude", "lat: i32"]);
    let mut store = Keyed::<Of<Plane>>::open(place.open()).unwrap();
    assert_eq!(store.with_key(&1, |state| state.value.get()).unwrap(), Some(plane));
}

fn the_keys_of_a_catalog_of_before_are_learnt_too<P: Place>(place: P) {
    type Plane = types::variant_field_renamed::before::Plane;
    type After = types::variant_field_renamed::after::Plane;
    let key = Plane::Glider { wing: Some(1) };
    let mut store = Keyed::<By<Plane>>::open(place.open()).unwrap();
    store.with_key(&key, |state| state.map.put(key.clone(), 7)).unwrap();
    store.commit("").unwrap();
    drop(store);
    let backend = place.open();
    let known = catalog(&*backend, "by");
    forget(&*backend, "by", |record| {
        let opaque = json!({ "root": { "opaque": "any" } });
        record["key"]["shape"] = opaque.clone();
        for state in record["states"].as_array_mut().unwrap() {
            if !state["map_key"].is_null() {
                state["map_key"]["shape"] = opaque.clone();
            }
        }
    });
    drop(backend);
    let mut store = Keyed::<By<Plane>>::open(place.open()).unwrap();
    assert_eq!(store.with_key(&key, |state| state.map.get(&key)).unwrap(), Some(7));
    store.commit("").unwrap();
    drop(store);
    assert_eq!(catalog(&*place.open(), "by"), known);
    is_refused::<P, By3<After, Plane, Plane>>(&place, "key", ["wing", "span"]);
    is_refused::<P, By3<Plane, After, Plane>>(&place, "map key", ["wing", "span"]);
}

on_every_backend!(
    a_flattened_field_in_every_kind_of_state,
    a_variant_in_every_kind_of_key,
    an_alias_or_a_default_may_come_and_go,
);

#[test]
fn catalogs_of_before_in_memory() {
    a_catalog_of_before_opens_and_learns(Memory::new());
    the_keys_of_a_catalog_of_before_are_learnt_too(Memory::new());
}

#[test]
fn catalogs_of_before_on_rocksdb() {
    a_catalog_of_before_opens_and_learns(RocksDb::new());
    the_keys_of_a_catalog_of_before_are_learnt_too(RocksDb::new());
}

#[test]
fn catalogs_of_before_on_fjall() {
    a_catalog_of_before_opens_and_learns(Fjall::new());
    the_keys_of_a_catalog_of_before_are_learnt_too(Fjall::new());
}

/// What no sample shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Engine {
    Piston,
    Turbine(u32),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Powered {
    tail: String,
    #[serde(flatten)]
    engine: Engine,
}

#[derive(KeyedState)]
#[state(key = Powered, name = "powered")]
struct Planes {
    seen: ValueState<u64>,
    by_engine: MapState<Powered, Load>,
    raw: ValueState<Value>,
    flat: ListState<types::inner_renamed::before::Plane>,
}

type Warning = (Level, BTreeMap<String, String>);

/// Keeps what the library says.
#[derive(Default)]
struct Events(Arc<Mutex<Vec<Warning>>>);

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl Subscriber for Events {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("krishiv_api")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        self.0.lock().unwrap().push((*event.metadata().level(), fields));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn what_stays_unknown_is_named_when_the_store_opens() {
    let events = Events::default();
    let said = Arc::clone(&events.0);
    tracing::subscriber::with_default(events, || {
        let mut store = Keyed::<Planes>::open(Memory::new().open()).unwrap();
        let untraced = store.untraced();
        let named: Vec<_> = untraced.iter().map(|part| (part.state(), part.role())).collect();
        let expected = [(None, TypeRole::Key), (Some("by_engine"), TypeRole::MapKey), (Some("flat"), TypeRole::Value)];
        assert_eq!(named, expected);
        assert!(untraced[2].part().contains("`flatten`"), "{}", untraced[2]);
        let key = Powered { tail: "N1".into(), engine: Engine::Piston };
        store.with_key(&key, |_| ValueState::<Powered>::new("named").set(key.clone())).unwrap();
        assert_eq!(store.untraced().last().unwrap().state(), Some("named"));
    });
    let said = said.lock().unwrap();
    assert_eq!(said.len(), 4);
    for (level, fields) in &*said {
        assert_eq!((*level, fields["operator"].as_str()), (Level::WARN, "\"powered\""));
        assert!(fields["message"].contains("goes unnoticed"), "{fields:?}");
    }
    assert_eq!(said[1].1["state"], "\"by_engine\"");
    assert_eq!((said[1].1["role"].as_str(), said[0].1.contains_key("state")), ("map key", false));
}

#[test]
fn types_that_serde_shows_are_named_by_no_warning() {
    let store = Keyed::<Of<Load>>::open(RocksDb::new().open()).unwrap();
    assert_eq!(store.untraced(), []);
    assert_eq!(Keyed::<Dynamic<String>>::open(Memory::new().open()).unwrap().untraced(), []);
}
