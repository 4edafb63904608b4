//! Reads MessagePack for the types that must be told what comes next: every value says what it is.
//!
//! The crate reads markers and numbers; what it reads is bounded here, as it is for [postcard](super::reader): a length is
//! no more than the bytes that are left, and nesting has a limit. A null inside of `Some` is the extension that
//! [`faithful`](crate::codec::faithful) writes.

use crate::codec::faithful::{MAX_PACK_DEPTH, NULL_IN_SOME};
use crate::codec::payload::elements::Nested;
use crate::codec::payload::unreadable::{Result, Unreadable, unreadable};
use rmp::Marker;
use rmp::decode::{RmpRead, read_marker};
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

pub(super) fn read<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], seed: S) -> Result<S::Value> {
    let mut reader = Reader { rest: bytes, depth: 0 };
    let value = seed.deserialize(&mut reader)?;
    match reader.rest.len() {
        0 => Ok(value),
        left => unreadable(format!("{left} bytes are left over at the end")),
    }
}

struct Reader<'de> {
    rest: &'de [u8],
    depth: usize,
}

/// What stands at the front of the bytes.
enum Item<'de> {
    Null,
    /// A null inside of so many `Some`.
    NullInSome(u8),
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    F32(f32),
    F64(f64),
    Str(&'de str),
    Bytes(&'de [u8]),
    Seq(usize),
    Map(usize),
}

impl<'de> Reader<'de> {
    fn marker(&mut self) -> Result<Marker> {
        read_marker(&mut self.rest).or_else(|_| ends())
    }

    fn number<const N: usize, T>(&mut self, read: impl FnOnce([u8; N]) -> T) -> Result<T> {
        let mut bytes = [0; N];
        self.rest.read_exact_buf(&mut bytes).or_else(|_| ends())?;
        Ok(read(bytes))
    }

    fn length<const N: usize>(&mut self, read: impl FnOnce([u8; N]) -> u32) -> Result<usize> {
        let length = self.number(read)?;
        usize::try_from(length).or_else(|_| ends())
    }

    fn take(&mut self, length: usize) -> Result<&'de [u8]> {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => ends(),
        }
    }

    fn text(&mut self, length: usize) -> Result<Item<'de>> {
        match str::from_utf8(self.take(length)?) {
            Ok(text) => Ok(Item::Str(text)),
            Err(error) => unreadable(format!("a text is not UTF-8: {error}")),
        }
    }

    /// A number of elements, each of which takes at least so many bytes.
    fn elements(&self, length: usize, each: usize) -> Result<usize> {
        match length.checked_mul(each).is_some_and(|bytes| bytes <= self.rest.len()) {
            true => Ok(length),
            false => unreadable(format!("a length of {length} is more than the bytes can hold")),
        }
    }

    fn seq(&self, length: usize) -> Result<Item<'de>> {
        self.elements(length, 1).map(Item::Seq)
    }

    fn map(&self, length: usize) -> Result<Item<'de>> {
        self.elements(length, 2).map(Item::Map)
    }

    fn item(&mut self) -> Result<Item<'de>> {
        let be16 = |bytes| u32::from(u16::from_be_bytes(bytes));
        Ok(match self.marker()? {
            Marker::Null => Item::Null,
            Marker::False => Item::Bool(false),
            Marker::True => Item::Bool(true),
            Marker::FixPos(number) => Item::Unsigned(number.into()),
            Marker::FixNeg(number) => Item::Signed(number.into()),
            Marker::U8 => Item::Unsigned(self.number(u8::from_be_bytes)?.into()),
            Marker::U16 => Item::Unsigned(self.number(u16::from_be_bytes)?.into()),
            Marker::U32 => Item::Unsigned(self.number(u32::from_be_bytes)?.into()),
            Marker::U64 => Item::Unsigned(self.number(u64::from_be_bytes)?),
            Marker::I8 => Item::Signed(self.number(i8::from_be_bytes)?.into()),
            Marker::I16 => Item::Signed(self.number(i16::from_be_bytes)?.into()),
            Marker::I32 => Item::Signed(self.number(i32::from_be_bytes)?.into()),
            Marker::I64 => Item::Signed(self.number(i64::from_be_bytes)?),
            Marker::F32 => Item::F32(self.number(f32::from_be_bytes)?),
            Marker::F64 => Item::F64(self.number(f64::from_be_bytes)?),
            Marker::FixStr(length) => self.text(length.into())?,
            Marker::Str8 => {
                let length = self.length(|[byte]| byte.into())?;
                self.text(length)?
            }
            Marker::Str16 => {
                let length = self.length(be16)?;
                self.text(length)?
            }
            Marker::Str32 => {
                let length = self.length(u32::from_be_bytes)?;
                self.text(length)?
            }
            Marker::Bin8 => {
                let length = self.length(|[byte]| byte.into())?;
                Item::Bytes(self.take(length)?)
            }
            Marker::Bin16 => {
                let length = self.length(be16)?;
                Item::Bytes(self.take(length)?)
            }
            Marker::Bin32 => {
                let length = self.length(u32::from_be_bytes)?;
                Item::Bytes(self.take(length)?)
            }
            Marker::FixArray(length) => self.seq(length.into())?,
            Marker::Array16 => {
                let length = self.length(be16)?;
                self.seq(length)?
            }
            Marker::Array32 => {
                let length = self.length(u32::from_be_bytes)?;
                self.seq(length)?
            }
            Marker::FixMap(length) => self.map(length.into())?,
            Marker::Map16 => {
                let length = self.length(be16)?;
                self.map(length)?
            }
            Marker::Map32 => {
                let length = self.length(u32::from_be_bytes)?;
                self.map(length)?
            }
            Marker::FixExt1 => match self.take(2)? {
                [kind, levels] if i8::from_be_bytes([*kind]) == NULL_IN_SOME && *levels > 0 => {
                    Item::NullInSome(*levels)
                }
                other => return unreadable(format!("the extension {other:02x?} is none of ours")),
            },
            other => return unreadable(format!("{other:?} begins nothing that is written here")),
        })
    }

    fn visit<V: Visitor<'de>>(&mut self, item: Item<'de>, visitor: V) -> Result<V::Value> {
        match item {
            Item::Null => visitor.visit_unit(),
            Item::NullInSome(levels) => visitor.visit_some(Null(levels - 1)),
            Item::Bool(value) => visitor.visit_bool(value),
            Item::Unsigned(value) => visitor.visit_u64(value),
            Item::Signed(value) => visitor.visit_i64(value),
            Item::F32(value) => visitor.visit_f32(value),
            Item::F64(value) => visitor.visit_f64(value),
            Item::Str(text) => visitor.visit_borrowed_str(text),
            Item::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Item::Seq(length) => self.counted(length, |elements| visitor.visit_seq(elements)),
            Item::Map(length) => self.counted(length, |elements| visitor.visit_map(elements)),
        }
    }

    /// An integer of 128 bits, which is written as its bytes.
    fn wide(&mut self) -> Result<std::result::Result<[u8; 16], Item<'de>>> {
        let item = self.item()?;
        Ok(match item {
            Item::Bytes(bytes) => bytes.try_into().map_err(|_| item),
            item => Err(item),
        })
    }
}

impl Nested for Reader<'_> {
    const MAX_DEPTH: usize = MAX_PACK_DEPTH;

    fn depth(&mut self) -> &mut usize {
        &mut self.depth
    }
}

fn ends<T>() -> Result<T> {
    unreadable("the bytes end too early")
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unreadable;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let item = self.item()?;
        self.visit(item, visitor)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.wide()? {
            Ok(bytes) => visitor.visit_u128(u128::from_be_bytes(bytes)),
            Err(item) => self.visit(item, visitor),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.wide()? {
            Ok(bytes) => visitor.visit_i128(i128::from_be_bytes(bytes)),
            Err(item) => self.visit(item, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.rest.first().map(|byte| Marker::from_u8(*byte)) {
            Some(Marker::Null) => {
                self.item()?;
                visitor.visit_none()
            }
            Some(Marker::FixExt1) => self.deserialize_any(visitor),
            _ => self.deeper(|reader| visitor.visit_some(reader)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.deeper(|reader| visitor.visit_newtype_struct(reader))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.item()? {
            Item::Str(name) => visitor.visit_enum(BorrowedStrDeserializer::new(name)),
            Item::Map(1) => self.deeper(|reader| visitor.visit_enum(reader)),
            _ => unreadable("a variant is a name, or a map of one name"),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

impl<'de> de::EnumAccess<'de> for &mut Reader<'de> {
    type Error = Unreadable;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        match self.item()? {
            Item::Str(name) => {
                let name: StrDeserializer<'_, Unreadable> = name.into_deserializer();
                Ok((seed.deserialize(name)?, self))
            }
            _ => unreadable("the name of a variant is a text"),
        }
    }
}

impl<'de> de::VariantAccess<'de> for &mut Reader<'de> {
    type Error = Unreadable;

    fn unit_variant(self) -> Result<()> {
        de::Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.deserialize_any(visitor)
    }
}

/// A null inside of so many `Some`.
struct Null(u8);

impl<'de> Deserializer<'de> for Null {
    type Error = Unreadable;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0.checked_sub(1) {
            Some(inside) => visitor.visit_some(Self(inside)),
            None => visitor.visit_unit(),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0.checked_sub(1) {
            Some(inside) => visitor.visit_some(Self(inside)),
            None => visitor.visit_none(),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}
