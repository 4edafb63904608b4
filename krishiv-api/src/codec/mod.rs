//! Bytes at rest: keys, records and what serde sees of a type.

mod faithful;
pub(crate) mod keys;
mod payload;
pub(crate) mod record;
mod shape;
pub(crate) mod timer_key;

pub(crate) use payload::{Codec, decode, encode};
pub(crate) use shape::{Shape, trace};
