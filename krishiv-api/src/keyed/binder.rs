//! Binding handles to the states that the catalog has for them.

use crate::catalog::draft::Draft;
use crate::descriptor::{StateDescriptor, StateKind};
use crate::error::{Cause, StateError};
use crate::scope::shared::Shared;
use crate::scope::slot::Slot;
use crate::state::bind::By;
use crate::state::handle::{Binding, Handle, Shapes};
use std::sync::Arc;

/// Binds the handles of a struct to their states; only the derive uses it.
pub struct Binder<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) draft: Draft<'a>,
    pub(super) descriptors: &'static [StateDescriptor],
    /// The first state that could not be bound.
    pub(super) failure: Option<StateError>,
}

impl Binder<'_> {
    /// The handle of the state that is declared at `index`. One that cannot be bound is only a name, and fails the opening later.
    #[doc(hidden)]
    pub fn bind<H: Handle>(&mut self, index: usize) -> H {
        match self.slot(index, (H::KIND, H::shapes)).and_then(H::core) {
            Ok(core) => H::with_binding(Binding::Bound(core)),
            Err(error) => {
                self.failure.get_or_insert(error);
                H::with_binding(Binding::Named(String::new()))
            }
        }
    }

    fn slot(&mut self, index: usize, of: (StateKind, fn() -> Shapes)) -> Result<Slot, StateError> {
        if let Some(descriptor) = self.descriptors.get(index) {
            return self.draft.slot(self.shared, By::Field(descriptor), of);
        }
        Err(Cause::Setting { reason: format!("the struct declares no state {index}") }.into())
    }
}
