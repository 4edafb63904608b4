//! The record that says stamps are event time, and the keys that are not the caller's.

use crate::backend::StateBackend;
use crate::error::{Cause, StateError};
use std::collections::BTreeSet;

/// Present once stamps are event time.
pub(super) const KEY: &[u8] = b"\0\0krishiv/ttl-clock";

/// Operator id 0, which no operator has: the library's own records.
const LIBRARY: &[u8] = &[0, 0];

/// Catalog records that name the id of an operator, or one under which what is left of one is stored; a JSON object each.
const IDS: [&[u8]; 2] = [b"\0\0o", b"\0\0x"];

const FORMAT: u32 = 1;

/// `[format u32 LE][watermark i64 LE]`.
pub(super) fn encode(watermark: i64) -> Vec<u8> {
    [FORMAT.to_le_bytes().as_slice(), &watermark.to_le_bytes()].concat()
}

/// The watermark.
pub(super) fn decode(bytes: &[u8]) -> Result<i64, StateError> {
    let damaged = || StateError::damaged("the record of the TTL watermark does not decode");
    let (format, rest) = bytes.split_first_chunk::<4>().ok_or_else(damaged)?;
    let found = u32::from_le_bytes(*format);
    if found > FORMAT {
        return Err(Cause::NewerFormat { found, supported: FORMAT }.into());
    }
    let watermark = <[u8; 8]>::try_from(rest).map_err(|_| damaged())?;
    Ok(i64::from_le_bytes(watermark))
}

/// Why `key` cannot be written through the wrapper.
pub(super) fn refusal(key: &[u8]) -> String {
    format!(
        "the key `{}` belongs to the library or to a typed store in the same backend; \
         use keys that begin neither with two zero bytes nor with the id of an operator",
        key.escape_ascii()
    )
}

/// Keys that are not raw ones: the library's, and the rows of typed stores.
#[derive(Clone, Debug, Default)]
pub(super) struct Reserved {
    operators: BTreeSet<[u8; 2]>,
}

impl Reserved {
    /// Reads the catalog.
    pub(super) fn read(backend: &impl StateBackend) -> Result<Self, StateError> {
        let mut operators = BTreeSet::new();
        for record in IDS.into_iter().flat_map(|prefix| backend.scan(prefix)) {
            let (key, value) = record?;
            // Without its id, the rows of this operator would be taken for raw records.
            let id = operator_id(&value).ok_or_else(|| {
                StateError::damaged(format!("the catalog record `{}` holds no operator id", key.escape_ascii()))
            })?;
            operators.insert(id.to_be_bytes());
        }
        Ok(Self { operators })
    }

    pub(super) fn holds(&self, key: &[u8]) -> bool {
        is_library(key) || key.first_chunk::<2>().is_some_and(|id| self.operators.contains(id))
    }

    /// Whether typed stores share the backend.
    pub(super) fn is_shared(&self) -> bool {
        !self.operators.is_empty()
    }
}

/// Whether `key` is one of the library's own.
pub(super) fn is_library(key: &[u8]) -> bool {
    key.starts_with(LIBRARY)
}

fn operator_id(record: &[u8]) -> Option<u16> {
    let json = record.get(record.iter().position(|byte| *byte == b'{')?..)?;
    let record: serde_json::Value = serde_json::from_slice(json).ok()?;
    record.get("id")?.as_u64()?.try_into().ok()
}
