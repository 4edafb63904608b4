//! A serializer around a serializer: it lets through what the format below can give back, and refuses the rest.
//!
//! Each format loses some values without a word. Postcard forgets that a field was skipped, and reads the next one
//! in its place; JSON writes NaN and `Some(None)` as `null`. Everything passes
//! through here on its way to any of them, so that the loss becomes an error, and [`payload`](super::payload) can use
//! another format.

use serde::ser::{self, Serialize, Serializer};
use std::cell::Cell;
use std::fmt;

/// Nesting that a stored value may have. A reader recurses as deep as the bytes tell it to, so it needs a limit,
/// and a writer that knows the limit never writes what cannot be read.
pub(crate) const MAX_DEPTH: usize = 512;

/// The limit of `serde_json`, which is not configurable, and does not count what takes no brackets.
const MAX_JSON_DEPTH: usize = 127;

/// The limit of MessagePack. The types that need it are read by way of a copy, which takes more of the stack for each level.
pub(crate) const MAX_PACK_DEPTH: usize = 256;

/// Whose losses to look for.
pub(crate) const POSTCARD: u8 = 0;
pub(crate) const JSON: u8 = 1;

/// The MessagePack extension that stands for a null inside of so many `Some` as its one byte says.
pub(crate) const NULL_IN_SOME: i8 = 1;

/// What one run of a serializer leaves behind besides bytes.
#[derive(Default)]
pub(crate) struct Watch {
    reason: Cell<Option<&'static str>>,
    elements: Cell<usize>,
}

impl Watch {
    /// Why the value was refused: formats drop the text of custom errors, so it is kept here.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        self.reason.get()
    }

    /// Elements of all sequences and entries of all maps together.
    pub(crate) fn elements(&self) -> usize {
        self.elements.get()
    }

    fn refuse<T, E: ser::Error>(&self, reason: &'static str) -> Result<T, E> {
        self.reason.set(Some(reason));
        Err(E::custom(reason))
    }
}

/// The wrapper; `FORM` tells whose losses to look for: [`POSTCARD`] or [`JSON`].
pub(crate) struct Faithful<'w, S, const FORM: u8> {
    inner: S,
    watch: &'w Watch,
    depth: usize,
    /// Directly inside so many `Some`, where null is not what is absent.
    in_some: u8,
}

impl<'w, S: Serializer, const FORM: u8> Faithful<'w, S, FORM> {
    pub(crate) fn new(inner: S, watch: &'w Watch) -> Self {
        Self { inner, watch, depth: 0, in_some: 0 }
    }

    #[inline]
    fn at(&self, levels: usize) -> Result<usize, S::Error> {
        let limit = match FORM {
            JSON => MAX_JSON_DEPTH,
            _ => MAX_DEPTH,
        };
        match self.depth + levels {
            depth if depth > limit => self.watch.refuse("it is nested too deeply"),
            depth => Ok(depth),
        }
    }

    #[inline]
    fn at_compound(&self) -> Result<usize, S::Error> {
        self.at(1)
    }

    /// Options, newtypes and bare variants are no level of their own in JSON.
    #[inline]
    fn at_transparent(&self) -> Result<usize, S::Error> {
        self.at(if FORM == JSON { 0 } else { 1 })
    }

    /// A variant is one level, and its fields are another.
    #[inline]
    fn at_variant(&self) -> Result<usize, S::Error> {
        self.at(2)
    }

    /// Writes what is a null by itself, and inside `Some` would be taken for the absence of that.
    #[inline]
    fn null(self, write: impl FnOnce(S) -> Result<S::Ok, S::Error>) -> Result<S::Ok, S::Error> {
        match FORM {
            JSON if self.in_some > 0 => {
                self.watch.refuse("`Some` of an absent value or of a unit would read back as `None`")
            }
            _ => write(self.inner),
        }
    }

    #[inline]
    fn number_is_exact(&self, exact: bool, reason: &'static str) -> Result<(), S::Error> {
        if FORM == JSON && !exact { self.watch.refuse(reason) } else { Ok(()) }
    }
}

const NOT_FINITE: &str = "NaN and the infinities have no number in JSON";
const TOO_WIDE: &str = "an integer beyond 64 bits may read back as a float";

/// A value inside a wrapped one.
struct Inside<'w, 'v, T: ?Sized, const FORM: u8> {
    value: &'v T,
    watch: &'w Watch,
    depth: usize,
    in_some: u8,
}

impl<T: Serialize + ?Sized, const FORM: u8> Serialize for Inside<'_, '_, T, FORM> {
    #[inline]
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        let Self { value, watch, depth, in_some } = *self;
        value.serialize(Faithful::<S, FORM> { inner, watch, depth, in_some })
    }
}

/// The parts of a sequence, map, tuple or struct.
pub(crate) struct Parts<'w, C, const FORM: u8> {
    inner: C,
    watch: &'w Watch,
    depth: usize,
    /// The number of elements, where the format has written it down.
    announced: Option<usize>,
    done: usize,
}

impl<'w, C, const FORM: u8> Parts<'w, C, FORM> {
    #[inline]
    fn inside<'v, T: ?Sized>(&self, value: &'v T) -> Inside<'w, 'v, T, FORM> {
        Inside { value, watch: self.watch, depth: self.depth, in_some: 0 }
    }

    #[inline]
    fn counted<E: ser::Error>(&self) -> Result<(), E> {
        self.watch.elements.set(self.watch.elements.get() + self.done);
        match self.announced {
            Some(announced) if announced != self.done => {
                self.watch.refuse("it has more or fewer elements than it says")
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn skip<E: ser::Error>(&self) -> Result<(), E> {
        if FORM == POSTCARD {
            return self.watch.refuse("a field is skipped, and postcard tells fields by their place");
        }
        Ok(())
    }
}

macro_rules! forward {
    ($($method:ident: $value:ty),* $(,)?) => {
        $(#[inline] fn $method(self, value: $value) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        })*
    };
}

macro_rules! compound {
    ($($method:ident($($arg:ident: $type:ty),*) -> $kind:ident at $at:ident, announced $announced:expr;)*) => {
        $(#[inline] fn $method(self, $($arg: $type),*) -> Result<Self::$kind, S::Error> {
            let depth = self.$at()?;
            Ok(Parts { inner: self.inner.$method($($arg),*)?, watch: self.watch, depth, announced: $announced, done: 0 })
        })*
    };
}

impl<'w, S: Serializer, const FORM: u8> Serializer for Faithful<'w, S, FORM> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Parts<'w, S::SerializeSeq, FORM>;
    type SerializeTuple = Parts<'w, S::SerializeTuple, FORM>;
    type SerializeTupleStruct = Parts<'w, S::SerializeTupleStruct, FORM>;
    type SerializeTupleVariant = Parts<'w, S::SerializeTupleVariant, FORM>;
    type SerializeMap = Parts<'w, S::SerializeMap, FORM>;
    type SerializeStruct = Parts<'w, S::SerializeStruct, FORM>;
    type SerializeStructVariant = Parts<'w, S::SerializeStructVariant, FORM>;

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    forward! {
        serialize_bool: bool, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
    }

    #[inline]
    fn serialize_u128(self, value: u128) -> Result<S::Ok, S::Error> {
        self.number_is_exact(u64::try_from(value).is_ok(), TOO_WIDE)?;
        self.inner.serialize_u128(value)
    }

    #[inline]
    fn serialize_i128(self, value: i128) -> Result<S::Ok, S::Error> {
        self.number_is_exact(i64::try_from(value).is_ok() || u64::try_from(value).is_ok(), TOO_WIDE)?;
        self.inner.serialize_i128(value)
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.number_is_exact(value.is_finite(), NOT_FINITE)?;
        self.inner.serialize_f32(value)
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.number_is_exact(value.is_finite(), NOT_FINITE)?;
        self.inner.serialize_f64(value)
    }

    #[inline]
    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.null(S::serialize_none)
    }

    #[inline]
    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.null(S::serialize_unit)
    }

    #[inline]
    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.null(|inner| inner.serialize_unit_struct(name))
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let depth = self.at_transparent()?;
        let Some(in_some) = self.in_some.checked_add(1) else { return self.watch.refuse("it is nested too deeply") };
        self.inner.serialize_some(&Inside::<T, FORM> { value, watch: self.watch, depth, in_some })
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        let depth = self.at_transparent()?;
        let value = Inside::<T, FORM> { value, watch: self.watch, depth, in_some: self.in_some };
        self.inner.serialize_newtype_struct(name, &value)
    }

    #[inline]
    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.at_transparent()?;
        self.inner.serialize_unit_variant(name, index, variant)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let depth = self.at_compound()?;
        let value = Inside::<T, FORM> { value, watch: self.watch, depth, in_some: 0 };
        self.inner.serialize_newtype_variant(name, index, variant, &value)
    }

    compound! {
        serialize_seq(len: Option<usize>) -> SerializeSeq at at_compound, announced len;
        serialize_map(len: Option<usize>) -> SerializeMap at at_compound, announced len;
        serialize_tuple(len: usize) -> SerializeTuple at at_compound, announced None;
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct at at_compound, announced None;
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct at at_compound, announced None;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeTupleVariant at at_variant, announced None;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeStructVariant at at_variant, announced None;
    }

    #[inline]
    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }
}

impl<C: ser::SerializeSeq, const FORM: u8> ser::SerializeSeq for Parts<'_, C, FORM> {
    type Ok = C::Ok;
    type Error = C::Error;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.done += 1;
        let value = self.inside(value);
        self.inner.serialize_element(&value)
    }

    #[inline]
    fn end(self) -> Result<C::Ok, C::Error> {
        self.counted()?;
        self.inner.end()
    }
}

impl<C: ser::SerializeMap, const FORM: u8> ser::SerializeMap for Parts<'_, C, FORM> {
    type Ok = C::Ok;
    type Error = C::Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.done += 1;
        let key = self.inside(key);
        self.inner.serialize_key(&key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let value = self.inside(value);
        self.inner.serialize_value(&value)
    }

    #[inline]
    fn end(self) -> Result<C::Ok, C::Error> {
        self.counted()?;
        self.inner.end()
    }
}

macro_rules! positional {
    ($($name:ident :: $method:ident),*) => {
        $(impl<C: ser::$name, const FORM: u8> ser::$name for Parts<'_, C, FORM> {
            type Ok = C::Ok;
            type Error = C::Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                let value = self.inside(value);
                self.inner.$method(&value)
            }

            #[inline]
            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}

macro_rules! named {
    ($($name:ident),*) => {
        $(impl<C: ser::$name, const FORM: u8> ser::$name for Parts<'_, C, FORM> {
            type Ok = C::Ok;
            type Error = C::Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), C::Error> {
                let value = self.inside(value);
                self.inner.serialize_field(key, &value)
            }

            #[inline]
            fn skip_field(&mut self, key: &'static str) -> Result<(), C::Error> {
                self.skip()?;
                self.inner.skip_field(key)
            }

            #[inline]
            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}

positional!(
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);
named!(SerializeStruct, SerializeStructVariant);
