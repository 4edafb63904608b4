//! Finds floats that JSON has no word for, and that serde_json writes as `null`.

use serde::ser::{self, Serialize, Serializer};
use std::fmt::{self, Display};

/// Which float of `item` is infinite or no number; `None`: none is.
pub(super) fn not_finite(item: &impl Serialize) -> Option<String> {
    match item.serialize(Search) {
        Err(Found::Float(value, mut fields)) => {
            fields.reverse();
            let place = if fields.is_empty() { String::new() } else { format!("`{}` is ", fields.join(".")) };
            Some(format!("{place}{value}, which JSON has no word for"))
        }
        // What fails otherwise has failed before, when it was written.
        Ok(()) | Err(Found::Other) => None,
    }
}

/// Walks through an item and stops at the first.
#[derive(Clone, Copy)]
struct Search;

#[derive(Debug)]
enum Found {
    /// A float, and the fields that it is in, from the innermost on.
    Float(f64, Vec<&'static str>),
    Other,
}

impl Found {
    fn inside(mut self, name: &'static str) -> Self {
        if let Self::Float(_, fields) = &mut self {
            fields.push(name);
        }
        self
    }
}

impl Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a float that JSON has no word for")
    }
}

impl std::error::Error for Found {}

impl ser::Error for Found {
    fn custom<T: Display>(_: T) -> Self {
        Self::Other
    }
}

macro_rules! leaves {
    ($($method:ident($($argument:ty),*))*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<(), Found> {
            Ok(())
        })*
    };
}

macro_rules! compounds {
    ($($method:ident($($argument:ty),*))*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Self, Found> {
            Ok(self)
        })*
    };
}

impl Serializer for Search {
    type Ok = ();
    type Error = Found;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    leaves! {
        serialize_bool(bool) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_none() serialize_unit() serialize_unit_struct(&'static str)
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    compounds! {
        serialize_seq(Option<usize>)
        serialize_tuple(usize)
        serialize_tuple_struct(&'static str, usize)
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
        serialize_map(Option<usize>)
        serialize_struct(&'static str, usize)
        serialize_struct_variant(&'static str, u32, &'static str, usize)
    }

    fn serialize_f32(self, value: f32) -> Result<(), Found> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Found> {
        if value.is_finite() { Ok(()) } else { Err(Found::Float(value, Vec::new())) }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Found> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Found> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Found> {
        value.serialize(self)
    }
}

macro_rules! parts {
    ($($name:ident::$method:ident)*) => {
        $(impl ser::$name for Search {
            type Ok = ();
            type Error = Found;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Found> {
                value.serialize(*self)
            }

            fn end(self) -> Result<(), Found> {
                Ok(())
            }
        })*
    };
}

macro_rules! fields {
    ($($name:ident)*) => {
        $(impl ser::$name for Search {
            type Ok = ();
            type Error = Found;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Found> {
                value.serialize(*self).map_err(|found| found.inside(name))
            }

            fn end(self) -> Result<(), Found> {
                Ok(())
            }
        })*
    };
}

parts!(SerializeSeq::serialize_element SerializeTuple::serialize_element);
parts!(SerializeTupleStruct::serialize_field SerializeTupleVariant::serialize_field);
fields!(SerializeStruct SerializeStructVariant);

impl ser::SerializeMap for Search {
    type Ok = ();
    type Error = Found;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Found> {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Found> {
        value.serialize(*self)
    }

    fn end(self) -> Result<(), Found> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::not_finite;
    use serde::Serialize;
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    struct Outer {
        name: Option<&'static str>,
        inner: Vec<Inner>,
    }

    #[derive(Serialize)]
    enum Inner {
        One(f32),
        Two { x: f64, y: Option<f64> },
        Three(BTreeMap<u8, (f64, bool)>),
    }

    fn found(inner: Inner) -> Option<String> {
        not_finite(&Outer { name: None, inner: vec![Inner::One(1.0), inner] })
    }

    #[test]
    fn a_float_that_is_none_is_found_wherever_it_is() {
        assert_eq!(found(Inner::One(0.0)), None);
        assert_eq!(found(Inner::Two { x: f64::MAX, y: None }), None);
        assert_eq!(found(Inner::Three(BTreeMap::from([(1, (-0.0, true))]))), None);
        let words = |name: &str, value: &str| Some(format!("`{name}` is {value}, which JSON has no word for"));
        assert_eq!(found(Inner::One(f32::NAN)), words("inner", "NaN"));
        assert_eq!(found(Inner::Two { x: f64::INFINITY, y: None }), words("inner.x", "inf"));
        assert_eq!(found(Inner::Two { x: 0.0, y: Some(f64::NEG_INFINITY) }), words("inner.y", "-inf"));
        assert_eq!(found(Inner::Three(BTreeMap::from([(1, (f64::NAN, true))]))), words("inner", "NaN"));
        assert_eq!(not_finite(&f64::NAN), Some("NaN, which JSON has no word for".to_owned()));
    }
}
