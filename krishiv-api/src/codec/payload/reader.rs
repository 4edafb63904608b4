//! Reads postcard's format from bytes that nobody vouches for.
//!
//! `postcard::from_bytes` believes the lengths it meets and recurses as deep as the bytes ask for. This reader does
//! neither: all lengths together may not exceed the bytes there are (and a little, for elements that take none),
//! and nesting has a limit. Single values are still postcard's to read.

use super::elements::{Elements, FREE_ELEMENTS, Nested};
use crate::codec::faithful::MAX_DEPTH;
use crate::codec::unreadable::{Result, Unreadable, unreadable};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};

#[inline]
pub(super) fn read<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], seed: S) -> Result<S::Value> {
    let mut reader = Reader { rest: bytes, elements: bytes.len().saturating_add(FREE_ELEMENTS), depth: 0 };
    let value = seed.deserialize(&mut reader)?;
    match reader.rest.len() {
        0 => Ok(value),
        left => unreadable(format!("{left} bytes are left over at the end")),
    }
}

/// Takes one value from the front of the bytes; one of those that have no parts.
#[inline]
pub(in crate::codec) fn take<'de, T: Deserialize<'de>>(bytes: &mut &'de [u8]) -> Result<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, rest)) => {
            *bytes = rest;
            Ok(value)
        }
        Err(postcard::Error::DeserializeUnexpectedEnd) => unreadable("the bytes end too early"),
        Err(error) => unreadable(error.to_string()),
    }
}

struct Reader<'de> {
    rest: &'de [u8],
    /// Elements that sequences and maps may still announce.
    elements: usize,
    depth: usize,
}

impl<'de> Reader<'de> {
    #[inline]
    fn take<T: Deserialize<'de>>(&mut self) -> Result<T> {
        take(&mut self.rest)
    }

    #[inline]
    fn take_length(&mut self) -> Result<usize> {
        let length = self.take::<usize>()?;
        match self.elements.checked_sub(length) {
            Some(left) => {
                self.elements = left;
                Ok(length)
            }
            None => unreadable(format!("a length of {length} is more than the bytes can hold")),
        }
    }
}

impl Nested for Reader<'_> {
    const MAX_DEPTH: usize = MAX_DEPTH;

    #[inline]
    fn depth(&mut self) -> &mut usize {
        &mut self.depth
    }
}

macro_rules! take {
    ($($method:ident => $visit:ident),* $(,)?) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            visitor.$visit(self.take()?)
        })*
    };
}

macro_rules! self_describing {
    ($($method:ident),*) => {
        $(fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
            unreadable("postcard does not say what its bytes are, and this type needs to know")
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unreadable;

    fn is_human_readable(&self) -> bool {
        false
    }

    self_describing!(deserialize_any, deserialize_identifier, deserialize_ignored_any);

    take! {
        deserialize_bool => visit_bool, deserialize_char => visit_char,
        deserialize_u8 => visit_u8, deserialize_u16 => visit_u16, deserialize_u32 => visit_u32,
        deserialize_u64 => visit_u64, deserialize_u128 => visit_u128,
        deserialize_i8 => visit_i8, deserialize_i16 => visit_i16, deserialize_i32 => visit_i32,
        deserialize_i64 => visit_i64, deserialize_i128 => visit_i128,
        deserialize_f32 => visit_f32, deserialize_f64 => visit_f64,
        deserialize_str => visit_borrowed_str, deserialize_string => visit_borrowed_str,
        deserialize_bytes => visit_borrowed_bytes, deserialize_byte_buf => visit_borrowed_bytes,
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.take::<u8>()? {
            0 => visitor.visit_none(),
            1 => self.deeper(|reader| visitor.visit_some(reader)),
            other => unreadable(format!("{other} is neither absent (0) nor present (1)")),
        }
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.deeper(|reader| visitor.visit_newtype_struct(reader))
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let length = self.take_length()?;
        self.counted(length, |elements| visitor.visit_seq(elements))
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let length = self.take_length()?;
        self.counted(length, |elements| visitor.visit_map(elements))
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        self.deeper(|reader| visitor.visit_seq(Elements { reader, left: length }))
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, length: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_tuple(length, visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deeper(|reader| visitor.visit_enum(reader))
    }
}

impl<'de> de::EnumAccess<'de> for &mut Reader<'de> {
    type Error = Unreadable;
    type Variant = Self;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        let index = self.take::<u32>()?;
        let variant = seed.deserialize(IntoDeserializer::<Unreadable>::into_deserializer(index))?;
        Ok((variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for &mut Reader<'de> {
    type Error = Unreadable;

    #[inline]
    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_tuple(length, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.deserialize_tuple(fields.len(), visitor)
    }
}
