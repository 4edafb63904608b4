//! Bytes at rest: keys, records and what serde sees of a type.

mod faithful;
pub(crate) mod keys;
mod payload;
pub(crate) mod record;
mod shape;
pub(crate) mod timer_key;

pub(crate) use payload::{Codec, decode, decode_run, encode, encode_run};
pub(crate) use shape::{Shape, trace};
