//! Binding handles to the states that the catalog has for them.

use crate::catalog::draft::Draft;
use crate::catalog::migration::Migration;
use crate::catalog::records::OperatorRecord;
use crate::catalog::verdict::StatePlan;
use crate::descriptor::{StateDescriptor, StateKind};
use crate::error::{Cause, StateError};
use crate::scope::shared::Shared;
use crate::scope::slot::Slot;
use crate::scope::types::Types;
use crate::state::bind::By;
use crate::state::handle::{Binding, Handle, Shapes};
use std::sync::Arc;

/// Binds the handles of a struct to their states; only the derive uses it.
pub struct Binder<'a> {
    pub(super) to: To<'a>,
    pub(super) descriptors: &'static [StateDescriptor],
    /// The first state that could not be bound.
    pub(super) failure: Option<StateError>,
}

/// What the handles are bound to.
pub(super) enum To<'a> {
    /// The states of a store.
    Store { shared: &'a Arc<Shared>, draft: Box<Draft<'a>> },
    /// What a lock file has of the operator, which becomes what the program declares.
    Record(&'a mut OperatorRecord),
    /// Nothing: only what would become of their states is noted, where the catalog has `stored` of the operator.
    Plan { stored: Option<&'a OperatorRecord>, states: Vec<(StatePlan, Option<Types>)> },
}

impl Binder<'_> {
    /// The handle of the state that is declared at `index`. One that cannot be bound is only a name, and fails the opening later.
    #[doc(hidden)]
    pub fn bind<H: Handle>(&mut self, index: usize) -> H {
        self.bind_migrating(index, &[])
    }

    /// The same with functions that make its values of older ones.
    #[doc(hidden)]
    pub fn bind_migrating<H: Handle>(&mut self, index: usize, migrations: &[Migration]) -> H {
        let core = self.slot((index, migrations), (H::KIND, H::shapes)).and_then(|slot| slot.map(H::core).transpose());
        match core {
            Ok(Some(core)) => return H::with_binding(Binding::Bound(core)),
            Ok(None) => {}
            Err(error) => {
                self.failure.get_or_insert(error);
            }
        }
        H::with_binding(Binding::Named(String::new()))
    }

    fn slot(
        &mut self,
        (index, migrations): (usize, &[Migration]),
        of: (StateKind, fn() -> Shapes),
    ) -> Result<Option<Slot>, StateError> {
        let Some(field) = self.descriptors.get(index) else {
            return Err(Cause::Setting { reason: format!("the struct declares no state {index}") }.into());
        };
        let by = By::Field { field, beside: self.descriptors, migrations };
        match &mut self.to {
            To::Store { shared, draft } => draft.slot(shared, by, of).map(Some),
            To::Record(record) => by.declare_in(record, of).map(|()| None),
            To::Plan { stored, states } => {
                states.push(by.judge(*stored, of));
                Ok(None)
            }
        }
    }
}
