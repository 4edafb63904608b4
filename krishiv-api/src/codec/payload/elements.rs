//! The elements of sequences and maps, in the formats that say how many there are, and how deep they may lie.

use crate::codec::unreadable::{Result, Unreadable, unreadable};
use serde::de::{self, DeserializeSeed, Deserializer};

/// Elements that take no bytes and may still be announced, in total. Without a limit a few hostile bytes keep a
/// reader busy for ages: `Vec<()>` of length 2^60 is nothing but its length.
pub(in crate::codec) const FREE_ELEMENTS: usize = 1 << 16;

/// A reader that limits how deep a value is nested, as deep as the bytes may ask for.
pub(super) trait Nested: Sized {
    const MAX_DEPTH: usize;

    fn depth(&mut self) -> &mut usize;

    #[inline]
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if *self.depth() == Self::MAX_DEPTH {
            return unreadable("it is nested too deeply");
        }
        *self.depth() += 1;
        let value = read(self)?;
        *self.depth() -= 1;
        Ok(value)
    }

    /// Hands `length` elements to the visitor, which has to take them all: what it leaves would be read as
    /// whatever comes next.
    #[inline]
    fn counted<T>(&mut self, length: usize, visit: impl FnOnce(&mut Elements<'_, Self>) -> Result<T>) -> Result<T> {
        self.deeper(|reader| {
            let mut elements = Elements { reader, left: length };
            let value = visit(&mut elements)?;
            if elements.left > 0 { unreadable(format!("{} elements are left over", elements.left)) } else { Ok(value) }
        })
    }
}

/// So many elements that are next; the keys of a map, each with its value behind it.
pub(super) struct Elements<'r, R> {
    pub(super) reader: &'r mut R,
    pub(super) left: usize,
}

impl<R> Elements<'_, R> {
    #[inline]
    fn next<'de, S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>>
    where
        for<'a> &'a mut R: Deserializer<'de, Error = Unreadable>,
    {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de, R> de::SeqAccess<'de> for Elements<'_, R>
where
    for<'a> &'a mut R: Deserializer<'de, Error = Unreadable>,
{
    type Error = Unreadable;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de, R> de::MapAccess<'de> for Elements<'_, R>
where
    for<'a> &'a mut R: Deserializer<'de, Error = Unreadable>,
{
    type Error = Unreadable;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next(seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}
