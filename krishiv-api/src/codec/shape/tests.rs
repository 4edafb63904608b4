#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

use super::{Shape, trace};
use crate::codec::payload::{Codec, decode, encode};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

fn shown<T: Serialize + DeserializeOwned>() -> String {
    trace::<T>().shape.to_string()
}

/// The shape as it is printed, the codec, and each value through that codec and back.
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(shape: &str, codec: Codec, values: &[T]) {
    let traced = trace::<T>();
    assert_eq!((traced.shape.to_string().as_str(), traced.codec), (shape, codec));
    let stored = serde_json::to_string(&traced.shape).unwrap();
    assert_eq!(serde_json::from_str::<Shape>(&stored).unwrap(), traced.shape, "{stored}");
    for value in values {
        let mut bytes = Vec::new();
        let used = encode(value, traced.codec, &mut bytes).unwrap_or_else(|error| panic!("{value:?}: {error}"));
        assert_eq!(&decode::<T>(used, &bytes).unwrap(), value);
    }
}

use Codec::{MessagePack, Postcard};

#[test]
fn plain_types() {
    check("unit", Postcard, &[()]);
    check("bool", Postcard, &[true, false]);
    check("char", Postcard, &['x', '\u{10ffff}']);
    check("i128", Postcard, &[i128::MIN, 0, i128::MAX]);
    check("u128", Postcard, &[u128::MAX]);
    check("f64", Postcard, &[0.1, f64::INFINITY]);
    check("str", Postcard, &[String::new(), "é".to_owned()]);
    check("Vec<Vec<u8>>", Postcard, &[vec![vec![1_u8, 2], vec![]]]);
    check("[u8; 32]", Postcard, &[[7_u8; 32]]);
    check("(f64, f64, f64)", Postcard, &[[1.0, 2.0, 3.0]]);
    check("Option<Option<u8>>", Postcard, &[None, Some(None), Some(Some(3_u8))]);
    check("Option<unit>", Postcard, &[None, Some(())]);
    check("map<(u32, str), f64>", Postcard, &[BTreeMap::from([((1_u32, "a".to_owned()), 0.5)])]);
    check("map<str, Vec<u32>>", Postcard, &[HashMap::from([("a".to_owned(), vec![1_u32])])]);
    check("Vec<u16>", Postcard, &[BTreeSet::from([3_u16])]);
    check("Vec<unit>", Postcard, &[vec![(), ()]]);
    check("u32", Postcard, &[NonZeroU32::new(4).unwrap()]);
    check("enum Result { Ok(u8), Err(str) }", Postcard, &[Ok::<u8, String>(1), Err("no".to_owned())]);
    check("struct Duration { secs: u64, nanos: u32 }", Postcard, &[Duration::from_millis(1500)]);
    check("struct SystemTime { secs_since_epoch: u64, nanos_since_epoch: u32 }", Postcard, &[SystemTime::UNIX_EPOCH]);
    check("enum IpAddr { V4((u8, u8, u8, u8)), V6([u8; 16]) }", Postcard, &["::1".parse::<IpAddr>().unwrap()]);
    assert_eq!(trace::<SocketAddr>().codec, Postcard);
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Position {
    latitude: f64,
    longitude: f64,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Unit;

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Nothing {}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Meters(f64);

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Pair(u8, String);

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Page<T> {
    items: Vec<T>,
    next: Option<Box<Page<T>>>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
enum Color {
    Red,
    Rgb(u8, u8, u8),
    Named(String),
    At { position: Position },
}

#[test]
fn structs_and_enums() {
    let position = Position { latitude: 1.0, longitude: -0.0 };
    check("struct Position { latitude: f64, longitude: f64 }", Postcard, std::slice::from_ref(&position));
    check("struct Unit", Postcard, &[Unit]);
    check("struct Nothing {}", Postcard, &[Nothing {}]);
    check("struct Meters(f64)", Postcard, &[Meters(2.0)]);
    check("struct Pair(u8, str)", Postcard, &[Pair(1, "x".to_owned())]);
    check(
        "enum Color { Red, Rgb(u8, u8, u8), Named(str), At { position: struct Position { latitude: f64, longitude: f64 } } }",
        Postcard,
        &[Color::Red, Color::Rgb(1, 2, 3), Color::Named("x".to_owned()), Color::At { position }],
    );
    let page = Page { items: vec![2_u8], next: Some(Box::new(Page { items: vec![], next: None })) };
    check("struct Page { items: Vec<u8>, next: Option<Page> }", Postcard, &[page]);
}

mod a {
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    pub(super) struct Item {
        pub(super) tags: Vec<u32>,
    }
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    pub(super) enum Kind {
        Small,
        Large(u8),
    }
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    pub(super) struct Both {
        pub(super) left: Item,
        pub(super) right: super::b::Item,
        pub(super) kinds: (Kind, super::b::Kind),
    }
}

mod b {
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    pub(super) struct Item {
        pub(super) tags: Vec<String>,
    }
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    pub(super) enum Kind {
        Old,
        New(i8),
    }
}

mod c {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub(super) struct Position {
        longitude: f64,
        latitude: f64,
    }
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    pub(super) struct Item {
        pub(super) tags: Vec<u32>,
    }
}

#[test]
fn one_name_for_two_layouts_is_numbered() {
    let both = a::Both {
        left: a::Item { tags: vec![1] },
        right: b::Item { tags: vec!["x".to_owned()] },
        kinds: (a::Kind::Large(1), b::Kind::New(2)),
    };
    check(
        "struct Both { left: struct Item { tags: Vec<u32> }, right: struct Item#2 { tags: Vec<str> }, \
         kinds: (enum Kind { Small, Large(u8) }, enum Kind#2 { Old, New(i8) }) }",
        Postcard,
        &[both],
    );
    assert_eq!(
        shown::<(Page<u8>, Page<String>)>(),
        "(struct Page { items: Vec<u8>, next: Option<Page> }, struct Page#2 { items: Vec<str>, next: Option<Page#2> })"
    );
}

#[test]
fn a_shape_knows_names_and_order_but_no_modules() {
    assert_eq!(trace::<a::Item>().shape, trace::<c::Item>().shape);
    assert_ne!(trace::<a::Item>().shape, trace::<b::Item>().shape);
    assert_eq!(trace::<(a::Item, c::Item)>().shape, trace::<(c::Item, c::Item)>().shape);
    assert_ne!(trace::<Position>().shape, trace::<c::Position>().shape);
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Expr {
    Add(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    All(Vec<Expr>),
    Call { name: String, arguments: BTreeMap<String, Expr> },
    Number(i64),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Loop {
    One(Box<Loop>),
    Many(Vec<Loop>),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Tree {
    left: Option<Box<Tree>>,
    right: Option<Box<Tree>>,
    kind: Color,
    forest: Vec<(Tree, Branch)>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Branch {
    Up(Box<Tree>),
    Down(Option<Color>),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Endless(Box<Endless>);

#[test]
fn recursion_ends() {
    let number = || Box::new(Expr::Number(1));
    check(
        "enum Expr { Add(Expr, Expr), Not(Expr), All(Vec<Expr>), Call { name: str, arguments: map<str, Expr> }, Number(i64) }",
        Postcard,
        &[Expr::Add(number(), Box::new(Expr::Not(number()))), Expr::All(vec![*number()])],
    );
    check("enum Loop { One(Loop), Many(Vec<Loop>) }", Postcard, &[Loop::One(Box::new(Loop::Many(vec![])))]);
    let leaf = || Tree { left: None, right: None, kind: Color::Red, forest: vec![] };
    let tree = Tree {
        left: Some(Box::new(leaf())),
        forest: vec![(leaf(), Branch::Up(Box::new(leaf()))), (leaf(), Branch::Down(Some(Color::Red)))],
        ..leaf()
    };
    let traced = trace::<Tree>();
    assert_eq!(traced.codec, Postcard);
    assert!(traced.shape.to_string().contains("enum Branch { Up(Tree), Down(Option<Color>) }"), "{}", traced.shape);
    check(&traced.shape.to_string(), Postcard, &[tree]);
    assert_eq!(shown::<Endless>(), "opaque Endless");
}

macro_rules! many {
    ($name:ident, $of:ty: $($variant:ident)*) => {
        #[derive(Serialize, Deserialize, PartialEq, Debug)]
        enum $name { $($variant($of)),* , End }
    };
}

many!(Inner, (u8, Option<Color>): A B C D E F G H I J K L M N O P Q R S T U V W X Y Z);
many!(Middle, Inner: A B C D E F G H I J K L M N O P Q R S T U V W X Y Z);
many!(Outer, (Middle, Vec<Inner>, Color): A B C D E F G H I J K L M N O P Q R S T U V W X Y Z);
many!(Knot, Box<(Knot, Knot)>: A B C D E F G H I J K L M N O P Q R S T U V W X Y Z);

#[test]
fn big_and_nested_enums_are_traced_in_full_and_soon() {
    let traced = trace::<Outer>();
    assert_eq!(traced.codec, Postcard);
    assert_eq!(traced.shape.types.len(), 5);
    let value = Outer::C((Middle::Z(Inner::Q((1, None))), vec![Inner::End], Color::Red));
    check(&traced.shape.to_string(), Postcard, &[value]);
    let knot = trace::<Knot>();
    assert_eq!((knot.codec, knot.shape.types.len()), (Postcard, 1));
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(untagged)]
enum Untagged {
    Number(u32),
    Text(String),
    Map(BTreeMap<String, f64>),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "t")]
enum Internal {
    A { x: u8 },
    B { y: Option<String> },
    C,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    A(u32),
    B { y: String },
    C,
    D(u8, i8),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "t", content = "c")]
enum AdjacentUnits {
    A,
    B,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    position: Position,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Holder {
    before: u8,
    value: serde_json::Value,
    after: Color,
}

#[test]
fn self_describing_types_go_to_message_pack() {
    let json = serde_json::json!({"a": [1, 2.5, null, "x"], "b": {"c": true}});
    check("any", MessagePack, &[json.clone(), serde_json::Value::Null]);
    let untagged = [Untagged::Number(1), Untagged::Text("x".to_owned()), Untagged::Map([].into())];
    check("one of (u32, str, map<str, f64>)", MessagePack, &untagged);
    let internal = [Internal::A { x: 1 }, Internal::B { y: None }, Internal::C];
    check("enum by t { A { x: u8 }, B { y: Option<str> }, C {} }", MessagePack, &internal);
    let adjacent = [Adjacent::A(1), Adjacent::B { y: "y".to_owned() }, Adjacent::C, Adjacent::D(1, -1)];
    let shape = "enum Adjacent by t { A { c: u32 }, B { c: struct B { y: str } }, C {}, D { c: (u8, i8) } }";
    check(shape, MessagePack, &adjacent);
    check("enum AdjacentUnits by t { A {}, B {} }", MessagePack, &[AdjacentUnits::A, AdjacentUnits::B]);
    let position = Position { latitude: 1.0, longitude: 2.0 };
    check(
        "flattened { id: u32, latitude: f64, longitude: f64 } and any other: any",
        MessagePack,
        &[Flat { id: 1, position: position.clone(), rest: [("x".to_owned(), json.clone())].into() }],
    );
    let traced = trace::<Holder>().shape.to_string();
    assert!(traced.starts_with("struct Holder { before: u8, value: any, after: enum Color {"), "{traced}");
    check(&traced, MessagePack, &[Holder { before: 1, value: json, after: Color::At { position } }]);
    assert_eq!(shown::<Vec<Adjacent>>(), format!("Vec<{shape}>"));
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Skipping {
    id: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<u8>,
    after: u32,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct OneWay {
    id: u32,
    #[serde(skip_serializing, default)]
    old: u32,
    after: u32,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Gap {
    A,
    #[serde(skip)]
    Hidden,
    B,
    C,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Cached {
    id: u32,
    #[serde(skip)]
    cache: u64,
    after: u8,
}

#[test]
fn what_is_not_written_as_it_is_read() {
    let skipping = |name: Option<&str>, tags: &[u8]| Skipping {
        id: 1,
        name: name.map(str::to_owned),
        tags: tags.to_vec(),
        after: 2,
    };
    check(
        "struct Skipping { id: u32, name: Option<str>, tags: Vec<u8>, after: u32 }",
        Postcard,
        &[skipping(None, &[]), skipping(Some("x"), &[]), skipping(None, &[1]), skipping(Some("x"), &[1])],
    );
    check("struct OneWay { id: u32, old: u32, after: u32 }", MessagePack, &[OneWay { id: 1, old: 0, after: 3 }]);
    check("enum Gap { A, B, C }", MessagePack, &[Gap::A, Gap::B, Gap::C]);
    check("struct Cached { id: u32, after: u8 }", Postcard, &[Cached { id: 1, cache: 0, after: 2 }]);
}

/// A type that parses itself, as those of the date and id crates do.
#[derive(PartialEq, Debug)]
struct Date(String);

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let valid = text.len() == 10 && text.split('-').count() == 3;
        valid.then_some(Self(text)).ok_or_else(|| D::Error::custom("not a date"))
    }
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(try_from = "String", into = "String")]
struct Strange(String);

impl TryFrom<String> for Strange {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "rosebud" { Ok(Self(text)) } else { Err("not the word") }
    }
}

impl From<Strange> for String {
    fn from(strange: Strange) -> Self {
        strange.0
    }
}

impl Clone for Strange {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Visit {
    id: NonZeroU32,
    day: Date,
    last: Option<Date>,
    color: Color,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Secret {
    word: Strange,
    value: serde_json::Value,
}

#[test]
fn types_that_check_themselves() {
    let visit = Visit { id: NonZeroU32::MIN, day: Date("2013-01-01".to_owned()), last: None, color: Color::Red };
    let shape = shown::<Visit>();
    assert!(
        shape.starts_with("struct Visit { id: u32, day: str, last: Option<str>, color: enum Color { Red,"),
        "{shape}"
    );
    check(&shape, Postcard, &[visit]);
    check("opaque str", MessagePack, &[Strange("rosebud".to_owned())]);
    // The tracer never gets to `value`, which postcard could not give back.
    check(
        "opaque Secret",
        MessagePack,
        &[Secret { word: Strange("rosebud".to_owned()), value: serde_json::json!([1]) }],
    );
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Renamed {
    #[serde(alias = "old", alias = "zold")]
    new: u32,
    after: String,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum RenamedVariant {
    #[serde(alias = "Old")]
    New(u8),
    After,
}

#[test]
fn aliases_change_neither_names_nor_codec() {
    check("struct Renamed { new: u32, after: str }", Postcard, &[Renamed { new: 1, after: "x".to_owned() }]);
    check("enum RenamedVariant { New(u8), After }", Postcard, &[RenamedVariant::New(1), RenamedVariant::After]);
}

#[test]
fn the_stored_form_is_frozen() {
    let stored = serde_json::to_string(&trace::<BTreeMap<String, (Color, Option<[u8; 8]>)>>().shape).unwrap();
    assert_eq!(
        stored,
        concat!(
            r#"{"root":{"map":["str",{"tuple":[{"type":"Color"},{"option":{"array":["u8",8]}}]}]},"types":{"#,
            r#""Color":{"enum":[{"name":"Red","is":"unit"},{"name":"Rgb","is":{"tuple":["u8","u8","u8"]}},"#,
            r#"{"name":"Named","is":{"newtype":"str"}},"#,
            r#"{"name":"At","is":{"struct":[{"name":"position","is":{"type":"Position"}}]}}]},"#,
            r#""Position":{"struct":[{"name":"latitude","is":"f64"},{"name":"longitude","is":"f64"}]}}}"#
        )
    );
    assert_eq!(serde_json::to_string(&Shape::opaque("Uuid")).unwrap(), r#"{"root":{"opaque":"Uuid"}}"#);
}
