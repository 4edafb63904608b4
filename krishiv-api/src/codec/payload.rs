//! Values as bytes: postcard where it can, MessagePack where the bytes must say what they are, JSON where it is asked
//! for, and never a value that reads back as another.

mod elements;
mod message_pack;
mod reader;
mod run;
#[cfg(test)]
mod tests;

use super::faithful::{self, Faithful, Watch};
use super::same::same;
use super::unreadable::Unreadable;
use super::walk::{Stop, Visit, walk};
use crate::quiet::drop_quietly;
use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

pub(super) use elements::FREE_ELEMENTS;
pub(super) use message_pack::Reader as PackReader;
pub(super) use reader::take;
pub(super) use run::Behind;
pub(crate) use run::{decode_run, encode_run};

/// How a stored value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// Compact, by position.
    Postcard = 0,
    /// Text that describes itself.
    Json = 1,
    /// Bytes that describe themselves.
    MessagePack = 2,
}

impl Codec {
    pub(crate) fn bits(self) -> u64 {
        self as u64
    }

    /// The codec that the two lowest bits of `bits` name.
    pub(crate) fn from_bits(bits: u64) -> Option<Self> {
        match bits & 3 {
            0 => Some(Self::Postcard),
            1 => Some(Self::Json),
            2 => Some(Self::MessagePack),
            _ => None,
        }
    }

    /// What to try if this one cannot hold a value, best first.
    fn others(self) -> [Self; 2] {
        match self {
            Self::Postcard => [Self::MessagePack, Self::Json],
            Self::Json => [Self::Postcard, Self::MessagePack],
            Self::MessagePack => [Self::Postcard, Self::Json],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Postcard => "postcard",
            Self::Json => "JSON",
            Self::MessagePack => "MessagePack",
        }
    }
}

/// A value behind a pointer, so that what writes values is there once and not for each type.
pub trait Payload {
    /// Appends it in this codec only; on failure `out` is as before.
    fn write(&self, codec: Codec, out: &mut Vec<u8>) -> Result<(), String>;

    /// Checks that `bytes` decode to it, as far as serde can tell the two apart.
    fn survives(&self, codec: Codec, bytes: &[u8]) -> Result<(), String>;

    /// Tells `visit` of it.
    fn walk(&self, visit: &mut dyn Visit) -> Result<(), Stop>;

    /// It as messages show it.
    fn show(&self) -> String;
}

impl<T: Serialize + DeserializeOwned> Payload for T {
    fn write(&self, codec: Codec, out: &mut Vec<u8>) -> Result<(), String> {
        write(self, codec, out)
    }

    fn survives(&self, codec: Codec, bytes: &[u8]) -> Result<(), String> {
        match decode::<T>(codec, bytes) {
            Ok(back) => {
                let survives = is_same(self, &back, codec, bytes);
                drop_quietly(back);
                survives
            }
            Err(reason) => Err(format!("it does not read back: {reason}")),
        }
    }

    fn walk(&self, visit: &mut dyn Visit) -> Result<(), Stop> {
        walk(self, visit)
    }

    fn show(&self) -> String {
        show(self)
    }
}

/// Appends the value in the wanted codec or, if that would lose something, in another; says which.
///
/// Postcard is taken at its word where it is wanted, since it is wanted only for types whose values survive it. What another
/// codec has written is read back first, and has to be the same value.
///
/// # Errors
///
/// The reasons of all codecs, with `out` as it was, if none can give the value back.
pub(crate) fn encode(value: &dyn Payload, wanted: Codec, out: &mut Vec<u8>) -> Result<Codec, String> {
    let mut refused = String::new();
    let [second, third] = wanted.others();
    for codec in [wanted, second, third] {
        let trusted = codec == wanted && codec == Codec::Postcard;
        match if trusted { value.write(codec, out) } else { write_checked(value, codec, out) } {
            Ok(()) => return Ok(codec),
            Err(reason) => refused += &format!("; not {}, because {reason}", codec.name()),
        }
    }
    Err(format!("no codec can hold it{refused}"))
}

/// Appends the value in this codec only, if it reads back as the same value; on failure `out` is as before.
fn write_checked(value: &dyn Payload, codec: Codec, out: &mut Vec<u8>) -> Result<(), String> {
    let start = out.len();
    value.write(codec, out)?;
    let checked = value.survives(codec, tail(out, start));
    if checked.is_err() {
        out.truncate(start);
    }
    checked
}

/// Checks that `back`, which `bytes` decode to, is the value that they were written from.
fn is_same(value: &dyn Payload, back: &dyn Payload, codec: Codec, bytes: &[u8]) -> Result<(), String> {
    let mut again = Vec::with_capacity(bytes.len());
    // The same bytes are the same value. Others may be too: what is hashed comes in any order.
    let same = |a: &dyn Payload, b: &dyn Payload| same(&|visit| a.walk(visit), &|visit| b.walk(visit));
    if back.write(codec, &mut again).is_ok_and(|()| again == bytes || same(value, back)) {
        return Ok(());
    }
    Err(format!("it reads back as {}", back.show()))
}

/// Reads a value from exactly these bytes.
///
/// # Errors
///
/// What is wrong with the bytes, in time and memory proportional to their number.
#[inline]
pub(crate) fn decode<T: DeserializeOwned>(codec: Codec, bytes: &[u8]) -> Result<T, String> {
    read(codec, bytes, PhantomData)
}

/// Reads what `seed` asks for from exactly these bytes.
#[inline]
pub(super) fn read<'de, S: DeserializeSeed<'de>>(codec: Codec, bytes: &'de [u8], seed: S) -> Result<S::Value, String> {
    match codec {
        Codec::Postcard => reader::read(bytes, seed).map_err(in_words),
        Codec::MessagePack => message_pack::read(bytes, seed).map_err(in_words),
        Codec::Json => read_json(bytes, seed),
    }
}

pub(super) fn in_words(error: Unreadable) -> String {
    error.to_string()
}

fn read_json<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], seed: S) -> Result<S::Value, String> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = match seed.deserialize(&mut json) {
        Ok(value) => value,
        Err(error) => return Err(error.to_string()),
    };
    match json.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the bytes are sound by themselves, whatever type they are to be read as; postcard cannot tell.
pub(crate) fn is_sound(codec: Codec, bytes: &[u8]) -> bool {
    match codec {
        Codec::Postcard => false,
        // What is ignored may be nested to any depth, and what is read may not.
        Codec::Json => read(codec, bytes, PhantomData::<serde_json::Value>).is_ok(),
        Codec::MessagePack => read(codec, bytes, PhantomData::<IgnoredAny>).is_ok(),
    }
}

/// Appends the value in this codec only; on failure `out` is as before.
pub(crate) fn write<T: Serialize + ?Sized>(value: &T, codec: Codec, out: &mut Vec<u8>) -> Result<(), String> {
    let start = out.len();
    let written = match codec {
        Codec::Postcard => write_postcard(value, out),
        Codec::Json => write_json(value, out),
        Codec::MessagePack => message_pack::write(value, out),
    };
    if written.is_err() {
        out.truncate(start);
    }
    written
}

#[inline]
fn write_postcard<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), String> {
    let (start, watch) = (out.len(), Watch::default());
    let mut postcard = postcard::Serializer { output: Append(&mut *out) };
    let written = value.serialize(Faithful::<_, { faithful::POSTCARD }>::new(&mut postcard, &watch));
    if written.is_ok() && watch.reason().is_none() && watch.elements() <= FREE_ELEMENTS {
        return Ok(());
    }
    refused(&watch, written.err().map(|error| error.to_string()), out.len() - start)
}

fn write_json<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), String> {
    let watch = Watch::default();
    let mut json = serde_json::Serializer::new(&mut *out);
    let written = value.serialize(Faithful::<_, { faithful::JSON }>::new(&mut json, &watch));
    refused(&watch, written.err().map(|error| error.to_string()), usize::MAX)
}

/// Why a value was refused that has become so many `bytes`, if it was.
#[inline(never)]
fn refused(watch: &Watch, error: Option<String>, bytes: usize) -> Result<(), String> {
    if let Some(reason) = watch.reason().map(str::to_owned).or(error) {
        return Err(reason);
    }
    if watch.elements() > bytes.saturating_add(FREE_ELEMENTS) {
        return Err("it has too many elements that take no bytes".to_owned());
    }
    Ok(())
}

/// Most bytes of a value that a message shows.
const SHOWN: usize = 200;

/// A value as messages show it.
pub(crate) fn show<T: Serialize + ?Sized>(value: &T) -> String {
    shortened(serde_json::to_string(value).ok())
}

fn shortened(shown: Option<String>) -> String {
    let mut shown = shown.unwrap_or_else(|| "what is no JSON".to_owned());
    if shown.len() > SHOWN {
        let end = (0..=SHOWN).rev().find(|end| shown.is_char_boundary(*end)).unwrap_or(0);
        shown.truncate(end);
        shown += "…";
    }
    shown
}

fn tail(bytes: &[u8], start: usize) -> &[u8] {
    bytes.get(start..).unwrap_or_default()
}

/// Lets postcard append to a borrowed buffer.
struct Append<'a>(&'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Append<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
