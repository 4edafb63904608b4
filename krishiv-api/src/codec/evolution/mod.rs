//! Values that were written by a type of another shape.
//!
//! Old bytes are read by the shape that wrote them, and handed to the program's type by name: what serde's derive can read from
//! JSON, it can read from old postcard. What would not be the same value is an error.

mod change;
mod described;
mod diff;
mod exact;
mod fit;
mod number;
mod plan;
mod postcard;
mod sample;
mod source;
#[cfg(test)]
mod tests;
mod tree;
mod trial;
mod trials;
mod width;

use super::payload::{self, Behind, Codec, PackReader};
use super::pull::{Source, pull};
use super::shape::Shape;
use super::unreadable;
use exact::Exact;
use plan::{Node, Plan};
use serde::de::DeserializeOwned;
use source::ByName;
use std::collections::VecDeque;
use std::marker::PhantomData;
use tree::Tree;

pub(crate) use change::{Change, Fit};
pub(crate) use fit::fit;

/// A stored shape, made ready once for the values that were written by it.
pub(crate) struct Old(Plan);

impl Old {
    /// Whatever is wrong with the shape is an error of the values that need what is wrong.
    pub(crate) fn new(written: &Shape) -> Self {
        Self(Plan::new(written))
    }

    /// Reads a value that was written by a type of this shape.
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes, or why they are no value of `T`.
    pub(crate) fn decode<T: DeserializeOwned>(&self, codec: Codec, bytes: &[u8]) -> Result<T, String> {
        let mut value = None;
        self.read(self.0.root(), codec, bytes, &mut |source| {
            value = Some(pull(source, PhantomData::<T>)?);
            Ok(())
        })?;
        value.ok_or_else(|| "nothing was read".to_owned())
    }

    /// Reads values that were written together, and puts them behind `values`; returns how many there were.
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes, or why they are no values of `T`. Some may have been put there by then.
    pub(crate) fn decode_run<T: DeserializeOwned>(
        &self,
        codec: Codec,
        bytes: &[u8],
        values: &mut VecDeque<T>,
    ) -> Result<usize, String> {
        let before = values.len();
        self.read(self.0.run(), codec, bytes, &mut |source| {
            // It may be the second attempt.
            values.truncate(before);
            pull(source, Behind(&mut *values))
        })?;
        Ok(values.len() - before)
    }

    /// Has exactly these bytes taken, which are this; twice, if the short way does not do.
    fn read(&self, node: &Node, codec: Codec, bytes: &[u8], take: Take<'_>) -> Result<(), String> {
        if codec == Codec::Postcard {
            let mut source = ByName(postcard::Reader::new(&self.0, node, bytes));
            return take(&mut source).and_then(|()| source.0.end()).map_err(|error| source.explain(&error));
        }
        if codec == Codec::MessagePack {
            let mut source = Exact(PackReader::new(bytes));
            if take(&mut source).and_then(|()| source.0.end()).is_ok() {
                return Ok(());
            }
        }
        let tree: Tree<'_> = payload::read(codec, bytes, PhantomData)?;
        let mut source = ByName(described::Reader::new(&self.0, node, &tree, codec == Codec::Json));
        take(&mut source).map_err(|error| source.explain(&error))
    }
}

/// Takes all that there is in a source.
type Take<'t> = &'t mut dyn for<'de> FnMut(&mut dyn Source<'de>) -> unreadable::Result<()>;
