//! A batch as fjall takes it: of the steps on one key it has room for one, and it merges nothing.

use super::keys;
use crate::backend::{Op, WriteBatch};
use crate::codec::row::merged;
use crate::error::{Cause, StateError};
use std::borrow::Cow;

/// What becomes of a key: a value, or nothing.
type Value<'a> = Option<Cow<'a, [u8]>>;

/// Hands to `add` what becomes of every key of `batch`, in the order of keys; `stored` is what is there now.
pub(super) fn gather<'a>(
    batch: &'a WriteBatch,
    stored: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, StateError>,
    mut add: impl FnMut(&[u8], Value<'a>),
) -> Result<(), StateError> {
    let mut last: Option<(&[u8], Value<'a>)> = None;
    let mut gathered: Result<(), StateError> = Ok(());
    batch.for_each_in_key_order(|op| {
        let mut step = || {
            check(op)?;
            let before = last.take_if(|(key, _)| *key == op.key());
            let value = match op {
                Op::Put(_, value) => Some(Cow::Borrowed(value)),
                Op::Delete(_) => None,
                Op::Merge(key, changes) => {
                    let there = match before {
                        Some((_, value)) => value,
                        None => stored(key)?.map(Cow::Owned),
                    };
                    Some(merged(there.as_deref(), changes)).filter(|row| !row.is_empty()).map(Cow::Owned)
                }
            };
            if let Some((key, value)) = last.replace((op.key(), value)) {
                add(key, value);
            }
            Ok(())
        };
        if gathered.is_ok() {
            gathered = step();
        }
    });
    gathered?;
    if let Some((key, value)) = last {
        add(key, value);
    }
    Ok(())
}

fn check(op: Op<'_>) -> Result<(), StateError> {
    let key = op.key().len();
    if key > keys::LONGEST {
        let reason = format!("a key is {key} bytes long, and this backend takes up to {}", keys::LONGEST);
        return Err(Cause::Setting { reason }.into());
    }
    match op {
        Op::Put(_, value) if u32::try_from(value.len()).is_err() => {
            let reason = format!("a value is {} bytes long, and this backend takes less than 4 GiB", value.len());
            Err(Cause::Setting { reason }.into())
        }
        _ => Ok(()),
    }
}
