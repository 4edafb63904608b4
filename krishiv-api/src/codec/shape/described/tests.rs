#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

use crate::codec::shape::{Form, Layout, News, Shape, trace};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The shape as it is printed, after it has been stored and read back, and what it does not show.
fn traced<T: Serialize + DeserializeOwned>() -> (String, Vec<String>) {
    let traced = trace::<T>();
    assert_eq!(trace::<T>().shape, traced.shape, "traced twice");
    let stored = serde_json::to_string(&traced.shape).unwrap();
    assert_eq!(serde_json::from_str::<Shape>(&stored).unwrap(), traced.shape, "{stored}");
    (traced.shape.to_string(), traced.untraced)
}

fn shown<T: Serialize + DeserializeOwned>() -> String {
    traced::<T>().0
}

/// A `flatten` is always said to hide what it may hide; nothing else is.
fn known<T: Serialize + DeserializeOwned>() -> String {
    let (shape, untraced) = traced::<T>();
    let other: Vec<_> = untraced.iter().filter(|part| !part.contains("`flatten`")).collect();
    assert!(other.is_empty(), "{shape}: {other:?}");
    shape
}

#[derive(Serialize, Deserialize)]
struct Position {
    latitude: f64,
    longitude: f64,
}

const POSITION: &str = "latitude: f64, longitude: f64";

#[derive(Serialize, Deserialize)]
struct Extra {
    altitude: Option<u32>,
    #[serde(default)]
    note: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
enum Color {
    Red,
    Rgb(u8, u8, u8),
    Named(String),
    At { position: Position },
}

const COLOR: &str = "enum Color { Red, Rgb(u8, u8, u8), Named(str), \
                     At { position: struct Position { latitude: f64, longitude: f64 } } }";

#[derive(Serialize, Deserialize)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    position: Position,
}

mod flattened {
    use super::{Color, Extra, Flat, Position};
    use serde::{Deserialize, Serialize};
    use std::collections::{BTreeMap, HashMap};

    #[derive(Serialize, Deserialize)]
    pub(super) struct Optional {
        id: Option<u32>,
        color: Color,
        #[serde(flatten)]
        position: Option<Position>,
        #[serde(flatten)]
        extra: Extra,
        #[serde(default)]
        last: Vec<Flat>,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Rest {
        id: u32,
        #[serde(flatten)]
        rest: HashMap<String, Option<u16>>,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Nested {
        first: String,
        #[serde(flatten)]
        optional: Optional,
        after: bool,
        #[serde(flatten)]
        rest: BTreeMap<String, serde_json::Value>,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Node {
        name: String,
        #[serde(flatten)]
        position: Position,
        children: Vec<Node>,
        by: BTreeMap<u32, String>,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub(super) struct Strict {
        the_id: u32,
        #[serde(flatten)]
        position: Position,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Generic<T> {
        id: u8,
        #[serde(flatten)]
        of: T,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Chosen {
        id: u32,
        #[serde(flatten)]
        color: Color,
    }
}

#[test]
fn flattened_structs() {
    use flattened::{Chosen, Generic, Nested, Node, Optional, Rest, Strict};
    assert_eq!(known::<Flat>(), format!("flattened {{ id: u32, {POSITION} }}"));
    assert_eq!(known::<Strict>(), format!("flattened {{ theId: u32, {POSITION} }}"));
    let optional = format!("color: {COLOR}, {POSITION}, altitude: Option<u32>, note: str");
    let last = format!("last: Vec<flattened {{ id: u32, {POSITION} }}>");
    assert_eq!(known::<Optional>(), format!("flattened {{ id: Option<u32>, {optional}, {last} }}"));
    let nested =
        format!("flattened {{ first: str, id: Option<u32>, {optional}, {last}, after: bool }} and any other: any");
    assert_eq!(known::<Nested>(), nested);
    assert_eq!(known::<Rest>(), "flattened { id: u32 } and any other: Option<u16>");
    let node = format!("flattened {{ name: str, {POSITION}, children: Vec<flattened>, by: map<u32, str> }}");
    assert_eq!(known::<Node>(), node);
    assert_eq!(known::<Generic<Position>>(), format!("flattened {{ id: u8, {POSITION} }}"));
    assert_eq!(known::<Option<Flat>>(), format!("Option<flattened {{ id: u32, {POSITION} }}>"));
    assert_eq!(known::<HashMap<String, Flat>>(), format!("map<str, flattened {{ id: u32, {POSITION} }}>"));
    let two = format!("(flattened {{ id: u32, {POSITION} }}, flattened {{ id: u8, {POSITION} }}, flattened)");
    assert_eq!(known::<(Flat, Generic<Position>, Flat)>(), two);
    // Nothing lists the variants of an enum that is flattened and named by its key.
    assert_eq!(traced::<Chosen>(), ("opaque map".to_owned(), vec!["names and kinds of all of it".to_owned()]));
}

mod tagged {
    use super::{Color, Extra, Flat, Position};
    use serde::{Deserialize, Serialize};
    use std::collections::{BTreeMap, HashMap};

    #[derive(Serialize, Deserialize)]
    #[serde(tag = "t")]
    pub(super) enum Internal {
        Struct { x: u8, y: Option<String> },
        Newtype(Position),
        Unit,
        Hidden(Extra),
        Map(HashMap<String, u32>),
        Flat(Flat),
    }

    #[derive(Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
    pub(super) enum Tree {
        LeafNode { the_value: i64 },
        Branch { left: Box<Tree>, right: Option<Box<Tree>>, all: Vec<Tree> },
    }

    #[derive(Serialize, Deserialize)]
    #[serde(tag = "t")]
    pub(super) enum Kinds {
        #[serde(alias = "Old")]
        All {
            tuple: (u8, i64),
            array: [u32; 6],
            letter: char,
            flag: bool,
            unit: (),
            by: BTreeMap<u8, Color>,
            time: std::time::Duration,
            float: f32,
            #[serde(alias = "older")]
            list: Vec<Option<Color>>,
            size: usize,
        },
    }

    #[derive(Serialize, Deserialize)]
    #[serde(tag = "t")]
    pub(super) enum Other {
        A {
            x: u8,
        },
        B,
        #[serde(other)]
        Unknown,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(tag = "t", content = "c")]
    pub(super) enum Adjacent {
        A(u32),
        B { y: Option<String> },
        C,
        D(u8, i8),
        E(Option<u16>),
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Beside {
        id: u32,
        #[serde(flatten)]
        shape: Shape,
        after: Option<i8>,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub(super) enum Shape {
        Circle { radius: f64 },
        Square { side: f64 },
        Empty,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(tag = "t")]
    pub(super) enum TooBig {
        A { x: u128 },
        B,
    }
}

#[test]
fn tagged_enums() {
    use tagged::{Adjacent, Beside, Internal, Kinds, Other, TooBig, Tree};
    let internal = format!(
        "enum by t {{ Flat {{ id: u32, {POSITION} }}, Hidden {{ altitude: Option<u32>, note: str, tags: Vec<u8> }}, \
         Map {{}} and any other: u32, Newtype {{ {POSITION} }}, Struct {{ x: u8, y: Option<str> }}, Unit {{}} }}"
    );
    assert_eq!(known::<Internal>(), internal);
    assert_eq!(known::<Vec<Internal>>(), format!("Vec<{internal}>"));
    assert_eq!(known::<BTreeMap<u8, Option<Internal>>>(), format!("map<u8, Option<{internal}>>"));
    assert_eq!(known::<(u8, Internal)>(), format!("(u8, {internal})"));
    assert_eq!(
        known::<Tree>(),
        "enum by kind { branch { left: tagged, right: Option<tagged>, all: Vec<tagged> }, leaf_node { theValue: i64 } }"
    );
    assert_eq!(
        known::<Kinds>(),
        format!(
            "enum by t {{ All {{ tuple: (u8, i64), array: [u32; 6], letter: char, flag: bool, unit: unit, \
             by: map<u8, {COLOR}>, time: struct Duration {{ secs: u64, nanos: u32 }}, float: f32, \
             list: Vec<Option<Color>>, size: u64 }} }}"
        )
    );
    assert_eq!(known::<Other>(), "enum by t { A { x: u8 }, B {}, Unknown {} }");
    assert_eq!(
        known::<Adjacent>(),
        "enum Adjacent by t { A { c: u32 }, B { c: struct B { y: Option<str> } }, C {}, D { c: (u8, i8) }, \
         E { c: Option<u16> } }"
    );
    assert_eq!(
        known::<Beside>(),
        "enum by type { Circle { id: u32, radius: f64, after: Option<i8> }, Empty { id: u32, after: Option<i8> }, \
         Square { id: u32, side: f64, after: Option<i8> } }"
    );
    // serde cannot read it back in any format.
    let unknown = vec!["`A`: names and kinds of this part".to_owned()];
    assert_eq!(traced::<TooBig>(), ("enum by t { A(unknown), B {} }".to_owned(), unknown));
}

mod untagged {
    use super::{Color, Position};
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    pub(super) enum Many {
        A { x: u32 },
        B { x: String, y: u8, z: Option<Position> },
        C(u8, String),
        D(Vec<bool>),
        E(BTreeMap<String, i8>),
    }

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    pub(super) enum Shadowed {
        A { value: f64 },
        B { value: f64, unit: String },
    }

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    pub(super) enum WithText {
        Jet { thrust: u32 },
        Glider { wing: u8 },
        Text(String),
    }

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    pub(super) enum Scalar {
        Number(u32),
        Text(String),
    }

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    pub(super) enum Fields {
        A { x: u32 },
        B { y: String, z: i8 },
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Beside {
        id: u8,
        #[serde(flatten)]
        fields: Fields,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Holder {
        before: Color,
        value: Option<Scalar>,
        any: serde_json::Value,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    pub(super) enum Anything {
        Null,
        Bool(bool),
        Number(f64),
        Text(String),
        List(Vec<Anything>),
        Map(BTreeMap<String, Anything>),
    }
}

#[test]
fn untagged_enums() {
    use untagged::{Anything, Beside, Holder, Many, Scalar, Shadowed, WithText};
    assert_eq!(known::<Scalar>(), "one of (u32, str)");
    let text = "one of (str, struct WithText { thrust: u32 }, struct WithText#2 { wing: u8 })";
    assert_eq!(known::<WithText>(), text);
    assert_eq!(known::<Option<Scalar>>(), "Option<one of (u32, str)>");
    assert_eq!(
        known::<Holder>(),
        format!("struct Holder {{ before: {COLOR}, value: Option<one of (u32, str)>, any: any }}")
    );
    assert_eq!(
        known::<Many>(),
        format!(
            "one of (Vec<bool>, (u8, str), map<str, i8>, struct Many {{ x: u32 }}, \
             struct Many#2 {{ x: str, y: u8, z: Option<struct Position {{ {POSITION} }}> }})"
        )
    );
    assert_eq!(known::<Beside>(), "flattened { id: u8, y: str, z: i8, x: u32 }");
    let (shape, untraced) = traced::<Shadowed>();
    assert_eq!((shape.as_str(), untraced.len()), ("one of (struct Shadowed { value: f64 }) and others", 1));
    let (shape, untraced) = traced::<Anything>();
    assert_eq!((shape.as_str(), untraced.len()), ("any", 1));
    assert_eq!(traced::<serde_json::Value>(), ("any".to_owned(), vec![]));
}

mod plain {
    use super::Color;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub(super) struct Page<T> {
        items: Vec<T>,
        next: Option<Box<Page<T>>>,
        color: Color,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<u16>,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) enum Change {
        New(u8),
        After,
        Both { x: Vec<Color>, change: Option<Box<Change>> },
    }
}

mod aliased {
    use super::Color;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub(super) struct Page<T> {
        items: Vec<T>,
        #[serde(alias = "after", alias = "nxt")]
        next: Option<Box<Page<T>>>,
        color: Color,
        #[serde(default, skip_serializing_if = "Option::is_none", alias = "length")]
        size: Option<u16>,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) enum Change {
        #[serde(alias = "Old")]
        New(u8),
        After,
        #[serde(alias = "All")]
        Both {
            #[serde(alias = "y")]
            x: Vec<Color>,
            change: Option<Box<Change>>,
        },
    }
}

#[test]
fn an_alias_changes_nothing() {
    assert_eq!(trace::<aliased::Page<u8>>().shape, trace::<plain::Page<u8>>().shape);
    assert_eq!(trace::<aliased::Change>().shape, trace::<plain::Change>().shape);
    assert_eq!(
        trace::<(aliased::Page<u8>, aliased::Page<String>)>().shape,
        trace::<(plain::Page<u8>, plain::Page<String>)>().shape
    );
}

#[test]
fn shapes_of_before_fit_and_learn() {
    let learns = |stored: &str, declared: &Shape| {
        let stored: Shape = serde_json::from_str(stored).unwrap();
        stored.compare(declared)
    };
    let flat = trace::<Flat>().shape;
    assert_eq!(learns(r#"{"root":{"opaque":"map"}}"#, &flat), Some(News::More));
    assert_eq!(learns(r#"{"root":{"opaque":"seq"}}"#, &flat), None);
    let internal = trace::<tagged::Internal>().shape;
    assert_eq!(learns(r#"{"root":{"opaque":"any"}}"#, &internal), Some(News::More));
    assert_eq!(learns(r#"{"root":{"opaque":"map"}}"#, &internal), None);
    let list = trace::<Vec<tagged::Internal>>().shape;
    assert_eq!(learns(r#"{"root":{"seq":"any"}}"#, &list), Some(News::More));
    let adjacent = trace::<tagged::Adjacent>().shape;
    assert_eq!(learns(r#"{"root":{"opaque":"Adjacent"}}"#, &adjacent), Some(News::More));
    assert_eq!(learns(r#"{"root":{"opaque":"any"}}"#, &adjacent), None);
    assert_eq!(learns(r#"{"root":"any"}"#, &trace::<untagged::Scalar>().shape), Some(News::More));
    assert_eq!(learns(r#"{"root":{"opaque":"any"}}"#, &trace::<untagged::Shadowed>().shape), Some(News::More));
    assert_eq!(learns(r#"{"root":"any"}"#, &trace::<u32>().shape), None);
    let page = trace::<aliased::Page<u8>>().shape;
    assert_eq!(learns(r#"{"root":{"opaque":"Page"}}"#, &page), Some(News::More));
    assert_eq!(learns(r#"{"root":{"opaque":"Side"}}"#, &page), None);
    assert_eq!(page.compare(&trace::<plain::Page<u8>>().shape), Some(News::None));
    assert_eq!(page.compare(&trace::<plain::Page<u16>>().shape), None);
    // What this version has traced, and a later serde hides, is no reason to refuse, and is not forgotten.
    assert_eq!(flat.compare(&Shape::opaque("map")), Some(News::None));
    assert_eq!(page.compare(&Shape::opaque("Page")), None);
}

#[test]
fn the_stored_form_is_frozen() {
    let stored = |shape: &Shape| serde_json::to_string(shape).unwrap();
    assert_eq!(
        stored(&trace::<flattened::Rest>().shape),
        r#"{"root":{"type":"flattened"},"types":{"flattened":{"flattened":{"fields":[{"name":"id","is":"u32"}],"rest":{"option":"u16"}}}}}"#
    );
    assert_eq!(
        stored(&trace::<tagged::TooBig>().shape),
        concat!(
            r#"{"root":{"type":"tagged"},"types":{"tagged":{"tagged":{"tag":"t","variants":["#,
            r#"{"name":"A","is":{"newtype":"unknown"}},{"name":"B","is":{"struct":[]}}]}}}}"#
        )
    );
    assert_eq!(stored(&trace::<untagged::Scalar>().shape), r#"{"root":{"one_of":{"of":["u32","str"],"all":true}}}"#);
    assert!(matches!(trace::<Flat>().shape.layout("flattened"), Some(Layout::Flattened { rest: None, .. })));
    assert_eq!(*trace::<Flat>().shape.root(), Form::Type("flattened".to_owned()));
}
