//! Binding handles to the states that the catalog has for them.

use crate::catalog::draft::Draft;
use crate::catalog::expiry::Ttl;
use crate::catalog::records::{Declared, Name};
use crate::catalog::untraced::Untraced;
use crate::codec::Plan;
use crate::descriptor::{StateDescriptor, StateKind};
use crate::error::StateError;
use crate::scope::shared::Shared;
use crate::scope::slot::Slot;
use crate::state::handle::Shapes;
use std::sync::Arc;

/// The TTL that the backend gives to states without one of their own.
fn default_ttl(shared: &Shared, kind: StateKind) -> Option<Ttl> {
    shared.time.default_ttl().filter(|_| kind != StateKind::Broadcast)
}

/// Who declares a state.
#[derive(Clone, Copy)]
pub(crate) enum By<'a> {
    /// A field of a struct.
    Field(&'a StateDescriptor),
    /// Only the name of a handle: a TTL that the state has stays, and a new state gets the backend's.
    Name(&'a str),
    /// The library, for itself; it never expires.
    Own(&'a str),
}

impl Draft<'_> {
    /// Declares a state, and says how a handle reaches it. Not generic: what every state of a program needs of this is a call.
    pub(crate) fn slot(
        &mut self,
        shared: &Arc<Shared>,
        by: By<'_>,
        (kind, shapes): (StateKind, fn() -> Shapes),
    ) -> Result<Slot, StateError> {
        let (name, own, ttl) = match by {
            By::Field(field) => (field.name(), false, field.ttl().map(Ttl::from).or_else(|| default_ttl(shared, kind))),
            By::Name(name) => (name, false, self.ttl(name).unwrap_or_else(|| default_ttl(shared, kind))),
            By::Own(name) => (name, true, None),
        };
        let shapes = shapes();
        let key_plan = shapes.map_key.as_ref().map(|key| Plan::of(&key.shape)).unwrap_or_default();
        let declared = Declared { name: Name { name, own }, kind, value: shapes.value, map_key: shapes.map_key, ttl };
        let declared = self.declare(declared, &shared.time);
        let (record, expiry) = declared.map_err(|error| error.at_operator(&shared.operator).at_state(name))?;
        for (role, what) in shapes.untraced {
            shared.note_untraced(Untraced::new(Some(name), role, what));
        }
        if expiry.can_expire() {
            shared.watch_expiry(&expiry);
        }
        Ok(Slot::new(Arc::clone(shared), &record, expiry, (shapes.codec, shapes.plan, key_plan)))
    }
}
