//! Bytes that describe themselves, as a tree.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Elements that are made room for before they are read.
const ROOM: usize = 1 << 10;

pub(super) enum Tree<'de> {
    /// A null inside of so many `Some`.
    Null(u8),
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    F32(f32),
    F64(f64),
    Str(Cow<'de, str>),
    Bytes(Cow<'de, [u8]>),
    Seq(Vec<Tree<'de>>),
    Map(Vec<(Tree<'de>, Tree<'de>)>),
}

impl<'de> Deserialize<'de> for Tree<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Build)
    }
}

struct Build;

macro_rules! leaves {
    ($($method:ident($value:ident: $type:ty) => $tree:expr;)*) => {
        $(fn $method<E>(self, $value: $type) -> Result<Tree<'de>, E> {
            Ok($tree)
        })*
    };
}

impl<'de> Visitor<'de> for Build {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what was stored")
    }

    leaves! {
        visit_bool(value: bool) => Tree::Bool(value);
        visit_u64(value: u64) => Tree::Unsigned(value);
        visit_i64(value: i64) => Tree::Signed(value);
        visit_f32(value: f32) => Tree::F32(value);
        visit_f64(value: f64) => Tree::F64(value);
        visit_borrowed_str(text: &'de str) => Tree::Str(Cow::Borrowed(text));
        visit_str(text: &str) => Tree::Str(Cow::Owned(text.to_owned()));
        visit_string(text: String) => Tree::Str(Cow::Owned(text));
        visit_borrowed_bytes(bytes: &'de [u8]) => Tree::Bytes(Cow::Borrowed(bytes));
        visit_bytes(bytes: &[u8]) => Tree::Bytes(Cow::Owned(bytes.to_owned()));
    }

    fn visit_unit<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null(0))
    }

    fn visit_none<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null(0))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree<'de>, D::Error> {
        Ok(match deserializer.deserialize_any(self)? {
            Tree::Null(levels) => Tree::Null(levels.saturating_add(1)),
            other => other,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Tree<'de>, A::Error> {
        let mut items = Vec::with_capacity(parts.size_hint().unwrap_or(0).min(ROOM));
        while let Some(item) = parts.next_element()? {
            items.push(item);
        }
        Ok(Tree::Seq(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut parts: A) -> Result<Tree<'de>, A::Error> {
        let mut entries = Vec::with_capacity(parts.size_hint().unwrap_or(0).min(ROOM));
        while let Some(entry) = parts.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Map(entries))
    }
}
