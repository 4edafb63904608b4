//! Several values in one payload, as a `Vec` of them would be written and read, without being one.

use super::{Codec, read, write};
use serde::de::{Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use std::collections::VecDeque;
use std::fmt;

/// Elements that are made room for before they are read: a length that lies costs no more than this.
const ROOM: usize = 1 << 10;

/// Appends `values`, which know their number, in this codec only; on failure `out` is as before.
///
/// # Errors
///
/// The reason, if the codec cannot give one of them back, or not in such company.
pub(crate) fn encode_run<'a, T: Serialize + 'a>(
    values: impl Iterator<Item = &'a T> + Clone,
    codec: Codec,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    write(&Run(values), codec, out)
}

/// Reads values from exactly these bytes, and puts them behind `values`; returns how many there were.
///
/// # Errors
///
/// What is wrong with the bytes. Some of the values may have been put there by then.
pub(crate) fn decode_run<T: DeserializeOwned>(
    codec: Codec,
    bytes: &[u8],
    values: &mut VecDeque<T>,
) -> Result<usize, String> {
    let before = values.len();
    read(codec, bytes, Behind(values))?;
    Ok(values.len() - before)
}

struct Run<I>(I);

impl<'a, T: Serialize + 'a, I: Iterator<Item = &'a T> + Clone> Serialize for Run<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

/// Puts what is read behind these.
pub(in crate::codec) struct Behind<'a, T>(pub(in crate::codec) &'a mut VecDeque<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Behind<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Behind<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.0.reserve(elements.size_hint().unwrap_or(0).min(ROOM));
        while let Some(value) = elements.next_element()? {
            self.0.push_back(value);
        }
        Ok(())
    }
}
