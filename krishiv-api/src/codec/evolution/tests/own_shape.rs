//! Values are read by their own shape as they were written, whatever the attributes of their types.

use super::matrix::Data;
use super::{Old, stored};
use crate::codec::payload::Codec;
use crate::codec::shape::trace;
use serde::{Deserialize, Serialize};

macro_rules! types {
    ($($item:item)*) => {
        $(#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)] $item)*
    };
}

types! {
    struct Alias { #[serde(alias = "z")] a: u8, #[serde(skip_serializing_if = "Option::is_none", default)] b: Option<u8>, c: u16, #[serde(alias = "y", alias = "d0")] d: i64 }
    struct AliasSkips { #[serde(skip_serializing_if = "Vec::is_empty", default, alias = "xs")] a: Vec<u8>, b: u8, #[serde(skip_serializing_if = "Vec::is_empty", default)] c: Vec<u16>, #[serde(skip_serializing_if = "String::is_empty", default)] d: String, e: u32 }
    struct AliasZero { #[serde(skip_serializing_if = "is_one", default = "one", alias = "q")] a: u8, b: u16, #[serde(skip_serializing_if = "is_one", default = "one")] c: u8, d: u32 }
    struct Skipped { #[serde(skip)] a: u8, b: u16, #[serde(alias = "old")] c: u8 }
    enum AliasKind { #[serde(alias = "Old")] A, B(u8), #[serde(alias = "Older", alias = "Aa")] C { #[serde(alias = "y")] x: u8, z: u16 }, D(u8, u16) }
    enum SkipKind { A, #[serde(skip)] #[allow(dead_code)] Hidden, #[serde(alias = "Bee")] B(u8), C }
    pub(super) struct Nested { #[serde(alias = "kinds")] kind: Vec<AliasKind>, of: Option<Alias>, last: AliasZero }
}

fn one() -> u8 {
    1
}

fn is_one(value: &u8) -> bool {
    *value == 1
}

fn check<T: Data>(values: &[T]) {
    let traced = trace::<T>();
    for value in values {
        for (codec, bytes) in stored(value) {
            // Types that postcard may lose something of are not written by it.
            if codec == Codec::Postcard && traced.codec != Codec::Postcard {
                continue;
            }
            let read = Old::new(&traced.shape).decode::<T>(codec, &bytes);
            assert_eq!(read.as_ref(), Ok(value), "{codec:?}, {}, {:?}", traced.shape, traced.codec);
        }
    }
}

#[test]
fn by_its_own_shape() {
    let alias = |b| Alias { a: 1, b, c: 300, d: -5 };
    check(&[alias(None), alias(Some(7))]);
    let skips = |a, c, d: &str| AliasSkips { a, b: 2, c, d: d.to_owned(), e: 5 };
    check(&[
        skips(vec![], vec![], ""),
        skips(vec![3], vec![], "x"),
        skips(vec![], vec![300], ""),
        skips(vec![1], vec![2], "y"),
    ]);
    let zero = |a, c| AliasZero { a, b: 300, c, d: 70_000 };
    check(&[zero(1, 1), zero(2, 1), zero(1, 2), zero(2, 3)]);
    check(&[Skipped { a: 0, b: 5, c: 6 }]);
    let kinds = [AliasKind::A, AliasKind::B(3), AliasKind::C { x: 1, z: 300 }, AliasKind::D(1, 300)];
    check(&kinds);
    check(&[SkipKind::A, SkipKind::B(4), SkipKind::C]);
    check(&[Nested { kind: kinds.to_vec(), of: Some(alias(Some(1))), last: zero(2, 2) }]);
}
