//! Values as bytes: postcard where it can, JSON where it must, and never a value that reads back as another.

mod reader;
mod run;
#[cfg(test)]
mod tests;

use super::faithful::{Faithful, Watch};
use serde::de::{DeserializeOwned, DeserializeSeed};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

pub(crate) use run::{decode_run, encode_run};

/// How a stored value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// Compact, by position.
    Postcard = 0,
    /// Self-describing, by name.
    Json = 1,
}

impl Codec {
    pub(crate) fn bits(self) -> u64 {
        self as u64
    }

    /// The codec that the lowest bit of `bits` names.
    pub(crate) fn from_bits(bits: u64) -> Self {
        if bits & 1 == 0 { Self::Postcard } else { Self::Json }
    }

    fn other(self) -> Self {
        match self {
            Self::Postcard => Self::Json,
            Self::Json => Self::Postcard,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Postcard => "postcard",
            Self::Json => "JSON",
        }
    }
}

/// Elements that take no bytes and may still be announced, in total. Without a limit a few hostile bytes keep a
/// reader busy for ages: `Vec<()>` of length 2^60 is nothing but its length.
const FREE_ELEMENTS: usize = 1 << 16;

/// Appends the value in the wanted codec or, if that would lose something, in the other; says which.
///
/// # Errors
///
/// The reasons of both codecs, with `out` as it was, if neither can give the value back.
pub(crate) fn encode<T>(value: &T, wanted: Codec, out: &mut Vec<u8>) -> Result<Codec, String>
where
    T: Serialize + DeserializeOwned,
{
    let Err(first) = write(value, wanted, out) else {
        return Ok(wanted);
    };
    let (other, start) = (wanted.other(), out.len());
    // Whether the type can be read from the other codec is not known, so the bytes have to prove it.
    let written = write(value, other, out).and_then(|()| {
        if reads_back::<T>(other, tail(out, start)) { Ok(()) } else { Err("it does not read back".into()) }
    });
    written.map(|()| other).map_err(|second| {
        out.truncate(start);
        let (wanted, other) = (wanted.name(), other.name());
        format!("neither codec can hold it: not {wanted}, because {first}; not {other}, because {second}")
    })
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
        Codec::Json => {
            let mut json = serde_json::Deserializer::from_slice(bytes);
            let value = seed.deserialize(&mut json);
            value.and_then(|value| json.end().map(|()| value)).map_err(|error| error.to_string())
        }
    }
}

/// Appends the value in this codec only; on failure `out` is as before.
pub(super) fn write<T: Serialize + ?Sized>(value: &T, codec: Codec, out: &mut Vec<u8>) -> Result<(), String> {
    let (start, watch) = (out.len(), Watch::default());
    let written = match codec {
        Codec::Postcard => {
            let mut postcard = postcard::Serializer { output: Append(&mut *out) };
            value.serialize(Faithful::<_, false>::new(&mut postcard, &watch)).map_err(|error| error.to_string())
        }
        Codec::Json => {
            let mut json = serde_json::Serializer::new(&mut *out);
            value.serialize(Faithful::<_, true>::new(&mut json, &watch)).map_err(|error| error.to_string())
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

/// Whether bytes decode to a value that encodes to the same bytes, but for the order of hashed collections.
pub(super) fn reads_back<T: Serialize + DeserializeOwned>(codec: Codec, bytes: &[u8]) -> bool {
    let mut again = Vec::with_capacity(bytes.len());
    let read = decode::<T>(codec, bytes).and_then(|value| write(&value, codec, &mut again));
    read.is_ok() && (again == bytes || sorted(&again) == sorted(bytes))
}

fn sorted(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.sort_unstable();
    bytes
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
