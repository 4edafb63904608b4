//! What a value writes: names and kinds, as its `Serialize` hands them over.

use crate::codec::shape::Form;
use serde::ser::{self, Error as _, Serialize};
use std::fmt;

/// Parts that one value may write; a sample is small.
const MAX_DEPTH: usize = 256;

/// One written value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Written {
    /// What is in an empty option.
    Nothing,
    Leaf(Form),
    Text(String),
    Option(Box<Written>),
    Seq(Vec<Written>),
    Tuple(Vec<Written>),
    Map {
        entries: Vec<(Written, Written)>,
        /// A collection says how many there are; a struct with flattened parts does not know.
        counted: bool,
    },
    Named(&'static str, Content),
    Variant {
        name: &'static str,
        index: u32,
        variant: &'static str,
        content: Content,
    },
}

/// What is in a struct or variant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Unit,
    Newtype(Box<Written>),
    Tuple(Vec<Written>),
    Struct(Vec<(String, Written)>),
}

/// Writes down what `value` writes; nothing if it cannot be written.
pub(super) fn write<T: Serialize>(value: &T) -> Option<Written> {
    value.serialize(Writer { depth: 0 }).ok()
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failed(String);

impl ser::Error for Failed {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type Result = std::result::Result<Written, Failed>;

#[derive(Clone, Copy)]
struct Writer {
    depth: usize,
}

impl Writer {
    fn inner<T: Serialize + ?Sized>(self, value: &T) -> Result {
        if self.depth >= MAX_DEPTH {
            return Err(Failed::custom("too deep"));
        }
        value.serialize(Self { depth: self.depth + 1 })
    }

    fn parts(self, kind: Kind) -> Parts {
        Parts { writer: self, kind, items: Vec::new(), fields: Vec::new(), key: None }
    }
}

/// What is being written in parts.
enum Kind {
    Seq,
    Tuple,
    Map { counted: bool, entries: Vec<(Written, Written)> },
    TupleStruct(&'static str),
    Struct(&'static str),
    TupleVariant(&'static str, u32, &'static str),
    StructVariant(&'static str, u32, &'static str),
}

struct Parts {
    writer: Writer,
    kind: Kind,
    items: Vec<Written>,
    fields: Vec<(String, Written)>,
    key: Option<Written>,
}

impl Parts {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> std::result::Result<(), Failed> {
        self.items.push(self.writer.inner(value)?);
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> std::result::Result<(), Failed> {
        self.fields.push((name.to_owned(), self.writer.inner(value)?));
        Ok(())
    }

    fn finish(self) -> Written {
        let Self { kind, items, fields, .. } = self;
        match kind {
            Kind::Seq => Written::Seq(items),
            Kind::Tuple => Written::Tuple(items),
            Kind::Map { counted, entries } => Written::Map { entries, counted },
            Kind::TupleStruct(name) => Written::Named(name, Content::Tuple(items)),
            Kind::Struct(name) => Written::Named(name, Content::Struct(fields)),
            Kind::TupleVariant(name, index, variant) => {
                Written::Variant { name, index, variant, content: Content::Tuple(items) }
            }
            Kind::StructVariant(name, index, variant) => {
                Written::Variant { name, index, variant, content: Content::Struct(fields) }
            }
        }
    }
}

macro_rules! leaves {
    ($($method:ident($of:ty) $form:ident;)*) => {
        $(fn $method(self, _: $of) -> Result {
            Ok(Written::Leaf(Form::$form))
        })*
    };
}

impl ser::Serializer for Writer {
    type Ok = Written;
    type Error = Failed;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Parts;

    fn is_human_readable(&self) -> bool {
        false
    }

    leaves! {
        serialize_bool(bool) Bool;
        serialize_i8(i8) I8;
        serialize_i16(i16) I16;
        serialize_i32(i32) I32;
        serialize_i64(i64) I64;
        serialize_i128(i128) I128;
        serialize_u8(u8) U8;
        serialize_u16(u16) U16;
        serialize_u32(u32) U32;
        serialize_u64(u64) U64;
        serialize_u128(u128) U128;
        serialize_f32(f32) F32;
        serialize_f64(f64) F64;
        serialize_char(char) Char;
        serialize_bytes(&[u8]) Bytes;
    }

    fn serialize_str(self, text: &str) -> Result {
        Ok(Written::Text(text.to_owned()))
    }

    fn serialize_unit(self) -> Result {
        Ok(Written::Leaf(Form::Unit))
    }

    fn serialize_none(self) -> Result {
        Ok(Written::Option(Box::new(Written::Nothing)))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        Ok(Written::Option(Box::new(self.inner(value)?)))
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result {
        Ok(Written::Named(name, Content::Unit))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result {
        Ok(Written::Named(name, Content::Newtype(Box::new(self.inner(value)?))))
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result {
        Ok(Written::Variant { name, index, variant, content: Content::Unit })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result {
        let content = Content::Newtype(Box::new(self.inner(value)?));
        Ok(Written::Variant { name, index, variant, content })
    }

    fn serialize_seq(self, _: Option<usize>) -> std::result::Result<Parts, Failed> {
        Ok(self.parts(Kind::Seq))
    }

    fn serialize_tuple(self, _: usize) -> std::result::Result<Parts, Failed> {
        Ok(self.parts(Kind::Tuple))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> std::result::Result<Parts, Failed> {
        Ok(self.parts(Kind::TupleStruct(name)))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> std::result::Result<Parts, Failed> {
        Ok(self.parts(Kind::TupleVariant(name, index, variant)))
    }

    fn serialize_map(self, length: Option<usize>) -> std::result::Result<Parts, Failed> {
        Ok(self.parts(Kind::Map { counted: length.is_some(), entries: Vec::new() }))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> std::result::Result<Parts, Failed> {
        Ok(self.parts(Kind::Struct(name)))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> std::result::Result<Parts, Failed> {
        Ok(self.parts(Kind::StructVariant(name, index, variant)))
    }
}

macro_rules! parts {
    ($($part:ident::$method:ident($($name:ident)?) $to:ident;)*) => {
        $(impl ser::$part for Parts {
            type Ok = Written;
            type Error = Failed;
            fn $method<T: Serialize + ?Sized>(
                &mut self, $($name: &'static str,)? value: &T,
            ) -> std::result::Result<(), Failed> {
                self.$to($($name,)? value)
            }
            fn end(self) -> Result {
                Ok(self.finish())
            }
        })*
    };
}

parts! {
    SerializeSeq::serialize_element() item;
    SerializeTuple::serialize_element() item;
    SerializeTupleStruct::serialize_field() item;
    SerializeTupleVariant::serialize_field() item;
    SerializeStruct::serialize_field(name) field;
    SerializeStructVariant::serialize_field(name) field;
}

impl ser::SerializeMap for Parts {
    type Ok = Written;
    type Error = Failed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> std::result::Result<(), Failed> {
        self.key = Some(self.writer.inner(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> std::result::Result<(), Failed> {
        let value = self.writer.inner(value)?;
        let key = self.key.take().ok_or_else(|| Failed::custom("a value without a key"))?;
        if let Kind::Map { entries, .. } = &mut self.kind {
            entries.push((key, value));
        }
        Ok(())
    }

    fn end(self) -> Result {
        Ok(self.finish())
    }
}
