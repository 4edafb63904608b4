//! Writes MessagePack, and refuses what would not read back.
//!
//! A null inside of `Some` would read back as the absence of that, and is an extension.

use crate::codec::faithful::{MAX_PACK_DEPTH, NULL_IN_SOME};
use crate::codec::walk::{Group, Leaf, Stop, Variant, Visit, walk};
use rmp::encode;
use serde::Serialize;
use serde::ser::Error as _;

/// Appends `value` to `out`; what is there after a failure is of no use.
pub(in crate::codec::payload) fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), String> {
    let mut writer = Writer { out, open: Vec::new(), depth: 0, in_some: 0 };
    walk(value, &mut writer).map_err(|error| error.to_string())
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    open: Vec<Open>,
    depth: usize,
    /// Directly inside so many `Some`, where null is not what is absent.
    in_some: u8,
}

/// What is being written in parts.
struct Open {
    /// How deep it lies.
    depth: usize,
    counted: Option<Counted>,
}

/// A sequence or map, whose parts are counted.
struct Counted {
    is_map: bool,
    /// As it says, and as it is; keys and values of a map by themselves.
    announced: Option<usize>,
    parts: usize,
    /// Where what it holds begins.
    start: usize,
}

impl Writer<'_> {
    /// Counts a part of what is open, and goes on inside of no `Some`; returns inside how many it is.
    fn part(&mut self) -> u8 {
        if let Some(Open { counted: Some(counted), .. }) = self.open.last_mut() {
            counted.parts += 1;
        }
        std::mem::take(&mut self.in_some)
    }

    fn deeper(&mut self, levels: usize) -> Result<(), Stop> {
        if self.depth + levels > MAX_PACK_DEPTH {
            return Err(Stop::custom("it is nested too deeply"));
        }
        self.depth += levels;
        Ok(())
    }

    fn length(&mut self, is_map: bool, length: usize) -> Result<(), Stop> {
        let Ok(length) = u32::try_from(length) else { return Err(Stop::custom("it has too many parts")) };
        let written = if is_map {
            encode::write_map_len(&mut *self.out, length)
        } else {
            encode::write_array_len(&mut *self.out, length)
        };
        written.map(drop).map_err(Stop::custom)
    }

    fn text(&mut self, text: &str) -> Result<(), Stop> {
        encode::write_str(&mut *self.out, text).map_err(Stop::custom)
    }

    /// A variant is a map of its name.
    fn variant(&mut self, variant: Variant) -> Result<(), Stop> {
        self.length(true, 1)?;
        self.text(variant.variant)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        encode::write_bin(&mut *self.out, bytes).map_err(Stop::custom)
    }

    fn signed(&mut self, value: i64) -> Result<(), Stop> {
        encode::write_sint(&mut *self.out, value).map(drop).map_err(Stop::custom)
    }

    fn unsigned(&mut self, value: u64) -> Result<(), Stop> {
        encode::write_uint(&mut *self.out, value).map(drop).map_err(Stop::custom)
    }

    fn null(&mut self, in_some: u8) -> Result<(), Stop> {
        if in_some == 0 {
            return encode::write_nil(&mut *self.out).map_err(Stop::custom);
        }
        encode::write_ext_meta(&mut *self.out, 1, NULL_IN_SOME).map_err(Stop::custom)?;
        self.out.push(in_some);
        Ok(())
    }
}

impl Visit for Writer<'_> {
    fn leaf(&mut self, leaf: Leaf<'_>) -> Result<(), Stop> {
        let in_some = self.part();
        match leaf {
            Leaf::Unit | Leaf::UnitStruct(_) | Leaf::None => self.null(in_some),
            Leaf::UnitVariant(variant) => {
                self.deeper(1)?;
                self.depth -= 1;
                self.text(variant.variant)
            }
            Leaf::Bool(value) => encode::write_bool(&mut *self.out, value).map_err(Stop::custom),
            Leaf::I8(value) => self.signed(value.into()),
            Leaf::I16(value) => self.signed(value.into()),
            Leaf::I32(value) => self.signed(value.into()),
            Leaf::I64(value) => self.signed(value),
            Leaf::I128(value) => self.bytes(&value.to_be_bytes()),
            Leaf::U8(value) => self.unsigned(value.into()),
            Leaf::U16(value) => self.unsigned(value.into()),
            Leaf::U32(value) => self.unsigned(value.into()),
            Leaf::U64(value) => self.unsigned(value),
            Leaf::U128(value) => self.bytes(&value.to_be_bytes()),
            Leaf::F32(value) => encode::write_f32(&mut *self.out, value).map_err(Stop::custom),
            Leaf::F64(value) => encode::write_f64(&mut *self.out, value).map_err(Stop::custom),
            Leaf::Char(value) => self.text(value.encode_utf8(&mut [0; 4])),
            Leaf::Str(text) => self.text(text),
            Leaf::Bytes(bytes) => self.bytes(bytes),
        }
    }

    fn open(&mut self, group: Group) -> Result<(), Stop> {
        let (depth, in_some) = (self.depth, self.part());
        let is_variant = matches!(group, Group::TupleVariant(..) | Group::StructVariant(..));
        self.deeper(if is_variant { 2 } else { 1 })?;
        let mut counted = None;
        match group {
            Group::Some => {
                let inside = in_some.checked_add(1);
                self.in_some = inside.ok_or_else(|| Stop::custom("it is nested too deeply"))?;
            }
            Group::Newtype(_) => self.in_some = in_some,
            Group::Seq(announced) | Group::Map(announced) => {
                let is_map = matches!(group, Group::Map(_));
                if let Some(length) = announced {
                    self.length(is_map, length)?;
                }
                counted = Some(Counted { is_map, announced, parts: 0, start: self.out.len() });
            }
            Group::Tuple(length) | Group::TupleStruct(_, length) => self.length(false, length)?,
            Group::Struct(_, length) => self.length(true, length)?,
            Group::NewtypeVariant(variant) => self.variant(variant)?,
            Group::TupleVariant(variant, length) => {
                self.variant(variant)?;
                self.length(false, length)?;
            }
            Group::StructVariant(variant, length) => {
                self.variant(variant)?;
                self.length(true, length)?;
            }
        }
        self.open.push(Open { depth, counted });
        Ok(())
    }

    fn field(&mut self, name: &'static str) -> Result<(), Stop> {
        self.text(name)
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(Open { depth, counted }) = self.open.pop() else { return Ok(()) };
        (self.depth, self.in_some) = (depth, 0);
        let Some(Counted { is_map, announced, parts, start }) = counted else { return Ok(()) };
        let length = if is_map { parts / 2 } else { parts };
        match announced {
            None => {
                // How many there are is known only now, and stands in front.
                let parts = self.out.split_off(start);
                self.length(is_map, length)?;
                self.out.extend(parts);
                Ok(())
            }
            Some(announced) if announced != length => Err(Stop::custom("it has more or fewer elements than it says")),
            Some(_) => Ok(()),
        }
    }
}
