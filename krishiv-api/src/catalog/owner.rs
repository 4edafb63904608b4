//! One backend object at a time writes to a storage: a number in the catalog says which.
//!
//! What a hub holds in memory (ids, positions, counters) is right only while nobody else writes. Two backend objects over one
//! storage have a hub each, so a hub takes a number of its own with its first commit, if the catalog is still what it had
//! opened, and looks for that number before each later commit.

use crate::backend::{AnyBackend, Op, WriteBatch};
use crate::catalog::records::{self, OwnerRecord};
use crate::error::{Cause, StateError};
use crate::lock::lock;
use std::sync::Mutex;
use twox_hash::XxHash3_64;

/// What the catalog held at some time, as a hash of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Catalog(u64);

impl Catalog {
    /// Reads all records of the catalog, and hands them to `each`.
    pub(super) fn read(
        backend: &dyn AnyBackend,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), StateError>,
    ) -> Result<Self, StateError> {
        let (mut hash, mut bytes) = (0, Vec::new());
        // By a scan: a `get` may read the filter of a whole file of rows first, which takes longer than all else that opening
        // does.
        for record in backend.scan(&records::prefix()) {
            let (key, value) = record?;
            bytes.clear();
            bytes.extend_from_slice(&u64::to_le_bytes(hash));
            bytes.extend_from_slice(&key.len().to_le_bytes());
            bytes.extend_from_slice(&key);
            bytes.extend_from_slice(&value);
            hash = XxHash3_64::oneshot(&bytes);
            each(&key, &value)?;
        }
        Ok(Self(hash))
    }
}

/// Whether this hub may write to its backend.
pub(super) struct Owner {
    standing: Mutex<Standing>,
}

/// Keys with what they were to become.
type Steps = Vec<(Vec<u8>, Option<Vec<u8>>)>;

enum Standing {
    /// It has written nothing yet, and may if the catalog is still what it was.
    New { found: Catalog, number: u64 },
    /// Its first write has failed, and may have been written; these are the steps of it that changed the catalog.
    InDoubt { found: Catalog, number: u64, tried: Steps },
    /// Its number is the catalog's.
    Owner { number: u64 },
    /// Somebody else has written, and what this hub knows is of before.
    Fenced,
}

impl Owner {
    /// Of a hub that has `found` this catalog, in which the last owner has the number `last`.
    pub(super) fn new(found: Catalog, last: u64) -> Self {
        Self { standing: Mutex::new(Standing::New { found, number: last.wrapping_add(1) }) }
    }

    /// Refuses a hub whose backend has become somebody else's.
    ///
    /// Apart from [`claim`](Self::claim), since this needs no lock of commits while it reads.
    pub(super) fn check(&self, backend: &dyn AnyBackend) -> Result<(), StateError> {
        if backend.is_exclusive() {
            return Ok(());
        }
        let number = match &*lock(&self.standing) {
            Standing::Owner { number } => *number,
            Standing::Fenced => return Err(Cause::Fenced.into()),
            Standing::New { .. } | Standing::InDoubt { .. } => return Ok(()),
        };
        let mut record = Ok(None);
        backend.read(&records::owner_key(), &mut |bytes| {
            record = bytes.map(|bytes| records::read::<OwnerRecord>("record of its owner", bytes)).transpose();
        })?;
        if record?.is_none_or(|record| record.owner != number) {
            *lock(&self.standing) = Standing::Fenced;
            return Err(Cause::Fenced.into());
        }
        Ok(())
    }

    /// The number of this hub, and whether its next commit has to write it. Under the lock of commits.
    pub(super) fn claim(&self, backend: &dyn AnyBackend) -> Result<(u64, bool), StateError> {
        let mut standing = lock(&self.standing);
        let (found, number, tried) = match &*standing {
            Standing::Owner { number } => return Ok((*number, false)),
            Standing::Fenced => return Err(Cause::Fenced.into()),
            Standing::New { found, number } => (*found, *number, None),
            Standing::InDoubt { found, number, tried } => (*found, *number, Some(tried)),
        };
        if Catalog::read(backend, |_, _| Ok(()))? == found {
            *standing = Standing::New { found, number };
            return Ok((number, true));
        }
        if !tried.map_or(Ok(false), |tried| is_written(tried, backend))? {
            *standing = Standing::Fenced;
            return Err(Cause::Fenced.into());
        }
        *standing = Standing::Owner { number };
        Ok((number, false))
    }

    /// Takes note that `batch` is about to be written, with the number of this hub in it.
    pub(super) fn tries(&self, batch: &WriteBatch) {
        let mut standing = lock(&self.standing);
        if let Standing::New { found, number } = *standing {
            let catalog = batch.iter().filter(|step| step.key().starts_with(&records::prefix()));
            let tried = catalog.map(|step| match step {
                Op::Put(key, value) => (key.to_vec(), Some(value.to_vec())),
                // Rows are merged into, and the catalog has none.
                Op::Delete(key) | Op::Merge(key, _) => (key.to_vec(), None),
            });
            *standing = Standing::InDoubt { found, number, tried: tried.collect() };
        }
    }

    /// Takes note that it is written.
    pub(super) fn holds(&self, number: u64) {
        *lock(&self.standing) = Standing::Owner { number };
    }
}

fn is_written(steps: &Steps, backend: &dyn AnyBackend) -> Result<bool, StateError> {
    for (key, value) in steps {
        if backend.get(key)? != *value {
            return Ok(false);
        }
    }
    Ok(true)
}
