//! Bytes at rest: keys, records and what serde sees of a type.

mod evolution;
mod exact;
mod faithful;
pub(crate) mod keys;
mod payload;
mod pull;
pub(crate) mod record;
pub(crate) mod row;
mod same;
mod shape;
pub(crate) mod timer_key;
mod unreadable;
mod walk;
mod weight;
mod writable;

pub(crate) use evolution::{Change, Fit, Old, fit};
pub(crate) use exact::is_exact;
pub(crate) use payload::{Codec, Payload, decode, decode_run, encode, encode_run, is_sound, show, write};
pub(crate) use shape::{News, Shape, Traced, trace};
pub(crate) use weight::{Plan, weigh, weigh_strictly};
pub(crate) use writable::is_writable;
