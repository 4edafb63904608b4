//! Values as bytes: postcard where it can, MessagePack where the bytes must say what they are, JSON where it is asked
//! for, and never a value that reads back as another.

mod elements;
mod message_pack;
mod reader;
mod run;
#[cfg(test)]
mod tests;
mod unreadable;

use super::faithful::{self, Faithful, Watch};
use super::same::same;
use crate::quiet::drop_quietly;
use elements::FREE_ELEMENTS;
use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

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

/// Appends the value in the wanted codec or, if that would lose something, in another; says which.
///
/// Postcard is taken at its word where it is wanted, since it is wanted only for types whose values survive it. What another
/// codec has written is read back first, and has to be the same value.
///
/// # Errors
///
/// The reasons of all codecs, with `out` as it was, if none can give the value back.
pub(crate) fn encode<T>(value: &T, wanted: Codec, out: &mut Vec<u8>) -> Result<Codec, String>
where
    T: Serialize + DeserializeOwned,
{
    let mut refused = String::new();
    let [second, third] = wanted.others();
    for codec in [wanted, second, third] {
        let trusted = codec == wanted && codec == Codec::Postcard;
        match if trusted { write(value, codec, out) } else { write_checked(value, codec, out) } {
            Ok(()) => return Ok(codec),
            Err(reason) => refused += &format!("; not {}, because {reason}", codec.name()),
        }
    }
    Err(format!("no codec can hold it{refused}"))
}

/// Appends the value in this codec only, if it reads back as the same value; on failure `out` is as before.
fn write_checked<T>(value: &T, codec: Codec, out: &mut Vec<u8>) -> Result<(), String>
where
    T: Serialize + DeserializeOwned,
{
    let start = out.len();
    write(value, codec, out)?;
    let checked = survives(value, codec, tail(out, start));
    if checked.is_err() {
        out.truncate(start);
    }
    checked
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
fn read<'de, S: DeserializeSeed<'de>>(codec: Codec, bytes: &'de [u8], seed: S) -> Result<S::Value, String> {
    match codec {
        Codec::Postcard => reader::read(bytes, seed).map_err(|error| error.to_string()),
        Codec::MessagePack => message_pack::read(bytes, seed).map_err(|error| error.to_string()),
        Codec::Json => {
            let mut json = serde_json::Deserializer::from_slice(bytes);
            let value = seed.deserialize(&mut json);
            value.and_then(|value| json.end().map(|()| value)).map_err(|error| error.to_string())
        }
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
    let (start, watch) = (out.len(), Watch::default());
    let written = match codec {
        Codec::Postcard => {
            let mut postcard = postcard::Serializer { output: Append(&mut *out) };
            let faithful = Faithful::<_, { faithful::POSTCARD }>::new(&mut postcard, &watch);
            value.serialize(faithful).map_err(|error| error.to_string())
        }
        Codec::Json => {
            let mut json = serde_json::Serializer::new(&mut *out);
            let faithful = Faithful::<_, { faithful::JSON }>::new(&mut json, &watch);
            value.serialize(faithful).map_err(|error| error.to_string())
        }
        Codec::MessagePack => {
            let mut pack = rmp_serde::Serializer::new(&mut *out).with_struct_map();
            let faithful = Faithful::<_, { faithful::MESSAGE_PACK }>::new(&mut pack, &watch);
            value.serialize(faithful).map_err(|error| error.to_string())
        }
    };
    let refused = match (watch.reason(), written) {
        (Some(reason), _) => Some(reason.to_owned()),
        (None, Err(error)) => Some(error),
        (None, Ok(())) if codec == Codec::Postcard && watch.elements() > FREE_ELEMENTS + out.len() - start => {
            Some("it has too many elements that take no bytes".to_owned())
        }
        (None, Ok(())) => None,
    };
    refused.map_or(Ok(()), |reason| {
        out.truncate(start);
        Err(reason)
    })
}

/// Most bytes of a value that a message shows.
const SHOWN: usize = 200;

/// A value as messages show it.
pub(crate) fn show<T: Serialize + ?Sized>(value: &T) -> String {
    let mut shown = serde_json::to_string(value).unwrap_or_else(|_| "what is no JSON".to_owned());
    if shown.len() > SHOWN {
        let end = (0..=SHOWN).rev().find(|end| shown.is_char_boundary(*end)).unwrap_or(0);
        shown.truncate(end);
        shown += "…";
    }
    shown
}

/// Checks that `bytes` decode to the value that they were written from, as far as serde can tell the two apart.
pub(super) fn survives<T: Serialize + DeserializeOwned>(value: &T, codec: Codec, bytes: &[u8]) -> Result<(), String> {
    let back: T = decode(codec, bytes).map_err(|reason| format!("it does not read back: {reason}"))?;
    let mut again = Vec::with_capacity(bytes.len());
    // The same bytes are the same value. Others may be too: what is hashed comes in any order.
    let same = write(&back, codec, &mut again).is_ok_and(|()| again == bytes || same(value, &back));
    let survives = if same { Ok(()) } else { Err(format!("it reads back as {}", show(&back))) };
    drop_quietly(back);
    survives
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
