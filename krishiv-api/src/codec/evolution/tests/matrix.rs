//! Pairs of types: a value of the old one, and what the new one makes of it.
//!
//! The table is a function of a [`Row`], so that bytes, stores and backends can be tried with the same pairs.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;

pub(crate) trait Data: Serialize + DeserializeOwned + Clone + Debug + PartialEq + 'static {}

impl<T: Serialize + DeserializeOwned + Clone + Debug + PartialEq + 'static> Data for T {}

/// Said of what might be rounded by serde itself.
pub(crate) const ROUNDED: &str = "from a copy";

/// What to do with a pair.
pub(crate) trait Row {
    /// The new type reads the old value as the new one.
    fn reads<Was: Data, Is: Data>(&mut self, name: &str, was: Was, is: Is);

    /// The new type reads old values, but not this one; an error says so with these words.
    fn refuses<Was: Data, Is: Data>(&mut self, name: &str, was: Was, words: &str);

    /// The new type can read none of the old values; the verdict says so with these words.
    fn cannot<Was: Data, Is: Data>(&mut self, name: &str, was: Was, words: &str);
}

macro_rules! types {
    ($($item:item)*) => {
        $(#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)] $item)*
    };
}

types! {
    pub(crate) struct Place { latitude: f64, longitude: f64 }
    pub(crate) struct PlaceHigh { latitude: f64, longitude: f64, #[serde(default)] height: i32 }
    pub(crate) struct PlaceFirst { #[serde(default = "seven")] height: i32, latitude: f64, longitude: f64 }
    pub(crate) struct PlaceMaybe { latitude: f64, height: Option<i32>, longitude: f64 }
    pub(crate) struct PlaceMust { latitude: f64, longitude: f64, height: i32 }
    pub(crate) struct PlaceTurned { longitude: f64, latitude: f64 }
    pub(crate) struct PlaceRow(f64, f64);
    pub(crate) struct PlaceThree(f64, f64, f64);
    pub(crate) struct PlaceAlias { #[serde(alias = "latitude")] lat: f64, #[serde(alias = "longitude", alias = "long")] lon: f64 }
    pub(crate) struct PlaceRenamed { #[serde(rename = "latitude")] north: f64, #[serde(rename = "longitude")] east: f64 }
    pub(crate) struct PlaceWrong { #[serde(alias = "width")] lat: f64, longitude: f64 }
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    pub(crate) struct Shouted { LATITUDE_MAX: u8 }
    #[serde(rename_all = "camelCase")]
    pub(crate) struct Camel { latitude_max: u8 }
    pub(crate) struct Snake { #[serde(alias = "latitudeMax")] latitude_max: u8 }
    #[serde(default)]
    #[derive(Default)]
    pub(crate) struct AllDefault { longitude: f64, name: String, tags: Vec<u8> }
    #[serde(deny_unknown_fields)]
    pub(crate) struct Strict { latitude: f64 }
    #[serde(deny_unknown_fields)]
    pub(crate) struct StrictSame { longitude: f64, latitude: f64, #[serde(default)] more: u8 }
    pub(crate) struct Empty {}

    pub(crate) struct Trip { from: Place, note: String, via: Vec<Place>, to: Option<Place> }
    pub(crate) struct TripNew { from: PlaceHigh, via: Vec<PlaceTurned>, to: Option<PlaceMaybe> }
    pub(crate) struct TripMap { names: BTreeMap<String, Place>, last: u8 }
    pub(crate) struct TripMapNew { last: u64, names: HashMap<String, PlaceHigh> }
    pub(crate) struct Skips { #[serde(skip_serializing_if = "Option::is_none", default)] a: Option<u8>, b: u16 }
    pub(crate) struct SkipsNew { b: u32, #[serde(default)] a: Option<u64>, #[serde(default)] c: bool }

    pub(crate) struct Meters(u32);
    pub(crate) struct Deep(Meters);
    pub(crate) struct Wide(u64);
    pub(crate) struct Named { of: u32 }

    pub(crate) enum Kind { Small, Big(u32), Odd { size: u8, name: String }, Two(u8, u8) }
    pub(crate) enum KindMore { First, Small, Big(u64), Middle(u8), Odd { name: String, size: u8, #[serde(default)] more: u8 }, Two(u8, u8) }
    pub(crate) enum KindTurned { Two(u8, u8), Odd { size: u8, name: String }, Big(u32), Small }
    pub(crate) enum KindLess { Small, Big(u32) }
    pub(crate) enum KindAlias { #[serde(alias = "Small")] Little, #[serde(alias = "Big")] Large(u32), Odd { size: u8, name: String }, Two(u8, u8) }
    #[serde(rename_all = "lowercase")]
    pub(crate) enum KindLower { Small, Big(u32), Odd { size: u8, name: String }, Two(u8, u8) }
    pub(crate) enum KindOther { Small, Big(u32), Odd { size: u8, name: String }, Two(u8, u8), #[serde(other)] Else }
    pub(crate) enum KindMust { Small, Big(u32), Odd { size: u8, name: String, must: u8 }, Two(u8, u8) }

    pub(crate) enum Content { Unit, One(Place), Row(u8, u16), Fields { latitude: f64, longitude: f64 }, Pair((u8, u16)) }
    pub(crate) enum ContentNew { Unit, One { latitude: f64, longitude: f64 }, Row((u8, u16)), Fields(Place), Pair(u8, u16) }
    pub(crate) enum ContentRow { Unit, One(Place), Row { a: u8, b: u16 }, Fields { latitude: f64, longitude: f64 }, Pair((u8, u16)) }
    pub(crate) enum UnitOne { A(()) }
    pub(crate) enum UnitBare { A }

    #[serde(tag = "type")]
    pub(crate) enum Event { Click { x: i32, y: i32 }, Key { code: u32 }, Close }
    #[serde(tag = "type")]
    pub(crate) enum EventNew { Key { code: u64 }, Click { y: i64, x: i64, #[serde(default)] z: u8 }, Close, Open }
    #[serde(tag = "type", content = "of")]
    pub(crate) enum Adjacent { Click { x: i32, y: i32 }, Key(u32), Close }
    #[serde(tag = "type", content = "of")]
    pub(crate) enum AdjacentNew { Close, Click { x: i64, y: i64 }, #[serde(alias = "Key")] Press(u64) }
    #[serde(tag = "type")]
    pub(crate) enum EventFloat { Click { x: f32, y: i32 }, Key { code: u32 }, Close }
    #[serde(untagged)]
    pub(crate) enum Loose { Number(u64), Text(String), Pair { a: u8, b: u8 } }
    #[serde(untagged)]
    pub(crate) enum LooseNew { Pair { a: u16, b: u16, #[serde(default)] c: u8 }, Text(String), Number(u64), Flag(bool) }
    #[serde(untagged)]
    pub(crate) enum TextOrNumber { Number(u32), Text(String) }
    pub(crate) struct Flat { id: u32, #[serde(flatten)] place: Place }
    pub(crate) struct FlatNew { #[serde(flatten)] place: PlaceHigh, id: u64 }
    pub(crate) struct Unflat { id: u32, latitude: f64, longitude: f64 }
    pub(crate) struct FlatRest { id: u32, #[serde(flatten)] rest: BTreeMap<String, f64> }
    pub(crate) struct TagStruct { #[serde(rename = "type")] kind: String, x: i32 }

    pub(crate) struct WithText { #[serde(with = "as_text")] pub(crate) at: u32 }
    pub(crate) struct PlainText { pub(crate) at: String }
    pub(crate) struct WithTextMore { #[serde(default)] more: u8, #[serde(with = "as_text")] at: u32 }
    pub(crate) struct Address { ip: std::net::Ipv4Addr, port: u16 }
    pub(crate) struct AddressNew { port: u32, ip: std::net::Ipv4Addr, #[serde(default)] name: String }

    pub(crate) struct List { pub(crate) value: u32, pub(crate) next: Option<Box<List>> }
    pub(crate) struct ListNew { next: Option<Box<ListNew>>, value: u64, #[serde(default)] note: String }
    pub(crate) enum Tree { Leaf(u8), Node(Box<Tree>, Box<Tree>) }
    pub(crate) enum TreeNew { Node(Box<TreeNew>, Box<TreeNew>), Leaf(u64) }
}

fn seven() -> i32 {
    7
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

fn place() -> Place {
    Place { latitude: 1.5, longitude: -2.25 }
}

fn odd() -> Kind {
    Kind::Odd { size: 3, name: "three".to_owned() }
}

pub(crate) fn matrix(row: &mut impl Row) {
    fields(row);
    numbers(row);
    options_and_newtypes(row);
    collections(row);
    enums(row);
    described(row);
    own_words(row);
    recursive(row);
    beside(row);
}

fn fields(row: &mut impl Row) {
    row.reads("a field at the end, by default", place(), PlaceHigh { latitude: 1.5, longitude: -2.25, height: 0 });
    row.reads("a field in front, by a function", place(), PlaceFirst { height: 7, latitude: 1.5, longitude: -2.25 });
    row.reads("an optional field between", place(), PlaceMaybe { latitude: 1.5, height: None, longitude: -2.25 });
    row.cannot::<_, PlaceMust>(
        "a field without a default",
        place(),
        "missing field `height`; give the field #[serde(default)]",
    );
    row.reads(
        "a field less at the end",
        PlaceMust { latitude: 1.0, longitude: 2.0, height: 3 },
        Place { latitude: 1.0, longitude: 2.0 },
    );
    row.reads(
        "a field less in front",
        PlaceFirst { height: 3, latitude: 1.0, longitude: 2.0 },
        Place { latitude: 1.0, longitude: 2.0 },
    );
    row.reads(
        "a field less between",
        PlaceMaybe { latitude: 1.0, height: Some(-3), longitude: 2.0 },
        Place { latitude: 1.0, longitude: 2.0 },
    );
    row.reads("all fields less", place(), Empty {});
    row.cannot::<_, Place>("all fields new", Empty {}, "missing field `latitude`");
    row.reads("fields in another order", place(), PlaceTurned { longitude: -2.25, latitude: 1.5 });
    row.reads("fields by an alias", place(), PlaceAlias { lat: 1.5, lon: -2.25 });
    row.reads("an alias by its name", PlaceAlias { lat: 1.0, lon: 2.0 }, PlaceAliasAgain { lon: 2.0, lat: 1.0 });
    row.reads("a name of its own for serde", place(), PlaceRenamed { north: 1.5, east: -2.25 });
    row.cannot::<_, PlaceWrong>("an alias of something else", place(), "missing field `lat`");
    row.cannot::<_, Camel>("all names in another case", Shouted { LATITUDE_MAX: 5 }, "missing field `latitudeMax`");
    row.reads("all names in another case, with an alias", Camel { latitude_max: 5 }, Snake { latitude_max: 5 });
    row.reads(
        "a default for the whole struct",
        place(),
        AllDefault { longitude: -2.25, name: String::new(), tags: vec![] },
    );
    row.cannot::<_, Strict>("a field less, and no unknown ones", place(), "unknown field `longitude`");
    row.reads("the same fields, and no unknown ones", place(), StrictSame { longitude: -2.25, latitude: 1.5, more: 0 });
    row.reads("a tuple struct as one with names", PlaceRow(1.0, 2.0), Place { latitude: 1.0, longitude: 2.0 });
    row.reads(
        "a tuple struct with a field more",
        PlaceRow(1.0, 2.0),
        PlaceHigh { latitude: 1.0, longitude: 2.0, height: 0 },
    );
    row.cannot::<_, Place>("a tuple struct with a field less", PlaceThree(1.0, 2.0, 3.0), "left over");
    row.cannot::<_, PlaceRow>("names as a tuple struct", place(), "invalid type: map");
    row.cannot::<_, u32>("a struct as a number", place(), "invalid type: map");
    row.reads(
        "nested, in lists and options",
        Trip { from: place(), note: "gone".to_owned(), via: vec![place(); 2], to: Some(place()) },
        TripNew {
            from: PlaceHigh { latitude: 1.5, longitude: -2.25, height: 0 },
            via: vec![PlaceTurned { longitude: -2.25, latitude: 1.5 }; 2],
            to: Some(PlaceMaybe { latitude: 1.5, height: None, longitude: -2.25 }),
        },
    );
    row.reads(
        "nested, in maps",
        TripMap { names: BTreeMap::from([("home".to_owned(), place())]), last: 9 },
        TripMapNew {
            last: 9,
            names: HashMap::from([("home".to_owned(), PlaceHigh { latitude: 1.5, longitude: -2.25, height: 0 })]),
        },
    );
    row.reads(
        "a field that may be left out, and is there",
        Skips { a: Some(1), b: 2 },
        SkipsNew { b: 2, a: Some(1), c: false },
    );
    row.reads("a field that may be left out, and is", Skips { a: None, b: 2 }, SkipsNew { b: 2, a: None, c: false });
    row.reads(
        "a struct as a map",
        place(),
        BTreeMap::from([("latitude".to_owned(), 1.5), ("longitude".to_owned(), -2.25)]),
    );
    row.refuses::<_, Place>(
        "a map as a struct",
        BTreeMap::from([("latitude".to_owned(), 1.5)]),
        "missing field `longitude`",
    );
}

types! {
    pub(crate) struct PlaceAliasAgain { #[serde(alias = "longitude")] lon: f64, #[serde(alias = "latitude")] lat: f64 }
}

types! {
    #[serde(untagged)]
    pub(crate) enum LooseFloat { Place { latitude: f32, longitude: f32 }, Text(String) }
    pub(crate) struct X { x: f64 }
    pub(crate) struct Narrow { x: f32 }
    pub(crate) struct Alias { #[serde(alias = "x")] y: f32 }
    pub(crate) struct FlatX { id: u32, #[serde(flatten)] x: X }
    pub(crate) struct FlatY { #[serde(flatten)] x: X, id: u32, #[serde(default)] y: f32 }
    pub(crate) struct FlatFloat { #[serde(flatten)] x: Narrow }
    pub(crate) struct FlatAlias { id: u32, #[serde(flatten)] x: Alias }
}

fn numbers(row: &mut impl Row) {
    row.reads("u8 to u16", 255_u8, 255_u16);
    row.reads("u8 to u128", 255_u8, 255_u128);
    row.reads("u64 to u128", u64::MAX, u128::from(u64::MAX));
    row.reads("u32 to i64", u32::MAX, i64::from(u32::MAX));
    row.reads("u64 to i128", u64::MAX, i128::from(u64::MAX));
    row.reads("i8 to i16", -128_i8, -128_i16);
    row.reads("i64 to i128", i64::MIN, i128::from(i64::MIN));
    row.reads("i128 to i64, if it fits", i128::from(i64::MIN), i64::MIN);
    row.refuses::<_, i64>("i128 to i64, if it does not", i128::MAX, "170141183460469231731687303715884105727");
    row.refuses::<_, i128>("u128 to i128, if it does not", u128::MAX, "340282366920938463463374607431768211455");
    row.refuses::<_, u128>("i128 to u128, if it does not", i128::MIN, "-170141183460469231731687303715884105728");
    row.reads("u128 to i128, if it fits", 5_u128, 5_i128);
    row.reads("f32 to f64", 0.1_f32, f64::from(0.1_f32));
    row.reads("f64 to f32, if it fits", 0.5_f64, 0.5_f32);
    row.refuses::<_, f32>("f64 to f32, if it does not", 0.1_f64, "0.1");
    row.refuses::<_, f32>("f64 to f32, if it is too great", 1e300_f64, "1e300");
    row.reads("u32 to f64", u32::MAX, f64::from(u32::MAX));
    row.reads("i32 to f64", i32::MIN, f64::from(i32::MIN));
    row.reads("u64 to f64, if it is exact", 1_u64 << 63, 9_223_372_036_854_775_808.0_f64);
    row.refuses::<_, f64>("u64 to f64, if it is not", u64::MAX, "18446744073709551615");
    row.refuses::<_, f64>("i64 to f64, if it is not", (1_i64 << 53) + 1, "9007199254740993");
    row.refuses::<_, f32>("i32 to f32, if it is not", 16_777_217_i32, "16777217");
    row.reads("u16 to f32", 65_535_u16, 65_535.0_f32);
    row.reads("u64 to u8, if it fits", 255_u64, 255_u8);
    row.refuses::<_, u8>("u64 to u8, if it does not", 256_u64, "256");
    row.reads("i64 to u64, if it fits", 5_i64, 5_u64);
    row.refuses::<_, u64>("i64 to u64, if it does not", -5_i64, "-5");
    row.reads("u64 to i64, if it fits", 5_u64, 5_i64);
    row.refuses::<_, i64>("u64 to i64, if it does not", u64::MAX, "18446744073709551615");
    row.cannot::<_, i64>("f64 to i64", 5.0_f64, "floating point");
    row.cannot::<_, String>("a number to a text", 5_u32, "invalid type: integer");
    row.cannot::<_, u32>("a text to a number", "5".to_owned(), "invalid type: string");
    row.cannot::<_, bool>("a number to a bool", 1_u8, "invalid type: integer");
    row.cannot::<_, u8>("a bool to a number", true, "invalid type: boolean");
    row.reads("a char to a text", 'x', "x".to_owned());
    row.reads("a text to a char, if it is one", "x".to_owned(), 'x');
    row.refuses::<_, char>("a text to a char, if it is not", "xy".to_owned(), "xy");
}

fn options_and_newtypes(row: &mut impl Row) {
    row.reads("may be absent now", 5_u32, Some(5_u64));
    row.reads("may be absent now, twice", 5_u32, Some(Some(5_u64)));
    row.reads("may not be absent any more, and is there", Some(5_u32), 5_u64);
    row.refuses::<_, u32>("may not be absent any more, and is", None::<u32>, "`None`");
    row.reads("optional as before", Some(5_u32), Some(5_u64));
    row.reads("absent as before", None::<u32>, None::<u64>);
    row.refuses::<_, u8>("optional twice, and not any more", Some(None::<u8>), "`None`");
    row.reads("optional twice, then once", Some(Some(5_u8)), Some(5_u8));
    row.reads("a newtype around", 5_u32, Meters(5));
    row.reads("a newtype less", Meters(5), 5_u64);
    row.reads("a newtype of another name", Meters(5), Wide(5));
    row.reads("two newtypes around", 5_u32, Deep(Meters(5)));
    row.reads("two newtypes less", Deep(Meters(5)), 5_u8);
    row.reads("a newtype of an option", Some(5_u32), Some(Meters(5)));
    row.cannot::<_, Named>("a name for a newtype", Meters(5), "invalid type: integer");
    row.reads("a unit as what is absent", (), None::<u8>);
}

fn collections(row: &mut impl Row) {
    let three = vec![1_u32, 2, 3];
    row.reads("a list as a set", three.clone(), BTreeSet::from([1_u64, 2, 3]));
    row.reads("a set as a list", BTreeSet::from([1_u8, 2, 3]), three.clone());
    row.reads("a set as a hashed one", BTreeSet::from([1_u8, 2]), HashSet::from([1_u8, 2]));
    row.reads("a list as an array", three.clone(), [1_u32, 2, 3]);
    row.refuses::<_, [u32; 2]>("a list as an array, too long", three.clone(), "left over");
    row.refuses::<_, [u32; 4]>("a list as an array, too short", three.clone(), "invalid length 3");
    row.reads("an array as a list", [1_u8, 2, 3], three.clone());
    row.reads("a long array as a list", [7_u8; 9], vec![7_u32; 9]);
    row.reads("a list as a long array", vec![7_u32; 9], [7_u8; 9]);
    row.cannot::<_, [u8; 4]>("an array of another length", [1_u8, 2, 3], "invalid length 3");
    row.cannot::<_, [u8; 8]>("a long array of another length", [1_u8; 9], "left over");
    row.reads("a tuple as a list", (1_u8, 2_u16), vec![1_u32, 2]);
    row.reads("a list as a tuple", vec![1_u32, 2], (1_u8, 2_u64));
    row.cannot::<_, (u8,)>("a tuple with a part less", (1_u8, 2_u8), "left over");
    row.reads("a tuple of wider parts", (1_u8, 'x'), (1_u64, "x".to_owned()));
    row.refuses::<_, Vec<u8>>("a list with an element that does not fit", vec![1_u32, 300], "300");
    row.reads("an empty list", Vec::<u32>::new(), BTreeSet::<u8>::new());
    row.reads("a map as a hashed one", BTreeMap::from([(1_u8, 2_u8)]), HashMap::from([(1_u64, 2_u64)]));
    row.reads(
        "a map with texts for keys",
        BTreeMap::from([("a".to_owned(), 2_u8)]),
        HashMap::from([("a".to_owned(), Some(2_u8))]),
    );
    row.reads(
        "a map whose keys are texts now",
        BTreeMap::from([(5_u32, 2_u8)]),
        BTreeMap::from([("5".to_owned(), 2_u8)]),
    );
    row.refuses::<_, BTreeMap<u8, u8>>("a map with a key that does not fit", BTreeMap::from([(300_u32, 2_u8)]), "300");
    row.cannot::<_, Vec<u8>>("a map as a list", BTreeMap::from([(1_u8, 2_u8)]), "invalid type: map");
}

fn enums(row: &mut impl Row) {
    row.reads("variants more, and first", Kind::Small, KindMore::Small);
    row.reads("variants more: one with a value", Kind::Big(5), KindMore::Big(5));
    row.reads("variants more: one with fields", odd(), KindMore::Odd { name: "three".to_owned(), size: 3, more: 0 });
    row.reads("variants in another order", Kind::Two(1, 2), KindTurned::Two(1, 2));
    row.reads("variants in another order: the first", Kind::Small, KindTurned::Small);
    row.reads("variants less: one that is left", Kind::Big(5), KindLess::Big(5));
    row.refuses::<_, KindLess>("variants less: one that is gone", odd(), "unknown variant `Odd`");
    row.reads("variants by an alias", Kind::Big(5), KindAlias::Large(5));
    row.reads("variants by an alias, without content", Kind::Small, KindAlias::Little);
    row.reads("a variant for all that are gone", Kind::Two(1, 2), KindOther::Two(1, 2));
    row.cannot::<_, KindLower>("variants in another case", Kind::Small, "unknown variant");
    row.cannot::<_, KindMust>("a variant with a field without a default", odd(), "missing field `must`");
    row.reads(
        "a variant with a struct, and its fields",
        Content::One(place()),
        ContentNew::One { latitude: 1.5, longitude: -2.25 },
    );
    row.reads(
        "a variant with fields, and a struct",
        Content::Fields { latitude: 1.5, longitude: -2.25 },
        ContentNew::Fields(place()),
    );
    row.reads("a variant with parts, and a tuple", Content::Row(1, 2), ContentNew::Row((1, 2)));
    row.reads("a variant with a tuple, and parts", Content::Pair((1, 2)), ContentNew::Pair(1, 2));
    row.reads("a variant with parts, and names for them", Content::Row(1, 2), ContentRow::Row { a: 1, b: 2 });
    row.reads("a variant with a unit, and without", UnitOne::A(()), UnitBare::A);
    row.cannot::<_, UnitOne>("a variant without a unit, and with", UnitBare::A, "invalid type: unit variant");
    row.reads("a result", Ok::<u8, String>(1), Ok::<u64, String>(1));
    row.reads("a name as a variant", "A".to_owned(), UnitBare::A);
    row.reads("a variant as a name", UnitBare::A, "A".to_owned());
}

fn described(row: &mut impl Row) {
    row.reads("by a tag", Event::Click { x: 1, y: -2 }, EventNew::Click { y: -2, x: 1, z: 0 });
    row.reads("by a tag, without content", Event::Close, EventNew::Close);
    row.reads("by a tag beside it", Adjacent::Key(5), AdjacentNew::Press(5));
    row.reads("by a tag beside it, with fields", Adjacent::Click { x: 1, y: -2 }, AdjacentNew::Click { x: 1, y: -2 });
    row.cannot::<_, EventFloat>("by a tag, and rounded", Event::Click { x: 1, y: 2 }, ROUNDED);
    row.cannot::<_, LooseFloat>("a struct as one of several, and rounded", place(), ROUNDED);
    row.cannot::<_, FlatFloat>(
        "by a map, flattened, and rounded",
        BTreeMap::from([("x".to_owned(), 0.5_f64)]),
        ROUNDED,
    );
    row.cannot::<_, FlatAlias>("flattened, by an alias, and rounded", FlatX { id: 1, x: X { x: 0.5 } }, ROUNDED);
    row.reads(
        "flattened, and as wide as before",
        FlatX { id: 1, x: X { x: 0.1 } },
        FlatY { x: X { x: 0.1 }, id: 1, y: 0.0 },
    );
    row.reads("untagged", Loose::Number(5), LooseNew::Number(5));
    row.reads("untagged, with fields", Loose::Pair { a: 1, b: 2 }, LooseNew::Pair { a: 1, b: 2, c: 0 });
    row.reads("one of several, as what it is", Loose::Number(5), 5_u64);
    row.refuses::<_, u64>("one of several, as what it is not", Loose::Text("x".to_owned()), "invalid type: string");
    row.reads("any value, as what it is", serde_json::json!({"latitude": 1.5, "longitude": -2.25}), place());
    row.refuses::<_, Place>(
        "any value, as what it is not",
        serde_json::json!({"latitude": 1.5}),
        "missing field `longitude`",
    );
    row.reads("a number as one of several", 5_u32, TextOrNumber::Number(5));
    row.reads("a text as one of several", "x".to_owned(), TextOrNumber::Text("x".to_owned()));
    row.reads(
        "with flattened fields",
        Flat { id: 1, place: place() },
        FlatNew { place: PlaceHigh { latitude: 1.5, longitude: -2.25, height: 0 }, id: 1 },
    );
    row.reads(
        "flattened, and not any more",
        Flat { id: 1, place: place() },
        Unflat { id: 1, latitude: 1.5, longitude: -2.25 },
    );
    row.reads("flattened now", Unflat { id: 1, latitude: 1.5, longitude: -2.25 }, Flat { id: 1, place: place() });
    row.reads(
        "what is left in a map",
        Unflat { id: 1, latitude: 1.5, longitude: -2.25 },
        FlatRest { id: 1, rest: BTreeMap::from([("latitude".to_owned(), 1.5), ("longitude".to_owned(), -2.25)]) },
    );
    row.reads("as any value", place(), serde_json::json!({"latitude": 1.5, "longitude": -2.25}));
    row.reads("an enum as any value", Kind::Two(1, 2), serde_json::json!({"Two": [1, 2]}));
}

fn own_words(row: &mut impl Row) {
    row.reads("a number that is stored as a text", WithText { at: 5 }, PlainText { at: "5".to_owned() });
    row.reads("a number that is stored as a text, and a field", WithText { at: 5 }, WithTextMore { more: 0, at: 5 });
    row.reads("a duration", std::time::Duration::from_millis(1500), (1_u64, 500_000_000_u32).into_duration());
    let ip = std::net::Ipv4Addr::new(10, 0, 0, 1);
    row.reads("what people read otherwise", Address { ip, port: 80 }, AddressNew { port: 80, ip, name: String::new() });
}

types! {
    pub(crate) struct Span { nanos: u64, secs: u64 }
}

trait IntoDuration {
    fn into_duration(self) -> Span;
}

impl IntoDuration for (u64, u32) {
    fn into_duration(self) -> Span {
        Span { nanos: self.1.into(), secs: self.0 }
    }
}

fn recursive(row: &mut impl Row) {
    let list = List { value: 1, next: Some(Box::new(List { value: 2, next: None })) };
    let end = ListNew { next: None, value: 2, note: String::new() };
    row.reads(
        "a list that contains itself",
        list,
        ListNew { next: Some(Box::new(end)), value: 1, note: String::new() },
    );
    let tree = Tree::Node(Box::new(Tree::Leaf(1)), Box::new(Tree::Leaf(2)));
    row.reads(
        "an enum that contains itself",
        tree,
        TreeNew::Node(Box::new(TreeNew::Leaf(1)), Box::new(TreeNew::Leaf(2))),
    );
}

types! {
    pub(crate) struct Beside<T> { of: T, last: u8 }
    pub(crate) struct BesideNew<T> { #[serde(default)] first: String, last: u16, of: T }
    #[derive(Eq, PartialOrd, Ord)]
    pub(crate) enum Color { Red, Rgb(u8, u8, u8) }
    #[serde(try_from = "String", into = "String")]
    pub(crate) struct Code(String);
    #[serde(try_from = "u8", into = "u8")]
    pub(crate) struct Even(u8);
    #[serde(transparent)]
    pub(crate) struct Clear { of: Vec<Even> }
    pub(crate) struct Nothing;
}

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.contains("00-00") || text == "GB-7" { Ok(Self(text)) } else { Err(format!("{text} is no code")) }
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

impl TryFrom<u8> for Even {
    type Error = String;

    fn try_from(value: u8) -> Result<Self, String> {
        if value.is_multiple_of(2) { Ok(Self(value)) } else { Err(format!("{value} is odd")) }
    }
}

impl From<Even> for u8 {
    fn from(even: Even) -> Self {
        even.0
    }
}

/// Types of all kinds that have not changed, beside something that has.
fn beside(row: &mut impl Row) {
    fn one<T: Data>(row: &mut impl Row, name: &str, of: T) {
        let new = BesideNew { first: String::new(), last: 3, of: of.clone() };
        row.reads(name, Beside { of, last: 3 }, new);
    }
    one(row, "beside a unit", ());
    one(row, "beside a unit struct", Nothing);
    one(row, "beside a marker", std::marker::PhantomData::<u8>);
    one(row, "beside what is never zero", std::num::NonZeroU64::MIN);
    one(row, "beside an address", std::net::IpAddr::V6(std::net::Ipv6Addr::LOCALHOST));
    one(row, "beside a socket", "10.0.0.1:80".parse::<std::net::SocketAddr>().ok());
    one(row, "beside a duration", std::time::Duration::from_millis(5));
    one(row, "beside a time", std::time::SystemTime::UNIX_EPOCH);
    one(row, "beside a range", 3..5_u8);
    one(row, "beside a result", Err::<u8, _>("no".to_owned()));
    one(row, "beside a bound", std::ops::Bound::Included(5_i8));
    one(row, "beside 128 bits", (i128::MIN, u128::MAX));
    one(row, "beside what checks a text", Code("GB-7".to_owned()));
    one(row, "beside what checks a number", Even(4));
    one(row, "beside a list of those", Clear { of: vec![Even(2), Even(4)] });
    one(row, "beside an enum", Some(Color::Rgb(1, 2, 3)));
    one(row, "beside enums as keys", BTreeMap::from([(Color::Red, Some(Some(1_u8)))]));
    one(row, "beside arrays", [[1_u8; 32]; 2]);
    one(row, "beside a box of a list", vec![Some(Box::new([1_u16, 2]))]);
    one(row, "beside a path", std::path::PathBuf::from("a/b"));
    one(row, "beside what is tagged", Event::Click { x: 1, y: 2 });
    one(row, "beside what is untagged", vec![Loose::Text("x".to_owned()), Loose::Number(1)]);
    one(row, "beside what is flattened", Flat { id: 1, place: place() });
    one(row, "beside any value", serde_json::json!({"a": [1, 2.5, null]}));
    one(row, "beside what contains itself", Tree::Node(Box::new(Tree::Leaf(1)), Box::new(Tree::Leaf(2))));
    one(row, "beside a longer list", vec![0_u8; 1000]);
}
