//! The deserializer that has no input: it notes what it is asked for, and answers with a sample.

use super::Form;
use super::graph::{Content, Graph, Named, Seen, Spot};
use super::tracer::{Halt, Result, Tracer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use std::any::type_name;
use std::fmt;

/// Text that types which parse themselves accept: numbers, dates, times, addresses, ids.
pub(super) const TEXTS: [&str; 16] = [
    "",
    "0",
    "A",
    "2013-01-01",
    "00:00:00",
    "2013-01-01T00:00:00",
    "2013-01-01T00:00:00Z",
    "2013-01-01T00:00:00+00:00[UTC]",
    "PT1S",
    "UTC",
    "127.0.0.1",
    "127.0.0.1:80",
    "00000000-0000-0000-0000-000000000000",
    "http://localhost/",
    "1.0.0",
    "a@example.org",
];

const ZEROS: [u8; 64] = [0; 64];
const LENGTHS: [usize; 9] = [0, 16, 4, 8, 12, 20, 24, 32, 64];

/// A deserializer for one spot.
pub(super) struct Probe<'t> {
    pub(super) tracer: &'t mut Tracer,
    pub(super) spot: Spot,
}

impl Tracer {
    pub(super) fn probe(&mut self, spot: Spot) -> Probe<'_> {
        Probe { tracer: self, spot }
    }

    /// Hands out fields, and forgets those that the visitor leaves: they are aliases.
    pub(super) fn fields<'de, V: Visitor<'de>>(
        &mut self,
        named: Named,
        variant: Option<usize>,
        spots: &[Spot],
        visitor: V,
    ) -> Result<V::Value> {
        let mut parts = Parts::of(self, spots);
        let value = visitor.visit_seq(&mut parts)?;
        let left = parts.left();
        if left > 0 {
            self.graph.trim_fields(named, variant, left);
        }
        Ok(value)
    }
}

impl Probe<'_> {
    fn named(
        &mut self,
        name: &'static str,
        visitor: &'static str,
        content: impl FnOnce(&mut Graph) -> Content,
    ) -> Result<Named> {
        let named = self.tracer.graph.named(name, visitor, content);
        let same = |seen: &Seen| matches!(seen, Seen::Named(seen) if *seen == named).then_some(named);
        self.tracer.visit(self.spot, same, |_| Seen::Named(named))
    }
}

macro_rules! numbers {
    ($($method:ident, $form:ident, $visit:ident, $samples:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            let samples = $samples;
            let sample = self.tracer.sample(self.spot, Form::$form, samples.len())?;
            visitor.$visit(samples.get(sample).copied().unwrap_or_default())
        })*
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Halt;

    fn is_human_readable(&self) -> bool {
        false
    }

    numbers! {
        deserialize_bool, Bool, visit_bool, [false, true];
        deserialize_i8, I8, visit_i8, [1, 0];
        deserialize_i16, I16, visit_i16, [1, 0];
        deserialize_i32, I32, visit_i32, [1, 0];
        deserialize_i64, I64, visit_i64, [1, 0];
        deserialize_i128, I128, visit_i128, [1, 0];
        deserialize_u8, U8, visit_u8, [1, 0];
        deserialize_u16, U16, visit_u16, [1, 0];
        deserialize_u32, U32, visit_u32, [1, 0];
        deserialize_u64, U64, visit_u64, [1, 0];
        deserialize_u128, U128, visit_u128, [1, 0];
        deserialize_f32, F32, visit_f32, [1.0, 0.0];
        deserialize_f64, F64, visit_f64, [1.0, 0.0];
        deserialize_char, Char, visit_char, ['A', '0'];
        deserialize_str, Str, visit_borrowed_str, TEXTS;
        deserialize_string, Str, visit_borrowed_str, TEXTS;
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let sample = self.tracer.sample(self.spot, Form::Bytes, LENGTHS.len())?;
        let length = LENGTHS.get(sample).copied().unwrap_or_default();
        visitor.visit_borrowed_bytes(ZEROS.get(..length).unwrap_or_default())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.tracer.self_describing = true;
        self.tracer.buffered |= is_buffer(&visitor);
        match self.tracer.sample(self.spot, Form::Any, 4)? {
            0 => visitor.visit_unit(),
            1 => visitor.visit_u64(1),
            2 => visitor.visit_borrowed_str(""),
            _ => visitor.visit_bool(false),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_any(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        self.tracer.self_describing = true;
        self.tracer.hopeless()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.tracer.leaf(self.spot, Form::Unit)?;
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let expected = |seen: &Seen| {
            if let Seen::Option(of) = seen { Some([*of]) } else { None }
        };
        let spots = self.tracer.visit(self.spot, expected, |graph| Seen::Option(graph.spot()))?;
        let entered = self.tracer.enter(&spots);
        let value = match entered.first() {
            Some(&of) => self.tracer.deeper(|tracer| visitor.visit_some(tracer.probe(of)))?,
            None => visitor.visit_none()?,
        };
        self.tracer.leave(entered);
        Ok(value)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let expected = |seen: &Seen| {
            if let Seen::Seq(of) = seen { Some([*of]) } else { None }
        };
        let spots = self.tracer.visit(self.spot, expected, |graph| Seen::Seq(graph.spot()))?;
        let entered = self.tracer.enter(&spots);
        let value = self.tracer.deeper(|tracer| visitor.visit_seq(Parts::of(tracer, entered)))?;
        self.tracer.leave(entered);
        Ok(value)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let expected = |seen: &Seen| {
            if let Seen::Map(key, value) = seen { Some([*key, *value]) } else { None }
        };
        let spots = self.tracer.visit(self.spot, expected, |graph| Seen::Map(graph.spot(), graph.spot()))?;
        let entered = self.tracer.enter(&spots);
        let value = self.tracer.deeper(|tracer| visitor.visit_map(Parts::of(tracer, entered)))?;
        self.tracer.leave(entered);
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        let expected = |seen: &Seen| match seen {
            Seen::Tuple(of) if of.len() == length => Some(of.clone()),
            _ => None,
        };
        let spots = self.tracer.visit(self.spot, expected, |graph| Seen::Tuple(graph.spots(length)))?;
        self.tracer.deeper(|tracer| visitor.visit_seq(Parts::of(tracer, &spots)))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(mut self, name: &'static str, visitor: V) -> Result<V::Value> {
        self.named(name, type_name::<V>(), |_| Content::Unit)?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(mut self, name: &'static str, visitor: V) -> Result<V::Value> {
        let named = self.named(name, type_name::<V>(), |graph| Content::Newtype(graph.spot()))?;
        let spots = self.tracer.graph.parts(named);
        let Some(&of) = spots.first() else {
            return self.tracer.hopeless();
        };
        self.tracer.deeper(|tracer| visitor.visit_newtype_struct(tracer.probe(of)))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value> {
        let named = self.named(name, type_name::<V>(), |graph| Content::Tuple(graph.spots(length)))?;
        let spots = self.tracer.graph.parts(named);
        self.tracer.deeper(|tracer| visitor.visit_seq(Parts::of(tracer, &spots)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let named = self.named(name, type_name::<V>(), |graph| Content::fields(fields, graph))?;
        let spots = self.tracer.graph.parts(named);
        self.tracer.deeper(|tracer| tracer.fields(named, None, &spots, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let named = self.named(name, type_name::<V>(), |_| Content::variants(variants))?;
        let Some(index) = self.tracer.graph.choose(named) else {
            self.tracer.stuck = true;
            return Err(Halt("no variant is known that does not contain its own enum".to_owned()));
        };
        let was_busy = self.tracer.graph.start(named, index);
        let tracer = &mut *self.tracer;
        let value = tracer.deeper(|tracer| visitor.visit_enum(Choice { tracer, named, index }))?;
        self.tracer.graph.finish(named, index, was_busy);
        Ok(value)
    }
}

/// Whether a visitor that takes anything only keeps it for a type behind it: that of an untagged or tagged enum.
fn is_buffer<'de, V: Visitor<'de>>(visitor: &V) -> bool {
    struct Words<'v, V>(&'v V);
    impl<'de, V: Visitor<'de>> fmt::Display for Words<'_, V> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.expecting(f)
        }
    }
    let words = Words(visitor).to_string();
    words == "any value"
        || words.starts_with("internally tagged enum")
        || type_name::<V>().contains("TaggedContentVisitor")
}

/// The spots of a compound one after the other.
pub(super) struct Parts<'t, 's> {
    tracer: &'t mut Tracer,
    spots: std::slice::Iter<'s, Spot>,
}

impl<'t, 's> Parts<'t, 's> {
    pub(super) fn of(tracer: &'t mut Tracer, spots: &'s [Spot]) -> Self {
        Self { tracer, spots: spots.iter() }
    }

    /// Spots that were not asked for.
    pub(super) fn left(&self) -> usize {
        self.spots.len()
    }

    fn next<'de, S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.spots.next().map(|&spot| seed.deserialize(self.tracer.probe(spot))).transpose()
    }
}

impl<'de> de::SeqAccess<'de> for Parts<'_, '_> {
    type Error = Halt;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.spots.len())
    }
}

impl<'de> de::MapAccess<'de> for Parts<'_, '_> {
    type Error = Halt;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        match self.next(seed)? {
            Some(value) => Ok(value),
            None => self.tracer.hopeless(),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.spots.len() / 2)
    }
}

/// One variant of an enum.
struct Choice<'t> {
    tracer: &'t mut Tracer,
    named: Named,
    index: usize,
}

impl<'t> Choice<'t> {
    fn content(self, content: impl FnOnce(&mut Graph) -> Content) -> Result<(&'t mut Tracer, Vec<Spot>)> {
        match self.tracer.graph.variant(self.named, self.index, content) {
            Some(spots) => Ok((self.tracer, spots)),
            None => self.tracer.hopeless(),
        }
    }
}

impl<'de> de::EnumAccess<'de> for Choice<'_> {
    type Error = Halt;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        let index = u32::try_from(self.index).unwrap_or(u32::MAX);
        match seed.deserialize(IntoDeserializer::<Halt>::into_deserializer(index)) {
            Ok(variant) => Ok((variant, self)),
            // More names than variants: the others are aliases.
            Err(error) => {
                self.tracer.graph.trim_variants(self.named, self.index);
                self.tracer.stuck = true;
                Err(error)
            }
        }
    }
}

impl<'de> de::VariantAccess<'de> for Choice<'_> {
    type Error = Halt;

    fn unit_variant(self) -> Result<()> {
        self.content(|_| Content::Unit).map(|_| ())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        let (tracer, spots) = self.content(|graph| Content::Newtype(graph.spot()))?;
        match spots.first() {
            Some(&of) => seed.deserialize(tracer.probe(of)),
            None => tracer.hopeless(),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        let (tracer, spots) = self.content(|graph| Content::Tuple(graph.spots(length)))?;
        visitor.visit_seq(Parts::of(tracer, &spots))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        let (named, index) = (self.named, self.index);
        let (tracer, spots) = self.content(|graph| Content::fields(fields, graph))?;
        tracer.fields(named, Some(index), &spots, visitor)
    }
}
