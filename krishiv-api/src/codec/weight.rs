//! What a value takes in memory outside of itself.
//!
//! serde shows all parts, and the [plan](plan) of the type what serde does not show. What neither shows is left out:
//! a `Box` of something small, and room that a nested collection has for more.

mod plan;

use crate::codec::faithful::{Faithful, POSTCARD, Watch};
use crate::codec::payload::FREE_ELEMENTS;
use crate::codec::walk::Stop;
use plan::{At, VEC};
use serde::ser::{self, Serialize, Serializer};
use std::any::Any;
use std::cell::Cell;

pub(crate) use plan::Plan;

/// Bytes that `value` takes outside of itself, or an error if postcard may not be able to hold it.
pub(crate) fn weigh_strictly<T: Serialize + 'static>(value: &T, plan: &Plan) -> Result<usize, String> {
    if let Some(bytes) = known(value) {
        return Ok(bytes);
    }
    let (watch, heap) = (Watch::default(), Cell::new(0));
    let weigh = Weigh { plan, at: plan.root(), heap: &heap, strict: true };
    match value.serialize(Faithful::<_, POSTCARD>::new(weigh, &watch)) {
        // Whether so many are too many depends on the bytes they take.
        Ok(_) if watch.elements() > FREE_ELEMENTS => Err("it has very many elements".to_owned()),
        Ok(size) => Ok(heap.get() + size.saturating_sub(size_of::<T>())),
        Err(error) => Err(watch.reason().map_or_else(|| error.to_string(), str::to_owned)),
    }
}

/// Bytes that `value`, which some codec can hold, takes outside of itself.
pub(crate) fn weigh<T: Serialize + 'static>(value: &T, plan: &Plan) -> usize {
    if !std::mem::needs_drop::<T>() {
        return 0;
    }
    known(value).unwrap_or_else(|| {
        let heap = Cell::new(0);
        let weigh = Weigh { plan, at: plan.root(), heap: &heap, strict: false };
        let size = value.serialize(weigh).unwrap_or_default();
        heap.get() + size.saturating_sub(size_of::<T>())
    })
}

/// A block of so many bytes, as allocators hand them out: with a word of their own, in steps of two words.
fn block(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes.saturating_add(8).next_multiple_of(16).max(32) }
}

/// Of the most common types all that there is to know is at hand.
fn known<T: 'static>(value: &T) -> Option<usize> {
    let value: &dyn Any = value;
    macro_rules! vectors {
        ($($type:ty)*) => {
            $(if let Some(vector) = value.downcast_ref::<Vec<$type>>() {
                return Some(block(vector.capacity() * size_of::<$type>()));
            })*
        };
    }
    if let Some(text) = value.downcast_ref::<String>() {
        return Some(block(text.capacity()));
    }
    vectors!(u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 bool);
    None
}

/// Adds up what lies elsewhere, and returns what lies in place.
#[derive(Clone, Copy)]
struct Weigh<'p> {
    plan: &'p Plan,
    /// Where in the plan; `None` where that is not known.
    at: Option<At>,
    heap: &'p Cell<usize>,
    /// Refuses what postcard does.
    strict: bool,
}

impl<'p> Weigh<'p> {
    fn add(&self, bytes: usize) {
        self.heap.set(self.heap.get().saturating_add(block(bytes)));
    }

    /// Goes on at `at`.
    fn part<T: Serialize + ?Sized>(&self, at: Option<At>, value: &T) -> Result<usize, Stop> {
        let (at, behind) = self.plan.behind(at);
        self.add(behind);
        let size = value.serialize(Self { at, ..*self })?;
        Ok(if behind > 0 { 8 } else { size })
    }

    fn sized(self, least: usize) -> Result<usize, Stop> {
        Ok(least.max(self.plan.least(self.at)))
    }

    fn parts(self, part: Part) -> Parts<'p> {
        Parts { weigh: self, part, place: 0, in_place: 0, key: 0, value: 0 }
    }

    fn announced(&self, length: Option<usize>) -> Result<(), Stop> {
        if self.strict && length.is_none() {
            Err(ser::Error::custom("its length is not known beforehand"))
        } else {
            Ok(())
        }
    }
}

/// What parts are parts of.
#[derive(Clone, Copy)]
enum Part {
    Seq,
    Map,
    InPlace,
    Variant(u32),
}

struct Parts<'p> {
    weigh: Weigh<'p>,
    part: Part,
    place: usize,
    in_place: usize,
    /// The largest key and value, or element, that was met.
    key: usize,
    value: usize,
}

impl Parts<'_> {
    fn one<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        let Weigh { plan, at, .. } = self.weigh;
        let at = match self.part {
            Part::Seq => plan.inside(at),
            Part::Map if self.place.is_multiple_of(2) => plan.entry(at).0,
            Part::Map => plan.entry(at).1,
            Part::InPlace => plan.part(at, self.place),
            Part::Variant(variant) => plan.variant(at, variant, self.place),
        };
        let size = self.weigh.part(at, value)?;
        // In a collection each takes as much as the largest.
        let (in_place, size) = (size, size.max(plan.size(at)));
        match self.part {
            Part::Map if self.place.is_multiple_of(2) => self.key = self.key.max(size),
            Part::Seq | Part::Map => self.value = self.value.max(size),
            Part::InPlace | Part::Variant(_) => self.in_place += in_place,
        }
        self.place += 1;
        Ok(())
    }

    fn finish(self) -> Result<usize, Stop> {
        match self.part {
            Part::Seq => {
                self.weigh.add(self.place.saturating_mul(self.value));
                self.weigh.sized(VEC)
            }
            Part::Map => {
                // Tables are half to seven eighths full, and the nodes of trees likewise.
                let entries = (self.place / 2).saturating_mul(self.key + self.value + 1);
                self.weigh.add(entries.saturating_mul(8) / 5);
                self.weigh.sized(VEC)
            }
            Part::InPlace => Ok(self.in_place),
            Part::Variant(_) => self.weigh.sized(self.in_place + 8),
        }
    }
}

macro_rules! numbers {
    ($($method:ident: $type:ty,)*) => {
        $(#[inline]
        fn $method(self, _: $type) -> Result<usize, Stop> {
            self.sized(size_of::<$type>())
        })*
    };
}

impl<'p> Serializer for Weigh<'p> {
    type Ok = usize;
    type Error = Stop;
    type SerializeSeq = Parts<'p>;
    type SerializeTuple = Parts<'p>;
    type SerializeTupleStruct = Parts<'p>;
    type SerializeTupleVariant = Parts<'p>;
    type SerializeMap = Parts<'p>;
    type SerializeStruct = Parts<'p>;
    type SerializeStructVariant = Parts<'p>;

    fn is_human_readable(&self) -> bool {
        false
    }

    numbers! {
        serialize_bool: bool, serialize_char: char, serialize_f32: f32, serialize_f64: f64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
    }

    fn serialize_str(self, text: &str) -> Result<usize, Stop> {
        self.add(text.len());
        self.sized(VEC)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<usize, Stop> {
        self.add(bytes.len());
        self.sized(VEC)
    }

    fn serialize_none(self) -> Result<usize, Stop> {
        self.sized(8)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<usize, Stop> {
        self.part(self.plan.inside(self.at), value)
    }

    fn serialize_unit(self) -> Result<usize, Stop> {
        self.sized(0)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<usize, Stop> {
        self.sized(0)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<usize, Stop> {
        self.sized(1)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<usize, Stop> {
        self.part(self.plan.inside(self.at), value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<usize, Stop> {
        let size = self.part(self.plan.variant(self.at, index, 0), value)?;
        self.sized(size + 8)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Parts<'p>, Stop> {
        self.announced(length)?;
        Ok(self.parts(Part::Seq))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Parts<'p>, Stop> {
        self.announced(length)?;
        // A struct with a flattened part is a map that does not know its length, and lies in place.
        Ok(self.parts(if length.is_some() { Part::Map } else { Part::InPlace }))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'p>, Stop> {
        Ok(self.parts(Part::InPlace))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'p>, Stop> {
        Ok(self.parts(Part::InPlace))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'p>, Stop> {
        Ok(self.parts(Part::InPlace))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts<'p>, Stop> {
        Ok(self.parts(Part::Variant(index)))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts<'p>, Stop> {
        Ok(self.parts(Part::Variant(index)))
    }
}

macro_rules! parts {
    ($($name:ident { $($method:ident),* })*) => {
        $(impl ser::$name for Parts<'_> {
            type Ok = usize;
            type Error = Stop;

            $(#[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
                self.one(value)
            })*

            fn end(self) -> Result<usize, Stop> {
                self.finish()
            }
        })*
    };
}

macro_rules! fields {
    ($($name:ident)*) => {
        $(impl ser::$name for Parts<'_> {
            type Ok = usize;
            type Error = Stop;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<(), Stop> {
                self.one(value)
            }

            fn skip_field(&mut self, _: &'static str) -> Result<(), Stop> {
                self.place += 1;
                Ok(())
            }

            fn end(self) -> Result<usize, Stop> {
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
