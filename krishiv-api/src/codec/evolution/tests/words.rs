//! What a person reads before a deploy.

use super::matrix::*;
use super::{Fit, fit};
use crate::codec::shape::trace;
use serde::{Deserialize, Serialize};

/// The changes and, with a mark in front, the reason.
fn told<Was: Data, Is: Data>() -> Vec<String> {
    let (written, declared) = (trace::<Was>(), trace::<Is>());
    match fit::<Is>(&written.shape, written.codec, &declared.shape) {
        Fit::Same => Vec::new(),
        Fit::Readable { changes } => changes.iter().map(ToString::to_string).collect(),
        Fit::Unreadable { changes, reason } => {
            changes.iter().map(ToString::to_string).chain([format!("! {reason}")]).collect()
        }
    }
}

#[test]
fn what_can_be_read() {
    assert_eq!(told::<Place, Place>(), Vec::<String>::new());
    assert_eq!(told::<Place, PlaceHigh>(), ["`height` is new: its default"]);
    assert_eq!(told::<Place, PlaceAlias>(), ["`latitude` is `lat` now", "`longitude` is `lon` now"]);
    assert_eq!(
        told::<Place, PlaceTurned>(),
        ["is the same by name: types are called otherwise, or parts are in another order"]
    );
    assert_eq!(
        told::<Trip, TripNew>(),
        [
            "`note` is gone: what was stored is passed by",
            "`from.height` is new: its default",
            "`to.height` is new: its default"
        ]
    );
    assert_eq!(
        told::<Kind, KindMore>(),
        [
            "`Big` was u32, and is u64",
            "`Odd.more` is new: its default",
            "`First` is a new variant",
            "`Middle` is a new variant"
        ]
    );
    assert_eq!(
        told::<Kind, KindLess>(),
        [
            "`Odd` is no variant any more: a value of it is refused when it is read",
            "`Two` is no variant any more: a value of it is refused when it is read"
        ]
    );
    assert_eq!(told::<Kind, KindAlias>(), ["`Small` is `Little` now", "`Big` is `Large` now"]);
    assert_eq!(told::<u64, u8>(), ["was u64, and is u8: what does not fit is refused when it is read"]);
    assert_eq!(
        told::<Option<u8>, u16>(),
        ["may not be absent any more: a value without it is refused when it is read", "was u8, and is u16"]
    );
    assert_eq!(told::<Loose, u64>(), ["was one of several, and is u64: what does not fit is refused when it is read"]);
}

#[test]
fn what_cannot_be_read() {
    let default =
        "give the field #[serde(default)], or an #[serde(alias)] if it had another name, or write a migration";
    assert_eq!(
        told::<Place, PlaceMust>(),
        ["`height` is new, and has no default", &format!("! missing field `height`; {default}")]
    );
    assert_eq!(
        told::<Kind, KindMust>(),
        ["`Odd.must` is new, and has no default", &format!("! `Odd`: missing field `must`; {default}")]
    );
    assert_eq!(
        told::<u8, String>(),
        [
            "was u8, and is str: what does not fit is refused when it is read",
            "! invalid type: integer `1`, expected a string; write a migration"
        ]
    );
    let rounded = "`Click.x` was i32, and is f32: serde reads a tagged, untagged or flattened type from a copy, and rounds what it \
                   takes from there without a word; write a migration";
    assert_eq!(
        told::<Event, EventFloat>(),
        ["`Click.x` was i32, and is f32: what does not fit is refused when it is read", &format!("! {rounded}")]
    );
}

/// No sample is good enough for it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(try_from = "String", into = "String")]
struct Only(String);

impl TryFrom<String> for Only {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "GB-7" { Ok(Self(text)) } else { Err(format!("{text} is no code")) }
    }
}

impl From<Only> for String {
    fn from(only: Only) -> Self {
        only.0
    }
}

#[test]
fn what_no_sample_shows_is_told_by_the_values() {
    assert_eq!(
        told::<Beside<Only>, BesideNew<Only>>(),
        [
            "was Beside, of which nothing is known, and is BesideNew, of which nothing is known: what does not fit is refused \
             when it is read"
        ]
    );
    let around = ["`first` is new: its default", "`last` was u8, and is u16"];
    assert_eq!(told::<Beside<Vec<Only>>, BesideNew<Vec<Only>>>(), around);
    assert_eq!(told::<Beside<Option<Only>>, BesideNew<Option<Only>>>(), around);
    let must = told::<Beside<Vec<Only>>, BesideMust<Vec<Only>>>();
    assert!(must.iter().any(|line| line.starts_with("! missing field `first`")), "{must:?}");
    let other = told::<Beside<Vec<u8>>, Beside<Vec<Only>>>();
    assert!(other.iter().any(|line| line.starts_with("! `of`: invalid type: integer")), "{other:?}");
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct BesideMust<T> {
    first: u8,
    of: T,
    last: u8,
}
