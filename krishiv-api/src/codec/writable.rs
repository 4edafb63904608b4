//! Whether postcard can write a value, of which there is nothing else to know.
//!
//! A value that owns no memory has nothing to be weighed, and most are numbers, which can always be written. Nobody but its
//! `Serialize` knows which: it may fail for one variant, or for one number. So it is run, into nothing. Of what cannot fail the
//! compiler leaves nothing over, so that setting a number costs no more than without.

use serde::ser::{self, Impossible, Serialize, Serializer};
use std::fmt;

/// Whether postcard can surely write `value`; of what is odd, for one that owns no memory, this says no.
#[inline(always)]
pub(crate) fn is_writable<T: Serialize>(value: &T) -> bool {
    value.serialize(Nothing { left: MAX_DEPTH }).is_ok()
}

/// Nesting of types that a person has written.
const MAX_DEPTH: u8 = 100;

/// Takes anything that postcard takes, and does nothing with it.
#[derive(Clone, Copy)]
struct Nothing {
    /// How much deeper it may go.
    left: u8,
}

/// It may not be possible. Without a reason, so that there is nothing to be made or dropped.
#[derive(Debug)]
struct Unsure;

impl fmt::Display for Unsure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it may not be possible to write it")
    }
}

impl std::error::Error for Unsure {}

impl ser::Error for Unsure {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl Nothing {
    #[inline(always)]
    fn deeper(self) -> Result<Self, Unsure> {
        self.left.checked_sub(1).map(|left| Self { left }).ok_or(Unsure)
    }

    #[inline(always)]
    fn inside<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unsure> {
        value.serialize(self.deeper()?)
    }
}

macro_rules! leaves {
    ($($method:ident($($argument:ty),*))*) => {
        $(#[inline(always)]
        fn $method(self, $(_: $argument),*) -> Result<(), Unsure> {
            Ok(())
        })*
    };
}

macro_rules! compounds {
    ($($method:ident($($argument:ty),*) -> $kind:ident)*) => {
        $(#[inline(always)]
        fn $method(self, $(_: $argument),*) -> Result<Self::$kind, Unsure> {
            self.deeper()
        })*
    };
}

impl Serializer for Nothing {
    type Ok = ();
    type Error = Unsure;
    // What has many parts and owns no memory makes them up, and may say another number than it has.
    type SerializeSeq = Impossible<(), Unsure>;
    type SerializeMap = Impossible<(), Unsure>;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn is_human_readable(&self) -> bool {
        false
    }

    leaves! {
        serialize_bool(bool) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_f32(f32) serialize_f64(f64) serialize_none() serialize_unit() serialize_unit_struct(&'static str)
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    #[inline(always)]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unsure> {
        self.inside(value)
    }

    #[inline(always)]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unsure> {
        self.inside(value)
    }

    #[inline(always)]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unsure> {
        self.inside(value)
    }

    #[inline(always)]
    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Unsure> {
        Err(Unsure)
    }

    #[inline(always)]
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unsure> {
        Err(Unsure)
    }

    compounds! {
        serialize_tuple(usize) -> SerializeTuple
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant
        serialize_struct(&'static str, usize) -> SerializeStruct
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant
    }
}

macro_rules! parts {
    ($($name:ident::$method:ident)*) => {
        $(impl ser::$name for Nothing {
            type Ok = ();
            type Error = Unsure;

            #[inline(always)]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsure> {
                value.serialize(*self)
            }

            #[inline(always)]
            fn end(self) -> Result<(), Unsure> {
                Ok(())
            }
        })*
    };
}

macro_rules! fields {
    ($($name:ident)*) => {
        $(impl ser::$name for Nothing {
            type Ok = ();
            type Error = Unsure;

            #[inline(always)]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<(), Unsure> {
                value.serialize(*self)
            }

            // Postcard tells fields by their place.
            #[inline(always)]
            fn skip_field(&mut self, _: &'static str) -> Result<(), Unsure> {
                Err(Unsure)
            }

            #[inline(always)]
            fn end(self) -> Result<(), Unsure> {
                Ok(())
            }
        })*
    };
}

parts!(SerializeTuple::serialize_element SerializeTupleStruct::serialize_field SerializeTupleVariant::serialize_field);
fields!(SerializeStruct SerializeStructVariant);

#[cfg(test)]
mod tests {
    use super::is_writable;
    use serde::ser::{Error, Serialize, Serializer};

    /// Writes what its number asks for.
    #[derive(Clone, Copy)]
    struct Odd(u8);

    impl Serialize for Odd {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                0 => Err(S::Error::custom("zero")),
                1 => serializer.collect_seq([1, 2]),
                2 => serializer.collect_map([(1, 2)]),
                deep => serializer.serialize_some(&(deep < 200).then(|| Self(deep + 1))),
            }
        }
    }

    #[derive(serde::Serialize)]
    enum Sometimes {
        Skips {
            #[serde(skip_serializing_if = "Option::is_none")]
            one: Option<u8>,
        },
        Always(u8, [char; 2]),
        #[serde(skip)]
        Never,
    }

    #[test]
    fn what_is_made_of_numbers_can_be_written() {
        assert!(is_writable(&1_u64) && is_writable(&u128::MAX) && is_writable(&f64::NAN) && is_writable(&'x'));
        assert!(is_writable(&Some((1_u8, [Some(0_i64); 32], ()))) && is_writable(&Odd(190)));
        assert!(is_writable(&Sometimes::Always(1, ['a', 'b'])) && is_writable(&Sometimes::Skips { one: Some(1) }));
    }

    #[test]
    fn what_fails_or_skips_a_field_cannot() {
        assert!(!is_writable(&Odd(0)) && !is_writable(&(7, Some([Odd(0)]))) && !is_writable(&Sometimes::Never));
        assert!(!is_writable(&Sometimes::Skips { one: None }));
    }

    #[test]
    fn what_is_odd_is_left_to_those_who_look_closer() {
        assert!(!is_writable(&Odd(1)) && !is_writable(&Odd(2)) && !is_writable(&Odd(3)));
    }
}
