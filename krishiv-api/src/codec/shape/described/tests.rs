#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

use crate::codec::shape::{Shape, trace};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

fn shown<T: Serialize + DeserializeOwned>() -> String {
    trace::<T>().shape.to_string()
}

#[derive(Serialize, Deserialize)]
struct Position { latitude: f64, longitude: f64 }
#[derive(Serialize, Deserialize)]
struct Maybe { altitude: Option<u32>, #[serde(default)] note: String, #[serde(default, skip_serializing_if = "Vec::is_empty")] tags: Vec<u8> }
#[derive(Serialize, Deserialize)]
enum Color { Red, Rgb(u8, u8, u8), Named(String), At { position: Position } }

#[derive(Serialize, Deserialize)]
struct Flat1 { id: u32, #[serde(flatten)] position: Position }
#[derive(Serialize, Deserialize)]
struct Flat2 { id: Option<u32>, color: Color, #[serde(flatten)] position: Option<Position>, #[serde(flatten)] maybe: Maybe }
#[derive(Serialize, Deserialize)]
struct Flat3 { id: u32, #[serde(flatten)] rest: HashMap<String, Option<u16>> }
#[derive(Serialize, Deserialize)]
struct Flat4 { a: String, #[serde(flatten)] nested: Flat2, b: String, #[serde(flatten)] rest: BTreeMap<String, serde_json::Value> }
#[derive(Serialize, Deserialize)]
#[serde(tag = "t")]
enum Internal { A { x: u8, y: Option<String> }, B(Position), C, D(Maybe), E(HashMap<String, u32>), F(Flat1) }
#[derive(Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent { A(u32), B { y: Option<String> }, C, D(u8, i8), E(Option<u16>) }
#[derive(Serialize, Deserialize)]
struct Flat5 { id: u32, #[serde(flatten)] kind: Internal, after: Option<i8> }
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Tree { LeafNode { value: i64 }, Branch { left: Box<Tree>, right: Option<Box<Tree>>, all: Vec<Tree> } }
#[derive(Serialize, Deserialize)]
#[serde(tag = "t")]
enum Other { A { x: u8 }, B, #[serde(other)] Unknown }
#[derive(Serialize, Deserialize)]
struct Aliased { #[serde(alias = "old", alias = "zold")] new: u32, after: Option<String>, color: Color }
#[derive(Serialize, Deserialize)]
enum AliasedVariant { #[serde(alias = "Old")] New(u8), After, #[serde(alias = "B")] Both { #[serde(alias = "xx")] x: Vec<Color> } }
#[derive(Serialize, Deserialize)]
struct Page<T> { items: Vec<T>, #[serde(alias = "nxt")] next: Option<Box<Page<T>>> }
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged { A { value: f64 }, B { value: f64, unit: String } }
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged2 { Num(u32), Text(String) }
#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum WithUntagged { A { x: Untagged2, v: serde_json::Value }, B { y: Untagged } }
#[derive(Serialize, Deserialize)]
struct FlatEnum { id: u32, #[serde(flatten)] color: Color }
#[derive(Serialize, Deserialize)]
struct Node { name: String, #[serde(flatten)] position: Position, children: Vec<Node>, by: BTreeMap<u32, Internal> }
#[derive(Serialize, Deserialize)]
#[serde(tag = "t")]
enum Wide { A { a: (u8, i64), b: [u32; 3], c: char, d: bool, e: (), f: BTreeMap<u8, Color>, g: std::time::Duration, h: std::net::IpAddr, #[serde(with = "x")] i: u64 } }
mod x {
    use serde::{Deserialize, Deserializer, Serializer};
    pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> { serializer.serialize_str(&value.to_string()) }
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> { String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom) }
}
#[derive(Serialize, Deserialize)]
#[serde(tag = "t")]
enum Big { A { x: u128 }, B }

#[derive(Serialize, Deserialize)]
#[serde(tag = "t")]
enum W1 { A { a: (u8, i64), b: [u32; 3], c: char, d: bool } }
#[derive(Serialize, Deserialize)]
#[serde(tag = "t")]
enum W2 { A { e: (), f: BTreeMap<u8, Color> } }
#[derive(Serialize, Deserialize)]
#[serde(tag = "t")]
enum W3 { A { g: std::time::Duration } }
#[derive(Serialize, Deserialize)]
#[serde(tag = "t")]
enum W4 { A { h: std::net::IpAddr } }
#[derive(Serialize, Deserialize)]
#[serde(tag = "t")]
enum W5 { A { #[serde(with = "x")] i: u64 } }
#[derive(Serialize, Deserialize)]
struct N1 { name: String, #[serde(flatten)] position: Position, children: Vec<N1> }
#[derive(Serialize, Deserialize)]
struct N2 { name: String, #[serde(flatten)] position: Position, by: BTreeMap<u32, Internal> }
#[derive(Serialize, Deserialize)]
struct N3 { name: String, #[serde(flatten)] position: Position, by: BTreeMap<u32, String> }
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum U3 { A { x: u32 }, B { x: String, y: u8, z: Option<Position> }, C(u8, String), D(Color), E(Internal), F(Vec<bool>), G(BTreeMap<String, i8>) }
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum JsonLike { Null, Bool(bool), Num(f64), Text(String), Arr(Vec<JsonLike>), Obj(BTreeMap<String, JsonLike>) }
#[derive(Serialize, Deserialize)]
struct U4 { id: u8, #[serde(flatten)] u: UF }
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum UF { A { x: u32 }, B { y: String, z: i8 } }
#[test]
fn print() {
    macro_rules! p { ($($t:ty),*) => { $(
        let start = std::time::Instant::now();
        let shape = shown::<$t>();
        println!("{} [{:?}]\n   {shape}", stringify!($t), start.elapsed());
    )* } }
    p!(Flat1, Flat2, Flat3, Flat4, Internal, Adjacent, Flat5, Tree, Other, Aliased, AliasedVariant, Page<u8>, (Page<u8>, Page<String>), Untagged, Untagged2, WithUntagged, FlatEnum, Node, Wide, Big, W1, W2, W3, W4, W5, N1, N2, N3, U3, JsonLike, U4, Vec<Internal>, Option<Untagged2>, (u8, Internal), Vec<Adjacent>, Option<Flat1>, BTreeMap<String, Internal>);
}
