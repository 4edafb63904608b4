//! The program's functions on keys, whatever their types.

use crate::catalog::declared::KeyRecord;
use crate::codec::keys::{check_key, decode_key, encode_key, show_key};
use crate::codec::{Codec, decode};
use crate::error::{Cause, StateError};
use crate::value::StateKey;
use std::fmt::Display;

/// Makes a new key of an old one, both encoded.
type Call = Box<dyn Fn(Codec, &[u8]) -> Result<Vec<u8>, StateError>>;

/// A function that makes new keys, or map keys, of old ones.
pub(super) struct KeyFunction {
    /// The types on both sides; the codec of the old one is that of the program.
    pub(super) old: KeyRecord,
    pub(super) new: KeyRecord,
    call: Call,
    show: fn(Codec, &[u8]) -> String,
}

impl KeyFunction {
    pub(super) fn new<Old: StateKey, New: StateKey, E: Display>(
        function: impl Fn(Old) -> Result<New, E> + 'static,
    ) -> Self {
        let new = KeyRecord::of::<New>().0;
        let codec = new.codec;
        let call = move |stored: Codec, bytes: &[u8]| {
            let old = decode_key::<Old>("a stored key", stored, bytes)?;
            let made = function(old).map_err(|error| {
                let reason = format!("the function does not take {}: {error}", show::<Old>(stored, bytes));
                StateError::from(Cause::KeyMigration { reason: format!("{reason}; let it make something of it") })
            })?;
            let mut out = Vec::new();
            encode_key(&made, codec, &mut out)?;
            check_key(&made, codec, &out)?;
            Ok(out)
        };
        Self { old: KeyRecord::of::<Old>().0, new, call: Box::new(call), show: show::<Old> }
    }

    /// What becomes of an encoded key.
    pub(super) fn apply(&self, stored: Codec, bytes: &[u8]) -> Result<Vec<u8>, StateError> {
        (self.call)(stored, bytes)
    }

    /// An old key, as messages show it.
    pub(super) fn show(&self, stored: Codec, bytes: &[u8]) -> String {
        (self.show)(stored, bytes)
    }
}

fn show<K: StateKey>(codec: Codec, bytes: &[u8]) -> String {
    decode::<K>(codec, bytes).map_or_else(|_| format!("{bytes:02x?}"), |key| show_key(&key))
}
