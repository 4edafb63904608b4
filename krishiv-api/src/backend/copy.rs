//! State from one backend to another, record by record.

use super::{StateBackend, WriteBatch};
use crate::error::{Cause, StateError};

/// Bytes that are written to the target at once.
const PART: usize = 4 << 20;

/// Lies in the target until the copy is whole, so that nobody takes a part for all.
pub(crate) const UNDER_WAY: &[u8] = b"\0\0krishiv/copy";

/// How much of a copy is written.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, copy};
/// let copied = copy(&InMemoryStateBackend::new(), &InMemoryStateBackend::new())?;
/// assert_eq!((copied.records, copied.bytes), (0, 0));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// Records so far.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

/// Copies all records of one backend to another one, which is empty, and compares them at the end.
///
/// The way from one kind of backend to another: what is stored is the same on each of them. It streams, and holds a few MiB of
/// records at a time. No store of either backend commits meanwhile.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState, copy};
/// use std::sync::Arc;
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Aircraft {
///     late_streak: ValueState<u32>,
/// }
///
/// let from = Arc::new(InMemoryStateBackend::new()); // or FjallStateBackend::open(folder)?
/// let mut aircraft = Keyed::<Aircraft>::open(from.clone())?;
/// aircraft.with_key("N14228", |state| state.late_streak.set(3))?;
/// aircraft.commit("42")?;
/// drop(aircraft);
///
/// let to = Arc::new(InMemoryStateBackend::new()); // or RocksDbStateBackend::open(another)?
/// copy(&*from, &*to)?;
/// let mut aircraft = Keyed::<Aircraft>::open(to)?;
/// assert_eq!(aircraft.with_key("N14228", |state| state.late_streak.get())?, Some(3));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
///
/// # Errors
///
/// When the target is not empty, when a record cannot be read or written, or when the two differ at the end. A store does not open
/// on what has been written by then.
pub fn copy(from: &impl StateBackend, to: &impl StateBackend) -> Result<Copied, StateError> {
    copy_and_tell(from, to, |_| ())
}

/// Does the same, and tells how far it is after every few MiB.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, StateBackend, WriteBatch, copy_and_tell};
///
/// let (from, to) = (InMemoryStateBackend::new(), InMemoryStateBackend::new());
/// let mut batch = WriteBatch::default();
/// batch.put(b"plane", b"late");
/// from.write(batch)?;
/// copy_and_tell(&from, &to, |copied| assert_eq!((copied.records, copied.bytes), (1, 9)))?;
/// assert_eq!(to.get(b"plane")?, Some(b"late".to_vec()));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
///
/// # Errors
///
/// As [`copy`].
pub fn copy_and_tell(
    from: &impl StateBackend,
    to: &impl StateBackend,
    mut tell: impl FnMut(Copied),
) -> Result<Copied, StateError> {
    whole(from)?;
    if let Some(first) = to.scan(b"").next() {
        let key = first?.0;
        whole(to)?;
        return Err(refused(&format!("the target of a copy is not empty: it has a record `{}`", key.escape_ascii())));
    }
    let mut copied = Copied::default();
    let mut part = WriteBatch::default();
    part.put(UNDER_WAY, b"");
    let mut write = |part: &mut WriteBatch, copied: Copied| {
        to.write(std::mem::take(part))?;
        tell(copied);
        Ok::<(), StateError>(())
    };
    for record in from.scan(b"") {
        let (key, value) = record?;
        part.put(&key, &value);
        copied.records += 1;
        copied.bytes += (key.len() + value.len()) as u64;
        if part.size() >= PART {
            write(&mut part, copied)?;
        }
    }
    write(&mut part, copied)?;
    compare(from, to)?;
    let mut end = WriteBatch::default();
    end.delete(UNDER_WAY);
    to.write(end)?;
    Ok(copied)
}

/// Refuses what is a part of a copy.
///
/// # Errors
///
/// When it is one.
fn whole(backend: &impl StateBackend) -> Result<(), StateError> {
    backend.get(UNDER_WAY)?.map_or(Ok(()), |_| Err(in_part()))
}

/// What is said of state that is a part of a copy.
pub(crate) fn in_part() -> StateError {
    refused("this is the beginning of a copy that did not come to its end; empty it, and copy again")
}

fn refused(reason: &str) -> StateError {
    Cause::Setting { reason: reason.to_owned() }.into()
}

fn compare(from: &impl StateBackend, to: &impl StateBackend) -> Result<(), StateError> {
    let mut there = to.scan(b"").filter(|record| record.as_ref().map_or(true, |(key, _)| key != UNDER_WAY));
    let mut here = from.scan(b"");
    loop {
        let (one, other) = (here.next().transpose()?, there.next().transpose()?);
        if one != other {
            let key = one.or(other).map_or_else(String::new, |(key, _)| key.escape_ascii().to_string());
            let reason = format!(
                "source and target of a copy differ at `{key}`: a store has committed meanwhile, or one of them is damaged"
            );
            return Err(refused(&format!("{reason}; empty the target, and copy again")));
        }
        if one.is_none() {
            return Ok(());
        }
    }
}
