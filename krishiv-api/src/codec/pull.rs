//! A deserializer that asks a source behind a pointer: reading a type by way of it is there once for all that are read like this.
//!
//! The formats that are read by way of a source say what they hold, or are asked what a type wants; bytes that are read by their
//! place take the direct way, since they are read most.

use super::unreadable::{Result, Unreadable};
use serde::de::{self, DeserializeSeed, Deserializer, Expected, Unexpected, Visitor};
use std::any::type_name;

/// What a type asks for.
#[derive(Clone, Copy)]
pub(super) enum Ask {
    Any,
    /// Anything, to be passed by.
    Ignored,
    Identifier,
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    Str,
    Bytes,
    Unit,
    UnitStruct(&'static str),
    Option,
    Newtype(&'static str),
    Seq,
    Tuple(usize),
    TupleStruct(&'static str, usize),
    Map,
    Struct(&'static str, &'static [&'static str]),
    Enum(&'static str, &'static [&'static str]),
    /// The content of a variant, when its name is known.
    UnitVariant,
    NewtypeVariant,
    TupleVariant(usize),
    StructVariant(&'static [&'static str]),
}

/// Who asks.
pub(super) struct Asker<'a> {
    pub(super) name: &'static str,
    pub(super) expected: &'a dyn Expected,
}

/// What comes next. What has parts is open until it is [closed](Source::close).
pub(super) enum Token<'de> {
    Unit,
    None,
    /// Open, with one part, which comes next.
    Some,
    Newtype,
    /// An enum, open: what comes next is its variant, and then its content.
    Enum,
    /// Nothing is open: what comes next is the content of a variant.
    Content,
    /// Open.
    Seq,
    Map,
    Bool(bool),
    /// An integer of the kind that was asked for.
    Exact(i8),
    Index(u32),
    Unsigned(u64),
    Signed(i64),
    U128(u128),
    I128(i128),
    F32(f32),
    F64(f64),
    Char(char),
    Str(&'de str),
    /// The text of a number: in JSON, keys are texts.
    TextOf(u128),
    TextOfSigned(i128),
    Bytes(&'de [u8]),
}

/// What is read, part by part.
pub(super) trait Source<'de> {
    /// What comes next for whoever asks.
    fn next(&mut self, ask: Ask, asker: &Asker<'_>) -> Result<Token<'de>>;

    /// How many are open.
    fn depth(&self) -> usize;

    /// Goes on to the next element, or key, of what is open at this depth, if there is one. What is open inside of it is left:
    /// a type may have given up on it.
    fn part(&mut self, depth: usize) -> Result<bool>;

    /// Goes on to the value behind a key.
    fn value(&mut self, depth: usize) -> Result<()>;

    /// Elements, or entries, that are left of what is open at this depth.
    fn left(&self, depth: usize) -> Option<usize>;

    /// Closes what is open at this depth, of which a type has taken what it wants.
    fn close(&mut self, depth: usize) -> Result<()>;

    /// The variant that came next is none of the type's.
    fn refused(&mut self) {}

    /// Whether a type that writes itself as text for people has done so.
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Reads what `seed` asks for.
pub(super) fn pull<'de, S: DeserializeSeed<'de>>(source: &mut dyn Source<'de>, seed: S) -> Result<S::Value> {
    seed.deserialize(Puller(source))
}

struct Puller<'s, 'de>(&'s mut dyn Source<'de>);

impl<'s, 'de> Puller<'s, 'de> {
    fn ask<V: Visitor<'de>>(&mut self, ask: Ask, visitor: &V) -> Result<Token<'de>> {
        self.0.next(ask, &Asker { name: type_name::<V>(), expected: visitor })
    }

    /// Hands whatever it is to the visitor.
    fn hand<V: Visitor<'de>>(self, token: Token<'de>, visitor: V) -> Result<V::Value> {
        match token {
            Token::Unit => visitor.visit_unit(),
            Token::None => visitor.visit_none(),
            Token::Bool(value) => visitor.visit_bool(value),
            Token::Exact(value) => visitor.visit_i64(value.into()),
            Token::Index(value) => visitor.visit_u32(value),
            Token::Unsigned(value) => visitor.visit_u64(value),
            Token::Signed(value) => visitor.visit_i64(value),
            Token::U128(value) => visitor.visit_u128(value),
            Token::I128(value) => visitor.visit_i128(value),
            Token::F32(value) => visitor.visit_f32(value),
            Token::F64(value) => visitor.visit_f64(value),
            Token::Char(value) => visitor.visit_char(value),
            Token::Str(text) => visitor.visit_borrowed_str(text),
            Token::TextOf(value) => visitor.visit_string(value.to_string()),
            Token::TextOfSigned(value) => visitor.visit_string(value.to_string()),
            Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::Some | Token::Newtype | Token::Enum | Token::Content | Token::Seq | Token::Map => {
                self.open(token, visitor)
            }
        }
    }

    /// Hands what is open, and was not asked for, to the visitor.
    fn open<V: Visitor<'de>>(self, token: Token<'de>, visitor: V) -> Result<V::Value> {
        match token {
            Token::Some => self.within(|source, _| visitor.visit_some(Puller(source))),
            token => self.fields(token, visitor),
        }
    }

    /// The same for whoever asks for a map or for fields, and takes nothing else.
    fn fields<V: Visitor<'de>>(self, token: Token<'de>, visitor: V) -> Result<V::Value> {
        match token {
            Token::Map => self.within(|source, depth| visitor.visit_map(Parts { source, depth })),
            token => self.tuple(token, visitor),
        }
    }

    /// The same for whoever takes a sequence and nothing else.
    fn tuple<V: Visitor<'de>>(self, token: Token<'de>, visitor: V) -> Result<V::Value> {
        match token {
            Token::Seq => self.within(|source, depth| visitor.visit_seq(Parts { source, depth })),
            other => Err(refuse(&other, &visitor)),
        }
    }

    /// Has what was opened last visited, and closes it.
    fn within<T>(self, visit: impl FnOnce(&mut dyn Source<'de>, usize) -> Result<T>) -> Result<T> {
        let Self(source) = self;
        let depth = source.depth();
        let value = visit(&mut *source, depth)?;
        source.close(depth)?;
        Ok(value)
    }
}

#[cold]
fn refuse(token: &Token<'_>, expected: &dyn Expected) -> Unreadable {
    let got = match *token {
        Token::TextOf(_) | Token::TextOfSigned(_) => Unexpected::Other("the text of a number"),
        Token::Unit => Unexpected::Unit,
        Token::None | Token::Some => Unexpected::Option,
        Token::Newtype => Unexpected::NewtypeStruct,
        Token::Enum => Unexpected::Enum,
        Token::Content => Unexpected::Other("the content of a variant"),
        Token::Seq => Unexpected::Seq,
        Token::Map => Unexpected::Map,
        Token::Bool(value) => Unexpected::Bool(value),
        Token::Exact(value) => Unexpected::Signed(value.into()),
        Token::Index(value) => Unexpected::Unsigned(value.into()),
        Token::Unsigned(value) => Unexpected::Unsigned(value),
        Token::Signed(value) => Unexpected::Signed(value),
        Token::U128(_) | Token::I128(_) => Unexpected::Other("integer of 128 bits"),
        Token::F32(value) => Unexpected::Float(value.into()),
        Token::F64(value) => Unexpected::Float(value),
        Token::Char(value) => Unexpected::Char(value),
        Token::Str(text) => Unexpected::Str(text),
        Token::Bytes(bytes) => Unexpected::Bytes(bytes),
    };
    de::Error::invalid_type(got, expected)
}

macro_rules! integers {
    ($($method:ident $ask:ident $visit:ident $type:ty;)*) => {
        $(fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
            match self.ask(Ask::$ask, &visitor)? {
                // Samples are 0 and 1.
                Token::Exact(value) => visitor.$visit(value as $type),
                token => self.hand(token, visitor),
            }
        })*
    };
}

macro_rules! others {
    ($($method:ident $ask:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
            let token = self.ask(Ask::$ask, &visitor)?;
            self.hand(token, visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Puller<'_, 'de> {
    type Error = Unreadable;

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }

    integers! {
        deserialize_i8 I8 visit_i8 i8;
        deserialize_i16 I16 visit_i16 i16;
        deserialize_i32 I32 visit_i32 i32;
        deserialize_i64 I64 visit_i64 i64;
        deserialize_i128 I128 visit_i128 i128;
        deserialize_u8 U8 visit_u8 u8;
        deserialize_u16 U16 visit_u16 u16;
        deserialize_u32 U32 visit_u32 u32;
        deserialize_u64 U64 visit_u64 u64;
        deserialize_u128 U128 visit_u128 u128;
    }

    others! {
        deserialize_any Any;
        deserialize_ignored_any Ignored;
        deserialize_bool Bool;
        deserialize_f32 F32;
        deserialize_f64 F64;
        deserialize_char Char;
        deserialize_str Str;
        deserialize_string Str;
        deserialize_bytes Bytes;
        deserialize_byte_buf Bytes;
        deserialize_unit Unit;
    }

    fn deserialize_identifier<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        match self.ask(Ask::Identifier, &visitor)? {
            Token::Str(name) => visitor.visit_borrowed_str(name),
            Token::Bytes(name) => visitor.visit_borrowed_bytes(name),
            Token::Index(index) => visitor.visit_u32(index),
            Token::Unsigned(index) => visitor.visit_u64(index),
            other => Err(refuse(&other, &visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        match self.ask(Ask::Seq, &visitor)? {
            Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            token => self.tuple(token, visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        match self.ask(Ask::Map, &visitor)? {
            Token::Unit => visitor.visit_unit(),
            token => self.fields(token, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        match self.ask(Ask::Option, &visitor)? {
            Token::None => visitor.visit_none(),
            Token::Unit => visitor.visit_unit(),
            Token::Some => self.within(|source, _| visitor.visit_some(Puller(source))),
            other => Err(refuse(&other, &visitor)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(mut self, name: &'static str, visitor: V) -> Result<V::Value> {
        let token = self.ask(Ask::UnitStruct(name), &visitor)?;
        self.hand(token, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(mut self, name: &'static str, visitor: V) -> Result<V::Value> {
        self.ask(Ask::Newtype(name), &visitor)?;
        self.within(|source, _| visitor.visit_newtype_struct(Puller(source)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(mut self, length: usize, visitor: V) -> Result<V::Value> {
        let token = self.ask(Ask::Tuple(length), &visitor)?;
        self.tuple(token, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value> {
        let token = self.ask(Ask::TupleStruct(name, length), &visitor)?;
        self.tuple(token, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let token = self.ask(Ask::Struct(name, fields), &visitor)?;
        self.fields(token, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.ask(Ask::Enum(name, variants), &visitor)?;
        self.within(|source, _| visitor.visit_enum(Puller(source)))
    }
}

/// The parts of what is open.
struct Parts<'s, 'de> {
    source: &'s mut dyn Source<'de>,
    depth: usize,
}

impl<'de> Parts<'_, 'de> {
    fn next<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if self.source.part(self.depth)? { seed.deserialize(Puller(&mut *self.source)).map(Some) } else { Ok(None) }
    }
}

impl<'de> de::SeqAccess<'de> for Parts<'_, 'de> {
    type Error = Unreadable;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.source.left(self.depth)
    }
}

impl<'de> de::MapAccess<'de> for Parts<'_, 'de> {
    type Error = Unreadable;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        self.source.value(self.depth)?;
        seed.deserialize(Puller(&mut *self.source))
    }

    fn size_hint(&self) -> Option<usize> {
        self.source.left(self.depth)
    }
}

impl<'de> de::EnumAccess<'de> for Puller<'_, 'de> {
    type Error = Unreadable;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        match seed.deserialize(Puller(&mut *self.0)) {
            Ok(variant) => Ok((variant, self)),
            Err(error) => {
                self.0.refused();
                Err(error)
            }
        }
    }
}

/// A unit, as what is expected.
struct AUnit;

impl Expected for AUnit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("unit")
    }
}

impl<'de> de::VariantAccess<'de> for Puller<'_, 'de> {
    type Error = Unreadable;

    fn unit_variant(self) -> Result<()> {
        match self.0.next(Ask::UnitVariant, &Asker { name: "", expected: &AUnit })? {
            Token::Unit => Ok(()),
            other => Err(refuse(&other, &AUnit)),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        self.0.next(Ask::NewtypeVariant, &Asker { name: "", expected: &"newtype variant" })?;
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(mut self, length: usize, visitor: V) -> Result<V::Value> {
        let token = self.ask(Ask::TupleVariant(length), &visitor)?;
        self.tuple(token, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(mut self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        let token = self.ask(Ask::StructVariant(fields), &visitor)?;
        self.fields(token, visitor)
    }
}
