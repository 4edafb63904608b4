//! The eight bytes before every value.

use crate::error::StateError;

/// `[8-byte LE expires_at_ms][raw bytes]`.
pub(super) fn join(expires_at: i64, raw: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(raw.len().saturating_add(8));
    value.extend_from_slice(&expires_at.to_le_bytes());
    value.extend_from_slice(raw);
    value
}

/// The two parts of the value of `key`.
pub(super) fn split<'a>(key: &[u8], value: &'a [u8]) -> Result<(i64, &'a [u8]), StateError> {
    match value.split_first_chunk::<8>() {
        Some((expires_at, raw)) => Ok((i64::from_le_bytes(*expires_at), raw)),
        None => Err(StateError::damaged(format!(
            "the value of key `{}` is {} bytes long, too short for the time at which it expires; \
             it is damaged, or was written without a TTL",
            key.escape_ascii(),
            value.len()
        ))),
    }
}
