//! Samples: values without a type, and the deserializer that reads one as serde's own buffer of content is read.

use super::notes::Refused;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use std::borrow::Cow;

/// A type that reads itself from what it was given would never end.
const MAX_DEPTH: usize = 200;

/// A value that says itself what it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Sample {
    #[default]
    Unit,
    Bool(bool),
    Integer(u64),
    Negative(i64),
    Float(f64),
    Text(Cow<'static, str>),
    Bytes(usize),
    Seq(Vec<Sample>),
    Map(Vec<(Sample, Sample)>),
}

/// A part of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Item(usize),
    Key(usize),
    Value(usize),
}

const ZEROS: [u8; 64] = [0; 64];

impl Sample {
    pub(super) fn text(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    pub(super) fn name(name: &str) -> Self {
        Self::Text(Cow::Owned(name.to_owned()))
    }

    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Unit => Unexpected::Unit,
            Self::Bool(value) => Unexpected::Bool(*value),
            Self::Integer(value) => Unexpected::Unsigned(*value),
            Self::Negative(value) => Unexpected::Signed(*value),
            Self::Float(value) => Unexpected::Float(*value),
            Self::Text(text) => Unexpected::Str(text),
            Self::Bytes(length) => Unexpected::Bytes(ZEROS.get(..*length).unwrap_or_default()),
            Self::Seq(_) => Unexpected::Seq,
            Self::Map(_) => Unexpected::Map,
        }
    }

    /// How an error names it.
    pub(super) fn described(&self) -> String {
        self.unexpected().to_string()
    }

    pub(super) fn at(&self, path: &[Step]) -> Option<&Self> {
        let Some((step, rest)) = path.split_first() else {
            return Some(self);
        };
        match (self, *step) {
            (Self::Seq(items), Step::Item(at)) => items.get(at)?.at(rest),
            (Self::Map(entries), Step::Key(at)) => entries.get(at)?.0.at(rest),
            (Self::Map(entries), Step::Value(at)) => entries.get(at)?.1.at(rest),
            _ => None,
        }
    }

    pub(super) fn at_mut(&mut self, path: &[Step]) -> Option<&mut Self> {
        let Some((step, rest)) = path.split_first() else {
            return Some(self);
        };
        match (self, *step) {
            (Self::Seq(items), Step::Item(at)) => items.get_mut(at)?.at_mut(rest),
            (Self::Map(entries), Step::Key(at)) => entries.get_mut(at)?.0.at_mut(rest),
            (Self::Map(entries), Step::Value(at)) => entries.get_mut(at)?.1.at_mut(rest),
            _ => None,
        }
    }

    /// The same with another sample at `path`.
    pub(super) fn with(&self, path: &[Step], sample: Self) -> Self {
        let mut whole = self.clone();
        if let Some(place) = whole.at_mut(path) {
            *place = sample;
        }
        whole
    }

    /// The place in a map of the entry that is called `name`.
    pub(super) fn entry(&self, name: &str) -> Option<usize> {
        let Self::Map(entries) = self else {
            return None;
        };
        entries.iter().position(|(key, _)| matches!(key, Self::Text(key) if key == name))
    }

    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { sample: self, depth: 0 }
    }
}

/// Reads a sample.
#[derive(Clone, Copy)]
pub(super) struct Reader<'s> {
    sample: &'s Sample,
    depth: usize,
}

type Result<T> = std::result::Result<T, Refused>;

impl<'s> Reader<'s> {
    fn of(self, sample: &'s Sample) -> Self {
        Self { sample, depth: self.depth + 1 }
    }

    fn deeper(self) -> Result<Self> {
        if self.depth < MAX_DEPTH { Ok(self.of(self.sample)) } else { Err(Refused::custom("too deep")) }
    }

    fn refuse<'de, V: Visitor<'de>>(self, visitor: &V) -> Result<V::Value> {
        Err(Refused::invalid_type(self.sample.unexpected(), visitor))
    }

    fn seq<'de, V: Visitor<'de>>(self, items: &'s [Sample], visitor: V) -> Result<V::Value> {
        let mut items = SeqDeserializer::new(items.iter().map(|item| self.of(item)));
        let value = visitor.visit_seq(&mut items)?;
        items.end().map(|()| value)
    }

    fn map<'de, V: Visitor<'de>>(self, entries: &'s [(Sample, Sample)], visitor: V) -> Result<V::Value> {
        let mut entries = MapDeserializer::new(entries.iter().map(|(key, value)| (self.of(key), self.of(value))));
        let value = visitor.visit_map(&mut entries)?;
        entries.end().map(|()| value)
    }
}

impl<'de> IntoDeserializer<'de, Refused> for Reader<'_> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! taking {
    ($($taken:pat => $($method:ident)*;)*) => {
        $($(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            match self.sample {
                $taken => self.deserialize_any(visitor),
                _ => self.refuse(&visitor),
            }
        })*)*
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Refused;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.sample {
            Sample::Unit => visitor.visit_unit(),
            Sample::Bool(value) => visitor.visit_bool(*value),
            Sample::Integer(value) => visitor.visit_u64(*value),
            Sample::Negative(value) => visitor.visit_i64(*value),
            Sample::Float(value) => visitor.visit_f64(*value),
            Sample::Text(text) => visitor.visit_str(text),
            Sample::Bytes(length) => visitor.visit_bytes(ZEROS.get(..*length).unwrap_or_default()),
            Sample::Seq(items) => self.seq(items, visitor),
            Sample::Map(entries) => self.map(entries, visitor),
        }
    }

    taking! {
        Sample::Unit => deserialize_unit;
        Sample::Bool(_) => deserialize_bool;
        Sample::Integer(_) | Sample::Negative(_) => deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
            deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128;
        Sample::Float(_) | Sample::Integer(_) | Sample::Negative(_) => deserialize_f32 deserialize_f64;
        Sample::Text(_) => deserialize_char;
        Sample::Text(_) | Sample::Bytes(_) => deserialize_str deserialize_string;
        Sample::Text(_) | Sample::Bytes(_) | Sample::Seq(_) => deserialize_bytes deserialize_byte_buf;
        Sample::Text(_) | Sample::Bytes(_) | Sample::Integer(_) => deserialize_identifier;
        Sample::Seq(_) => deserialize_seq;
        Sample::Map(_) => deserialize_map;
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.sample {
            Sample::Unit => visitor.visit_unit(),
            _ => visitor.visit_some(self.deeper()?),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self.deeper()?)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.sample {
            Sample::Seq(_) | Sample::Map(_) => self.deserialize_any(visitor),
            _ => self.refuse(&visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.sample {
            Sample::Text(_) => visitor.visit_enum(Choice { variant: self, content: None }),
            Sample::Map(entries) => match entries.as_slice() {
                [(variant, content)] => {
                    visitor.visit_enum(Choice { variant: self.of(variant), content: Some(self.of(content)) })
                }
                _ => Err(Refused::invalid_value(Unexpected::Map, &"map with a single key")),
            },
            other => Err(Refused::invalid_type(other.unexpected(), &"string or map")),
        }
    }
}

/// A variant and its content.
struct Choice<'s> {
    variant: Reader<'s>,
    content: Option<Reader<'s>>,
}

impl<'de> de::EnumAccess<'de> for Choice<'_> {
    type Error = Refused;
    type Variant = Self;

    fn variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        seed.deserialize(self.variant).map(|variant| (variant, self))
    }
}

impl<'s> Choice<'s> {
    fn content(self, expected: &'static str) -> Result<Reader<'s>> {
        self.content.ok_or_else(|| Refused::invalid_type(Unexpected::UnitVariant, &expected))
    }
}

impl<'de> de::VariantAccess<'de> for Choice<'_> {
    type Error = Refused;

    fn unit_variant(self) -> Result<()> {
        self.content.map_or(Ok(()), de::Deserialize::deserialize)
    }

    fn newtype_variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self.content("newtype variant")?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        self.content("tuple variant")?.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.content("struct variant")?.deserialize_struct("", fields, visitor)
    }
}
