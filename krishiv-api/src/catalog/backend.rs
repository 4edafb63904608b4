//! What the operators of one backend share in one process.

use crate::backend::{AnyBackend, UNDER_WAY, in_part};
use crate::catalog::ids::Ids;
use crate::catalog::owner::{Catalog, Owner};
use crate::catalog::records::{self, FORMAT, FormatRecord, LeftoverRecord, OperatorRecord, OwnerRecord};
use crate::catalog::registry::Registry;
use crate::error::{Cause, StateError};
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex};

/// The hubs of this process, by the addresses of their backends: a living hub keeps its backend, so nothing else has that address.
static HUBS: Registry<usize, BackendHub> = Registry::new();

/// What the operators of one backend share: who may write, in which format, and the ids.
pub(crate) struct BackendHub {
    pub(super) backend: Arc<dyn AnyBackend>,
    /// Held while an operator is read from the catalog.
    pub(super) loading: Mutex<()>,
    pub(super) ids: Mutex<Ids>,
    /// Format that the backend is marked with; 0 if it is empty.
    pub(super) format: AtomicU32,
    /// Whether a commit has something that older formats do not know.
    pub(super) needs_newest_format: AtomicBool,
    /// Held while a commit writes what belongs to all instances of an operator, so that an older copy never overwrites a
    /// newer. One for all operators, since several may commit together, in any order.
    pub(super) commit: Mutex<()>,
    pub(super) owner: Owner,
}

impl BackendHub {
    /// The hub of `backend`, the same for every store that is opened on it.
    pub(crate) fn of(backend: &Arc<dyn AnyBackend>) -> Result<Arc<Self>, StateError> {
        let address = Arc::as_ptr(backend).addr();
        match HUBS.find(&address) {
            Some(hub) => Ok(hub),
            // Read without a lock: one slow backend must not keep all others waiting.
            None => Ok(HUBS.add(address, Arc::new(Self::read(backend)?))),
        }
    }

    fn read(backend: &Arc<dyn AnyBackend>) -> Result<Self, StateError> {
        let (mut format, mut owner, mut ids) = (0, 0, Ids::default());
        let found = Catalog::read(&**backend, |key, bytes| {
            if key == records::format_key() {
                let found = records::read::<FormatRecord>("format record", bytes)?.format;
                if !(1..=FORMAT).contains(&found) {
                    return Err(Cause::NewerFormat { found, supported: FORMAT }.into());
                }
                format = found;
            } else if key == records::owner_key() {
                owner = records::read::<OwnerRecord>("record of its owner", bytes)?.owner;
            } else if key == UNDER_WAY {
                return Err(in_part());
            } else if key.starts_with(&records::operators_prefix()) {
                ids.used.insert(OperatorRecord::read(bytes)?.id);
            } else if key.starts_with(&records::leftovers_prefix()) {
                let LeftoverRecord { id } = records::read("record of what is left over", bytes)?;
                ids.used.insert(id);
                ids.leftover.insert(id, Vec::new());
            }
            Ok(())
        })?;
        Ok(Self {
            backend: Arc::clone(backend),
            loading: Mutex::new(()),
            ids: Mutex::new(ids),
            format: AtomicU32::new(format),
            needs_newest_format: AtomicBool::new(false),
            commit: Mutex::new(()),
            owner: Owner::new(found, owner),
        })
    }
}
