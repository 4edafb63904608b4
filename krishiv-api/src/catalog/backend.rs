//! What the operators of one backend share in one process.

use crate::backend::AnyBackend;
use crate::catalog::owner::{Catalog, Owner};
use crate::catalog::records::{self, FORMAT, FormatRecord, OperatorRecord, OwnerRecord};
use crate::error::{Cause, StateError};
use crate::lock::lock;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex, Weak};

/// The hubs of this process, with the addresses of their backends.
static BACKENDS: Mutex<Vec<(usize, Weak<BackendHub>)>> = Mutex::new(Vec::new());

/// What the operators of one backend share: who may write, in which format, and the ids.
pub(crate) struct BackendHub {
    pub(super) backend: Arc<dyn AnyBackend>,
    /// The id of the next operator. Held while one is read from the catalog.
    pub(super) next_operator: Mutex<u16>,
    /// Format that the backend is marked with; 0 if it is empty.
    pub(crate) format: AtomicU32,
    /// Whether a commit has something that older formats do not know.
    pub(crate) needs_newest_format: AtomicBool,
    /// Held while a commit writes what belongs to all instances of an operator, so that an older copy never overwrites a
    /// newer. One for all operators, since several may commit together, in any order.
    pub(crate) commit: Mutex<()>,
    pub(crate) owner: Owner,
}

impl BackendHub {
    /// The hub of `backend`, the same for every store that is opened on it.
    pub(crate) fn of(backend: &Arc<dyn AnyBackend>) -> Result<Arc<Self>, StateError> {
        if let Some(hub) = Self::known(backend, || None) {
            return Ok(hub);
        }
        // Read without the lock: one slow backend must not keep all others waiting.
        let hub = Arc::new(Self::read(backend)?);
        Ok(Self::known(backend, || Some(Arc::clone(&hub))).unwrap_or(hub))
    }

    /// The hub that `backend` has, or else the one that `new` adds.
    fn known(backend: &Arc<dyn AnyBackend>, new: impl FnOnce() -> Option<Arc<Self>>) -> Option<Arc<Self>> {
        let address = Arc::as_ptr(backend).addr();
        let mut hubs = lock(&BACKENDS);
        hubs.retain(|(_, hub)| hub.strong_count() > 0);
        // Found by its address, and not by asking each: to hold a hub even for a moment is to keep the backend of
        // somebody else from closing. A living hub keeps its backend, so nothing else has that address.
        let hub = hubs.iter().find(|(other, _)| *other == address).and_then(|(_, hub)| hub.upgrade());
        if hub.is_some() {
            return hub;
        }
        let new = new()?;
        hubs.push((address, Arc::downgrade(&new)));
        Some(new)
    }

    fn read(backend: &Arc<dyn AnyBackend>) -> Result<Self, StateError> {
        let (mut format, mut owner, mut next_operator) = (0, 0, 1);
        let found = Catalog::read(&**backend, |key, bytes| {
            if key == records::format_key() {
                let found = records::read::<FormatRecord>("format record", bytes)?.format;
                if !(1..=FORMAT).contains(&found) {
                    return Err(Cause::NewerFormat { found, supported: FORMAT }.into());
                }
                format = found;
            } else if key == records::owner_key() {
                owner = records::read::<OwnerRecord>("record of its owner", bytes)?.owner;
            } else if key.starts_with(&records::operators_prefix()) {
                let operator: OperatorRecord = records::read("operator record", bytes)?;
                next_operator = next_operator.max(operator.id.saturating_add(1));
            }
            Ok(())
        })?;
        Ok(Self {
            backend: Arc::clone(backend),
            next_operator: Mutex::new(next_operator),
            format: AtomicU32::new(format),
            needs_newest_format: AtomicBool::new(false),
            commit: Mutex::new(()),
            owner: Owner::new(found, owner),
        })
    }
}
