//! Goes through a value by way of its `Serialize`, without a format.

use serde::ser::{self, Serialize, Serializer};
use std::fmt;

/// A part of a value that has no parts.
pub(super) enum Leaf<'a> {
    /// A unit, or what is absent.
    Null,
    Bool(bool),
    /// Every integer, with its sign extended.
    Integer(u128),
    /// The bits of a number with a point; those of 32 bits are told apart by `0`.
    Float(u64),
    Float32(u32),
    Char(char),
    Str(&'a str),
    Bytes(&'a [u8]),
}

/// A part of a value that has parts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// In any order, as far as serde can tell: a list is written like a set.
    Seq,
    /// In any order; keys and values take turns.
    Map,
    /// Tuples and tuple structs.
    Tuple,
    /// Names and values take turns.
    Struct,
    /// What is present, and newtypes.
    Around,
    /// The variant of this number; its name is its first part.
    Variant(u32),
}

/// What is told of a value, part by part.
pub(super) trait Visit {
    fn leaf(&mut self, leaf: Leaf<'_>);
    fn open(&mut self, group: Group);
    fn close(&mut self);
}

/// Tells `visit` of `value`.
pub(super) fn walk<T: Serialize + ?Sized>(value: &T, visit: &mut impl Visit) -> Result<(), Stop> {
    value.serialize(Walker(visit))
}

/// A value that cannot be serialized.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Stop(String);

impl ser::Error for Stop {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

struct Walker<'v, V>(&'v mut V);

impl<'v, V: Visit> Walker<'v, V> {
    fn leaf(self, leaf: Leaf<'_>) -> Result<(), Stop> {
        self.0.leaf(leaf);
        Ok(())
    }

    fn around<T: Serialize + ?Sized>(self, group: Group, name: Option<&str>, value: &T) -> Result<(), Stop> {
        let parts = self.parts(group, name);
        value.serialize(Walker(&mut *parts.0))?;
        parts.finish()
    }

    fn parts(self, group: Group, name: Option<&str>) -> Parts<'v, V> {
        self.0.open(group);
        if let Some(name) = name {
            self.0.leaf(Leaf::Str(name));
        }
        Parts(self.0)
    }
}

macro_rules! leaves {
    ($($method:ident: $type:ty => $leaf:expr;)*) => {
        $(fn $method(self, value: $type) -> Result<(), Stop> {
            self.leaf($leaf(value))
        })*
    };
}

impl<'v, V: Visit> Serializer for Walker<'v, V> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Parts<'v, V>;
    type SerializeTuple = Parts<'v, V>;
    type SerializeTupleStruct = Parts<'v, V>;
    type SerializeTupleVariant = Parts<'v, V>;
    type SerializeMap = Parts<'v, V>;
    type SerializeStruct = Parts<'v, V>;
    type SerializeStructVariant = Parts<'v, V>;

    fn is_human_readable(&self) -> bool {
        false
    }

    leaves! {
        serialize_bool: bool => Leaf::Bool;
        serialize_i8: i8 => |value: i8| Leaf::Integer(value as u128);
        serialize_i16: i16 => |value: i16| Leaf::Integer(value as u128);
        serialize_i32: i32 => |value: i32| Leaf::Integer(value as u128);
        serialize_i64: i64 => |value: i64| Leaf::Integer(value as u128);
        serialize_i128: i128 => |value: i128| Leaf::Integer(value as u128);
        serialize_u8: u8 => |value: u8| Leaf::Integer(value.into());
        serialize_u16: u16 => |value: u16| Leaf::Integer(value.into());
        serialize_u32: u32 => |value: u32| Leaf::Integer(value.into());
        serialize_u64: u64 => |value: u64| Leaf::Integer(value.into());
        serialize_u128: u128 => Leaf::Integer;
        serialize_f32: f32 => |value: f32| Leaf::Float32(value.to_bits());
        serialize_f64: f64 => |value: f64| Leaf::Float(value.to_bits());
        serialize_char: char => Leaf::Char;
        serialize_str: &str => Leaf::Str;
        serialize_bytes: &[u8] => Leaf::Bytes;
    }

    fn serialize_none(self) -> Result<(), Stop> {
        self.leaf(Leaf::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stop> {
        self.around(Group::Around, None, value)
    }

    fn serialize_unit(self) -> Result<(), Stop> {
        self.leaf(Leaf::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Stop> {
        self.leaf(Leaf::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, index: u32, variant: &'static str) -> Result<(), Stop> {
        self.parts(Group::Variant(index), Some(variant)).finish()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Stop> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        self.around(Group::Variant(index), Some(variant), value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'v, V>, Stop> {
        Ok(self.parts(Group::Seq, None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'v, V>, Stop> {
        Ok(self.parts(Group::Tuple, None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'v, V>, Stop> {
        Ok(self.parts(Group::Tuple, None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'v, V>, Stop> {
        Ok(self.parts(Group::Variant(index), Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'v, V>, Stop> {
        Ok(self.parts(Group::Map, None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'v, V>, Stop> {
        Ok(self.parts(Group::Struct, None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'v, V>, Stop> {
        Ok(self.parts(Group::Variant(index), Some(variant)))
    }
}

struct Parts<'v, V>(&'v mut V);

impl<V: Visit> Parts<'_, V> {
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        value.serialize(Walker(&mut *self.0))
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Stop> {
        self.0.leaf(Leaf::Str(name));
        self.part(value)
    }

    #[allow(clippy::unnecessary_wraps, reason = "what a serializer's `end` returns")]
    fn finish(self) -> Result<(), Stop> {
        self.0.close();
        Ok(())
    }
}

macro_rules! parts {
    ($($name:ident { $($method:ident),* })*) => {
        $(impl<V: Visit> ser::$name for Parts<'_, V> {
            type Ok = ();
            type Error = Stop;

            $(fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
                self.part(value)
            })*

            fn end(self) -> Result<(), Stop> {
                self.finish()
            }
        })*
    };
}

macro_rules! fields {
    ($($name:ident)*) => {
        $(impl<V: Visit> ser::$name for Parts<'_, V> {
            type Ok = ();
            type Error = Stop;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Stop> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Stop> {
                self.finish()
            }
        })*
    };
}

parts! {
    SerializeSeq { serialize_element }
    SerializeTuple { serialize_element }
    SerializeTupleStruct { serialize_field }
    SerializeTupleVariant { serialize_field }
    SerializeMap { serialize_key, serialize_value }
}
fields!(SerializeStruct SerializeStructVariant);
