//! Binding handles to the states that the catalog has for them.

use crate::StateError;
use crate::catalog::expiry::Ttl;
use crate::catalog::hub::Draft;
use crate::catalog::records::{Declared, Name};
use crate::catalog::untraced::Untraced;
use crate::codec::Plan;
use crate::descriptor::{StateDescriptor, StateKind};
use crate::error::Cause;
use crate::scope::shared::Shared;
use crate::scope::slot::Slot;
use crate::state::handle::Handle;
use std::sync::Arc;

/// Binds the handles of a struct to their states; only the derive uses it.
pub struct Binder<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) draft: Draft<'a>,
    pub(super) descriptors: &'static [StateDescriptor],
}

impl Binder<'_> {
    /// The handle of the state that is declared at `index`.
    #[doc(hidden)]
    pub fn bind<H: Handle>(&mut self, index: usize) -> Result<H, StateError> {
        let Some(descriptor) = self.descriptors.get(index) else {
            return Err(Cause::Setting { reason: format!("the struct declares no state {index}") }.into());
        };
        let ttl = descriptor.ttl().map(Ttl::from).or_else(|| default_ttl::<H>(self.shared));
        self.draft.bind(self.shared, Name { name: descriptor.name(), own: false }, ttl)
    }
}

/// The TTL that the backend gives to states without one of their own.
fn default_ttl<H: Handle>(shared: &Shared) -> Option<Ttl> {
    shared.time.default_ttl().filter(|_| H::KIND != StateKind::Broadcast)
}

impl Draft<'_> {
    /// Declares a state that only a handle's name tells of: a TTL that it has stays, and a new state gets the
    /// backend's.
    pub(crate) fn bind_by_name<H: Handle>(&mut self, shared: &Arc<Shared>, name: &str) -> Result<H, StateError> {
        let ttl = self.ttl(name).unwrap_or_else(|| default_ttl::<H>(shared));
        self.bind(shared, Name { name, own: false }, ttl)
    }

    /// Declares a state that the library keeps for itself; it never expires.
    pub(crate) fn bind_own<H: Handle>(&mut self, shared: &Arc<Shared>, name: &str) -> Result<H, StateError> {
        self.bind(shared, Name { name, own: true }, None)
    }

    /// Declares a state of `H` and attaches a handle to it.
    fn bind<H: Handle>(&mut self, shared: &Arc<Shared>, name: Name<'_>, ttl: Option<Ttl>) -> Result<H, StateError> {
        let shapes = H::shapes();
        let key_plan = shapes.map_key.as_ref().map(|key| Plan::of(&key.shape)).unwrap_or_default();
        let declared = Declared { name, kind: H::KIND, value: shapes.value, map_key: shapes.map_key, ttl };
        let declared = self.declare(declared, &shared.time);
        let (record, expiry) = declared.map_err(|error| error.at_operator(&shared.operator).at_state(name.name))?;
        for (role, what) in shapes.untraced {
            shared.note_untraced(Untraced::new(Some(name.name), role, what));
        }
        if expiry.can_expire() {
            shared.watch_expiry(&expiry);
        }
        H::attach(Slot::new(Arc::clone(shared), &record, expiry, (shapes.codec, shapes.plan, key_plan)))
    }
}
