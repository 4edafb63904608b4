//! Binding handles to the states that the catalog has for them.

use crate::catalog::declared::{Declared, Name};
use crate::catalog::draft::Draft;
use crate::catalog::expiry::{Moment, Ttl};
use crate::catalog::judge::judge;
use crate::catalog::migration::Migration;
use crate::catalog::records::OperatorRecord;
use crate::catalog::untraced::Untraced;
use crate::catalog::verdict::StatePlan;
use crate::codec::Plan;
use crate::descriptor::{StateDescriptor, StateKind};
use crate::error::StateError;
use crate::scope::shared::Shared;
use crate::scope::slot::Slot;
use crate::scope::types::Types;
use crate::state::handle::Shapes;
use std::sync::Arc;

/// The TTL that the backend gives to states without one of their own.
fn default_ttl(shared: &Shared, kind: StateKind) -> Option<Ttl> {
    shared.time.default_ttl().filter(|_| kind != StateKind::Broadcast)
}

/// Who declares a state.
#[derive(Clone, Copy)]
pub(crate) enum By<'a> {
    /// A field of a struct, which declares these; the functions make its values of older ones.
    Field { field: &'a StateDescriptor, beside: &'a [StateDescriptor], migrations: &'a [Migration] },
    /// Only the name of a handle: a TTL that the state has stays, and a new state gets the backend's.
    Name(&'a str),
    /// The library, for itself; it never expires.
    Own(&'a str),
}

impl<'a> By<'a> {
    /// The name that is declared.
    fn name(self) -> Name<'a> {
        let (name, own) = match self {
            By::Field { field, beside, .. } => {
                return Name { name: field.name(), own: false, renamed_from: field.renamed_from(), beside };
            }
            By::Name(name) => (name, false),
            By::Own(name) => (name, true),
        };
        Name { name, own, renamed_from: &[], beside: &[] }
    }

    /// The functions that make its values of older ones.
    fn migrations(self) -> &'a [Migration] {
        if let By::Field { migrations, .. } = self { migrations } else { &[] }
    }

    /// Makes of what `record` has of the state what the program declares.
    pub(crate) fn declare_in(
        self,
        record: &mut OperatorRecord,
        (kind, shapes): (StateKind, fn() -> Shapes),
    ) -> Result<(), StateError> {
        let Shapes { value, map_key, .. } = shapes();
        let value = value.with_migrations(self.migrations());
        let declared = Declared { name: self.name(), kind, value, map_key, ttl: None };
        record.declare(&declared, Moment::default).map(drop)
    }

    /// Says what becomes of the state, where the catalog has `stored` of the operator; with its types, if it is stored.
    pub(crate) fn judge(
        self,
        stored: Option<&OperatorRecord>,
        (kind, shapes): (StateKind, fn() -> Shapes),
    ) -> (StatePlan, Option<Types>) {
        let Shapes { value, map_key, .. } = shapes();
        let value = value.with_migrations(self.migrations());
        let declared = Declared { name: self.name(), kind, value, map_key, ttl: None };
        let states = stored.map_or(&[][..], |stored| &stored.states);
        let (found, plan) = judge(states, &declared);
        let types = found.and_then(|index| states.get(index)).map(|found| {
            let version = found.version_of(&declared.value.shape);
            Types::new(Arc::clone(found), version, declared.value)
        });
        (plan, types)
    }
}

impl Draft<'_> {
    /// Declares a state, and says how a handle reaches it. Not generic: what every state of a program needs of this is a call.
    pub(crate) fn slot(
        &mut self,
        shared: &Arc<Shared>,
        by: By<'_>,
        (kind, shapes): (StateKind, fn() -> Shapes),
    ) -> Result<Slot, StateError> {
        let ttl = match by {
            By::Field { field, .. } => field.ttl().map(Ttl::from).or_else(|| default_ttl(shared, kind)),
            By::Name(name) => self.ttl(name).unwrap_or_else(|| default_ttl(shared, kind)),
            By::Own(_) => None,
        };
        let name = by.name().name;
        let shapes = shapes();
        let key_plan = shapes.map_key.as_ref().map(|key| Plan::of(&key.shape)).unwrap_or_default();
        let value = shapes.value.with_migrations(by.migrations());
        let declared = Declared { name: by.name(), kind, value, map_key: shapes.map_key, ttl };
        let found = self.declare(&declared, &shared.time);
        let (record, version, expiry) = found.map_err(|error| error.at_operator(&shared.operator).at_state(name))?;
        for (role, what) in shapes.untraced {
            shared.note_untraced(Untraced::new(Some(name), role, what));
        }
        if expiry.can_expire() {
            shared.watch_expiry(&expiry);
        }
        let types = Types::new(record, version, declared.value);
        Ok(Slot::new(Arc::clone(shared), types, expiry, (shapes.plan, key_plan)))
    }
}
