//! Goes through a value by way of its `Serialize`, without a format: what only looks at values is there once for each of them, and
//! not for each use of it.

use serde::ser::{self, Serialize, Serializer};
use std::fmt;

/// A part of a value that has no parts.
#[derive(Clone, Copy)]
pub enum Leaf<'a> {
    Unit,
    UnitStruct(&'static str),
    UnitVariant(Variant),
    None,
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    F32(f32),
    F64(f64),
    Char(char),
    Str(&'a str),
    Bytes(&'a [u8]),
}

/// A variant of an enum, and its place there.
#[derive(Clone, Copy)]
pub struct Variant {
    pub(super) name: &'static str,
    pub(super) index: u32,
    pub(super) variant: &'static str,
}

/// A part of a value that has parts; with their number, where it is said beforehand.
#[derive(Clone, Copy)]
pub enum Group {
    Some,
    Newtype(&'static str),
    /// In any order, as far as serde can tell: a list is written like a set.
    Seq(Option<usize>),
    /// In any order; keys and values take turns.
    Map(Option<usize>),
    Tuple(usize),
    TupleStruct(&'static str, usize),
    /// Each part comes behind its [name](Visit::field).
    Struct(&'static str, usize),
    NewtypeVariant(Variant),
    TupleVariant(Variant, usize),
    /// Each part comes behind its [name](Visit::field).
    StructVariant(Variant, usize),
}

/// What is told of a value, part by part.
pub trait Visit {
    fn leaf(&mut self, leaf: Leaf<'_>) -> Result<(), Stop>;

    fn open(&mut self, group: Group) -> Result<(), Stop>;

    /// The name of the next part.
    fn field(&mut self, name: &'static str) -> Result<(), Stop> {
        let _ = name;
        Ok(())
    }

    /// The end of what was opened last.
    fn close(&mut self) -> Result<(), Stop>;
}

/// Tells `visit` of `value`.
pub(super) fn walk<T: Serialize + ?Sized>(value: &T, visit: &mut dyn Visit) -> Result<(), Stop> {
    value.serialize(Walker(visit))
}

/// The end of a walk. Boxed twice over, so that a result is no bigger than a word: one is passed up from every part.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.0)]
pub struct Stop(Box<Reason>);

#[derive(Debug)]
struct Reason(String);

impl ser::Error for Stop {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new(Reason(message.to_string())))
    }
}

struct Walker<'v>(&'v mut dyn Visit);

impl<'v> Walker<'v> {
    fn around<T: Serialize + ?Sized>(self, group: Group, value: &T) -> Result<(), Stop> {
        self.0.open(group)?;
        value.serialize(Walker(&mut *self.0))?;
        self.0.close()
    }

    fn parts(self, group: Group) -> Result<Parts<'v>, Stop> {
        self.0.open(group)?;
        Ok(Parts(self.0))
    }
}

macro_rules! leaves {
    ($($method:ident: $type:ty => $leaf:ident;)*) => {
        $(fn $method(self, value: $type) -> Result<(), Stop> {
            self.0.leaf(Leaf::$leaf(value))
        })*
    };
}

impl<'v> Serializer for Walker<'v> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Parts<'v>;
    type SerializeTuple = Parts<'v>;
    type SerializeTupleStruct = Parts<'v>;
    type SerializeTupleVariant = Parts<'v>;
    type SerializeMap = Parts<'v>;
    type SerializeStruct = Parts<'v>;
    type SerializeStructVariant = Parts<'v>;

    fn is_human_readable(&self) -> bool {
        false
    }

    leaves! {
        serialize_bool: bool => Bool;
        serialize_i8: i8 => I8;
        serialize_i16: i16 => I16;
        serialize_i32: i32 => I32;
        serialize_i64: i64 => I64;
        serialize_i128: i128 => I128;
        serialize_u8: u8 => U8;
        serialize_u16: u16 => U16;
        serialize_u32: u32 => U32;
        serialize_u64: u64 => U64;
        serialize_u128: u128 => U128;
        serialize_f32: f32 => F32;
        serialize_f64: f64 => F64;
        serialize_char: char => Char;
        serialize_str: &str => Str;
        serialize_bytes: &[u8] => Bytes;
        serialize_unit_struct: &'static str => UnitStruct;
    }

    fn serialize_none(self) -> Result<(), Stop> {
        self.0.leaf(Leaf::None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stop> {
        self.around(Group::Some, value)
    }

    fn serialize_unit(self) -> Result<(), Stop> {
        self.0.leaf(Leaf::Unit)
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<(), Stop> {
        self.0.leaf(Leaf::UnitVariant(Variant { name, index, variant }))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), Stop> {
        self.around(Group::Newtype(name), value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        self.around(Group::NewtypeVariant(Variant { name, index, variant }), value)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Parts<'v>, Stop> {
        self.parts(Group::Seq(length))
    }

    fn serialize_tuple(self, length: usize) -> Result<Parts<'v>, Stop> {
        self.parts(Group::Tuple(length))
    }

    fn serialize_tuple_struct(self, name: &'static str, length: usize) -> Result<Parts<'v>, Stop> {
        self.parts(Group::TupleStruct(name, length))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Parts<'v>, Stop> {
        self.parts(Group::TupleVariant(Variant { name, index, variant }, length))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Parts<'v>, Stop> {
        self.parts(Group::Map(length))
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Parts<'v>, Stop> {
        self.parts(Group::Struct(name, length))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Parts<'v>, Stop> {
        self.parts(Group::StructVariant(Variant { name, index, variant }, length))
    }
}

struct Parts<'v>(&'v mut dyn Visit);

macro_rules! parts {
    ($($name:ident { $($method:ident($($field:ident)?)),* })*) => {
        $(impl ser::$name for Parts<'_> {
            type Ok = ();
            type Error = Stop;

            $(fn $method<T: Serialize + ?Sized>(
                &mut self, $($field: &'static str,)? value: &T,
            ) -> Result<(), Stop> {
                $(self.0.field($field)?;)?
                value.serialize(Walker(&mut *self.0))
            })*

            fn end(self) -> Result<(), Stop> {
                self.0.close()
            }
        })*
    };
}

parts! {
    SerializeSeq { serialize_element() }
    SerializeTuple { serialize_element() }
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeMap { serialize_key(), serialize_value() }
    SerializeStruct { serialize_field(name) }
    SerializeStructVariant { serialize_field(name) }
}
